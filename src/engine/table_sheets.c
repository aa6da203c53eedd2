/* engine/table_sheets: rows as an XLSX workbook, through libxlsxwriter, which keeps the rows of a sheet in a temporary
 * file of its own and writes the workbook to another one, without a name, from where it is copied.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/slice.h"
#include "base/text.h"
#include "engine/sheet_library.h"
#include "engine/table_private.h"

enum {
    SHEET_ROWS_MAX = 1 << 20,
    CELL_UNITS_MAX = 32767, /* UTF-16, as Excel counts */
    CELL_BYTES_MAX = 8 << 20,
    MEASURED_ROWS = 1000, /* column widths come from the first ones */
    WIDTH_MIN = 8,
    WIDTH_MAX = 60,
    WIDTH_MARGIN = 2,
    PATH_BYTES = 64,
    COPY_BYTES = 65536,
    NUMBER_BYTES_MAX = 32,
};

struct table_sheets {
    struct sheet_writer lib;
    lxw_workbook *book;
    lxw_worksheet *sheet;
    lxw_format *bold;
    FILE *made; /* what the workbook is written to */
    const struct table_sheet_column *columns;
    size_t count;
    uint32_t row; /* next in the sheet */
    uint64_t measured;
    size_t *widths; /* characters */
    struct buf text;
};

static enum err cannot_write(int os_errno, struct fault *out_fault)
{
    char text[128];
    return fault_set(out_fault, ERR_SYSTEM, os_errno, "writing a temporary file failed: %s",
                     strerror_r(os_errno, text, sizeof text));
}

static enum err why_not(const struct table_sheets *sheets, lxw_error error, struct fault *out_fault)
{
    int os_errno = errno;
    enum err e = error == LXW_ERROR_MEMORY_MALLOC_FAILED ? ERR_NOMEM : ERR_SYSTEM;
    return fault_set(out_fault, e, e == ERR_NOMEM ? 0 : os_errno,
                     "the workbook cannot be written: %s", sheets->lib.lxw_strerror(error));
}

/* Text for a cell. */

/* "_x000D_" in a text would be read as the character it stands for. */
static bool is_escape_at(struct slice text)
{
    if (text.len < 7 || text.at[0] != '_' || text.at[1] != 'x' || text.at[6] != '_') {
        return false;
    }
    for (size_t i = 2; i < 6; i++) {
        char c = ascii_lower(text.at[i]);
        if (!ascii_is_digit(c) && (c < 'a' || c > 'f')) {
            return false;
        }
    }
    return true;
}

/* A character as it stands in the file; *out_units as which it counts there. XML 1.0 has no control characters but tab
 * and line ends, and reads CR as LF. */
static enum err put_character(struct slice rest, struct slice c, unsigned code, struct buf *out,
                              size_t *out_units)
{
    *out_units = 7;
    if (code == '_' && is_escape_at(rest)) {
        return buf_append(out, SLICE("_x005F_"));
    }
    if (code != 0 && code < 0x20 && code != '\t' && code != '\n') {
        return buf_printf(out, "_x%04X_", code);
    }
    *out_units = code >= 0x10000 ? 2 : 1;
    bool is_none = code == 0 || code == 0xfffe || code == 0xffff;
    return buf_append(out, is_none ? SLICE("\xef\xbf\xbd") : c);
}

/* Cut where a cell can hold no more. NUL-terminated. */
static enum err put_text(struct slice text, struct buf *out)
{
    size_t units = 0;
    enum err e = ERR_NONE;
    buf_clear(out);
    while (text.len > 0 && e == ERR_NONE) {
        unsigned code = 0;
        size_t len = text_utf8_next(text, &code);
        size_t here = 0;
        size_t before = out->len;
        e = put_character(text, slice_sub(text, 0, len == 0 ? 1 : len), len == 0 ? 0 : code, out,
                          &here);
        units += here;
        if (units > CELL_UNITS_MAX) {
            out->len = before;
            break;
        }
        text = slice_sub(text, len == 0 ? 1 : len, text.len);
    }
    return e == ERR_NONE ? buf_append_byte(out, '\0') : e;
}

/* Of ours: digits, a point, nothing else. */
static bool number_of(struct slice text, double *out)
{
    char digits[NUMBER_BYTES_MAX];
    if (text.len == 0 || text.len >= sizeof digits) {
        return false;
    }
    memcpy(digits, text.at, text.len);
    digits[text.len] = '\0';
    char *end = NULL;
    *out = strtod(digits, &end);
    return *end == '\0';
}

static size_t characters_of(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len && count <= WIDTH_MAX; i++) {
        count += ((unsigned char)text.at[i] & 0xc0u) != 0x80u ? 1 : 0;
    }
    return count;
}

/* Sheets. */

static void measure(struct table_sheets *sheets, size_t column, struct slice text)
{
    size_t characters = characters_of(text);
    sheets->widths[column] =
        characters > sheets->widths[column] ? characters : sheets->widths[column];
}

/* Texts are written as texts, whatever they look like: never a formula, never a number. */
static enum err write_cell(struct table_sheets *sheets, size_t column, struct slice text,
                           bool is_number, struct fault *out_fault)
{
    double number = 0;
    lxw_error error;
    if (text.len == 0) {
        return ERR_NONE;
    }
    errno = 0;
    if (is_number && number_of(text, &number)) {
        error = sheets->lib.worksheet_write_number(sheets->sheet, sheets->row, (lxw_col_t)column,
                                                   number, NULL);
    } else {
        enum err e = put_text(text, &sheets->text);
        if (e != ERR_NONE) {
            return fault_set(out_fault, e, 0, "out of memory");
        }
        error = sheets->lib.worksheet_write_string(sheets->sheet, sheets->row, (lxw_col_t)column,
                                                   sheets->text.at,
                                                   sheets->row == 0 ? sheets->bold : NULL);
    }
    return error == LXW_NO_ERROR ? ERR_NONE : why_not(sheets, error, out_fault);
}

