/* engine/table_columns: what a file of cells is, judged by its first rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/table_private.h"

enum {
    SAMPLE_ROWS = 1000,
    ROW_TEXT_BYTES_MAX = 8 << 20, /* a row after conversion, twice */
};

/* Walking over the rows of a sample. */

struct walk {
    const struct table_rules *rules;
    struct slice rest;
    bool is_whole;
    size_t rows;
    struct buf decoded, scratch;
    struct slice *cells; /* TABLE_CELLS_MAX */
    size_t count;        /* 0: a row that cannot be read */
};

static void walk_begin(struct walk *walk, const struct table_rules *rules, struct slice sample,
                       bool is_whole, struct slice *cells)
{
    *walk = (struct walk){.rules = rules, .rest = sample, .is_whole = is_whole, .cells = cells};
    buf_init(&walk->decoded, ROW_TEXT_BYTES_MAX);
    buf_init(&walk->scratch, ROW_TEXT_BYTES_MAX);
}

static void walk_end(struct walk *walk)
{
    buf_done(&walk->decoded);
    buf_done(&walk->scratch);
}

/* ERR_CLOSED at the end. A row that the sample cuts is not looked at. */
static enum err walk_next(struct walk *walk)
{
    while (walk->rest.len > 0 && walk->rows < SAMPLE_ROWS) {
        struct table_frame frame;
        table_frame_init(&frame, walk->rules);
        size_t len;
        size_t next;
        enum table_frame_result found =
            table_frame_find(&frame, walk->rest, walk->is_whole, &len, &next);
        if (found == FRAME_MORE) {
            return ERR_CLOSED;
        }
        struct slice line = slice_sub(walk->rest, 0, len);
        walk->rest = slice_sub(walk->rest, next, walk->rest.len);
        if (table_is_blank(walk->rules, line)) {
            continue;
        }
        walk->rows++;
        walk->count = 0;
        if (found == FRAME_UNCLOSED || len > TABLE_ROW_BYTES_MAX) {
            return ERR_NONE;
        }
        struct slice text;
        enum err e = table_to_utf8(line, &walk->decoded, &text);
        if (e == ERR_NONE) {
            e = table_cells_split(walk->rules, text, &walk->scratch, walk->cells, TABLE_CELLS_MAX,
                                  &walk->count);
        }
        walk->count = walk->count > TABLE_CELLS_MAX ? 0 : walk->count;
        return e;
    }
    return ERR_CLOSED;
}

/* The separator. */

struct consistency {
    size_t support;        /* rows with as many cells as most have, at least two */
    size_t cells;          /* that many */
    size_t rows, rows_cut; /* all; of two cells or more */
};

static enum err measure(const struct table_rules *rules, struct slice sample, bool is_whole,
                        struct slice *cells, struct consistency *out)
{
    static const size_t unit = TABLE_CELLS_MAX + 1;
    uint16_t rows_with[TABLE_CELLS_MAX + 1];
    memset(rows_with, 0, unit * sizeof rows_with[0]);
    struct walk walk;
    walk_begin(&walk, rules, sample, is_whole, cells);
    enum err e;
    while ((e = walk_next(&walk)) == ERR_NONE) {
        rows_with[walk.count]++;
    }
    *out = (struct consistency){.rows = walk.rows};
    walk_end(&walk);
    for (size_t i = 2; i <= TABLE_CELLS_MAX; i++) {
        out->rows_cut += rows_with[i];
        if (rows_with[i] > out->support) {
            out->support = rows_with[i];
            out->cells = i;
        }
    }
    return e == ERR_CLOSED ? ERR_NONE : e;
}

/* The one that cuts most rows into the same number of cells; none that leaves most rows uncut. */
static enum err find_separator(struct slice sample, bool is_whole, struct slice *cells, char *out)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    struct consistency best = {.support = 0};
    *out = '\0';
    for (size_t i = 0; i < sizeof candidates; i++) {
        struct table_rules rules = {candidates[i], true, true};
        struct consistency it;
        enum err e = measure(&rules, sample, is_whole, cells, &it);
        if (e != ERR_NONE) {
            return e;
        }
        bool is_better =
            it.support > best.support || (it.support == best.support && it.cells > best.cells);
        if (it.rows_cut * 2 >= it.rows && it.support > 0 && is_better) {
            best = it;
            *out = candidates[i];
        }
    }
    return ERR_NONE;
}

