/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/message.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"

enum {
    DNS_CLASS_IN = 1,
    DNS_LABEL_MAX = 63,      /* RFC 1035 2.3.4 */
    DNS_WIRE_NAME_MAX = 255, /* the same, with all lengths and the root */
    DNS_POINTERS_MAX = 64,   /* jumps within one name */
    DNS_FLAG_RESPONSE = 0x8000,
    DNS_FLAG_AUTHORITATIVE = 0x0400,
    DNS_FLAG_TRUNCATED = 0x0200,
    DNS_FLAG_AUTHENTIC = 0x0020,
    DNS_FLAGS_ANSWER = 0x8180,        /* response, recursion desired and available */
    DNS_SECTION_MAX = 512,            /* records of a section that are walked over */
    DNS_POINTER_TO_QUESTION = 0xc00c, /* behind the header's twelve octets */
};

/* What stands for itself in a name, from '!' on, in lower case; NUL for what does not. */
static const char plain_octets[] =
    "!\"#$%&'()*+,-\0/"
    "0123456789:;<=>?@abcdefghijklmnopqrstuvwxyz[\0]^_`abcdefghijklmnopqrstuvwxyz{|}~";
enum { PLAIN_FIRST = '!', PLAIN_COUNT = 0x7f - PLAIN_FIRST };
static_assert(sizeof plain_octets == PLAIN_COUNT + 1, "one for each");

/* NUL: it is written as a number. */
static char plain_octet(unsigned char octet)
{
    unsigned place = (unsigned)octet - PLAIN_FIRST;
    return place < PLAIN_COUNT ? plain_octets[place] : '\0';
}

/* Appends one octet of a label as text. */
static bool put_octet(char out[DNS_NAME_BYTES], size_t *len, unsigned char octet)
{
    char plain = plain_octet(octet);
    if (*len + (plain != '\0' ? 1u : 4u) >= DNS_NAME_BYTES) {
        return false;
    }
    if (plain != '\0') {
        out[(*len)++] = plain;
        return true;
    }
    out[(*len)++] = '\\';
    out[(*len)++] = (char)('0' + octet / 100);
    out[(*len)++] = (char)('0' + octet / 10 % 10);
    out[(*len)++] = (char)('0' + octet % 10);
    return true;
}

/* Nearly all labels: octets that stand for themselves, and room for them. False: *len is as it was. */
static bool put_plain_label(char out[DNS_NAME_BYTES], size_t *len, struct slice label)
{
    if (*len + label.len >= DNS_NAME_BYTES) {
        return false;
    }
    char *at = out + *len;
    for (size_t i = 0; i < label.len; i++) {
        at[i] = plain_octet((unsigned char)label.at[i]);
        if (at[i] == '\0') {
            return false;
        }
    }
    *len += label.len;
    return true;
}

static bool put_label(char out[DNS_NAME_BYTES], size_t *len, struct slice label)
{
    if (*len > 0) {
        if (*len + 1 >= DNS_NAME_BYTES) {
            return false;
        }
        out[(*len)++] = '.';
    }
    if (put_plain_label(out, len, label)) {
        return true;
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!put_octet(out, len, (unsigned char)label.at[i])) {
            return false;
        }
    }
    return true;
}

/* A name at the reader, following pointers into the whole message (RFC 1035 4.1.4). Each pointer must lead
 * before the place where the last one led, so that no loop is possible. */
static bool read_name(struct slice message, struct reader *r, char out[DNS_NAME_BYTES])
{
    struct reader here = *r;
    bool has_jumped = false;
    size_t len = 0;
    size_t octets = 1; /* on the wire, the root included */
    size_t limit = message.len - r->rest.len;
    for (unsigned jumps = 0; jumps <= DNS_POINTERS_MAX;) {
        uint8_t size;
        if (!reader_u8(&here, &size)) {
            return false;
        }
        if (!has_jumped) {
            *r = here;
        }
        if (size == 0) {
            out[len] = '\0';
            return true;
        }
        struct slice label;
        if (size <= DNS_LABEL_MAX) {
            octets += 1u + size;
            if (octets > DNS_WIRE_NAME_MAX || !reader_take(&here, size, &label) ||
                !put_label(out, &len, label)) {
                return false;
            }
            if (!has_jumped) {
                *r = here;
            }
            continue;
        }
        uint8_t low;
        if (size < 0xc0 || !reader_u8(&here, &low)) {
            return false;
        }
        if (!has_jumped) {
            *r = here;
            has_jumped = true;
        }
        size_t target = (size_t)(size & 0x3f) << 8 | low;
        if (target >= limit) {
            return false;
        }
        limit = target;
        here = reader_over(slice_sub(message, target, message.len));
        jumps++;
    }
    return false;
}

