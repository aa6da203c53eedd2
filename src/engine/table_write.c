/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/record_json.h"
#include "engine/table_private.h"

enum {
    LINE_BYTES_MAX = 64 << 20, /* a row with every byte escaped, and a record */
    ARENA_BYTES_MAX = 32 << 20,
};

#define OTHER_RESULT_KEY TABLE_RESULT_KEY "_result"

struct table_writer {
    enum table_format format;
    const struct table_reader *reader;
    FILE *to;
    struct arena arena;
    struct slice *names; /* of the input's columns in the output */
    const char *result_key;
    struct buf line, text, record;
    struct table_sheets *sheets; /* of a workbook, with its columns and the cells of a row */
    struct table_sheet_column *columns;
    struct slice *cells;
};

/* CSV. */

/* "-12.5" stays a number: an optional sign, digits, at most one point or comma with digits. */
static bool is_number(struct slice cell)
{
    struct reader r = reader_over(cell);
    if (!reader_literal(&r, SLICE("-"))) {
        (void)reader_literal(&r, SLICE("+"));
    }
    size_t whole = reader_while(&r, ascii_is_digit).len;
    if (reader_is_done(&r)) {
        return whole > 0;
    }
    bool is_split = reader_literal(&r, SLICE(".")) || reader_literal(&r, SLICE(","));
    size_t part = is_split ? reader_while(&r, ascii_is_digit).len : 0;
    return part > 0 && reader_is_done(&r);
}

static bool is_formula(struct slice cell)
{
    static const char starts[] = "=+-@\t\r";
    return cell.len > 0 && cell.at[0] != '\0' && strchr(starts, cell.at[0]) != NULL &&
           !is_number(cell);
}

static bool needs_quotes(struct slice cell)
{
    if (cell.len == 0) {
        return false;
    }
    for (size_t i = 0; i < cell.len; i++) {
        char c = cell.at[i];
        if (c == ',' || c == '"' || c == '\r' || c == '\n') {
            return true;
        }
    }
    return cell.at[0] == ' ' || cell.at[cell.len - 1] == ' ';
}

/* is_guarded: it shall be no formula for who opens the file. */
static enum err append_bytes(struct buf *out, struct slice cell, bool is_guarded)
{
    enum err e = ERR_NONE;
    bool is_quoted = needs_quotes(cell);
    if (is_quoted) {
        e = buf_append_byte(out, '"');
    }
    if (e == ERR_NONE && is_guarded && is_formula(cell)) {
        e = buf_append_byte(out, '\'');
    }
    if (e != ERR_NONE || !is_quoted) {
        return e != ERR_NONE ? e : buf_append(out, cell);
    }
    for (size_t i = 0; i < cell.len && e == ERR_NONE; i++) {
        e = cell.at[i] == '"' ? buf_append_byte(out, '"') : ERR_NONE;
        e = e == ERR_NONE ? buf_append_byte(out, cell.at[i]) : e;
    }
    return e == ERR_NONE ? buf_append_byte(out, '"') : e;
}

enum err table_cell_append(struct buf *out, struct slice cell, bool is_first)
{
    enum err e = is_first ? ERR_NONE : buf_append_byte(out, ',');
    return e == ERR_NONE ? append_bytes(out, cell, true) : e;
}

static bool is_taken(const struct table_writer *writer, struct slice name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal_nocase(writer->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* name with as many prefixes as make it differ from the input's, into writer->text. */
static enum err find_free_name(struct table_writer *writer, const char *prefix, const char *name,
                               size_t count)
{
    enum err e = ERR_NONE;
    for (size_t prefixes = 0; e == ERR_NONE; prefixes++) {
        buf_clear(&writer->text);
        for (size_t i = 0; i < prefixes && e == ERR_NONE; i++) {
            e = buf_append(&writer->text, slice_of(prefix));
        }
        e = e == ERR_NONE ? buf_append(&writer->text, slice_of(name)) : e;
        if (e == ERR_NONE && !is_taken(writer, buf_view(&writer->text), count)) {
            return ERR_NONE;
        }
    }
    return e;
}

static enum err append_header(struct table_writer *writer)
{
    size_t count = table_reader_column_count(writer->reader);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = table_cell_append(&writer->line, writer->names[i], i == 0);
    }
    for (size_t i = 0; i < table_result_count() && e == ERR_NONE; i++) {
        e = find_free_name(writer, "heloise_", table_result_name(i), count);
        e = e == ERR_NONE ? table_cell_append(&writer->line, buf_view(&writer->text), false) : e;
    }
    return e == ERR_NONE ? buf_append(&writer->line, SLICE("\r\n")) : e;
}

static enum err write_csv_result(const struct record *record, bool is_guarded, struct buf *out)
{
    struct buf text;
    buf_init(&text, LINE_BYTES_MAX);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < table_result_count() && e == ERR_NONE; i++) {
        buf_clear(&text);
        e = table_result_put(i, record, &text);
        e = e == ERR_NONE ? buf_append_byte(out, ',') : e;
        e = e == ERR_NONE ? append_bytes(out, buf_view(&text), is_guarded) : e;
    }
    buf_done(&text);
    return e;
}

