/* engine/table_rows: RFC 4180 as it is met: any separator, lone CR, spaces around quotes, quotes inside a
 * cell that does not begin with one. Framing and splitting walk by the same steps, so they agree.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "engine/table_private.h"

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

/* One byte that is no newline. */
static enum table_state step(const struct table_rules *rules, enum table_state state, char c)
{
    if (state == STATE_QUOTED) {
        return c == '"' ? STATE_QUOTE_SEEN : STATE_QUOTED;
    }
    if (state == STATE_QUOTE_SEEN && c == '"') {
        return STATE_QUOTED;
    }
    if (rules->separator != '\0' && c == rules->separator) {
        return STATE_CELL_START;
    }
    switch (state) {
    case STATE_CELL_START:
        return c == ' '                        ? STATE_CELL_START
               : c == '"' && rules->has_quotes ? STATE_QUOTED
                                               : STATE_PLAIN;
    case STATE_QUOTE_SEEN:
    case STATE_QUOTE_CLOSED: return c == ' ' ? STATE_QUOTE_CLOSED : STATE_PLAIN;
    case STATE_PLAIN:
    case STATE_QUOTED: break;
    }
    return STATE_PLAIN;
}

void table_frame_init(struct table_frame *frame, const struct table_rules *rules)
{
    *frame = (struct table_frame){.rules = rules, .state = STATE_CELL_START};
}

/* The length of the newline at i, or 0 where more text must be seen. */
static size_t newline_len(struct slice text, size_t i, bool is_at_end)
{
    if (text.at[i] == '\n') {
        return 1;
    }
    if (i + 1 == text.len) {
        return is_at_end ? 1 : 0;
    }
    return text.at[i + 1] == '\n' ? 2 : 1;
}

static enum table_frame_result end_at_first_line(struct table_frame *frame, size_t *out_len,
                                                 size_t *out_next)
{
    *out_len = frame->first_line;
    *out_next = frame->first_line_next;
    frame->newlines = 0;
    return FRAME_UNCLOSED;
}

static enum table_frame_result end_of_text(struct table_frame *frame, struct slice text,
                                           size_t *out_len, size_t *out_next)
{
    if (frame->state == STATE_QUOTED && frame->has_first_line) {
        return end_at_first_line(frame, out_len, out_next);
    }
    *out_len = text.len;
    *out_next = text.len;
    return frame->state == STATE_QUOTED && frame->rules->separator != '\0' ? FRAME_UNCLOSED
                                                                           : FRAME_ROW;
}

enum table_frame_result table_frame_find(struct table_frame *frame, struct slice text,
                                         bool is_at_end, size_t *out_len, size_t *out_next)
{
    while (frame->at < text.len) {
        char c = text.at[frame->at];
        if (!is_newline(c)) {
            enum table_state next = step(frame->rules, frame->state, c);
            bool is_torn = frame->has_first_line && next == STATE_PLAIN &&
                           (frame->state == STATE_QUOTE_SEEN || frame->state == STATE_QUOTE_CLOSED);
            if (is_torn) { /* the quote that ended it was meant to begin one */
                return end_at_first_line(frame, out_len, out_next);
            }
            frame->state = next;
            frame->at++;
            continue;
        }
        size_t len = newline_len(text, frame->at, is_at_end);
        if (len == 0) {
            return FRAME_MORE;
        }
        if (frame->state != STATE_QUOTED || !frame->rules->has_quoted_newlines) {
            *out_len = frame->at;
            *out_next = frame->at + len;
            return frame->state == STATE_QUOTED && frame->rules->separator != '\0' ? FRAME_UNCLOSED
                                                                                   : FRAME_ROW;
        }
        if (!frame->has_first_line) {
            frame->has_first_line = true;
            frame->first_line = frame->at;
            frame->first_line_next = frame->at + len;
        }
        frame->newlines++;
        frame->at += len;
    }
    return is_at_end ? end_of_text(frame, text, out_len, out_next) : FRAME_MORE;
}

bool table_is_blank(const struct table_rules *rules, struct slice line)
{
    for (size_t i = 0; i < line.len; i++) {
        bool is_gap = line.at[i] == ' ' || (line.at[i] == '\t' && rules->separator != '\t');
        if (!is_gap) {
            return false;
        }
    }
    return true;
}

/* raw is a whole cell whose quotes close at its end: what stands between them. */
static enum err unquote(struct slice raw, struct buf *scratch, struct slice *out)
{
    struct slice inner = slice_trim(raw);
    inner = slice_sub(inner, 1, inner.len - 1);
    if (slice_find_byte(inner, '"', 0) == inner.len) {
        *out = inner;
        return ERR_NONE;
    }
    size_t from = scratch->len;
    for (size_t i = 0; i < inner.len; i++) {
        enum err e = buf_append_byte(scratch, inner.at[i]);
        if (e != ERR_NONE) {
            return e;
        }
        if (inner.at[i] == '"') {
            i++; /* the second of two */
        }
    }
    *out = slice_sub(buf_view(scratch), from, scratch->len);
    return ERR_NONE;
}

enum err table_cells_split(const struct table_rules *rules, struct slice text, struct buf *scratch,
                           struct slice *cells, size_t max, size_t *out_count)
{
    buf_clear(scratch);
    enum err e = buf_reserve(scratch, 2 * text.len + 1); /* cells point into it: it must not move */
    size_t count = 0;
    size_t from = 0;
    enum table_state state = STATE_CELL_START;
    for (size_t i = 0; i <= text.len && e == ERR_NONE; i++) {
        bool is_end = i == text.len || (state != STATE_QUOTED && rules->separator != '\0' &&
                                        text.at[i] == rules->separator);
        if (!is_end) {
            state = step(rules, state, text.at[i]);
            continue;
        }
        struct slice raw = slice_sub(text, from, i);
        bool is_quoted = state == STATE_QUOTE_SEEN || state == STATE_QUOTE_CLOSED;
        if (count < max) {
            cells[count] = raw;
            e = is_quoted ? unquote(raw, scratch, &cells[count]) : ERR_NONE;
        }
        count++;
        from = i + 1;
        state = STATE_CELL_START;
    }
    *out_count = count;
    return e;
}