static bool read_soa(struct slice message, struct reader *r, struct dns_record *out)
{
    char server[DNS_NAME_BYTES], person[DNS_NAME_BYTES];
    uint32_t number = 0;
    if (!read_name(message, r, server) || !read_name(message, r, person)) {
        return false;
    }
    for (int i = 0; i < 5; i++) { /* serial, refresh, retry, expire, minimum */
        if (!reader_u32(r, &number)) {
            return false;
        }
        out->serial = i == 0 ? number : out->serial;
    }
    out->minimum_s = number;
    return true;
}

static bool read_address(struct slice data, uint8_t family, struct ip *out)
{
    size_t len = family == IP_V4 ? 4 : 16;
    if (data.len != len) {
        return false;
    }
    *out = (struct ip){.family = family};
    memcpy(out->bytes, data.at, len);
    return true;
}

bool dns_text_next(struct slice *rest, struct slice *out)
{
    struct reader r = reader_over(*rest);
    uint8_t len;
    if (!reader_u8(&r, &len) || !reader_take(&r, len, out)) {
        return false;
    }
    *rest = r.rest;
    return true;
}

enum err dns_text_join(struct slice text, struct buf *out)
{
    struct slice rest = text;
    struct slice string;
    enum err e = ERR_NONE;
    while (e == ERR_NONE && dns_text_next(&rest, &string)) {
        e = buf_append(out, string);
    }
    return e;
}

static bool read_text(struct slice data, struct slice *out)
{
    struct slice rest = data;
    struct slice string;
    while (dns_text_next(&rest, &string)) {
    }
    *out = data;
    return rest.len == 0;
}

static bool read_service(struct slice message, struct reader *r, struct dns_record *out)
{
    return reader_u16(r, &out->preference) && reader_u16(r, &out->weight) &&
           reader_u16(r, &out->port) && read_name(message, r, out->target); /* RFC 2782 */
}

static bool read_data(struct slice message, struct reader *r, struct slice data,
                      struct dns_record *out)
{
    switch (out->type) {
    case DNS_A: return read_address(data, IP_V4, &out->ip);
    case DNS_AAAA: return read_address(data, IP_V6, &out->ip);
    case DNS_MX: return reader_u16(r, &out->preference) && read_name(message, r, out->target);
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR: return read_name(message, r, out->target);
    case DNS_TXT: return read_text(data, &out->text);
    case DNS_SOA: return read_soa(message, r, out);
    case DNS_SRV: return read_service(message, r, out);
    case DNS_TLSA: out->text = data; return true;
    default: return true;
    }
}

/* Types whose data is read from the message itself and not as a block. */
static bool is_name_within(uint16_t type)
{
    return type == DNS_MX || type == DNS_CNAME || type == DNS_NS || type == DNS_PTR ||
           type == DNS_SOA || type == DNS_SRV;
}

/* All but the room for the names, which are long and mostly left as they are. */
static void record_clear(struct dns_record *record)
{
    enum {
        BETWEEN = offsetof(struct dns_record, type),
        TARGET = offsetof(struct dns_record, target)
    };
    record->owner[0] = '\0';
    memset((char *)record + BETWEEN, 0, TARGET - BETWEEN);
    record->target[0] = '\0';
    memset((char *)record + TARGET + sizeof record->target, 0,
           sizeof *record - TARGET - sizeof record->target);
}

/* Nearly every owner is a pointer to the question, which was read already. */
static bool read_owner(struct slice message, struct reader *r, const struct dns_message *read,
                       struct dns_record *out)
{
    struct reader behind = *r;
    uint16_t pointer;
    if (read->question_type == 0 || !reader_u16(&behind, &pointer) ||
        pointer != DNS_POINTER_TO_QUESTION) {
        return read_name(message, r, out->owner);
    }
    memcpy(out->owner, read->question, strlen(read->question) + 1);
    *r = behind;
    return true;
}

static bool read_record(struct slice message, struct reader *r, const struct dns_message *read,
                        struct dns_record *out)
{
    uint16_t class;
    uint16_t size;
    struct slice data;
    record_clear(out);
    if (!read_owner(message, r, read, out) || !reader_u16(r, &out->type) ||
        !reader_u16(r, &class) || !reader_u32(r, &out->ttl_s) || !reader_u16(r, &size)) {
        return false;
    }
    if (out->ttl_s > INT32_MAX) {
        out->ttl_s = 0; /* RFC 2181 8 */
    }
    struct reader inside = *r;
    if (!reader_take(r, size, &data)) {
        return false;
    }
    if (class != DNS_CLASS_IN) {
        out->type = 0;
        return true;
    }
    /* The data may point back into the message, so it is read in place; it must end where it says. */
    bool is_good = read_data(message, &inside, data, out);
    return is_good && (!is_name_within(out->type) || inside.rest.len == r->rest.len);
}

