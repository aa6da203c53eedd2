/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/xlsx.h"

#include <stdlib.h>

#include "base/slice.h"
#include "engine/xlsx_private.h"

enum { ARENA_BYTES_MAX = 8 << 20 }; /* names and paths of all sheets */

struct xlsx {
    struct xlsx_config config;
    struct arena arena;
    struct xlsx_zip zip;
    struct xlsx_book book;
    struct xlsx_styles styles;
    struct xlsx_strings strings;
    struct xlsx_sheet sheet;
};

static enum err open_parts(struct xlsx *book, FILE *file, struct fault *out_fault)
{
    enum err e = xlsx_zip_open(&book->zip, &book->config, file, out_fault);
    e = e == ERR_NONE
            ? xlsx_book_read(&book->zip, &book->config, &book->arena, &book->book, out_fault)
            : e;
    if (e == ERR_NONE && book->book.styles_path.len > 0) {
        e = xlsx_styles_read(&book->zip, book->book.styles_path.at, &book->styles, out_fault);
    }
    if (e == ERR_NONE && book->book.strings_path.len > 0) {
        e = xlsx_strings_read(&book->zip, book->book.strings_path.at, &book->strings, out_fault);
    }
    book->sheet.book = &book->book;
    book->sheet.styles = &book->styles;
    book->sheet.strings = &book->strings;
    return e == ERR_NONE ? xlsx_sheet_open(&book->sheet, &book->zip, out_fault) : e;
}

enum err xlsx_open(const struct xlsx_config *config, FILE *file, struct xlsx **out,
                   struct fault *out_fault)
{
    struct xlsx *book = calloc(1, sizeof *book);
    if (book == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    book->config = *config;
    arena_init(&book->arena, ARENA_BYTES_MAX);
    enum err e = open_parts(book, file, out_fault);
    if (e != ERR_NONE) {
        xlsx_close(book);
        return e;
    }
    *out = book;
    return ERR_NONE;
}

void xlsx_close(struct xlsx *book)
{
    if (book == NULL) {
        return;
    }
    xlsx_sheet_done(&book->sheet);
    xlsx_strings_done(&book->strings);
    xlsx_styles_done(&book->styles);
    xlsx_zip_close(&book->zip);
    arena_done(&book->arena);
    free(book);
}

size_t xlsx_sheet_count(const struct xlsx *book)
{
    return book->book.sheet_count;
}

struct slice xlsx_sheet_name(const struct xlsx *book, size_t index)
{
    return book->book.sheets[index].name;
}

enum err xlsx_read(struct xlsx *book, struct buf *text, struct buf *numbers,
                   struct fault *out_fault)
{
    return xlsx_sheet_rows(&book->sheet, text, numbers, out_fault);
}
