/* decode/mime: a line at a time. A line that an event must go before is looked at again in the next call.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/mime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "decode/mime_private.h"

enum {
    LINE_BYTES_MAX = 65536,   /* of a line in more than one piece; then it is taken as two */
    FIELD_BYTES_MAX = 262144, /* then its value is told in several fields */
    DEPTH_MAX = 24,           /* of multiparts in each other; deeper ones are text */
};

enum state {
    STATE_HEADER,
    STATE_BODY,
    STATE_BETWEEN, /* before the first part, behind the last one */
};

struct level {
    struct mime_word boundary;
    unsigned part; /* from 1 */
    bool is_digest;
};

struct mime {
    bool is_mbox;
    enum state state;
    struct slice input;
    struct buf held; /* the beginning of a line */
    struct buf field;
    struct slice field_name; /* in field */
    bool is_over, is_told;   /* the field was given out */
    bool has_begun_line;     /* held or input go on with a line that was too long */
    bool was_blank;          /* the line before */
    struct mime_about about;
    struct level levels[DEPTH_MAX];
    size_t depth;
    uint64_t message;
    char path[MIME_PATH_BYTES];
    size_t path_len;
};

struct line {
    struct slice text; /* with its end */
    bool is_start;     /* it begins a line */
    bool is_held;
};

enum err mime_new(bool is_mbox, struct mime **out)
{
    struct mime *mime = calloc(1, sizeof *mime);
    if (mime == NULL) {
        return ERR_NOMEM;
    }
    mime->is_mbox = is_mbox;
    mime->was_blank = true;
    mime->message = is_mbox ? 0 : 1;
    buf_init(&mime->held, LINE_BYTES_MAX);
    buf_init(&mime->field, FIELD_BYTES_MAX);
    *out = mime;
    return ERR_NONE;
}

void mime_free(struct mime *mime)
{
    if (mime != NULL) {
        buf_done(&mime->held);
        buf_done(&mime->field);
        free(mime);
    }
}

void mime_feed(struct mime *mime, struct slice bytes)
{
    must(mime->input.len == 0);
    mime->input = bytes;
}

void mime_end(struct mime *mime)
{
    mime->is_over = true;
}

/* The next line, or as much of it as fits. False: more bytes are needed. */
static enum err peek_line(struct mime *mime, struct line *out, bool *out_is_line)
{
    size_t newline = slice_find_byte(mime->input, '\n', 0);
    bool is_whole = newline < mime->input.len;
    out->is_start = !mime->has_begun_line;
    if (mime->held.len == 0 && is_whole) {
        out->text = slice_sub(mime->input, 0, newline + 1);
        out->is_held = false;
        *out_is_line = true;
        return ERR_NONE;
    }
    size_t room = LINE_BYTES_MAX - mime->held.len;
    size_t len = is_whole ? newline + 1 : mime->input.len;
    len = len < room ? len : room;
    /* A line that was looked at stays as it is until it is taken. */
    bool is_ready = mime->held.len > 0 && mime->held.at[mime->held.len - 1] == '\n';
    if (!is_ready) {
        enum err e = buf_append(&mime->held, slice_sub(mime->input, 0, len));
        if (e != ERR_NONE) {
            return e;
        }
        mime->input = slice_sub(mime->input, len, mime->input.len);
        is_ready = mime->held.len > 0 && mime->held.at[mime->held.len - 1] == '\n';
    }
    out->text = buf_view(&mime->held);
    out->is_held = true;
    *out_is_line =
        is_ready || mime->held.len == LINE_BYTES_MAX || (mime->is_over && mime->held.len > 0);
    return ERR_NONE;
}

/* What was held stays readable until the next peek: nothing is freed. */
static void take_line(struct mime *mime, const struct line *line)
{
    struct slice text = slice_trim(line->text);
    mime->has_begun_line = line->text.at[line->text.len - 1] != '\n';
    mime->was_blank = line->is_start && text.len == 0;
    if (line->is_held) {
        buf_clear(&mime->held);
    } else {
        mime->input = slice_sub(mime->input, line->text.len, mime->input.len);
    }
}

static void write_path(struct mime *mime)
{
    size_t len = 0;
    for (size_t i = 0; i < mime->depth; i++) {
        int added = snprintf(mime->path + len, sizeof mime->path - len, "%s%u", i > 0 ? "." : "",
                             mime->levels[i].part);
        len += added > 0 ? (size_t)added : 0;
        len = len < sizeof mime->path ? len : sizeof mime->path - 1;
    }
    mime->path_len = len;
}

static void begin_header(struct mime *mime)
{
    bool is_digest = mime->depth > 0 && mime->levels[mime->depth - 1].is_digest;
    mime->state = STATE_HEADER;
    mime->about = (struct mime_about){.transfer = TRANSFER_PLAIN};
    if (is_digest) { /* RFC 2046 5.1.5 */
        static const struct slice type = SLICE_LITERAL("message/rfc822");
        memcpy(mime->about.type.text, type.at, type.len);
        mime->about.type.len = type.len;
    }
    write_path(mime);
}

