/* engine/table_json: one JSON object, or one JSON string, a line. The object's text is handed through as it
 * stands, so that nothing of it is lost; cells are made from it for who writes CSV.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/table_private.h"

enum {
    SAMPLE_ROWS = 1000,
    JSON_FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL,
};

/* NULL with ERR_NONE: not JSON. */
static enum err parse(struct slice line, json_t **out)
{
    json_error_t error;
    json_t *root = json_loadb(line.at, line.len, JSON_FLAGS, &error);
    if (root == NULL && json_error_code(&error) == json_error_numeric_overflow) {
        root = json_loadb(line.at, line.len, JSON_FLAGS | JSON_DECODE_INT_AS_REAL, &error);
    }
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory) {
        return ERR_NOMEM;
    }
    *out = root;
    return ERR_NONE;
}

bool table_json_looks_like(struct slice sample)
{
    struct slice text = slice_trim(sample);
    return text.len > 1 && text.at[0] == '{' &&
           (text.at[1] == '"' || text.at[1] == '}' || ascii_is_space(text.at[1]));
}

static struct slice string_of(const json_t *value)
{
    return slice_make(json_string_value(value), json_string_length(value));
}

static enum err count_object(json_t *root, struct arena *arena, struct table_columns *columns)
{
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        size_t column = 0;
        while (column < columns->count && !slice_equal(columns->names[column], slice_of(key))) {
            column++;
        }
        if (column == TABLE_CELLS_MAX) {
            return ERR_NONE;
        }
        if (column == columns->count) {
            if (arena_copy(arena, slice_of(key), &columns->names[column]) != ERR_NONE) {
                return ERR_NOMEM;
            }
            columns->count++;
        }
        struct slice text = json_is_string(value) ? string_of(value) : SLICE_NONE;
        columns->at_signs[column] += slice_find_byte(text, '@', 0) < text.len ? 1 : 0;
    }
    return ERR_NONE;
}

static enum err gather(struct slice sample, bool is_whole, struct arena *arena, struct buf *decoded,
                       struct table_columns *columns)
{
    static const struct table_rules rules = {'\0', false, false};
    enum err e = ERR_NONE;
    for (size_t rows = 0; rows < SAMPLE_ROWS && sample.len > 0 && e == ERR_NONE; rows++) {
        struct table_frame frame;
        table_frame_init(&frame, &rules);
        size_t len;
        size_t next;
        if (table_frame_find(&frame, sample, is_whole, &len, &next) == FRAME_MORE) {
            return ERR_NONE;
        }
        struct slice line;
        e = table_to_utf8(slice_sub(sample, 0, len), decoded, &line);
        sample = slice_sub(sample, next, sample.len);
        json_t *root = NULL;
        if (e == ERR_NONE && len <= TABLE_ROW_BYTES_MAX && !table_is_blank(&rules, line)) {
            e = parse(line, &root);
        }
        if (e == ERR_NONE && json_is_object(root)) {
            e = count_object(root, arena, columns);
        }
        json_decref(root);
    }
    return e;
}

enum err table_json_shape(const struct table_reader_config *config, struct slice sample,
                          bool is_whole, struct arena *arena, struct table_shape *out,
                          struct fault *out_fault)
{
    struct table_columns *columns = arena_alloc(arena, sizeof *columns);
    struct buf decoded;
    buf_init(&decoded, (size_t)4 * (TABLE_SAMPLE_BYTES + TABLE_ROW_BYTES_MAX));
    enum err e = columns == NULL ? ERR_NOMEM : gather(sample, is_whole, arena, &decoded, columns);
    buf_done(&decoded);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "out of memory");
    }
    struct table_shape shape = {
        .format = TABLE_NDJSON,
        .rules = {'\0', false, false},
        .has_header = columns->count > 0,
        .names = columns->names,
    };
    if (columns->count == 0) { /* strings, or nothing that can be read */
        columns->names[columns->count++] = SLICE("email");
    }
    e = shape.has_header
            ? table_columns_pick(config, columns, true, &shape.address_column, out_fault)
            : ERR_NONE;
    shape.column_count = columns->count;
    if (e == ERR_NONE) {
        *out = shape;
    }
    return e;
}

static enum err append_value(const json_t *value, struct buf *out)
{
    if (value == NULL || json_is_null(value)) {
        return ERR_NONE;
    }
    if (json_is_string(value)) {
        return buf_append(out, string_of(value));
    }
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    enum err e = text == NULL ? ERR_NOMEM : buf_append(out, slice_of(text));
    free(text);
    return e;
}

static enum err fill_cells(const struct table_shape *shape, const json_t *root, struct buf *scratch,
                           struct slice *cells)
{
    buf_clear(scratch);
    for (size_t i = 0; i < shape->column_count; i++) {
        const json_t *value = json_is_string(root) ? (i == shape->address_column ? root : NULL)
                                                   : json_object_get(root, shape->names[i].at);
        size_t from = scratch->len;
        enum err e = append_value(value, scratch);
        if (e != ERR_NONE) {
            return e;
        }
        cells[i].len = scratch->len - from;
    }
    size_t at = 0;
    for (size_t i = 0; i < shape->column_count; i++) {
        cells[i] = scratch->len == 0 ? SLICE_NONE : slice_make(scratch->at + at, cells[i].len);
        at += cells[i].len;
    }
    return ERR_NONE;
}

static const char *find_fault(const struct table_shape *shape, const json_t *root)
{
    if (root == NULL) {
        return "this is not valid JSON";
    }
    if (json_is_string(root)) {
        return NULL;
    }
    if (!json_is_object(root)) {
        return "this is neither a JSON object nor a JSON string";
    }
    const json_t *address = json_object_get(root, shape->names[shape->address_column].at);
    if (address == NULL) {
        return "the object has no field with the address";
    }
    return json_is_string(address) ? NULL : "the field with the address is not a string";
}

enum err table_json_row(const struct table_shape *shape, struct slice line, struct buf *scratch,
                        struct slice *cells, struct table_row *row)
{
    json_t *root = NULL;
    enum err e = parse(line, &root);
    if (e != ERR_NONE) {
        return e;
    }
    row->why = find_fault(shape, root);
    row->is_bad = row->why != NULL;
    if (json_is_object(root)) {
        row->raw = slice_trim(line);
        row->has_result_key = json_object_get(root, TABLE_RESULT_KEY) != NULL;
    }
    if (json_is_object(root) || json_is_string(root)) {
        e = fill_cells(shape, root, scratch, cells);
        row->cells = cells;
        row->cell_count = shape->column_count;
        row->address = e == ERR_NONE && !row->is_bad ? cells[shape->address_column] : SLICE_NONE;
    }
    json_decref(root);
    return e;
}
