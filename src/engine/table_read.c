/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/table.h"

#include <stdlib.h>

#include "base/slice.h"
#include "engine/table_private.h"

enum {
    ARENA_BYTES_MAX = 16 << 20,
    TEXT_BYTES_MAX = 8 << 20,    /* a row after conversion */
    JSON_BYTES_MAX = 64 << 20,   /* its cells: numbers may come out longer */
    BAD_TEXT_BYTES = 4096,       /* shown of a row that cannot be read */
    WASTED_BYTES_MAX = 64 << 20, /* then quotes end with their line */
};

static enum err no_memory(enum err e, struct fault *out_fault)
{
    return fault_set(out_fault, e, 0, "out of memory");
}

/* Behind a row with that many newlines inside. */
static void move_line(struct table_reader *reader, uint64_t newlines)
{
    reader->line += table_source_has_lines(&reader->source) ? 0 : 1 + newlines;
}

/* What people take for a list and is none. */
static enum err refuse_foreign(const struct table_reader *reader, struct slice sample,
                               struct fault *out_fault)
{
    static const struct {
        struct slice magic;
        const char *what;
    } foreign[] = {
        {SLICE_LITERAL("\xd0\xcf\x11\xe0"),
         "an old spreadsheet (XLS) or one with a password; save it as XLSX without one, or as CSV"},
        {SLICE_LITERAL("\x1f\x8b"), "compressed; unpack it first"},
        {SLICE_LITERAL("%PDF-"), "a PDF; a list is needed"},
    };
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (slice_starts(sample, foreign[i].magic)) {
            return fault_set(out_fault, ERR_SYNTAX, 0, "%.*s is %s", SLICE_ARG(reader->source.name),
                             foreign[i].what);
        }
    }
    return ERR_NONE;
}

static enum err skip_header(struct table_reader *reader, struct fault *out_fault)
{
    if (!reader->shape.has_header || reader->shape.format == TABLE_NDJSON) {
        return ERR_NONE;
    }
    struct table_row row;
    enum err e = table_reader_next(reader, &row, out_fault);
    reader->rows = 0;
    return e == ERR_CLOSED ? ERR_NONE : e;
}

static enum err begin(struct table_reader *reader, const struct table_reader_config *config,
                      struct fault *out_fault)
{
    enum err e = table_source_begin(&reader->source, out_fault);
    struct slice sample = table_source_unread(&reader->source);
    if (e == ERR_NONE) {
        e = refuse_foreign(reader, sample, out_fault);
    }
    if (e != ERR_NONE) {
        return e;
    }
    bool is_json = slice_ends_nocase(config->file_name, SLICE(".ndjson")) ||
                   slice_ends_nocase(config->file_name, SLICE(".jsonl")) ||
                   table_json_looks_like(sample);
    bool is_whole = reader->source.is_at_end;
    if (reader->source.is_array || (is_json && reader->source.sheet == NULL)) {
        return table_json_shape(config, sample, is_whole, &reader->arena, &reader->shape,
                                out_fault);
    }
    size_t before = sample.len;
    e = table_shape_find(config, &sample, is_whole, &reader->arena, &reader->shape, out_fault);
    if (e == ERR_NONE && sample.len < before) {
        reader->source.pos += before - sample.len;
        move_line(reader, 0);
    }
    return e == ERR_NONE ? skip_header(reader, out_fault) : e;
}

enum err table_reader_open(const struct table_reader_config *config, FILE *file,
                           struct table_reader **out, struct fault *out_fault)
{
    struct table_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return no_memory(ERR_NOMEM, out_fault);
    }
    reader->line = 1;
    table_source_init(&reader->source, config, file);
    arena_init(&reader->arena, ARENA_BYTES_MAX);
    buf_init(&reader->decoded, TEXT_BYTES_MAX);
    buf_init(&reader->scratch, JSON_BYTES_MAX);
    enum err e = begin(reader, config, out_fault);
    if (e != ERR_NONE) {
        table_reader_close(reader);
        return e;
    }
    *out = reader;
    return ERR_NONE;
}

