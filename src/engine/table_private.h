/* engine/table_private: the parts of a table reader.
 * table_charset.c: bytes of the file as UTF-8 or an ASCII superset. table_rows.c: where a row ends, its cells.
 * table_columns.c: what the file is. table_json.c: NDJSON rows. table_array.c: a JSON array as such rows. A sheet
 * of a workbook comes as CSV from engine/xlsx. table_read.c joins them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_TABLE_PRIVATE_H
#define ENGINE_TABLE_PRIVATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "engine/table.h"
#include "engine/xlsx.h"

/* A JSON array. */

enum table_array_state {
    ARRAY_BEFORE, /* its '[' */
    ARRAY_FIRST,  /* before the first element, or ']' */
    ARRAY_NEXT,   /* before an element */
    ARRAY_INSIDE,
    ARRAY_BEHIND, /* an element */
    ARRAY_OVER,
};

/* Where in the array the text that was cut so far ends. Begins with line and column 1, all else zero. */
struct table_array {
    enum table_array_state state;
    uint64_t line, column;
    unsigned depth; /* inside the element */
    bool is_in_string, is_escaped, was_cr;
};

/* '[' and the beginning of an object or a text, or nothing. */
bool table_array_looks_like(struct slice sample);
/* Appends whole elements and the beginning of one to *to, each ended by a newline, and to *lines a uint64_t for each that
 * begins: its line. ERR_SYNTAX: no array. ERR_LIMIT, ERR_NOMEM. */
enum err table_array_cut(struct table_array *array, struct slice name, struct slice text,
                         struct buf *to, struct buf *lines, struct fault *out_fault) MUST_USE;
/* At the end of the text. ERR_SYNTAX: of the array there is more to come. */
enum err table_array_end(const struct table_array *array, struct slice name,
                         struct fault *out_fault) MUST_USE;

enum table_charset { CHARSET_BYTES, CHARSET_UTF16_LE, CHARSET_UTF16_BE };

/* The window onto the file: bytes[pos..len) is unread. Of an array or sheet it shows the rows made from it. */
struct table_source {
    FILE *file;
    struct slice name;
    size_t read_bytes;
    bool (*may_go_on)(void *context);
    void *context;
    enum table_charset charset;
    struct buf bytes;
    size_t pos;
    bool is_at_end;
    unsigned char held[4]; /* of a UTF-16 character cut by a read */
    size_t held_len;
    struct slice sheet_name;
    struct xlsx *sheet; /* NULL: no workbook */
    bool is_array;
    struct table_array array;
    struct buf text; /* of an array, before it is cut */
    struct buf
        lines; /* of rows in the window, where they are made: uint64_t each, from lines_pos on */
    size_t lines_pos;
};

void table_source_init(struct table_source *source, const struct table_reader_config *config,
                       FILE *file);
void table_source_done(struct table_source *source);
/* The first TABLE_SAMPLE_BYTES or all there is; finds and removes the byte order mark. */
enum err table_source_begin(struct table_source *source, struct fault *out_fault) MUST_USE;
/* At least one more byte, or is_at_end. Moves the unread bytes. */
enum err table_source_more(struct table_source *source, struct fault *out_fault) MUST_USE;
struct slice table_source_unread(const struct table_source *source);
/* Rows are made: each has a line of its own, which is taken with it. */
bool table_source_has_lines(const struct table_source *source);
uint64_t table_source_take_line(struct table_source *source);

/* text as it is where it is UTF-8, else read as Windows-1252 into *scratch. */
enum err table_to_utf8(struct slice text, struct buf *scratch, struct slice *out) MUST_USE;

/* Rows. */

enum table_state {
    STATE_CELL_START,
    STATE_PLAIN,
    STATE_QUOTED,
    STATE_QUOTE_SEEN,   /* in a quoted cell: its end, or the first of two */
    STATE_QUOTE_CLOSED, /* spaces behind the end */
};

struct table_rules {
    char separator;           /* '\0': none, the line is one cell */
    bool has_quotes;          /* false: a line is a line (NDJSON) */
    bool has_quoted_newlines; /* a quoted cell may go on in the next line */
};

/* Looks for the end of the row at the start of text; keeps its place between calls with more text. */
struct table_frame {
    const struct table_rules *rules;
    enum table_state state;
    size_t at;         /* looked at so far */
    size_t first_line; /* length of the first physical line; 0 with has_first_line false */
    size_t first_line_next;
    bool has_first_line; /* the row has a newline inside a cell */
    uint64_t newlines;   /* inside the row */
};

