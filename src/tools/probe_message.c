/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_message.h"

#include "base/base64.h"
#include "base/date.h"
#include "base/reader.h"
#include "base/slice.h"

enum { BASE64_LINE_BYTES = 57 /* 76 letters, RFC 2045 6.8 */ };

/* ---- fields ---- */

static struct slice name_of(struct slice line)
{
    return slice_trim(slice_sub(line, 0, slice_find_byte(line, ':', 0)));
}

static bool is_field(struct slice line)
{
    size_t colon = slice_find_byte(line, ':', 0);
    for (size_t i = 0; i < colon; i++) {
        if (line.at[i] <= ' ' || (unsigned char)line.at[i] >= 0x7f) {
            return false;
        }
    }
    for (size_t i = colon; i < line.len; i++) {
        if (line.at[i] == '\n' || line.at[i] == '\r' || line.at[i] == '\0') {
            return false;
        }
    }
    return colon > 0 && colon < line.len;
}

static bool is_overridden(const struct probe_message_plan *plan, struct slice name)
{
    for (size_t i = 0; i < plan->header_count; i++) {
        if (slice_equal_nocase(name_of(plan->headers[i]), name)) {
            return true;
        }
    }
    return false;
}

static enum err put(struct buf *out, struct slice text)
{
    return buf_append(out, text);
}

/* A field of ours, in the message and in the list of what was added. */
static enum err add_field(struct probe_message *message, struct slice line)
{
    enum err e = put(&message->bytes, line);
    e = e != ERR_NONE ? e : put(&message->bytes, SLICE("\r\n"));
    e = e != ERR_NONE ? e : put(&message->added, line);
    return e != ERR_NONE ? e : put(&message->added, SLICE("\n"));
}

/* RFC 5322 3.3 */
static enum err write_date(struct buf *out, int64_t now_s)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct date d = date_of_unix(now_s);
    int64_t day = now_s < 0 ? 0 : now_s / 86400;
    return buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000", days[day % 7], d.day,
                      months[d.month - 1], d.year, d.hour, d.minute, d.second);
}

enum own_field { OWN_DATE, OWN_FROM, OWN_TO, OWN_SUBJECT, OWN_ID, OWN_COUNT };

static const struct slice own_names[OWN_COUNT] = {
    [OWN_DATE] = SLICE_LITERAL("Date"),     [OWN_FROM] = SLICE_LITERAL("From"),
    [OWN_TO] = SLICE_LITERAL("To"),         [OWN_SUBJECT] = SLICE_LITERAL("Subject"),
    [OWN_ID] = SLICE_LITERAL("Message-ID"),
};

static enum err write_own(const struct probe_message_plan *plan, enum own_field field,
                          struct buf *out)
{
    unsigned long long id = plan->random;
    switch (field) {
    case OWN_DATE: return write_date(out, plan->now_s);
    case OWN_FROM:
        return plan->from.len > 0
                   ? buf_printf(out, "From: <%.*s>", SLICE_ARG(plan->from))
                   : buf_printf(out, "From: <postmaster@%.*s>", SLICE_ARG(plan->host));
    case OWN_TO:
        return plan->to.len > 0 ? buf_printf(out, "To: <%.*s>", SLICE_ARG(plan->to))
                                : buf_printf(out, "To: undisclosed-recipients:;");
    case OWN_SUBJECT: return buf_printf(out, "Subject: test of heloise probe");
    case OWN_ID: return buf_printf(out, "Message-ID: <%llx.probe@%.*s>", id, SLICE_ARG(plan->host));
    case OWN_COUNT: break;
    }
    return ERR_NONE;
}

static enum err add_own(const struct probe_message_plan *plan, enum own_field field,
                        struct probe_message *message)
{
    struct buf line;
    buf_init(&line, 2048);
    enum err e = write_own(plan, field, &line);
    e = e != ERR_NONE ? e : add_field(message, buf_view(&line));
    buf_done(&line);
    return e;
}

