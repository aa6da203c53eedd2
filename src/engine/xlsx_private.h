/* engine/xlsx_private: the parts of a workbook's reader.
 * xlsx_zip.c: the archive. xlsx_xml.c: a part of it through the XML parser. xlsx_book.c: which sheets there are and where.
 * xlsx_styles.c: which numbers are dates, and numbers as text. xlsx_strings.c: the shared texts. xlsx_sheet.c: the rows.
 * xlsx.c joins them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_XLSX_PRIVATE_H
#define ENGINE_XLSX_PRIVATE_H

#include <stdint.h>

#include "base/arena.h"
#include "engine/sheet_library.h"
#include "engine/xlsx.h"

/* The archive. */

struct xlsx_zip {
    const struct xlsx_config *config;
    struct sheet_zip lib;
    FILE *file;
    uint64_t size, pos;
    uint64_t index_bytes;      /* read while the archive was opened */
    uint64_t packed, unpacked; /* bytes of all parts that were read */
    bool is_open;
    zip_error_t error;
    zip_t *zip;
};

/* One part while it is read. */
struct xlsx_part {
    struct xlsx_zip *zip;
    zip_file_t *file;
};

enum err xlsx_zip_open(struct xlsx_zip *zip, const struct xlsx_config *config, FILE *file,
                       struct fault *out_fault) MUST_USE;
void xlsx_zip_close(struct xlsx_zip *zip); /* safe on a zeroed one */
bool xlsx_zip_has(struct xlsx_zip *zip, const char *name);

/* ERR_SYNTAX: it is missing, encrypted, or packed in a way that nobody uses. */
enum err xlsx_part_open(struct xlsx_zip *zip, const char *name, struct xlsx_part *out,
                        struct fault *out_fault) MUST_USE;
void xlsx_part_close(struct xlsx_part *part); /* safe on a zeroed one and twice */
/* *out_len 0: the end. */
enum err xlsx_part_read(struct xlsx_part *part, void *to, size_t room, size_t *out_len,
                        struct fault *out_fault) MUST_USE;

/* A part through the parser. */

/* Names come without their namespace's prefix. Attributes: name, value, ..., NULL. What they return other than ERR_NONE
 * ends the parsing; they set *xml->fault where it is not ERR_NOMEM. */
struct xlsx_xml_events {
    enum err (*begin)(void *context, const char *name, const char **attributes);
    enum err (*end)(void *context, const char *name);
    enum err (*text)(void *context, struct slice text);
};

struct xlsx_xml {
    const struct xlsx_config *config;
    struct sheet_xml lib;
    const char *part_name;
    const struct xlsx_xml_events *events;
    void *context;
    XML_Parser parser;
    struct xlsx_part part;
    unsigned depth;
    enum err err;      /* of an event */
    bool is_pausing;   /* set by an event: what was parsed is enough for this call */
    bool is_suspended; /* the parser stands inside its buffer */
    bool is_at_end;
    struct fault fault;
};

enum err xlsx_xml_open(struct xlsx_xml *xml, struct xlsx_zip *zip, const char *part_name,
                       struct fault *out_fault) MUST_USE;
void xlsx_xml_close(struct xlsx_xml *xml); /* safe on a zeroed one and twice */
/* Parses the next piece, or up to where an event paused. ERR_CLOSED: the part is through. */
enum err xlsx_xml_step(struct xlsx_xml *xml, struct fault *out_fault) MUST_USE;
/* All of a part. ERR_NONE at its end. */
enum err xlsx_xml_read(struct xlsx_zip *zip, const char *part_name,
                       const struct xlsx_xml_events *events, void *context, struct fault *out_fault)
    MUST_USE;
/* NULL: there is none of that name. The name may have a prefix in the file. */
const char *xlsx_attribute(const char **attributes, const char *name);

/* Which sheets there are. */

struct xlsx_sheet_entry {
    struct slice name, id;
    bool is_hidden;
};

