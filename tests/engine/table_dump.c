/* tests/engine/table_dump: prints what a table reader makes of a file, for tests whose files are made by others:
 *
 *     table_dump FILE SHEET COLUMN [FORMAT OUTPUT]
 *
 * A line for the shape, one for each row ("NUMBER@LINE cells" or "NUMBER@LINE !why"), and "error: ..." where the reading
 * ends with one; exit code 1 then. With OUTPUT (csv, ndjson or xlsx) the rows are written there too, each with a sample
 * of a result. The last line on standard error is the most memory that was used, in KiB.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "engine/table.h"

#include "sample_record.h"

enum { SHOWN_BYTES_MAX = 16 << 20 };

static void show(struct slice text)
{
    struct buf shown;
    buf_init(&shown, SHOWN_BYTES_MAX);
    must(text_append_printable(&shown, text) == ERR_NONE);
    (void)printf("%.*s", SLICE_ARG(buf_view(&shown)));
    buf_done(&shown);
}

static void show_shape(const struct table_reader *reader)
{
    static const char *const names[] = {"csv", "text", "ndjson", "xlsx"};
    (void)printf("%s %s", names[table_reader_format(reader)],
                 table_reader_has_header(reader) ? "header" : "bare");
    for (size_t i = 0; i < table_reader_column_count(reader); i++) {
        (void)fputs(i == table_reader_address_column(reader) ? " *" : " ", stdout);
        show(table_reader_column_name(reader, i));
    }
    (void)putchar('\n');
}

static void show_row(const struct table_row *row)
{
    (void)printf("%" PRIu64 "@%" PRIu64, row->number, row->line);
    if (row->is_bad) {
        (void)printf(" !%s\n", row->why);
        return;
    }
    for (size_t i = 0; i < row->cell_count; i++) {
        (void)putchar(i == 0 ? ' ' : '|');
        show(row->cells[i]);
    }
    (void)putchar('\n');
}

static enum err copy_rows(struct table_reader *reader, struct table_writer *writer,
                          struct fault *out_fault)
{
    struct record sample;
    sample_record_full(&sample);
    struct table_row row;
    enum err e;
    while ((e = table_reader_next(reader, &row, out_fault)) == ERR_NONE) {
        show_row(&row);
        if (writer != NULL) {
            must(table_writer_row(writer, &row, &sample, out_fault) == ERR_NONE);
        }
    }
    return e;
}

static void show_memory(void)
{
    struct rusage usage;
    must(getrusage(RUSAGE_SELF, &usage) == 0);
    (void)fprintf(stderr, "%ld\n", usage.ru_maxrss);
}

static enum table_format format_of(const char *name)
{
    return strcmp(name, "xlsx") == 0     ? TABLE_XLSX
           : strcmp(name, "ndjson") == 0 ? TABLE_NDJSON
                                         : TABLE_CSV;
}

int main(int argc, char **argv)
{
    must(argc == 4 || argc == 6);
    const char *path = strrchr(argv[1], '/') != NULL ? strrchr(argv[1], '/') + 1 : argv[1];
    const struct table_reader_config config = {
        .file_name = slice_of(path), .sheet = slice_of(argv[2]), .column = slice_of(argv[3])};
    struct fault fault = {.err = ERR_NONE};
    struct table_reader *reader = NULL;
    struct table_writer *writer = NULL;
    FILE *from = fopen(argv[1], "rbe");
    FILE *to = argc == 6 ? fopen(argv[5], "wbe") : NULL;
    must(from != NULL && (argc == 4 || to != NULL));
    enum err e = table_reader_open(&config, from, &reader, &fault);
    if (e == ERR_NONE) {
        show_shape(reader);
        if (to != NULL) {
            must(table_writer_open(format_of(argv[4]), reader, to, &writer, &fault) == ERR_NONE);
        }
        e = copy_rows(reader, writer, &fault);
    }
    if (e != ERR_CLOSED) {
        (void)printf("error: %s\n", fault.text);
    } else if (writer != NULL) {
        must(table_writer_finish(writer, &fault) == ERR_NONE);
    }
    table_writer_close(writer);
    table_reader_close(reader);
    must(fclose(from) == 0 && (to == NULL || fclose(to) == 0));
    show_memory();
    return e == ERR_CLOSED ? 0 : 1;
}