/* `sep=;` in a line of its own, as Excel writes it. */
static bool take_separator_line(struct slice *sample, char *out)
{
    struct reader r = reader_over(*sample);
    char separator;
    if (!reader_literal_nocase(&r, SLICE("sep=")) || !reader_byte(&r, &separator) ||
        separator == '\r' || separator == '\n' || separator == '"' || separator == '\0') {
        return false;
    }
    (void)reader_literal(&r, SLICE("\r"));
    (void)reader_literal(&r, SLICE("\n"));
    if (r.rest.len + 5 == sample->len) {
        return false; /* the line goes on */
    }
    *sample = r.rest;
    *out = separator;
    return true;
}

/* Columns, header, addresses. */

static bool has_at(struct slice cell)
{
    return slice_find_byte(cell, '@', 0) < cell.len;
}

struct first_row {
    bool is_there, has_at;
    size_t count;
};

static enum err gather(struct walk *walk, struct arena *arena, struct table_columns *columns,
                       struct first_row *first)
{
    enum err e;
    while ((e = walk_next(walk)) == ERR_NONE) {
        bool is_first = walk->rows == 1;
        first->is_there = is_first ? walk->count > 0 : first->is_there;
        first->count = is_first ? walk->count : first->count;
        columns->count = walk->count > columns->count ? walk->count : columns->count;
        for (size_t i = 0; i < walk->count; i++) {
            bool is_at = has_at(walk->cells[i]);
            columns->at_signs[i] += is_at ? 1 : 0;
            first->has_at = first->has_at || (is_first && is_at);
            if (is_first &&
                arena_copy(arena, slice_trim(walk->cells[i]), &columns->names[i]) != ERR_NONE) {
                return ERR_NOMEM;
            }
        }
    }
    return e == ERR_CLOSED ? ERR_NONE : e;
}

/* A first row without any address, whose cell stands over addresses or is known as a name. */
static bool is_header(const struct table_reader_config *config, const struct table_columns *columns,
                      const struct first_row *first, size_t column)
{
    struct slice name = columns->names[column];
    if (!first->is_there || first->has_at || column >= first->count || name.len == 0) {
        return false;
    }
    return columns->at_signs[column] > 0 || table_is_address_name(name) ||
           slice_equal_nocase(name, config->column);
}

static enum err name_columns(const struct table_columns *columns, struct arena *arena,
                             struct table_shape *shape)
{
    shape->names = arena_alloc(arena, shape->column_count * sizeof *shape->names);
    if (shape->names == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < shape->column_count; i++) {
        shape->names[i] =
            shape->has_header && columns->names[i].at != NULL ? columns->names[i] : SLICE_NONE;
        if (shape->names[i].len > 0) {
            continue;
        }
        char made[32];
        (void)snprintf(made, sizeof made, "column_%zu", i + 1);
        bool is_address = i == shape->address_column && !shape->has_header;
        if (arena_copy(arena, slice_of(is_address ? "email" : made), &shape->names[i]) !=
            ERR_NONE) {
            return ERR_NOMEM;
        }
    }
    return ERR_NONE;
}

static enum err find_columns(const struct table_reader_config *config, struct walk *walk,
                             struct arena *arena, struct table_shape *shape,
                             struct fault *out_fault)
{
    struct table_columns *columns = arena_alloc(arena, sizeof *columns);
    struct first_row first = {.count = 0};
    enum err e = columns == NULL ? ERR_NOMEM : gather(walk, arena, columns, &first);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "out of memory");
    }
    columns->count = columns->count == 0 ? 1 : columns->count; /* an empty file */
    bool has_names = first.is_there && !first.has_at;
    e = table_columns_pick(config, columns, has_names, &shape->address_column, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    shape->has_header = is_header(config, columns, &first, shape->address_column);
    shape->column_count = columns->count;
    e = name_columns(columns, arena, shape);
    return e == ERR_NONE ? e : fault_set(out_fault, e, 0, "out of memory");
}

enum err table_shape_find(const struct table_reader_config *config, struct slice *sample,
                          bool is_whole, struct arena *arena, struct table_shape *out,
                          struct fault *out_fault)
{
    struct slice *cells = arena_alloc(arena, TABLE_CELLS_MAX * sizeof *cells);
    enum err e = cells == NULL ? ERR_NOMEM : ERR_NONE;
    char separator = '\0';
    if (e == ERR_NONE && !take_separator_line(sample, &separator)) {
        e = find_separator(*sample, is_whole, cells, &separator);
    }
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "out of memory");
    }
    struct table_shape shape = {
        .format = separator == '\0' ? TABLE_TEXT : TABLE_CSV,
        .rules = {separator, true, separator != '\0'},
    };
    struct walk walk;
    walk_begin(&walk, &shape.rules, *sample, is_whole, cells);
    e = find_columns(config, &walk, arena, &shape, out_fault);
    walk_end(&walk);
    if (e == ERR_NONE) {
        *out = shape;
    }
    return e;
}