static bool read_questions(struct slice message, struct reader *r, unsigned count,
                           struct dns_message *out)
{
    for (unsigned i = 0; i < count; i++) {
        UNFILLED char beyond[DNS_NAME_BYTES]; /* is read for what follows it */
        uint16_t type;
        uint16_t class;
        if (!read_name(message, r, i == 0 ? out->question : beyond) || !reader_u16(r, &type) ||
            !reader_u16(r, &class)) {
            return false;
        }
        out->question_type = i == 0 ? type : out->question_type;
    }
    return true;
}

/* *out_is_whole: what follows them can be read. */
static bool read_answers(struct slice message, struct reader *r, unsigned count,
                         struct dns_message *out, bool *out_is_whole)
{
    *out_is_whole = count <= DNS_SECTION_MAX;
    for (unsigned i = 0; i < count && i < DNS_SECTION_MAX; i++) {
        UNFILLED struct dns_record beyond; /* is read for what follows it */
        bool has_room = out->answer_count < DNS_RECORDS_MAX;
        struct dns_record *record = has_room ? &out->answers[out->answer_count] : &beyond;
        if (!read_record(message, r, out, record)) {
            *out_is_whole = false;
            return out->is_truncated; /* a cut answer is asked again over TCP */
        }
        out->answer_count += has_room ? 1 : 0;
    }
    return true;
}

static void read_authority(struct slice message, struct reader *r, unsigned count,
                           struct dns_message *out)
{
    for (unsigned i = 0; i < count && i < DNS_SECTION_MAX; i++) {
        struct dns_record record;
        if (!read_record(message, r, out, &record)) {
            return; /* the answer is whole already */
        }
        if (record.type == DNS_SOA) {
            /* RFC 2308 5: the least of the SOA's own life and its minimum. */
            out->has_negative_ttl = true;
            out->negative_ttl_s = record.ttl_s < record.minimum_s ? record.ttl_s : record.minimum_s;
        }
    }
}

enum err dns_message_parse(struct slice bytes, struct dns_message *out)
{
    struct reader r = reader_over(bytes);
    uint16_t flags;
    uint16_t counts[4];
    memset(out, 0, offsetof(struct dns_message, answers));
    out->has_negative_ttl = false;
    out->negative_ttl_s = 0;
    if (!reader_u16(&r, &out->id) || !reader_u16(&r, &flags)) {
        return ERR_SYNTAX;
    }
    for (size_t i = 0; i < 4; i++) {
        if (!reader_u16(&r, &counts[i])) {
            return ERR_SYNTAX;
        }
    }
    out->is_response = (flags & DNS_FLAG_RESPONSE) != 0;
    out->is_truncated = (flags & DNS_FLAG_TRUNCATED) != 0;
    out->is_authoritative = (flags & DNS_FLAG_AUTHORITATIVE) != 0;
    out->is_authentic = (flags & DNS_FLAG_AUTHENTIC) != 0;
    out->rcode = flags & 0xf;
    bool is_whole;
    if (!read_questions(bytes, &r, counts[0], out) ||
        !read_answers(bytes, &r, counts[1], out, &is_whole)) {
        return ERR_SYNTAX;
    }
    if (is_whole) {
        read_authority(bytes, &r, counts[2], out);
    }
    return ERR_NONE;
}

/* Writing. */

static enum err put_u16(struct buf *out, unsigned value)
{
    char bytes[2] = {(char)(value >> 8 & 0xff), (char)(value & 0xff)};
    return buf_append(out, slice_make(bytes, 2));
}

static enum err put_u32(struct buf *out, uint32_t value)
{
    enum err e = put_u16(out, value >> 16);
    return e != ERR_NONE ? e : put_u16(out, value & 0xffff);
}

/* One octet of a label's text, an escape undone. */
static bool take_octet(struct slice *rest, uint8_t *out)
{
    if (rest->at[0] != '\\') {
        *out = (uint8_t)rest->at[0];
        *rest = slice_sub(*rest, 1, rest->len);
        return true;
    }
    struct reader digits = reader_over(slice_sub(*rest, 1, 4));
    uint64_t number;
    if (digits.rest.len != 3 || !reader_number(&digits, UINT8_MAX, &number) ||
        !reader_is_done(&digits)) {
        return false;
    }
    *out = (uint8_t)number;
    *rest = slice_sub(*rest, 4, rest->len);
    return true;
}

