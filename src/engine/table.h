/* engine/table: lists as people have them, row by row, in bounded memory: CSV with any of the usual
 * separators, plain text with one address a line, NDJSON, one JSON array, a sheet of an XLSX workbook; and the same
 * rows written back with results beside them. What a file is, is found out from its first megabyte: character set,
 * kind, separator, header, the column with the addresses. A row that cannot be read is handed out as a bad row with its
 * reason, and reading goes on behind it. An array is read as NDJSON, a sheet as CSV: that is their format here.
 *
 * All text that comes out is UTF-8. Input is UTF-8 or UTF-16; a row that is not well-formed UTF-8 is taken as
 * Windows-1252. Blank lines are counted and passed over.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_TABLE_H
#define ENGINE_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "verify/record.h"

enum {
    TABLE_ROW_BYTES_MAX = 1 << 20,
    TABLE_CELLS_MAX = 4096,
    TABLE_SAMPLE_BYTES = 1 << 20, /* what the file is judged by */
};

/* Read are the first three; written all but text. */
enum table_format { TABLE_CSV, TABLE_TEXT, TABLE_NDJSON, TABLE_XLSX };

struct table_reader_config {
    struct slice file_name; /* for messages; .ndjson and .jsonl decide the kind */
    struct slice column;    /* header or number from 1; empty: found out */
    struct slice sheet; /* of a workbook: name or number from 1; empty: the first that is shown */
    size_t read_bytes;  /* taken from the file at a time; 0: a sensible block */
    /* Before each such block, so also within an endless row; false: ERR_STATE. NULL: always. */
    bool (*may_go_on)(void *context);
    void *context;
};

/* One row; slices live until the next call on the reader. */
struct table_row {
    const struct slice *cells; /* column_count of them, missing ones empty; none in a bad row */
    size_t cell_count;
    size_t address_column; /* index into cells */
    struct slice address;  /* that cell as it stands */
    struct slice raw;      /* NDJSON: the object; a bad row: its text, cut where it is long */
    uint64_t number;       /* from 1; the header and blank lines are not counted */
    uint64_t line;         /* of its first byte, from 1; of a sheet: the row's number there */
    bool is_bad;
    bool has_result_key; /* NDJSON: the object has a field named as ours already */
    const char *why;     /* a bad row: one sentence without full stop; static */
};

struct table_reader;

/* file and config's slices must outlive the reader; file stays the caller's, at any place; one that holds a workbook
 * must be one that can be read from any place. ERR_SYNTAX: no such column or sheet, no column with addresses, not a list
 * at all. ERR_SYSTEM: cannot be read. ERR_STATE: stopped. ERR_NOMEM. */
enum err table_reader_open(const struct table_reader_config *config, FILE *file,
                           struct table_reader **out, struct fault *out_fault) MUST_USE;
void table_reader_close(struct table_reader *reader); /* safe on NULL */

/* ERR_CLOSED: that was all (no fault is set). ERR_SYNTAX: an array or workbook is broken from here on. ERR_SYSTEM,
 * ERR_STATE, ERR_NOMEM. */
enum err table_reader_next(struct table_reader *reader, struct table_row *out,
                           struct fault *out_fault) MUST_USE;

enum table_format table_reader_format(const struct table_reader *reader);
char table_reader_separator(const struct table_reader *reader); /* '\0': none */
bool table_reader_has_header(const struct table_reader *reader);
size_t table_reader_column_count(const struct table_reader *reader);
size_t table_reader_address_column(const struct table_reader *reader);
/* The header's name of a column, or one made up where there is none. */
struct slice table_reader_column_name(const struct table_reader *reader, size_t column);
uint64_t table_reader_blank_lines(const struct table_reader *reader);

/* Writing: TABLE_CSV (RFC 4180, comma), TABLE_NDJSON or TABLE_XLSX. In CSV a cell that a spreadsheet would take for a
 * formula gets an apostrophe in front; in XLSX it is a text as all that was read is, cut where it has more than 32,767
 * characters, and rows that a sheet has no room for go on in the next. */
struct table_writer;

/* Writes the header. reader gives the columns and must outlive the writer; to stays the caller's. */
enum err table_writer_open(enum table_format format, const struct table_reader *reader, FILE *to,
                           struct table_writer **out, struct fault *out_fault) MUST_USE;
void table_writer_close(struct table_writer *writer); /* safe on NULL; flushes nothing */
/* After the last row: what is written at the end only, which of XLSX is all. Flushes nothing. Nothing but closing may
 * follow. */
enum err table_writer_finish(struct table_writer *writer, struct fault *out_fault) MUST_USE;

/* One more cell of a row of CSV, as the writer does it. */
enum err table_cell_append(struct buf *out, struct slice cell, bool is_first) MUST_USE;

/* A result as it is written into a row of that format, to be kept and written later. */
enum err table_result_write(enum table_format format, const struct record *record, struct buf *out)
    MUST_USE;
/* result: what table_result_write gave for the writer's format; empty: there is no result yet. */
enum err table_writer_result(struct table_writer *writer, const struct table_row *row,
                             struct slice result, struct fault *out_fault) MUST_USE;

/* Both in one. record NULL: there is no result yet. */
enum err table_writer_row(struct table_writer *writer, const struct table_row *row,
                          const struct record *record, struct fault *out_fault) MUST_USE;

#endif