static void give(struct mime *mime, enum mime_event_kind kind, struct mime_event *out)
{
    *out = (struct mime_event){
        .kind = kind,
        .part = {.message = mime->message,
                 .path = slice_make(mime->path, mime->path_len),
                 .type = mime_word_view(&mime->about.type),
                 .charset = mime_word_view(&mime->about.charset),
                 .file_name = mime_word_view(&mime->about.file_name),
                 .transfer = mime->about.transfer},
    };
}

/* RFC 2046 5.1.1: which of the multiparts it parts, the innermost first; depth: none. */
static size_t find_boundary(const struct mime *mime, struct slice line, bool *out_is_last)
{
    if (mime->depth == 0 || !slice_starts(line, SLICE("--"))) {
        return mime->depth;
    }
    struct slice text = slice_trim(slice_sub(line, 2, line.len));
    for (size_t i = mime->depth; i > 0; i--) {
        struct slice boundary = mime_word_view(&mime->levels[i - 1].boundary);
        struct slice rest = slice_sub(text, boundary.len, text.len);
        *out_is_last = slice_equal(rest, SLICE("--"));
        if (slice_starts(text, boundary) && (rest.len == 0 || *out_is_last)) {
            return i - 1;
        }
    }
    return mime->depth;
}

/* "From jane@example.com Thu Jan  1 ..." behind an empty line; the first one begins the mbox, whatever it says. */
static bool is_envelope(const struct mime *mime, const struct line *line)
{
    if (!mime->is_mbox || !line->is_start || !mime->was_blank ||
        !slice_starts(line->text, SLICE("From "))) {
        return false;
    }
    if (mime->message == 0) {
        return true;
    }
    for (size_t i = 5; i < line->text.len; i++) {
        if (ascii_is_digit(line->text.at[i])) {
            return true;
        }
    }
    return false;
}

/* A line that belongs to no part: between messages, or between parts. False: it is another. */
static bool take_border(struct mime *mime, const struct line *line, struct mime_event *out,
                        bool *out_is_event)
{
    bool is_last = false;
    bool is_envelope_line = is_envelope(mime, line);
    size_t level = line->is_start ? find_boundary(mime, line->text, &is_last) : mime->depth;
    if (!is_envelope_line && level == mime->depth) {
        return false;
    }
    if (mime->state == STATE_BODY) {
        give(mime, MIME_EVENT_END, out);
        *out_is_event = true;
        mime->state = STATE_BETWEEN;
        return true;
    }
    take_line(mime, line);
    if (is_envelope_line) {
        mime->depth = 0;
        mime->message++;
        begin_header(mime);
    } else if (is_last) {
        mime->depth = level;
        mime->state = STATE_BETWEEN;
    } else {
        mime->depth = level + 1;
        mime->levels[level].part++;
        begin_header(mime);
    }
    return true;
}

/* The header is over: what follows it? */
static void begin_body(struct mime *mime, struct mime_event *out, bool *out_is_event)
{
    struct slice type = mime_word_view(&mime->about.type);
    if (slice_starts(type, SLICE("multipart/")) && mime->about.boundary.len > 0 &&
        mime->depth < DEPTH_MAX) {
        mime->levels[mime->depth++] = (struct level){
            .boundary = mime->about.boundary,
            .is_digest = slice_equal(type, SLICE("multipart/digest")),
        };
        mime->state = STATE_BETWEEN;
        return;
    }
    if ((slice_equal(type, SLICE("message/rfc822")) || slice_equal(type, SLICE("message/global")) ||
         slice_equal(type, SLICE("text/rfc822-headers"))) &&
        mime->about.transfer == TRANSFER_PLAIN) {
        begin_header(mime);
        mime->about = (struct mime_about){.transfer = TRANSFER_PLAIN};
        return;
    }
    give(mime, MIME_EVENT_PART, out);
    *out_is_event = true;
    mime->state = STATE_BODY;
}

static void give_field(struct mime *mime, struct mime_event *out, bool *out_is_event)
{
    struct slice text = buf_view(&mime->field);
    size_t colon = slice_find_byte(text, ':', 0);
    struct slice name = slice_trim(slice_sub(text, 0, colon));
    struct slice value = slice_trim(slice_sub(text, colon + 1, text.len));
    mime_about_read(&mime->about, name, value);
    give(mime, MIME_EVENT_FIELD, out);
    out->name = name;
    out->value = value;
    *out_is_event = true;
    mime->is_told = true;
}

