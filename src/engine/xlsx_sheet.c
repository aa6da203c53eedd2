/* engine/xlsx_sheet: rows of a sheet as CSV (ECMA-376 part 1, 18.3.1). Rows and cells may be left out; those that are
 * there stand in order.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/xlsx_private.h"

enum {
    ROWS_MAX = 1 << 20, /* of a sheet, as of Excel 2007 */
    COLUMNS_MAX = 1 << 14,
    STYLES_MAX = 1 << 20,
    TEXT_BYTES_ENOUGH = 65536, /* for one call */
    CELL_NAME_BYTES = 16,
    SHEET_NAME_BYTES = 128,
};

/* B7, from column 1 and row 7. */
static const char *cell_name(const struct xlsx_sheet *sheet, char out[CELL_NAME_BYTES])
{
    char letters[4] = "";
    size_t at = sizeof letters - 1;
    for (uint64_t rest = sheet->cell.column + 1; rest > 0 && at > 0; rest = (rest - 1) / 26) {
        letters[--at] = (char)('A' + (rest - 1) % 26);
    }
    (void)snprintf(out, CELL_NAME_BYTES, "%s%llu", letters + at,
                   (unsigned long long)sheet->row_number);
    return out;
}

static enum err broken(struct xlsx_sheet *sheet, const char *why)
{
    char name[CELL_NAME_BYTES];
    struct slice title = slice_sub(sheet->book->sheet->name, 0, SHEET_NAME_BYTES);
    return fault_set(&sheet->xml.fault, ERR_SYNTAX, 0,
                     "%.*s: sheet '%.*s', cell %s: %s; save it again or as CSV",
                     SLICE_ARG(sheet->config->file_name), SLICE_ARG(title), cell_name(sheet, name),
                     why);
}

static enum err broken_row(struct xlsx_sheet *sheet, const char *why)
{
    struct slice title = slice_sub(sheet->book->sheet->name, 0, SHEET_NAME_BYTES);
    return fault_set(&sheet->xml.fault, ERR_SYNTAX, 0,
                     "%.*s: sheet '%.*s', behind row %llu: %s; save it again or as CSV",
                     SLICE_ARG(sheet->config->file_name), SLICE_ARG(title),
                     (unsigned long long)sheet->row_number, why);
}

/* The row. */

/* What does not fit is left out: the row will be told to be too long. */
static enum err put(struct xlsx_sheet *sheet, struct slice text)
{
    size_t room = sheet->row.max - sheet->row.len;
    sheet->is_long = sheet->is_long || text.len > room;
    return buf_append(&sheet->row, slice_sub(text, 0, room));
}

static bool needs_quotes(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == ',' || c == '"' || c == '\r' || c == '\n') {
            return true;
        }
    }
    return text.len > 0 && (text.at[0] == ' ' || text.at[text.len - 1] == ' ');
}

static enum err put_quoted(struct xlsx_sheet *sheet, struct slice text)
{
    enum err e = put(sheet, SLICE("\""));
    while (text.len > 0 && e == ERR_NONE) {
        size_t quote = slice_find_byte(text, '"', 0);
        e = put(sheet, slice_sub(text, 0, quote));
        if (quote < text.len && e == ERR_NONE) {
            e = put(sheet, SLICE("\"\""));
        }
        text = slice_sub(text, quote + 1, text.len);
    }
    return e == ERR_NONE ? put(sheet, SLICE("\"")) : e;
}

static enum err put_cell(struct xlsx_sheet *sheet, struct slice text)
{
    enum err e = ERR_NONE;
    if (text.len == 0) {
        return e;
    }
    while (sheet->commas < sheet->cell.column && e == ERR_NONE) {
        e = put(sheet, SLICE(","));
        sheet->commas++;
    }
    if (e != ERR_NONE) {
        return e;
    }
    return needs_quotes(text) ? put_quoted(sheet, text) : put(sheet, text);
}

/* A row that is too long must end at its line's end, whatever was cut. */
static void flatten(struct buf *row)
{
    for (size_t i = 0; i < row->len; i++) {
        char *c = &row->at[i];
        *c = *c == '\r' || *c == '\n' ? ' ' : *c == '"' ? '\'' : *c;
    }
}

