/* engine/xlsx: one sheet of an Office Open XML workbook (ECMA-376) as CSV text, row by row, in bounded memory: texts go
 * through a temporary file that nobody else sees, the sheet is unpacked and parsed as it is read. Cells come as they are
 * shown, where that matters: dates and times in ISO 8601, formulas as their last value, errors as their name.
 *
 * Every byte of the file is a stranger's: what unpacks to far more than it is, or holds a document type declaration, is
 * refused; macros and links are not looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_XLSX_H
#define ENGINE_XLSX_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

struct xlsx_config {
    struct slice file_name; /* for messages */
    struct slice sheet;     /* its name, or number from 1; empty: the first that is not hidden */
    size_t row_bytes_max;   /* a longer row is cut behind that, its quotes and line ends replaced */
    /* Asked now and then; false: ERR_STATE. NULL: always. */
    bool (*may_go_on)(void *context);
    void *context;
};

struct xlsx;

/* The first bytes are those of a ZIP archive. */
bool xlsx_is_archive(struct slice head);

/* file must be one that can be read from any place; it and config's slices must outlive the workbook. ERR_SYNTAX: no
 * workbook, or a broken one; *out_fault says what it is and what to do. ERR_SYSTEM, ERR_STATE, ERR_NOMEM. */
enum err xlsx_open(const struct xlsx_config *config, FILE *file, struct xlsx **out,
                   struct fault *out_fault) MUST_USE;
void xlsx_close(struct xlsx *book); /* safe on NULL */

/* The sheets that there are, hidden ones among them; a name lives as long as the workbook. */
size_t xlsx_sheet_count(const struct xlsx *book);
struct slice xlsx_sheet_name(const struct xlsx *book, size_t index);

/* Appends some rows to *text: RFC 4180, cells parted by commas, each row ended by LF; and to *numbers a uint64_t for each
 * of them, its number in the sheet. Rows without any text are left out. ERR_CLOSED: that was all. ERR_SYNTAX: the file
 * is broken, *out_fault says where. ERR_SYSTEM, ERR_STATE, ERR_NOMEM, ERR_LIMIT (*text or *numbers is full). */
enum err xlsx_read(struct xlsx *book, struct buf *text, struct buf *numbers,
                   struct fault *out_fault) MUST_USE;

#endif