static enum err append_no_result(struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < table_result_count() && e == ERR_NONE; i++) {
        e = buf_append_byte(out, ',');
    }
    return e;
}

static enum err append_csv(struct table_writer *writer, const struct table_row *row,
                           struct slice result)
{
    size_t count = table_reader_column_count(writer->reader);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        struct slice cell = i < row->cell_count ? row->cells[i] : SLICE_NONE;
        if (row->cell_count == 0 && i == 0) {
            cell = row->raw;
        }
        e = table_cell_append(&writer->line, cell, i == 0);
    }
    if (e == ERR_NONE) {
        e = result.len == 0 ? append_no_result(&writer->line) : buf_append(&writer->line, result);
    }
    return e == ERR_NONE ? buf_append(&writer->line, SLICE("\r\n")) : e;
}

/* NDJSON. */

/* Keys must differ from each other and from ours. */
static enum err make_keys_unique(struct table_writer *writer)
{
    size_t count = table_reader_column_count(writer->reader);
    for (size_t i = 1; i < count; i++) {
        size_t number = 2;
        struct slice name = writer->names[i];
        while (is_taken(writer, writer->names[i], i)) {
            char end[32];
            (void)snprintf(end, sizeof end, "_%zu", number++);
            buf_clear(&writer->text);
            enum err e = buf_append(&writer->text, name);
            e = e == ERR_NONE ? buf_append(&writer->text, slice_of(end)) : e;
            e = e == ERR_NONE
                    ? arena_copy(&writer->arena, buf_view(&writer->text), &writer->names[i])
                    : e;
            if (e != ERR_NONE) {
                return e;
            }
        }
    }
    return ERR_NONE;
}

/* A JSON string has its address only. */
static void put_cells(struct table_writer *writer, struct json_writer *w,
                      const struct table_row *row)
{
    bool is_json = table_reader_format(writer->reader) == TABLE_NDJSON;
    for (size_t i = 0; i < row->cell_count; i++) {
        if (!is_json || i == row->address_column) {
            json_string(w, writer->names[i].at, row->cells[i]);
        }
    }
    if (row->cell_count == 0) {
        json_int(w, "line", (int64_t)row->line);
        json_string(w, "text", row->raw);
    }
}

/* The object as it came, less its closing brace. */
static enum err open_object(struct table_writer *writer, struct slice object, bool *out_is_empty)
{
    struct slice open = slice_trim(slice_sub(object, 0, object.len - 1));
    *out_is_empty = open.len == 1;
    return buf_append(&writer->line, open);
}

static enum err append_json(struct table_writer *writer, const struct table_row *row,
                            struct slice result)
{
    struct json_writer w;
    json_begin(&w, &writer->line);
    const char *key = row->cell_count > 0 ? writer->result_key : TABLE_RESULT_KEY;
    if (row->cell_count > 0 && row->raw.len > 0) {
        bool is_empty;
        w.err = open_object(writer, row->raw, &is_empty);
        w.needs_comma = !is_empty;
        key = row->has_result_key ? OTHER_RESULT_KEY : TABLE_RESULT_KEY;
    } else {
        json_open(&w, NULL, '{');
        put_cells(writer, &w, row);
    }
    if (result.len == 0) {
        json_null(&w, key);
    } else {
        json_raw(&w, key, result);
    }
    json_close(&w, '}');
    return w.err == ERR_NONE ? buf_append(&writer->line, SLICE("\n")) : w.err;
}

/* XLSX. */

static enum err name_columns(struct table_writer *writer, size_t count)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count; i++) {
        writer->columns[i].name = writer->names[i];
    }
    for (size_t i = 0; i < table_result_count() && e == ERR_NONE; i++) {
        struct table_sheet_column *column = &writer->columns[count + i];
        column->is_number = table_result_is_number(i);
        e = find_free_name(writer, "heloise_", table_result_name(i), count);
        e = e == ERR_NONE ? arena_copy(&writer->arena, buf_view(&writer->text), &column->name) : e;
    }
    return e;
}