static enum err end_row(struct xlsx_sheet *sheet)
{
    sheet->is_in_row = false;
    if (sheet->row.len == 0) {
        return ERR_NONE;
    }
    if (sheet->row.len > sheet->config->row_bytes_max) {
        flatten(&sheet->row);
    }
    uint64_t number = sheet->row_number;
    enum err e = buf_append(sheet->text, buf_view(&sheet->row));
    e = e == ERR_NONE ? buf_append_byte(sheet->text, '\n') : e;
    e = e == ERR_NONE ? buf_append(sheet->numbers, slice_make((const char *)&number, sizeof number))
                      : e;
    sheet->xml.is_pausing = sheet->text->len - sheet->text_before >= TEXT_BYTES_ENOUGH;
    return e;
}

static enum err begin_row(struct xlsx_sheet *sheet, const char **attributes)
{
    const char *text = xlsx_attribute(attributes, "r");
    uint64_t number = sheet->row_number + 1;
    struct reader r = reader_over(slice_of(text));
    if (sheet->is_in_row) {
        return broken_row(sheet, "a row begins inside a row");
    }
    if (text != NULL && (!reader_number(&r, ROWS_MAX, &number) || !reader_is_done(&r))) {
        return broken_row(sheet, "the next row has no number from 1 to 1048576");
    }
    if (number <= sheet->row_number || number > ROWS_MAX) {
        return broken_row(sheet, "the next row does not come after it");
    }
    sheet->row_number = number;
    sheet->next_column = 0;
    sheet->commas = 0;
    sheet->is_in_row = true;
    sheet->is_long = false;
    buf_clear(&sheet->row);
    return ERR_NONE;
}

/* Cells. */

/* The column of B7. The row that it names is the row it stands in, whatever it says. */
static bool column_of(struct slice name, uint64_t *out)
{
    struct reader r = reader_over(name);
    uint64_t column = 0;
    char c;
    while (reader_peek(&r, &c) && ascii_is_alpha(c) && column <= COLUMNS_MAX) {
        column = column * 26 + (uint64_t)(ascii_lower(c) - 'a') + 1;
        (void)reader_byte(&r, &c);
    }
    uint64_t row;
    if (column == 0 || column > COLUMNS_MAX || !reader_number(&r, UINT32_MAX, &row)) {
        return false;
    }
    *out = column - 1;
    return reader_is_done(&r);
}

static char type_of(const char *name)
{
    static const struct {
        const char *name;
        char type;
    } types[] = {{"s", 's'}, {"str", 'S'}, {"inlineStr", 'i'}, {"b", 'b'}, {"e", 'e'}, {"d", 'd'}};
    for (size_t i = 0; name != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(name, types[i].name) == 0) {
            return types[i].type;
        }
    }
    return 'n';
}

static enum err begin_cell(struct xlsx_sheet *sheet, const char **attributes)
{
    const char *name = xlsx_attribute(attributes, "r");
    struct reader style = reader_over(slice_of(xlsx_attribute(attributes, "s")));
    sheet->cell = (struct xlsx_cell){.column = sheet->next_column,
                                     .type = type_of(xlsx_attribute(attributes, "t"))};
    sheet->is_in_cell = true;
    sheet->has_text = false;
    buf_clear(&sheet->value);
    if (!reader_number(&style, STYLES_MAX, &sheet->cell.style)) {
        sheet->cell.style = 0;
    }
    if (name != NULL && !column_of(slice_of(name), &sheet->cell.column)) {
        return broken(sheet, "the name of this or the next cell is none");
    }
    if (sheet->cell.column < sheet->next_column || sheet->cell.column >= COLUMNS_MAX) {
        return broken(sheet, "the cell does not come after the one before it");
    }
    sheet->next_column = sheet->cell.column + 1;
    return ERR_NONE;
}

static enum err put_shared(struct xlsx_sheet *sheet)
{
    struct reader r = reader_over(slice_trim(buf_view(&sheet->value)));
    uint64_t number;
    bool is_found = false;
    if (!reader_number(&r, UINT32_MAX, &number) || !reader_is_done(&r)) {
        return broken(sheet, "it names no text");
    }
    enum err e =
        xlsx_strings_find(sheet->strings, number, &sheet->shown, &is_found, &sheet->xml.fault);
    return e == ERR_NONE && !is_found ? broken(sheet, "it names a text that is not there") : e;
}

