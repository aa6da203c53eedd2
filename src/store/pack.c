/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pack.h"

#include <string.h>

#include "base/reader.h"
#include "base/slice.h"

enum {
    PACK_NUMBER = 1,     /* of the known text */
    PACK_HASHED = 5,     /* bytes; no piece is shorter */
    PACK_WORD = 8,       /* read at once to be hashed */
    PACK_SLOT_BITS = 12, /* of PACK_SLOTS */
    PACK_LETTERS = 0x80, /* at most, behind one byte */
    PACK_PIECE = 0x80,   /* in the first byte of a piece */
    PACK_SHORT = 7,      /* lengths from here on have a byte of their own */
    PACK_LONG = PACK_HASHED + PACK_SHORT + UINT8_MAX,
};

/* A record as most are, and what others have instead. What stands together often stands together here: the longer the
 * pieces, the fewer they are. */
static const char known[] =
    "{\"email\":\"\",\"normalized\":\"\",\"ascii\":\"\",\"local\":\"\",\"domain\":\""
    "\",\"status\":\"deliverable\",\"sub_status\":\"accepted\",\"score\":95,\"confidence\":0.95,"
    "\"reasons\":[{\"code\":\"accepted\",\"effect\":95,\"detail\":\"250 2.1.5 Ok\"},"
    "{\"code\":\"rcpt_accepted\",\"effect\":0,\"detail\":\"250 2.1.5 Ok\"},"
    "{\"code\":\"control_refused\",\"effect\":0,\"detail\":null}],\"did_you_mean\":null,"
    "\"flags\":{\"is_disposable\":false,\"is_role\":false,\"is_free\":false,"
    "\"is_catch_all\":false,\"is_plus_tagged\":false,\"is_noreply\":false,\"is_gov\":false,"
    "\"is_edu\":false,\"is_idn\":false,\"is_full\":false,\"is_disabled\":false,"
    "\"is_gibberish\":false,\"disposable_entry\":null},"
    "\"dns\":{\"status\":\"ok\",\"resolver_status\":\"none\",\"mx_found\":true,"
    "\"implicit_mx\":false,\"null_mx\":false,\"ttl\":3600,\"mx\":[{\"host\":\""
    "\",\"preference\":10,\"addresses\":[\"\"]}]},\"provider\":{\"name\":\"default\","
    "\"label\":\"Own server\",\"class\":\"selfhosted\",\"gateway\":false,\"trait\":null},"
    "\"smtp\":{\"host\":\"\",\"ip\":\"\",\"port\":25,\"stage\":\"rcpt\",\"code\":250,"
    "\"enhanced\":\"2.1.5\",\"text\":\"2.1.5 Ok\",\"rule\":\"code:250\","
    "\"tls\":{\"used\":false,\"version\":null,\"cipher\":null,\"cert_ok\":false},"
    "\"extensions\":[\"PIPELINING\",\"STARTTLS\",\"SIZE\",\"8BITMIME\",\"SMTPUTF8\",\"CHUNKING\","
    "\"ENHANCEDSTATUSCODES\",\"DSN\"],\"attempts\":1,\"egress\":\"default\",\"helo\":\""
    "\",\"mail_from\":\"\",\"control\":{\"tested\":false,\"result\":\"refused\",\"code\":550,"
    "\"count\":0},\"greylist\":{\"seen\":false,\"first_at\":null,\"passed_at\":null,"
    "\"waited_s\":0},\"latency_ms\":{\"dns\":,\"connect\":,\"banner\":,\"ehlo\":,\"starttls\":,"
    "\"mail\":,\"rcpt\":,\"control\":0}},\"retry_after\":null,\"checked_at\":\"2026-\","
    "\"expires_at\":\"2026-\",\"cached\":false,\"duration_ms\":,\"engine_version\":\"0.1.0\","
    "\"rules_version\":\"\"}"
    /* What is otherwise. */
    "\"status\":\"undeliverable\",\"sub_status\":\"mailbox_not_found\",\"score\":0,"
    "\"confidence\":0.9"
    "\"status\":\"risky\",\"sub_status\":\"catch_all\",\"status\":\"unknown\","
    "\"code\":\"mailbox_not_found\",\"effect\":-,\"detail\":\"550 5.1.1 No such user here\"},"
    "{\"code\":\"rcpt_no_user\",\"effect\":0,\"detail\":\"550 5.1.1 User unknown"
    "\"code\":550,\"enhanced\":\"5.1.1\",\"text\":\"5.1.1 No such user here\","
    "\"rule\":\"rules/layer-6-no-user.rules:"
    "\"tls\":{\"used\":true,\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\","
    "\"cert_ok\":true},\"provider\":{\"name\":\"google\",\"label\":\"Google\","
    "\"class\":\"webmail\",\"gateway\":false,\"trait\":null},\"name\":\"microsoft365\","
    "\"label\":\"Microsoft 365\",\"class\":\"business\",\"gateway\":true,"
    "\"control\":{\"tested\":true,\"result\":null,\"code\":0,\"is_catch_all\":null,";