void table_reader_close(struct table_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    table_source_done(&reader->source);
    arena_done(&reader->arena);
    buf_done(&reader->decoded);
    buf_done(&reader->scratch);
    free(reader);
}

/* One row's bytes, and what is wrong with it so far. */
struct raw_row {
    struct slice text;
    uint64_t line;
    const char *why;
};

/* Nothing but the next newline ends a row without any in its first megabyte. Its first bytes are kept. */
static enum err drop_long_row(struct table_reader *reader, struct raw_row *out,
                              struct fault *out_fault)
{
    static const struct table_rules line_rules = {'\0', false, false};
    struct table_source *source = &reader->source;
    buf_clear(&reader->scratch);
    enum err e =
        buf_append(&reader->scratch, slice_sub(table_source_unread(source), 0, BAD_TEXT_BYTES + 1));
    if (e != ERR_NONE) {
        return no_memory(e, out_fault);
    }
    out->text = buf_view(&reader->scratch);
    out->why = "the row is longer than 1 MiB";
    for (;;) {
        struct table_frame frame;
        table_frame_init(&frame, &line_rules);
        struct slice unread = table_source_unread(source);
        size_t len;
        size_t next;
        if (table_frame_find(&frame, unread, source->is_at_end, &len, &next) != FRAME_MORE) {
            source->pos += next;
            move_line(reader, 0);
            return ERR_NONE;
        }
        source->pos += unread.len - 1; /* the last byte may be half a newline */
        e = table_source_more(source, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
    }
}

static void waste(struct table_reader *reader, const struct table_frame *frame)
{
    reader->wasted_bytes += frame->has_first_line ? frame->at : 0;
    if (reader->wasted_bytes > WASTED_BYTES_MAX) {
        reader->shape.rules.has_quoted_newlines = false;
    }
}

static void take_row(struct table_reader *reader, const struct table_frame *frame, size_t len,
                     size_t next, struct raw_row *out)
{
    out->text = slice_sub(table_source_unread(&reader->source), 0, len);
    reader->source.pos += next;
    move_line(reader, frame->newlines);
}

/* ERR_CLOSED at the end. */
static enum err next_raw(struct table_reader *reader, struct raw_row *out, struct fault *out_fault)
{
    struct table_source *source = &reader->source;
    struct table_frame frame;
    table_frame_init(&frame, &reader->shape.rules);
    bool is_made = table_source_has_lines(source);
    *out = (struct raw_row){.line = is_made ? 0 : reader->line};
    for (;;) {
        struct slice unread = table_source_unread(source);
        if (unread.len == 0 && source->is_at_end) {
            return ERR_CLOSED;
        }
        if (unread.len > 0 && is_made && out->line == 0) {
            out->line = table_source_take_line(source);
        }
        size_t len;
        size_t next;
        enum table_frame_result found =
            table_frame_find(&frame, unread, source->is_at_end, &len, &next);
        bool is_long =
            found == FRAME_MORE ? unread.len > TABLE_ROW_BYTES_MAX : len > TABLE_ROW_BYTES_MAX;
        if (is_long && frame.has_first_line && found != FRAME_UNCLOSED &&
            frame.first_line <= TABLE_ROW_BYTES_MAX) {
            len = frame.first_line;
            next = frame.first_line_next;
            frame.newlines = 0;
            found = FRAME_UNCLOSED;
        } else if (is_long) {
            return drop_long_row(reader, out, out_fault);
        }
        if (found != FRAME_MORE) {
            out->why = found == FRAME_UNCLOSED ? "a quote is opened and not closed" : NULL;
            take_row(reader, &frame, len, next, out);
            if (found == FRAME_UNCLOSED) {
                waste(reader, &frame);
            }
            return ERR_NONE;
        }
        enum err e = table_source_more(source, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
    }
}

/* More cells than columns: the last column takes them with their separators, so that nothing is lost. */
static enum err fold_surplus(struct table_reader *reader, size_t count)
{
    size_t columns = reader->shape.column_count;
    bool is_empty = true;
    for (size_t i = columns; i < count; i++) {
        is_empty = is_empty && slice_trim(reader->cells[i]).len == 0;
    }
    if (is_empty) {
        return ERR_NONE;
    }
    struct buf *scratch = &reader->scratch; /* has room: table_cells_split saw to it */
    size_t from = scratch->len;
    for (size_t i = columns - 1; i < count; i++) {
        enum err e =
            i < columns ? ERR_NONE : buf_append_byte(scratch, reader->shape.rules.separator);
        if (e == ERR_NONE) {
            e = buf_append(scratch, reader->cells[i]);
        }
        if (e != ERR_NONE) {
            return e;
        }
    }
    reader->cells[columns - 1] = slice_sub(buf_view(scratch), from, scratch->len);
    return ERR_NONE;
}

static enum err split(struct table_reader *reader, struct slice text, struct table_row *row)
{
    const struct table_shape *shape = &reader->shape;
    size_t count;
    enum err e = table_cells_split(&shape->rules, text, &reader->scratch, reader->cells,
                                   TABLE_CELLS_MAX, &count);
    if (e != ERR_NONE) {
        return e;
    }
    if (count > TABLE_CELLS_MAX) {
        row->is_bad = true;
        row->why = "the row has more than 4096 cells";
        return ERR_NONE;
    }
    for (size_t i = count; i < shape->column_count; i++) {
        reader->cells[i] = SLICE_NONE;
    }
    if (count > shape->column_count) {
        e = fold_surplus(reader, count);
    }
    row->cells = reader->cells;
    row->cell_count = shape->column_count;
    row->address = reader->cells[shape->address_column];
    return e;
}

/* Cut between characters. */
static struct slice cut_text(struct slice text)
{
    size_t len = text.len;
    if (len > BAD_TEXT_BYTES) {
        len = BAD_TEXT_BYTES;
        while (len > BAD_TEXT_BYTES - 4 && ((unsigned char)text.at[len] & 0xc0u) == 0x80u) {
            len--;
        }
    }
    return slice_sub(text, 0, len);
}

static enum err fill_row(struct table_reader *reader, const struct raw_row *raw,
                         struct table_row *row)
{
    *row = (struct table_row){
        .address_column = reader->shape.address_column,
        .address = SLICE_NONE,
        .raw = SLICE_NONE,
        .number = ++reader->rows,
        .line = raw->line,
        .is_bad = raw->why != NULL,
        .why = raw->why,
    };
    struct slice text;
    enum err e =
        table_to_utf8(row->is_bad ? cut_text(raw->text) : raw->text, &reader->decoded, &text);
    if (e == ERR_NONE && !row->is_bad) {
        e = reader->shape.format == TABLE_NDJSON
                ? table_json_row(&reader->shape, text, &reader->scratch, reader->cells, row)
                : split(reader, text, row);
    }
    if (e == ERR_NONE && row->is_bad && row->cell_count == 0) {
        row->raw = cut_text(text);
    }
    return e;
}

enum err table_reader_next(struct table_reader *reader, struct table_row *out,
                           struct fault *out_fault)
{
    struct raw_row raw;
    for (;;) {
        enum err e = next_raw(reader, &raw, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
        if (raw.why == NULL && table_is_blank(&reader->shape.rules, raw.text)) {
            reader->blank_lines++;
            continue;
        }
        e = fill_row(reader, &raw, out);
        return e == ERR_NONE ? e : no_memory(e, out_fault);
    }
}

enum table_format table_reader_format(const struct table_reader *reader)
{
    return reader->shape.format;
}

char table_reader_separator(const struct table_reader *reader)
{
    return reader->shape.rules.separator;
}

bool table_reader_has_header(const struct table_reader *reader)
{
    return reader->shape.has_header;
}

size_t table_reader_column_count(const struct table_reader *reader)
{
    return reader->shape.column_count;
}

size_t table_reader_address_column(const struct table_reader *reader)
{
    return reader->shape.address_column;
}

struct slice table_reader_column_name(const struct table_reader *reader, size_t column)
{
    return column < reader->shape.column_count ? reader->shape.names[column] : SLICE_NONE;
}

uint64_t table_reader_blank_lines(const struct table_reader *reader)
{
    return reader->blank_lines;
}
