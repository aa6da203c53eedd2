/* document/workbook: all sheets of a workbook, cell by cell, through engine/xlsx, which gives rows as CSV.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "document/document_private.h"
#include "engine/xlsx.h"

enum {
    ROW_BYTES_MAX = 1 << 20,
    ROWS_BYTES_MAX = 16 << 20,
    NUMBERS_BYTES_MAX = 8 << 20,
};

struct workbook {
    struct reader *reader;
    FILE *file;
    struct finder finder;
    struct buf rows, numbers, member, cell;
};

/* RFC 4180: the next cell of the row, unquoted into *cell; *rest begins behind its comma. False: the row is over, and
 * *rest begins behind it. */
static enum err cut_cell(struct slice *rest, struct buf *cell, bool *out_has_more)
{
    struct slice text = *rest;
    bool is_quoted = text.len > 0 && text.at[0] == '"';
    size_t i = is_quoted ? 1 : 0;
    enum err e = ERR_NONE;
    buf_clear(cell);
    while (i < text.len && e == ERR_NONE) {
        bool is_quote = is_quoted && text.at[i] == '"';
        bool is_double = is_quote && i + 1 < text.len && text.at[i + 1] == '"';
        if (is_quote && !is_double) {
            is_quoted = false;
            i++;
            continue;
        }
        if (!is_quoted && (text.at[i] == ',' || text.at[i] == '\n')) {
            break;
        }
        e = buf_append_byte(cell, text.at[i]);
        i += is_double ? 2 : 1;
    }
    *out_has_more = i < text.len && text.at[i] == ',';
    *rest = slice_sub(text, i + 1, text.len);
    return e;
}

static bool may_hold_address(const struct workbook *book)
{
    struct slice cell = buf_view(&book->cell);
    return book->reader->document->config.wants_obfuscated ||
           slice_find_byte(cell, '@', 0) < cell.len || slice_find_byte(cell, '&', 0) < cell.len ||
           slice_find_byte(cell, '%', 0) < cell.len;
}

static enum err take_row(struct workbook *book, struct slice *rest, uint64_t number)
{
    bool has_more = true;
    book->finder.place.number = number;
    for (uint64_t column = 1; has_more; column++) {
        enum err e = cut_cell(rest, &book->cell, &has_more);
        if (e == ERR_NONE && may_hold_address(book)) {
            book->finder.place.column = column;
            e = finder_feed(&book->finder, buf_view(&book->cell));
            e = e == ERR_NONE ? finder_end(&book->finder) : e;
        }
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

static enum err take_rows(struct workbook *book)
{
    struct slice rest = buf_view(&book->rows);
    struct slice numbers = buf_view(&book->numbers);
    enum err e = reader_count_unpacked(book->reader, rest.len);
    while (rest.len > 0 && numbers.len >= sizeof(uint64_t) && e == ERR_NONE) {
        uint64_t number;
        memcpy(&number, numbers.at, sizeof number);
        numbers = slice_sub(numbers, sizeof number, numbers.len);
        e = take_row(book, &rest, number);
    }
    buf_clear(&book->rows);
    buf_clear(&book->numbers);
    return e;
}

static enum err read_sheet(struct workbook *book, struct xlsx *sheet)
{
    struct fault fault = {.err = ERR_NONE};
    for (;;) {
        enum err e = xlsx_read(sheet, &book->rows, &book->numbers, &fault);
        if (e == ERR_SYNTAX || e == ERR_SYSTEM || e == ERR_LIMIT) {
            return reader_settle(book->reader, reader_fail(book->reader, e, "%s", fault.text));
        }
        if (e != ERR_NONE && e != ERR_CLOSED) {
            return e;
        }
        enum err taken = take_rows(book);
        if (taken != ERR_NONE || e == ERR_CLOSED) {
            return taken;
        }
    }
}

static enum err open_sheet(struct workbook *book, struct slice name, struct xlsx **out)
{
    const struct document_config *config = &book->reader->document->config;
    const struct xlsx_config xlsx = {
        .file_name = SLICE("the workbook"),
        .sheet = name,
        .row_bytes_max = ROW_BYTES_MAX,
        .may_go_on = config->may_go_on,
        .context = config->context,
    };
    struct fault fault;
    return xlsx_open(&xlsx, book->file, out, &fault);
}

/* names: the workbook that knows them, which stays open. */
static enum err read_sheets(struct workbook *book, struct xlsx *names)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < xlsx_sheet_count(names) && e == ERR_NONE; i++) {
        struct slice name = xlsx_sheet_name(names, i);
        struct xlsx *sheet = NULL;
        buf_clear(&book->member);
        e = reader_member_write(book->reader, name, &book->member);
        book->finder.place.member = buf_view(&book->member);
        e = e == ERR_NONE ? open_sheet(book, name, &sheet) : e;
        e = e == ERR_NONE ? read_sheet(book, sheet) : e;
        xlsx_close(sheet);
    }
    return e;
}

static enum err read_workbook(struct workbook *book)
{
    struct xlsx *names = NULL;
    enum err e = finder_open(&book->finder, book->reader);
    book->finder.counts_lines = false;
    book->finder.place.unit = DOCUMENT_CELL;
    e = e == ERR_NONE ? open_sheet(book, SLICE_NONE, &names) : e;
    e = e == ERR_NONE ? read_sheets(book, names) : e;
    xlsx_close(names);
    finder_close(&book->finder);
    return e;
}

enum err workbook_read(struct reader *reader, int fd)
{
    struct workbook book = {.reader = reader};
    int copy = dup(fd);
    book.file = copy >= 0 ? fdopen(copy, "rb") : NULL;
    if (book.file == NULL) {
        if (copy >= 0) {
            (void)close(copy);
        }
        return ERR_SYNTAX;
    }
    buf_init(&book.rows, ROWS_BYTES_MAX);
    buf_init(&book.numbers, NUMBERS_BYTES_MAX);
    buf_init(&book.member, DOCUMENT_MEMBER_BYTES_MAX);
    buf_init(&book.cell, ROW_BYTES_MAX);
    enum err e = read_workbook(&book);
    (void)fclose(book.file); /* only read */
    buf_done(&book.rows);
    buf_done(&book.numbers);
    buf_done(&book.member);
    buf_done(&book.cell);
    return e;
}