enum table_frame_result {
    FRAME_ROW,      /* *out_len bytes, *out_next to go on at */
    FRAME_UNCLOSED, /* a quote that is never closed: the first line alone */
    FRAME_MORE,     /* more text is needed */
};

void table_frame_init(struct table_frame *frame, const struct table_rules *rules);
enum table_frame_result table_frame_find(struct table_frame *frame, struct slice text,
                                         bool is_at_end, size_t *out_len, size_t *out_next);

/* Cells of one row, cut from text or unquoted into *scratch, which has room for text.len bytes more then.
 * *out_count may exceed max: the number there are; only max are stored. Cell text keeps its spaces. */
enum err table_cells_split(const struct table_rules *rules, struct slice text, struct buf *scratch,
                           struct slice *cells, size_t max, size_t *out_count) MUST_USE;

bool table_is_blank(const struct table_rules *rules, struct slice line);

/* What the file is. */

struct table_shape {
    enum table_format format;
    struct table_rules rules;
    bool has_header;
    size_t column_count, address_column;
    struct slice *names; /* column_count of them, in the reader's arena */
};

/* sample loses a line in front that only names the separator (`sep=;`). is_whole: the file ends with it. */
enum err table_shape_find(const struct table_reader_config *config, struct slice *sample,
                          bool is_whole, struct arena *arena, struct table_shape *out,
                          struct fault *out_fault) MUST_USE;

/* What was counted of the columns of a sample. */
struct table_columns {
    struct slice names[TABLE_CELLS_MAX]; /* of the first row, trimmed, or keys */
    uint32_t at_signs[TABLE_CELLS_MAX];  /* rows with an '@' in this column */
    size_t count;
};
/* The column named by config, else the likeliest; fault where there is none. has_names: names may be headers. */
enum err table_columns_pick(const struct table_reader_config *config,
                            const struct table_columns *columns, bool has_names, size_t *out_column,
                            struct fault *out_fault) MUST_USE;
/* By exact name or, failing that, whatever the case; column count where it is not there. */
size_t table_columns_find(const struct table_columns *columns, struct slice name);
/* Known as the header of a column of addresses. */
bool table_is_address_name(struct slice name);

/* NDJSON. */

enum err table_json_shape(const struct table_reader_config *config, struct slice sample,
                          bool is_whole, struct arena *arena, struct table_shape *out,
                          struct fault *out_fault) MUST_USE;
/* Fills cells, address, raw, is_bad and why of *row. Cell texts go into *scratch. */
enum err table_json_row(const struct table_shape *shape, struct slice line, struct buf *scratch,
                        struct slice *cells, struct table_row *row) MUST_USE;
/* The first byte that is no space begins an object. */
bool table_json_looks_like(struct slice sample);

/* Columns of the result in a CSV, by index. put appends the value, printable. */
size_t table_result_count(void);
const char *table_result_name(size_t column);
enum err table_result_put(size_t column, const struct record *record, struct buf *out) MUST_USE;
bool table_result_is_number(size_t column); /* what put appends is a number or nothing */

/* A workbook that is being made. */

struct table_sheet_column {
    struct slice name;
    bool is_number;
};

struct table_sheets;

/* columns must outlive it. Each sheet begins with their names. ERR_SYSTEM, ERR_NOMEM. */
enum err table_sheets_open(const struct table_sheet_column *columns, size_t count,
                           struct table_sheets **out, struct fault *out_fault) MUST_USE;
void table_sheets_close(struct table_sheets *sheets); /* safe on NULL */
/* As many cells as there are columns. */
enum err table_sheets_row(struct table_sheets *sheets, const struct slice *cells,
                          struct fault *out_fault) MUST_USE;
/* The whole workbook. Nothing but closing may follow. */
enum err table_sheets_finish(struct table_sheets *sheets, FILE *to, struct fault *out_fault)
    MUST_USE;

struct table_reader {
    struct table_source source;
    struct table_shape shape;
    struct arena arena;
    struct buf decoded, scratch;
    struct slice cells[TABLE_CELLS_MAX];
    uint64_t rows, blank_lines, line;
    size_t wasted_bytes; /* looked through for quotes that were never closed */
};

#define TABLE_RESULT_KEY "heloise"

#endif