struct xlsx_book {
    struct arena *arena;
    struct slice path; /* of the workbook's part */
    struct xlsx_sheet_entry *sheets;
    size_t sheet_count;
    bool is_1904;
    const struct xlsx_sheet_entry *sheet; /* the one to read */
    /* Parts by their path, NUL-terminated; empty where there is none. */
    struct slice sheet_path, strings_path, styles_path;
};

/* Finds the workbook, its sheets, and the one that config names. Slices are the arena's. */
enum err xlsx_book_read(struct xlsx_zip *zip, const struct xlsx_config *config, struct arena *arena,
                        struct xlsx_book *out, struct fault *out_fault) MUST_USE;

/* Numbers. */

enum xlsx_shown { XLSX_SHOWN_NUMBER, XLSX_SHOWN_DATE, XLSX_SHOWN_SPAN };

struct xlsx_styles {
    struct buf shown; /* a byte for each style of cells: enum xlsx_shown */
};

void xlsx_styles_done(struct xlsx_styles *styles); /* safe on a zeroed one */
enum err xlsx_styles_read(struct xlsx_zip *zip, const char *part_name, struct xlsx_styles *out,
                          struct fault *out_fault) MUST_USE;
enum xlsx_shown xlsx_styles_find(const struct xlsx_styles *styles, uint64_t style);
/* How numbers of that format code are shown. */
enum xlsx_shown xlsx_shown_by(struct slice format_code);
/* What stands in the file, as it is shown; what is no number is appended as it stands. */
enum err xlsx_number_put(struct slice value, enum xlsx_shown shown, bool is_1904, struct buf *out)
    MUST_USE;

/* Texts. */

struct xlsx_strings {
    const struct xlsx_config *config;
    FILE *spill;
    uint64_t count, bytes;
    struct buf index;   /* uint64_t: where every so-manieth text begins */
    struct buf pending; /* not yet in the file */
    unsigned char *blocks;
    uint64_t *block_numbers;    /* from 1; 0: free */
    uint64_t walked, walked_at; /* the text after the last one that was found, and where */
};

void xlsx_strings_done(struct xlsx_strings *strings); /* safe on a zeroed one */
enum err xlsx_strings_read(struct xlsx_zip *zip, const char *part_name, struct xlsx_strings *out,
                           struct fault *out_fault) MUST_USE;
/* Appends it to *out. *out_is_found false: there are not so many. */
enum err xlsx_strings_find(struct xlsx_strings *strings, uint64_t number, struct buf *out,
                           bool *out_is_found, struct fault *out_fault) MUST_USE;
/* _xHHHH_ stands for a character that XML cannot hold. In place; returns the new length. */
size_t xlsx_unescape(char *text, size_t len);

/* Rows. */

struct xlsx_cell {
    uint64_t column; /* from 0 */
    uint64_t style;
    char type; /* 's', 'S' (text of a formula), 'i'nline, 'b', 'e', 'n', 'd' */
};

struct xlsx_sheet {
    struct xlsx_xml xml;
    const struct xlsx_config *config;
    const struct xlsx_book *book;
    const struct xlsx_styles *styles;
    struct xlsx_strings *strings;
    struct buf *text, *numbers; /* the caller's, during a call */
    size_t text_before;
    uint64_t row_number;  /* from 1; 0: none yet */
    uint64_t next_column; /* from 0: behind the last cell of this row */
    size_t commas;        /* written in this row */
    bool is_in_data, is_in_row, is_in_cell, takes_text, is_phonetic, has_text, is_long;
    struct xlsx_cell cell;
    struct buf row, value, shown;
};

enum err xlsx_sheet_open(struct xlsx_sheet *sheet, struct xlsx_zip *zip, struct fault *out_fault)
    MUST_USE;
void xlsx_sheet_done(struct xlsx_sheet *sheet);
enum err xlsx_sheet_rows(struct xlsx_sheet *sheet, struct buf *text, struct buf *numbers,
                         struct fault *out_fault) MUST_USE;

#endif