/* A field that is longer goes on under its name. */
static enum err add_to_field(struct mime *mime, struct slice line, struct mime_event *out,
                             bool *out_is_event)
{
    while (line.len > 0 && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r')) {
        line.len--;
    }
    if (mime->field.len + line.len <= FIELD_BYTES_MAX) {
        return buf_append(&mime->field, line);
    }
    size_t colon = slice_find_byte(buf_view(&mime->field), ':', 0);
    give_field(mime, out, out_is_event);
    mime->is_told = false;
    /* The event keeps what it shows: the name stays, and the value is overwritten after the next call. */
    mime->field_name = slice_sub(buf_view(&mime->field), 0, colon + 1);
    return ERR_NONE;
}

static bool is_field(struct slice line)
{
    size_t colon = slice_find_byte(line, ':', 0);
    struct slice name = slice_trim(slice_sub(line, 0, colon));
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] < 33 || name.at[i] > 126) {
            return false;
        }
    }
    return name.len > 0 && colon < line.len;
}

static enum err step_header(struct mime *mime, const struct line *line, struct mime_event *out,
                            bool *out_is_event)
{
    bool is_more = !line->is_start || line->text.at[0] == ' ' || line->text.at[0] == '\t';
    bool is_blank = line->is_start && slice_trim(line->text).len == 0;
    if (mime->field.len > 0 && is_more && !is_blank) {
        enum err e = add_to_field(mime, line->text, out, out_is_event);
        if (e == ERR_NONE && !*out_is_event) {
            take_line(mime, line);
        }
        return e;
    }
    if (mime->field.len > 0) {
        give_field(mime, out, out_is_event);
        return ERR_NONE;
    }
    if (!is_blank && is_field(line->text)) {
        enum err e = add_to_field(mime, line->text, out, out_is_event);
        take_line(mime, line);
        return e;
    }
    bool is_quoted_envelope =
        slice_starts(line->text, SLICE(">From ")) || slice_starts(line->text, SLICE("From "));
    if (is_blank || is_quoted_envelope) {
        take_line(mime, line);
    }
    if (!is_quoted_envelope) {
        begin_body(mime, out, out_is_event);
    }
    return ERR_NONE;
}

/* What follows in the input and is nothing but body. */
static size_t body_run(const struct mime *mime, size_t len)
{
    while (len < mime->input.len) {
        char first = mime->input.at[len];
        size_t newline = slice_find_byte(mime->input, '\n', len);
        if ((first == '-' && mime->depth > 0) || (first == 'F' && mime->is_mbox) ||
            newline == mime->input.len) {
            break;
        }
        len = newline + 1;
    }
    return len;
}

static void step_body(struct mime *mime, struct line *line, struct mime_event *out,
                      bool *out_is_event)
{
    if (!line->is_held && mime->state == STATE_BODY) {
        size_t whole = body_run(mime, line->text.len);
        struct slice run = slice_sub(mime->input, 0, whole);
        /* Only the last line counts for what follows it. */
        size_t before =
            run.len > 1 ? slice_find_last_byte(slice_sub(run, 0, run.len - 1), '\n') : 0;
        struct line last = {.text = run, .is_start = line->is_start};
        take_line(mime, &last);
        bool has_several = whole > line->text.len;
        mime->was_blank =
            has_several ? slice_trim(slice_sub(run, before, run.len)).len == 0 : mime->was_blank;
        line->text = run;
    } else {
        take_line(mime, line);
    }
    if (mime->state == STATE_BODY) {
        give(mime, MIME_EVENT_BODY, out);
        out->body = line->text;
        *out_is_event = true;
    }
}

/* What was given out in the call before may go. */
static void forget_told(struct mime *mime)
{
    if (mime->is_told) {
        buf_clear(&mime->field);
        mime->is_told = false;
    } else if (mime->field_name.len > 0) {
        mime->field.len = mime->field_name.len;
        mime->field_name = SLICE_NONE;
    }
}

/* The bytes are over: what is still open is closed, step by step. */
static void finish(struct mime *mime, struct mime_event *out, bool *out_is_event)
{
    if (mime->field.len > 0) {
        give_field(mime, out, out_is_event);
    } else if (mime->state == STATE_BODY) {
        give(mime, MIME_EVENT_END, out);
        *out_is_event = true;
        mime->state = STATE_BETWEEN;
    }
}

enum err mime_next(struct mime *mime, struct mime_event *out, bool *out_is_event)
{
    *out_is_event = false;
    forget_told(mime);
    while (!*out_is_event) {
        struct line line;
        bool is_line;
        enum err e = peek_line(mime, &line, &is_line);
        if (e != ERR_NONE) {
            return e;
        }
        if (!is_line) {
            if (mime->is_over) {
                finish(mime, out, out_is_event);
            }
            return ERR_NONE;
        }
        bool is_in_field = mime->state == STATE_HEADER && mime->field.len > 0;
        if (!is_in_field && take_border(mime, &line, out, out_is_event)) {
            continue;
        }
        if (mime->state == STATE_HEADER) {
            e = step_header(mime, &line, out, out_is_event);
        } else {
            step_body(mime, &line, out, out_is_event);
        }
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}