static enum err begin_sheets(struct table_writer *writer, struct fault *out_fault)
{
    size_t count = table_reader_column_count(writer->reader);
    size_t all = count + table_result_count();
    writer->columns = arena_alloc(&writer->arena, all * sizeof *writer->columns);
    writer->cells = arena_alloc(&writer->arena, all * sizeof *writer->cells);
    if (writer->columns == NULL || writer->cells == NULL ||
        name_columns(writer, count) != ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    return table_sheets_open(writer->columns, all, &writer->sheets, out_fault);
}

/* What write_csv_result wrote. */
static enum err split_result(struct table_writer *writer, struct slice result, struct slice *cells)
{
    static const struct table_rules rules = {',', true, true};
    size_t count = table_result_count();
    size_t found;
    if (result.len == 0) {
        for (size_t i = 0; i < count; i++) {
            cells[i] = SLICE_NONE;
        }
        return ERR_NONE;
    }
    struct slice behind_comma = slice_sub(result, 1, result.len);
    enum err e = table_cells_split(&rules, behind_comma, &writer->text, cells, count, &found);
    must(e != ERR_NONE || found == count);
    return e;
}

static enum err write_sheet_row(struct table_writer *writer, const struct table_row *row,
                                struct slice result, struct fault *out_fault)
{
    size_t count = table_reader_column_count(writer->reader);
    for (size_t i = 0; i < count; i++) {
        writer->cells[i] = i < row->cell_count ? row->cells[i] : SLICE_NONE;
    }
    if (row->cell_count == 0 && count > 0) {
        writer->cells[0] = row->raw;
    }
    enum err e = split_result(writer, result, writer->cells + count);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "out of memory");
    }
    return table_sheets_row(writer->sheets, writer->cells, out_fault);
}

/* All. */

static enum err begin(struct table_writer *writer)
{
    size_t count = table_reader_column_count(writer->reader);
    writer->names = arena_alloc(&writer->arena, count * sizeof *writer->names);
    if (writer->names == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        writer->names[i] = table_reader_column_name(writer->reader, i);
    }
    if (writer->format != TABLE_NDJSON) {
        return writer->format == TABLE_CSV ? append_header(writer) : ERR_NONE;
    }
    enum err e = make_keys_unique(writer);
    struct slice key = SLICE(TABLE_RESULT_KEY);
    if (e == ERR_NONE && is_taken(writer, key, count)) {
        e = find_free_name(writer, "heloise_", OTHER_RESULT_KEY, count);
        e = e == ERR_NONE ? arena_copy(&writer->arena, buf_view(&writer->text), &key) : e;
    }
    writer->result_key = key.at;
    return e;
}

static enum err flush_line(struct table_writer *writer, enum err e, struct fault *out_fault)
{
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "%s",
                         e == ERR_LIMIT ? "a row is too long to be written" : "out of memory");
    }
    errno = 0;
    size_t len = writer->line.len;
    if (len > 0 && fwrite(writer->line.at, 1, len, writer->to) != len) {
        char text[128];
        int os_errno = errno;
        return fault_set(out_fault, ERR_SYSTEM, os_errno, "writing failed: %s",
                         strerror_r(os_errno, text, sizeof text));
    }
    buf_clear(&writer->line);
    return ERR_NONE;
}

enum err table_writer_open(enum table_format format, const struct table_reader *reader, FILE *to,
                           struct table_writer **out, struct fault *out_fault)
{
    struct table_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    writer->format = format == TABLE_TEXT ? TABLE_CSV : format;
    writer->reader = reader;
    writer->to = to;
    arena_init(&writer->arena, ARENA_BYTES_MAX);
    buf_init(&writer->line, LINE_BYTES_MAX);
    buf_init(&writer->text, LINE_BYTES_MAX);
    buf_init(&writer->record, LINE_BYTES_MAX);
    enum err e = flush_line(writer, begin(writer), out_fault);
    if (e == ERR_NONE && format == TABLE_XLSX) {
        e = begin_sheets(writer, out_fault);
    }
    if (e != ERR_NONE) {
        table_writer_close(writer);
        return e;
    }
    *out = writer;
    return ERR_NONE;
}

void table_writer_close(struct table_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    table_sheets_close(writer->sheets);
    buf_done(&writer->line);
    buf_done(&writer->text);
    buf_done(&writer->record);
    arena_done(&writer->arena);
    free(writer);
}

enum err table_writer_finish(struct table_writer *writer, struct fault *out_fault)
{
    return writer->format == TABLE_XLSX ? table_sheets_finish(writer->sheets, writer->to, out_fault)
                                        : ERR_NONE;
}

enum err table_result_write(enum table_format format, const struct record *record, struct buf *out)
{
    return format == TABLE_NDJSON ? record_write_json(record, out)
                                  : write_csv_result(record, format != TABLE_XLSX, out);
}

enum err table_writer_result(struct table_writer *writer, const struct table_row *row,
                             struct slice result, struct fault *out_fault)
{
    if (writer->format == TABLE_XLSX) {
        return write_sheet_row(writer, row, result, out_fault);
    }
    buf_clear(&writer->line);
    enum err e = writer->format == TABLE_NDJSON ? append_json(writer, row, result)
                                                : append_csv(writer, row, result);
    return flush_line(writer, e, out_fault);
}

enum err table_writer_row(struct table_writer *writer, const struct table_row *row,
                          const struct record *record, struct fault *out_fault)
{
    buf_clear(&writer->record);
    enum err e =
        record == NULL ? ERR_NONE : table_result_write(writer->format, record, &writer->record);
    if (e != ERR_NONE) {
        return flush_line(writer, e, out_fault);
    }
    return table_writer_result(writer, row, buf_view(&writer->record), out_fault);
}
