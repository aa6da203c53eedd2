/* SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_canon.h"

#include "base/slice.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- a field ---- */

static enum err write_lower(struct slice name, dkim_write_fn write, void *to)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < name.len && e == ERR_NONE; i++) {
        char c = ascii_lower(name.at[i]);
        e = write(to, slice_make(&c, 1));
    }
    return e;
}

/* RFC 6376 3.4.2: unfolded, each run of white space one space, none at the ends. */
static enum err write_relaxed_value(struct slice value, dkim_write_fn write, void *to)
{
    struct slice rest = slice_trim(value);
    enum err e = ERR_NONE;
    while (rest.len > 0 && e == ERR_NONE) {
        size_t text = 0;
        while (text < rest.len && !ascii_is_space(rest.at[text])) {
            text++;
        }
        e = write(to, slice_sub(rest, 0, text));
        size_t next = text;
        bool has_space = false;
        while (next < rest.len && ascii_is_space(rest.at[next])) {
            has_space = has_space || is_blank(rest.at[next]);
            next++;
        }
        if (has_space && e == ERR_NONE) {
            e = write(to, SLICE(" "));
        }
        rest = slice_sub(rest, next, rest.len);
    }
    return e;
}

enum err dkim_field_write(const struct message_field *field, enum dkim_canon canon,
                          dkim_write_fn write, void *to)
{
    if (canon == DKIM_SIMPLE) {
        return write(to, slice_sub(field->raw, 0, field->raw.len - 2));
    }
    enum err e = write_lower(field->name, write, to);
    e = e != ERR_NONE ? e : write(to, SLICE(":"));
    return e != ERR_NONE ? e : write_relaxed_value(field->value, write, to);
}

/* ---- the body ---- */

void dkim_body_init(struct dkim_body *body, enum dkim_canon canon, dkim_write_fn write, void *to)
{
    *body = (struct dkim_body){.canon = canon, .write = write, .to = to};
}

void dkim_body_limit(struct dkim_body *body, uint64_t limit)
{
    body->has_limit = true;
    body->limit = limit;
}

/* Canonical bytes; those beyond the limit are counted only. */
static enum err put(struct dkim_body *body, struct slice bytes)
{
    uint64_t room = !body->has_limit             ? UINT64_MAX
                    : body->bytes >= body->limit ? 0
                                                 : body->limit - body->bytes;
    size_t n = bytes.len <= room ? bytes.len : (size_t)room;
    body->bytes += bytes.len;
    return n == 0 ? ERR_NONE : body->write(body->to, slice_sub(bytes, 0, n));
}

/* Text that is not white space to be dropped: what was held back before it is there after all. */
static enum err put_text(struct dkim_body *body, struct slice text)
{
    enum err e = ERR_NONE;
    while (body->empty_lines > 0 && e == ERR_NONE) {
        body->empty_lines--;
        e = put(body, SLICE("\r\n"));
    }
    if (body->has_space && e == ERR_NONE) {
        body->has_space = false;
        e = put(body, SLICE(" "));
    }
    body->has_text = true;
    return e != ERR_NONE ? e : put(body, text);
}

static enum err end_line(struct dkim_body *body)
{
    body->has_space = false;
    body->was_cr = false;
    if (!body->has_text) {
        body->empty_lines++;
        return ERR_NONE;
    }
    body->has_text = false;
    return put(body, SLICE("\r\n"));
}

/* A run of bytes without CR and LF. */
static enum err put_run(struct dkim_body *body, struct slice run)
{
    if (body->canon == DKIM_SIMPLE) {
        return put_text(body, run);
    }
    enum err e = ERR_NONE;
    while (run.len > 0 && e == ERR_NONE) {
        size_t text = 0;
        while (text < run.len && !is_blank(run.at[text])) {
            text++;
        }
        e = text > 0 ? put_text(body, slice_sub(run, 0, text)) : ERR_NONE;
        size_t next = text;
        while (next < run.len && is_blank(run.at[next])) {
            next++;
        }
        body->has_space = body->has_space || next > text;
        run = slice_sub(run, next, run.len);
    }
    return e;
}

/* A CR that turns out to end no line is text. */
static enum err settle_cr(struct dkim_body *body)
{
    if (!body->was_cr) {
        return ERR_NONE;
    }
    body->was_cr = false;
    return put_text(body, SLICE("\r"));
}

enum err dkim_body_feed(struct dkim_body *body, struct slice bytes)
{
    enum err e = ERR_NONE;
    while (bytes.len > 0 && e == ERR_NONE) {
        size_t run = 0;
        while (run < bytes.len && bytes.at[run] != '\r' && bytes.at[run] != '\n') {
            run++;
        }
        if (run > 0) {
            e = settle_cr(body);
            e = e != ERR_NONE ? e : put_run(body, slice_sub(bytes, 0, run));
            bytes = slice_sub(bytes, run, bytes.len);
            continue;
        }
        if (bytes.at[0] == '\n') {
            e = end_line(body);
        } else {
            e = settle_cr(body);
            body->was_cr = true;
        }
        bytes = slice_sub(bytes, 1, bytes.len);
    }
    return e;
}

/* RFC 6376 3.4.3, 3.4.4: the last line gets its end; a body without any line is one empty line in the simple form, and
 * nothing in the relaxed one. */
enum err dkim_body_finish(struct dkim_body *body)
{
    enum err e = settle_cr(body);
    if (e == ERR_NONE && body->has_text) {
        e = end_line(body);
    }
    bool is_empty = body->bytes == 0;
    return e == ERR_NONE && is_empty && body->canon == DKIM_SIMPLE ? put(body, SLICE("\r\n")) : e;
}