#define KNOWN_BYTES (sizeof known - 1)
_Static_assert(KNOWN_BYTES <= 1 << 12, "a piece names its place in twelve bits");

/* On a machine of the other byte order it is other bytes that are hashed: what is found is compared. */
static unsigned slot_of(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    word <<= 8 * (PACK_WORD - PACK_HASHED);
    return (unsigned)((word * UINT64_C(0x9e3779b185ebca87)) >> (64 - PACK_SLOT_BITS));
}

/* Of places with the same hash the first is kept: that is where the longer pieces are. */
static void make_index(struct pack_index *index)
{
    for (unsigned place = 0; place + PACK_WORD <= KNOWN_BYTES; place++) {
        uint16_t *slot = &index->slots[slot_of(known + place)];
        *slot = *slot != 0 ? *slot : (uint16_t)(place + 1);
    }
    index->is_made = true;
}

static size_t same_bytes(const char *a, const char *b, size_t max)
{
    size_t count = 0;
    while (count + PACK_WORD <= max && memcmp(a + count, b + count, PACK_WORD) == 0) {
        count += PACK_WORD;
    }
    while (count < max && a[count] == b[count]) {
        count++;
    }
    return count;
}

static char *put_letters(char *to, const char *at, size_t len)
{
    while (len > 0) {
        size_t part = len < PACK_LETTERS ? len : PACK_LETTERS;
        *to++ = (char)(part - 1);
        memcpy(to, at, part);
        to += part;
        at += part;
        len -= part;
    }
    return to;
}

static char *put_piece(char *to, size_t place, size_t len)
{
    size_t more = len - PACK_HASHED;
    *to++ = (char)(PACK_PIECE | place >> 5);
    *to++ = (char)((place & 0x1f) << 3 | (more < PACK_SHORT ? more : PACK_SHORT));
    if (more >= PACK_SHORT) {
        *to++ = (char)(more - PACK_SHORT);
    }
    return to;
}

/* At most len + len / PACK_LETTERS + 2 bytes: a piece is never longer than what it stands for, with the byte that begins
 * the letters after it. */
static char *put_packed(const struct pack_index *index, struct slice text, char *to)
{
    const char *at = text.at;
    const char *end = text.at + text.len;
    const char *letters = at;
    *to++ = PACK_NUMBER;
    while ((size_t)(end - at) >= PACK_WORD) {
        unsigned place = index->slots[slot_of(at)];
        size_t max = place == 0 ? 0 : (size_t)(end - at);
        max = max < PACK_LONG ? max : PACK_LONG;
        max = max < KNOWN_BYTES + 1 - place ? max : KNOWN_BYTES + 1 - place;
        size_t len = place == 0 ? 0 : same_bytes(known + place - 1, at, max);
        if (len < PACK_HASHED) {
            at++;
            continue;
        }
        to = put_letters(to, letters, (size_t)(at - letters));
        to = put_piece(to, place - 1, len);
        at += len;
        letters = at;
    }
    return put_letters(to, letters, (size_t)(end - letters));
}

enum err store_pack(struct pack_index *index, struct slice text, struct buf *out,
                    bool *out_is_packed)
{
    enum err e = buf_reserve(out, text.len + text.len / PACK_LETTERS + 2);
    if (e != ERR_NONE) {
        return e;
    }
    if (!index->is_made) {
        make_index(index);
    }
    const char *end = put_packed(index, text, out->at + out->len);
    size_t len = (size_t)(end - (out->at + out->len));
    *out_is_packed = len < text.len;
    out->len += *out_is_packed ? len : 0;
    return ERR_NONE;
}

static bool take_piece(struct reader *r, uint8_t first, struct slice *out)
{
    uint8_t second;
    uint8_t more = 0;
    if (!reader_u8(r, &second)) {
        return false;
    }
    size_t place = (size_t)(first & ~PACK_PIECE) << 5 | second >> 3;
    size_t len = second & PACK_SHORT;
    if (len == PACK_SHORT && !reader_u8(r, &more)) {
        return false;
    }
    len += PACK_HASHED + (size_t)more;
    if (place + len > KNOWN_BYTES) {
        return false;
    }
    *out = slice_make(known + place, len);
    return true;
}

static bool take(struct reader *r, struct slice *out)
{
    uint8_t first;
    if (!reader_u8(r, &first)) {
        return false;
    }
    return (first & PACK_PIECE) != 0 ? take_piece(r, first, out)
                                     : reader_take(r, (size_t)first + 1, out);
}

enum err store_unpack(struct slice packed, struct buf *out)
{
    struct reader r = reader_over(packed);
    size_t before = out->len;
    uint8_t number;
    enum err e = reader_u8(&r, &number) && number == PACK_NUMBER ? ERR_NONE : ERR_SYNTAX;
    while (e == ERR_NONE && !reader_is_done(&r)) {
        struct slice part;
        e = take(&r, &part) ? buf_append(out, part) : ERR_SYNTAX;
    }
    if (e != ERR_NONE) {
        out->len = before;
    }
    return e;
}