static enum err add_headers(const struct probe_message_plan *plan, struct probe_message *message)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < plan->header_count && e == ERR_NONE; i++) {
        e = is_field(plan->headers[i]) ? add_field(message, plan->headers[i]) : ERR_SYNTAX;
    }
    return e;
}

/* ---- text ---- */

/* CR, LF and CRLF each end a line; the last one gets its end. */
static enum err put_lines(struct buf *out, struct slice text)
{
    enum err e = buf_reserve(out, text.len + 2);
    for (size_t i = 0; i < text.len && e == ERR_NONE; i++) {
        char byte = text.at[i];
        if (byte == '\r' && i + 1 < text.len && text.at[i + 1] == '\n') {
            i++;
        }
        e = byte == '\r' || byte == '\n' ? put(out, SLICE("\r\n")) : buf_append_byte(out, byte);
    }
    bool has_end = text.len == 0 || slice_ends(buf_view(out), SLICE("\r\n"));
    return e != ERR_NONE || has_end ? e : put(out, SLICE("\r\n"));
}

/* ---- a message of the user's ---- */

/* The lines of the header, up to the empty one; false: the text has none, and is all body. */
static bool next_header_line(struct reader *r, struct slice *out)
{
    struct reader before = *r;
    if (!reader_line(r, out) || out->len == 0) {
        return false;
    }
    bool is_folded = out->at[0] == ' ' || out->at[0] == '\t';
    if (!is_folded && !is_field(*out)) {
        *r = before;
        return false;
    }
    return true;
}

static bool has_field(struct slice raw, struct slice name)
{
    struct reader r = reader_over(raw);
    struct slice line;
    while (next_header_line(&r, &line)) {
        if (slice_equal_nocase(name_of(line), name)) {
            return true;
        }
    }
    return false;
}

/* The fields that stay, then the rest. */
static enum err copy_raw(const struct probe_message_plan *plan, struct buf *out)
{
    struct reader r = reader_over(plan->raw);
    struct slice line;
    bool is_dropped = false;
    enum err e = ERR_NONE;
    while (e == ERR_NONE && next_header_line(&r, &line)) {
        bool is_folded = line.at[0] == ' ' || line.at[0] == '\t';
        is_dropped = is_folded ? is_dropped : is_overridden(plan, name_of(line));
        if (!is_dropped) {
            e = put(out, line);
            e = e != ERR_NONE ? e : put(out, SLICE("\r\n"));
        }
    }
    e = e != ERR_NONE ? e : put(out, SLICE("\r\n"));
    return e != ERR_NONE ? e : put_lines(out, r.rest);
}

static enum err complete(const struct probe_message_plan *plan, struct probe_message *out)
{
    if (plan->adds_nothing) {
        return put_lines(&out->bytes, plan->raw);
    }
    static const enum own_field needed[] = {OWN_DATE, OWN_FROM, OWN_ID}; /* RFC 5322 3.6, 3.6.4 */
    enum err e = add_headers(plan, out);
    for (size_t i = 0; i < sizeof needed / sizeof *needed && e == ERR_NONE; i++) {
        struct slice name = own_names[needed[i]];
        if (!has_field(plan->raw, name) && !is_overridden(plan, name)) {
            e = add_own(plan, needed[i], out);
        }
    }
    return e != ERR_NONE ? e : copy_raw(plan, &out->bytes);
}

/* ---- a generated one ---- */

static enum err put_text(const struct probe_message_plan *plan, struct buf *out)
{
    struct slice own = SLICE("This is a test message. It was sent on request, by heloise probe.\n");
    return put_lines(out, plan->text.len > 0 ? plan->text : own);
}

static enum err put_base64(struct buf *out, struct slice bytes)
{
    enum err e = ERR_NONE;
    for (size_t at = 0; at < bytes.len && e == ERR_NONE; at += BASE64_LINE_BYTES) {
        e = buf_reserve(out, BASE64_BYTES((size_t)BASE64_LINE_BYTES));
        if (e == ERR_NONE) {
            out->len +=
                base64_write(slice_sub(bytes, at, at + BASE64_LINE_BYTES), out->at + out->len);
            e = put(out, SLICE("\r\n"));
        }
    }
    return e;
}