static enum err show(struct xlsx_sheet *sheet)
{
    struct slice value = buf_view(&sheet->value);
    switch (sheet->cell.type) {
    case 's': return put_shared(sheet);
    case 'b':
        return buf_append(&sheet->shown, slice_equal(slice_trim(value), SLICE("1"))
                                             ? SLICE("TRUE")
                                             : SLICE("FALSE"));
    case 'S':
    case 'i':
        sheet->value.len = xlsx_unescape(sheet->value.at, sheet->value.len);
        return buf_append(&sheet->shown, buf_view(&sheet->value));
    case 'n':
        return xlsx_number_put(value, xlsx_styles_find(sheet->styles, sheet->cell.style),
                               sheet->book->is_1904, &sheet->shown);
    default: return buf_append(&sheet->shown, value); /* an error's name, a date in ISO 8601 */
    }
}

static enum err end_cell(struct xlsx_sheet *sheet)
{
    enum err e = ERR_NONE;
    buf_clear(&sheet->shown);
    if (sheet->has_text && !sheet->is_long) {
        e = show(sheet);
        e = e == ERR_NONE ? put_cell(sheet, buf_view(&sheet->shown)) : e;
    }
    sheet->is_in_cell = false;
    return e;
}

/* Events. */

static enum err on_begin(void *context, const char *name, const char **attributes)
{
    struct xlsx_sheet *sheet = context;
    if (strcmp(name, "sheetData") == 0) {
        sheet->is_in_data = true;
    } else if (sheet->is_in_data && strcmp(name, "row") == 0) {
        return begin_row(sheet, attributes);
    } else if (sheet->is_in_row && !sheet->is_in_cell && strcmp(name, "c") == 0) {
        return begin_cell(sheet, attributes);
    } else if (strcmp(name, "rPh") == 0) {
        sheet->is_phonetic = true;
    } else if (sheet->is_in_cell) {
        bool is_inline = sheet->cell.type == 'i';
        sheet->takes_text = strcmp(name, is_inline ? "t" : "v") == 0 && !sheet->is_phonetic;
    }
    return ERR_NONE;
}

static enum err on_end(void *context, const char *name)
{
    struct xlsx_sheet *sheet = context;
    sheet->takes_text = false;
    if (sheet->is_in_cell && strcmp(name, "c") == 0) {
        return end_cell(sheet);
    }
    if (sheet->is_in_row && strcmp(name, "row") == 0) {
        return end_row(sheet);
    }
    if (strcmp(name, "rPh") == 0) {
        sheet->is_phonetic = false;
    } else if (strcmp(name, "sheetData") == 0) {
        sheet->is_in_data = false;
    }
    return ERR_NONE;
}

static enum err on_text(void *context, struct slice text)
{
    struct xlsx_sheet *sheet = context;
    if (!sheet->takes_text) {
        return ERR_NONE;
    }
    sheet->has_text = true;
    size_t room = sheet->value.max - sheet->value.len;
    return buf_append(&sheet->value, slice_sub(text, 0, room));
}

enum err xlsx_sheet_open(struct xlsx_sheet *sheet, struct xlsx_zip *zip, struct fault *out_fault)
{
    static const struct xlsx_xml_events events = {on_begin, on_end, on_text};
    size_t row_bytes_max = zip->config->row_bytes_max + 1;
    sheet->config = zip->config;
    sheet->xml.events = &events;
    sheet->xml.context = sheet;
    buf_init(&sheet->row, row_bytes_max);
    buf_init(&sheet->value, row_bytes_max);
    buf_init(&sheet->shown,
             2 * row_bytes_max); /* a number may come out longer than it stands there */
    return xlsx_xml_open(&sheet->xml, zip, sheet->book->sheet_path.at, out_fault);
}

void xlsx_sheet_done(struct xlsx_sheet *sheet)
{
    xlsx_xml_close(&sheet->xml);
    buf_done(&sheet->row);
    buf_done(&sheet->value);
    buf_done(&sheet->shown);
}

enum err xlsx_sheet_rows(struct xlsx_sheet *sheet, struct buf *text, struct buf *numbers,
                         struct fault *out_fault)
{
    sheet->text = text;
    sheet->numbers = numbers;
    sheet->text_before = text->len;
    return xlsx_xml_step(&sheet->xml, out_fault);
}