static enum err put_label_bytes(struct buf *out, struct slice text)
{
    char bytes[1 + DNS_LABEL_MAX];
    size_t len = 0;
    while (text.len > 0) {
        uint8_t octet;
        if (len == DNS_LABEL_MAX || !take_octet(&text, &octet)) {
            return ERR_SYNTAX;
        }
        bytes[++len] = (char)octet;
    }
    if (len == 0) {
        return ERR_SYNTAX;
    }
    bytes[0] = (char)len;
    return buf_append(out, slice_make(bytes, len + 1));
}

static enum err put_name(struct buf *out, const char *name)
{
    struct slice rest = slice_of(name);
    size_t start = out->len;
    while (rest.at != NULL && rest.len > 0) {
        enum err e = put_label_bytes(out, slice_cut(&rest, '.'));
        if (e != ERR_NONE) {
            return e;
        }
    }
    return out->len - start < DNS_WIRE_NAME_MAX ? buf_append_byte(out, '\0') : ERR_SYNTAX;
}

enum err dns_question_write(uint16_t id, const char *name, uint16_t type, struct buf *out)
{
    const unsigned words[] = {id, 0, 1, 0, 0, 0};
    enum err e = ERR_NONE;
    for (size_t i = 0; i < sizeof words / sizeof words[0] && e == ERR_NONE; i++) {
        e = put_u16(out, words[i]);
    }
    e = e != ERR_NONE ? e : put_name(out, name);
    e = e != ERR_NONE ? e : put_u16(out, type);
    return e != ERR_NONE ? e : put_u16(out, DNS_CLASS_IN);
}

static enum err put_data(struct buf *out, const struct dns_record *record)
{
    enum err e;
    switch (record->type) {
    case DNS_A: return buf_append(out, slice_make((const char *)record->ip.bytes, 4));
    case DNS_AAAA: return buf_append(out, slice_make((const char *)record->ip.bytes, 16));
    case DNS_MX:
        e = put_u16(out, record->preference);
        return e != ERR_NONE ? e : put_name(out, record->target);
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR: return put_name(out, record->target);
    case DNS_SRV:
        e = put_u16(out, record->preference);
        e = e != ERR_NONE ? e : put_u16(out, record->weight);
        e = e != ERR_NONE ? e : put_u16(out, record->port);
        return e != ERR_NONE ? e : put_name(out, record->target);
    case DNS_TXT:
    case DNS_TLSA: return buf_append(out, record->text);
    case DNS_SOA:
        e = put_name(out, "ns.invalid");
        e = e != ERR_NONE ? e : put_name(out, "hostmaster.invalid");
        for (int i = 0; i < 4 && e == ERR_NONE; i++) {
            e = put_u32(out, 1);
        }
        return e != ERR_NONE ? e : put_u32(out, record->minimum_s);
    default: return ERR_NONE;
    }
}

static enum err put_record(struct buf *out, const struct dns_record *record)
{
    enum err e = put_name(out, record->owner);
    e = e != ERR_NONE ? e : put_u16(out, record->type);
    e = e != ERR_NONE ? e : put_u16(out, DNS_CLASS_IN);
    e = e != ERR_NONE ? e : put_u32(out, record->ttl_s);
    size_t size_at = out->len;
    e = e != ERR_NONE ? e : put_u16(out, 0);
    e = e != ERR_NONE ? e : put_data(out, record);
    if (e == ERR_NONE) {
        size_t size = out->len - size_at - 2;
        out->at[size_at] = (char)(size >> 8 & 0xff);
        out->at[size_at + 1] = (char)(size & 0xff);
    }
    return e;
}

enum err dns_message_write(const struct dns_message *message, struct buf *out)
{
    bool has_question = message->question_type != 0;
    unsigned flags = message->is_response ? DNS_FLAGS_ANSWER | message->rcode : 0x0100;
    flags |= message->is_truncated ? DNS_FLAG_TRUNCATED : 0;
    unsigned words[] = {message->id,
                        flags,
                        has_question ? 1 : 0,
                        (unsigned)message->answer_count,
                        message->has_negative_ttl ? 1 : 0,
                        0};
    enum err e = ERR_NONE;
    for (size_t i = 0; i < sizeof words / sizeof words[0] && e == ERR_NONE; i++) {
        e = put_u16(out, words[i]);
    }
    if (has_question) {
        e = e != ERR_NONE ? e : put_name(out, message->question);
        e = e != ERR_NONE ? e : put_u16(out, message->question_type);
        e = e != ERR_NONE ? e : put_u16(out, DNS_CLASS_IN);
    }
    for (size_t i = 0; i < message->answer_count && e == ERR_NONE; i++) {
        e = put_record(out, &message->answers[i]);
    }
    if (message->has_negative_ttl && e == ERR_NONE) {
        struct dns_record soa = {.type = DNS_SOA,
                                 .ttl_s = message->negative_ttl_s,
                                 .minimum_s = message->negative_ttl_s};
        e = put_record(out, &soa);
    }
    return e;
}