static enum err put_safe_name(struct buf *out, struct slice name)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < name.len && e == ERR_NONE; i++) {
        char byte = name.at[i];
        bool is_plain = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
        e = buf_append_byte(out, is_plain ? byte : '_');
    }
    return e;
}

static enum err put_attachment(const struct probe_attachment *attachment, const char *boundary,
                               struct buf *out)
{
    enum err e = buf_printf(out, "--%s\r\nContent-Type: ", boundary);
    e = e != ERR_NONE              ? e
        : attachment->type.len > 0 ? put_safe_name(out, attachment->type)
                                   : put(out, SLICE("application/octet-stream"));
    e = e != ERR_NONE ? e
                      : put(out, SLICE("\r\nContent-Transfer-Encoding: base64\r\n"
                                       "Content-Disposition: attachment; filename=\""));
    e = e != ERR_NONE ? e : put_safe_name(out, attachment->name);
    e = e != ERR_NONE ? e : put(out, SLICE("\"\r\n\r\n"));
    return e != ERR_NONE ? e : put_base64(out, attachment->content);
}

static enum err put_parts(const struct probe_message_plan *plan, struct buf *out)
{
    char boundary[40];
    struct buf text = {.at = boundary, .cap = sizeof boundary, .max = sizeof boundary};
    enum err e = buf_printf(&text, "=_heloise_%016llx", (unsigned long long)plan->random);
    e = e != ERR_NONE ? e : buf_append_byte(&text, '\0');
    e = e != ERR_NONE ? e
                      : buf_printf(out,
                                   "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n"
                                   "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                   "Content-Transfer-Encoding: 8bit\r\n\r\n",
                                   boundary, boundary);
    e = e != ERR_NONE ? e : put_text(plan, out);
    for (size_t i = 0; i < plan->attachment_count && e == ERR_NONE; i++) {
        e = put_attachment(&plan->attachments[i], boundary, out);
    }
    return e != ERR_NONE ? e : buf_printf(out, "--%s--\r\n", boundary);
}

static enum err generate(const struct probe_message_plan *plan, struct probe_message *out)
{
    enum err e = ERR_NONE;
    for (int i = 0; i < OWN_COUNT && e == ERR_NONE; i++) {
        e = is_overridden(plan, own_names[i]) ? ERR_NONE : add_own(plan, (enum own_field)i, out);
    }
    e = e != ERR_NONE ? e : add_headers(plan, out);
    e = e != ERR_NONE ? e : put(&out->bytes, SLICE("MIME-Version: 1.0\r\n"));
    if (e == ERR_NONE && plan->attachment_count > 0) {
        return put_parts(plan, &out->bytes);
    }
    if (e == ERR_NONE && !is_overridden(plan, SLICE("Content-Type"))) {
        e = put(&out->bytes, SLICE("Content-Type: text/plain; charset=utf-8\r\n"
                                   "Content-Transfer-Encoding: 8bit\r\n"));
    }
    e = e != ERR_NONE ? e : put(&out->bytes, SLICE("\r\n"));
    return e != ERR_NONE ? e : put_text(plan, &out->bytes);
}

enum err probe_message_make(const struct probe_message_plan *plan, struct probe_message *out)
{
    struct probe_message message = {.needs_8bit = false};
    buf_init(&message.bytes, PROBE_MESSAGE_BYTES);
    buf_init(&message.added, (size_t)PROBE_ADDED_BYTES * 8);
    enum err e = plan->raw.len > 0 ? complete(plan, &message) : generate(plan, &message);
    if (plan->raw.len == 0) {
        buf_clear(&message.added);
    }
    for (size_t i = 0; i < message.bytes.len && !message.needs_8bit; i++) {
        message.needs_8bit = (unsigned char)message.bytes.at[i] >= 0x80;
    }
    if (e != ERR_NONE) {
        probe_message_done(&message);
        return e;
    }
    *out = message;
    return ERR_NONE;
}

void probe_message_done(struct probe_message *message)
{
    buf_done(&message->bytes);
    buf_done(&message->added);
}
