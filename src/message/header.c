/* SPDX-License-Identifier: Apache-2.0 */
#include "message/header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"

void message_header_init(struct message_header *header)
{
    *header = (struct message_header){0};
    buf_init(&header->bytes, MESSAGE_HEADER_BYTES_MAX);
}

void message_header_done(struct message_header *header)
{
    buf_done(&header->bytes);
    free(header->fields);
    *header = (struct message_header){0};
}

/* ---- bytes ---- */

/* One line, its end included, or what is there of it. */
static enum err take_line(struct message_header *header, struct slice piece)
{
    bool is_end = slice_ends(piece, SLICE("\n"));
    struct slice text = is_end ? slice_sub(piece, 0, piece.len - 1) : piece;
    if (text.len > 0) {
        header->was_cr = text.at[text.len - 1] == '\r';
    }
    header->line_bytes += text.len;
    enum err e = buf_append(&header->bytes, text);
    if (e != ERR_NONE || !is_end) {
        return e;
    }
    e = buf_append(&header->bytes, header->was_cr ? SLICE("\n") : SLICE("\r\n"));
    header->is_complete = header->line_bytes == (header->was_cr ? 1u : 0u);
    header->line_bytes = 0;
    header->was_cr = false;
    return e;
}

/* ---- fields ---- */

static bool is_field_start(struct slice line)
{
    return line.at[0] != ' ' && line.at[0] != '\t';
}

/* From the front of *rest: a line and those that are folded to it. */
static struct slice cut_field(struct slice *rest)
{
    size_t end = slice_find_byte(*rest, '\n', 0) + 1;
    while (end < rest->len && !is_field_start(slice_sub(*rest, end, rest->len))) {
        end = slice_find_byte(*rest, '\n', end) + 1;
    }
    struct slice raw = slice_sub(*rest, 0, end);
    *rest = slice_sub(*rest, end, rest->len);
    return raw;
}

/* RFC 5322 2.2: printable ASCII without the colon; white space in front of the colon is obsolete (4.5.8). */
static struct message_field read_field(struct slice raw)
{
    struct message_field field = {.raw = raw, .name = SLICE_NONE};
    size_t colon = slice_find_byte(raw, ':', 0);
    size_t name = 0;
    while (name < colon && raw.at[name] > ' ' && raw.at[name] < 0x7f) {
        name++;
    }
    size_t at = name;
    while (at < colon && (raw.at[at] == ' ' || raw.at[at] == '\t')) {
        at++;
    }
    bool is_field = colon < raw.len && at == colon && name > 0;
    field.name = is_field ? slice_sub(raw, 0, name) : SLICE_NONE;
    field.value = slice_sub(raw, is_field ? colon + 1 : 0, raw.len - 2);
    return field;
}

static size_t count_fields(struct slice bytes)
{
    size_t count = 0;
    while (bytes.len > 0) {
        (void)cut_field(&bytes);
        count++;
    }
    return count;
}

/* The bytes stay where they are from now on. */
static enum err index_fields(struct message_header *header)
{
    struct slice rest = buf_view(&header->bytes);
    size_t count = count_fields(rest);
    if (count > MESSAGE_FIELDS_MAX) {
        return ERR_LIMIT;
    }
    header->fields = calloc(count + 1, sizeof *header->fields);
    if (header->fields == NULL) {
        return ERR_NOMEM;
    }
    while (rest.len > 0) {
        header->fields[header->count++] = read_field(cut_field(&rest));
    }
    return ERR_NONE;
}

/* The empty line is no part of the fields. */
static enum err complete(struct message_header *header)
{
    header->is_complete = true;
    header->bytes.len -= 2;
    return index_fields(header);
}

enum err message_header_feed(struct message_header *header, struct slice *rest)
{
    while (!header->is_complete && rest->len > 0) {
        size_t end = slice_find_byte(*rest, '\n', 0);
        size_t n = end < rest->len ? end + 1 : rest->len;
        enum err e = take_line(header, slice_sub(*rest, 0, n));
        if (e != ERR_NONE) {
            return e;
        }
        *rest = slice_sub(*rest, n, rest->len);
        if (header->is_complete) {
            return complete(header);
        }
    }
    return ERR_NONE;
}

enum err message_header_finish(struct message_header *header)
{
    struct slice ends = header->line_bytes == 0 ? SLICE("\n") : SLICE("\n\n");
    return header->is_complete ? ERR_NONE : message_header_feed(header, &ends);
}

size_t message_header_find(const struct message_header *header, struct slice name, size_t from)
{
    must(header->is_complete);
    size_t i = from;
    while (i < header->count && !slice_equal_nocase(header->fields[i].name, name)) {
        i++;
    }
    return i < header->count ? i : header->count;
}

size_t message_header_count(const struct message_header *header, struct slice name)
{
    size_t count = 0;
    for (size_t i = message_header_find(header, name, 0); i < header->count;
         i = message_header_find(header, name, i + 1)) {
        count++;
    }
    return count;
}

enum err message_value_unfold(struct slice value, struct buf *out)
{
    struct slice rest = slice_trim(value);
    enum err e = ERR_NONE;
    while (e == ERR_NONE && rest.len > 0) {
        size_t end = slice_find_byte(rest, '\n', 0);
        size_t text = end < rest.len && end > 0 && rest.at[end - 1] == '\r' ? end - 1 : end;
        e = buf_append(out, slice_sub(rest, 0, text));
        rest = slice_sub(rest, end + 1, rest.len);
    }
    return e;
}
