/* fuzz/engine_table: any bytes as a list, read in reads of any size and written in both formats. What is written is
 * read again: a CSV must give back as many rows, none of them bad.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "engine/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct copy {
    char *text;
    size_t len;
    uint64_t rows;
};

static void check_row(const struct table_reader *reader, const struct table_row *row)
{
    must(row->is_bad == (row->why != NULL));
    must(row->cell_count == 0 || row->cell_count == table_reader_column_count(reader));
    must(row->is_bad || row->address_column < row->cell_count);
    must(text_is_utf8(row->raw));
    for (size_t i = 0; i < row->cell_count; i++) {
        must(text_is_utf8(row->cells[i]));
    }
}

/* false: it is no list. */
static bool copy_list(FILE *from, const struct table_reader_config *config,
                      enum table_format format, struct copy *out)
{
    struct table_reader *reader;
    struct table_writer *writer;
    struct fault fault;
    rewind(from);
    if (table_reader_open(config, from, &reader, &fault) != ERR_NONE) {
        must(fault.err == ERR_SYNTAX && fault.text[0] != '\0');
        return false;
    }
    FILE *to = open_memstream(&out->text, &out->len);
    must(to != NULL);
    must(table_writer_open(format, reader, to, &writer, &fault) == ERR_NONE);
    struct table_row row;
    enum err e;
    uint64_t line = 0;
    out->rows = 0;
    while ((e = table_reader_next(reader, &row, &fault)) == ERR_NONE) {
        check_row(reader, &row);
        must(row.number == ++out->rows && row.line >= line);
        line = row.line;
        must(table_writer_row(writer, &row, NULL, &fault) == ERR_NONE);
    }
    must(e == ERR_CLOSED || e == ERR_SYNTAX); /* an array that is broken further on */
    must(table_writer_finish(writer, &fault) == ERR_NONE);
    table_writer_close(writer);
    table_reader_close(reader);
    must(fclose(to) == 0);
    return true;
}

/* With zero bytes it may look like UTF-16. column 1 is always there, so that what has no addresses is a list too. */
static void read_again(const struct copy *first)
{
    const struct table_reader_config config = {.file_name = SLICE_LITERAL("again.csv"),
                                               .column = SLICE_LITERAL("1")};
    if (slice_find_byte(slice_make(first->text, first->len), '\0', 0) < first->len) {
        return;
    }
    FILE *file = fmemopen(first->text, first->len, "r");
    must(file != NULL);
    struct copy second = {.rows = 0};
    if (copy_list(file, &config, TABLE_NDJSON, &second)) {
        must(second.rows == first->rows || second.rows == first->rows + 1);
        free(second.text);
    }
    must(fclose(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    static const char columns[][8] = {"", "1", "2", "email", "x"};
    const struct table_reader_config config = {
        .file_name = (data[0] & 1) != 0 ? SLICE("a.jsonl") : SLICE("a.csv"),
        .column = slice_of(columns[data[0] / 2 % 5]),
        .read_bytes = data[1],
    };
    FILE *file = tmpfile();
    must(file != NULL && fwrite(data + 2, 1, size - 2, file) == size - 2);
    struct copy csv = {.rows = 0};
    if (copy_list(file, &config, TABLE_CSV, &csv)) {
        struct copy json = {.rows = 0};
        must(copy_list(file, &config, TABLE_NDJSON, &json) && json.rows == csv.rows);
        read_again(&csv);
        free(json.text);
        free(csv.text);
    }
    must(fclose(file) == 0);
    return 0;
}