/* What the library wrote into its temporary file and does not look after: a full disk shows here only. */
static enum err check_rows(const struct table_sheets *sheets, struct fault *out_fault)
{
    errno = 0;
    FILE *rows = sheets->sheet->optimize_tmpfile;
    if (rows != NULL && (fflush(rows) != 0 || ferror(rows) != 0)) {
        return cannot_write(errno, out_fault);
    }
    return ERR_NONE;
}

static enum err end_sheet(struct table_sheets *sheets, struct fault *out_fault)
{
    for (size_t i = 0; i < sheets->count; i++) {
        size_t width = sheets->widths[i] < WIDTH_MIN ? WIDTH_MIN : sheets->widths[i];
        width = width > WIDTH_MAX ? WIDTH_MAX : width;
        (void)sheets->lib.worksheet_set_column(sheets->sheet, (lxw_col_t)i, (lxw_col_t)i,
                                               (double)(width + WIDTH_MARGIN), NULL);
    }
    return check_rows(sheets, out_fault);
}

static enum err begin_sheet(struct table_sheets *sheets, struct fault *out_fault)
{
    errno = 0;
    sheets->row = 0;
    sheets->sheet = sheets->lib.workbook_add_worksheet(sheets->book, NULL);
    if (sheets->sheet == NULL) {
        return cannot_write(errno, out_fault);
    }
    sheets->lib.worksheet_freeze_panes(sheets->sheet, 1, 0);
    (void)sheets->lib.worksheet_ignore_errors(sheets->sheet, LXW_IGNORE_NUMBER_STORED_AS_TEXT,
                                              "A1:XFD1048576");
    enum err e = ERR_NONE;
    for (size_t i = 0; i < sheets->count && e == ERR_NONE; i++) {
        measure(sheets, i, sheets->columns[i].name);
        e = write_cell(sheets, i, sheets->columns[i].name, false, out_fault);
    }
    sheets->row = 1;
    return e;
}

/* The library wants a name; the file has none but this. */
static enum err begin_book(struct table_sheets *sheets, struct fault *out_fault)
{
    errno = 0;
    sheets->made = tmpfile();
    if (sheets->made == NULL) {
        return cannot_write(errno, out_fault);
    }
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(sheets->made));
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    sheets->book = sheets->lib.workbook_new_opt(path, &options);
    if (sheets->book == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    sheets->bold = sheets->lib.workbook_add_format(sheets->book);
    if (sheets->bold == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    sheets->lib.format_set_bold(sheets->bold);
    return begin_sheet(sheets, out_fault);
}

enum err table_sheets_open(const struct table_sheet_column *columns, size_t count,
                           struct table_sheets **out, struct fault *out_fault)
{
    struct table_sheets *sheets = calloc(1, sizeof *sheets);
    if (sheets == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    sheets->columns = columns;
    sheets->count = count;
    buf_init(&sheets->text, CELL_BYTES_MAX);
    sheets->widths = calloc(count + 1, sizeof *sheets->widths);
    if (sheets->widths == NULL) {
        table_sheets_close(sheets);
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    enum err e = sheet_writer_load(&sheets->lib, out_fault);
    e = e == ERR_NONE ? begin_book(sheets, out_fault) : e;
    if (e != ERR_NONE) {
        table_sheets_close(sheets);
        return e;
    }
    *out = sheets;
    return ERR_NONE;
}

void table_sheets_close(struct table_sheets *sheets)
{
    if (sheets == NULL) {
        return;
    }
    if (sheets->book != NULL) {
        (void)sheets->lib.workbook_close(sheets->book); /* the only way to free it */
    }
    if (sheets->made != NULL) {
        (void)fclose(sheets->made);
    }
    buf_done(&sheets->text);
    free(sheets->widths);
    free(sheets);
}

enum err table_sheets_row(struct table_sheets *sheets, const struct slice *cells,
                          struct fault *out_fault)
{
    enum err e = ERR_NONE;
    if (sheets->row == SHEET_ROWS_MAX) {
        e = end_sheet(sheets, out_fault);
        e = e == ERR_NONE ? begin_sheet(sheets, out_fault) : e;
    }
    for (size_t i = 0; i < sheets->count && e == ERR_NONE; i++) {
        if (sheets->measured < MEASURED_ROWS) {
            measure(sheets, i, cells[i]);
        }
        e = write_cell(sheets, i, cells[i], sheets->columns[i].is_number, out_fault);
    }
    sheets->measured++;
    sheets->row++;
    return e;
}

static enum err copy(FILE *from, FILE *to, struct fault *out_fault)
{
    char block[COPY_BYTES];
    size_t len;
    rewind(from);
    errno = 0;
    while ((len = fread(block, 1, sizeof block, from)) > 0) {
        if (fwrite(block, 1, len, to) != len) {
            char text[128];
            int os_errno = errno;
            return fault_set(out_fault, ERR_SYSTEM, os_errno, "writing failed: %s",
                             strerror_r(os_errno, text, sizeof text));
        }
    }
    return ferror(from) != 0 ? cannot_write(errno, out_fault) : ERR_NONE;
}

enum err table_sheets_finish(struct table_sheets *sheets, FILE *to, struct fault *out_fault)
{
    enum err e = end_sheet(sheets, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    errno = 0;
    lxw_error error = sheets->lib.workbook_close(TAKE(sheets->book));
    return error == LXW_NO_ERROR ? copy(sheets->made, to, out_fault)
                                 : why_not(sheets, error, out_fault);
}
