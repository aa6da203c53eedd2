/* engine/table_sheets: more rows than a sheet has room for go on in the next one, under the same header.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"
#include "engine/table_private.h"

enum { SHEET_ROWS = 1048575 /* below the header */, ROWS = SHEET_ROWS + 2 };

static FILE *write_rows(void)
{
    static const struct table_sheet_column column = {.name = SLICE_LITERAL("email")};
    static const struct slice cell = SLICE_LITERAL("a@b.c");
    struct table_sheets *sheets = NULL;
    struct fault fault;
    FILE *to = tmpfile();
    assert_non_null(to);
    assert_int_equal(table_sheets_open(&column, 1, &sheets, &fault), ERR_NONE);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(table_sheets_row(sheets, &cell, &fault), ERR_NONE);
    }
    assert_int_equal(table_sheets_finish(sheets, to, &fault), ERR_NONE);
    table_sheets_close(sheets);
    return to;
}

static uint64_t count_rows(FILE *file, struct slice sheet)
{
    const struct table_reader_config config = {
        .file_name = SLICE_LITERAL("f"), .column = SLICE_LITERAL("email"), .sheet = sheet};
    struct table_reader *reader = NULL;
    struct table_row row;
    struct fault fault;
    uint64_t count = 0;
    enum err e = table_reader_open(&config, file, &reader, &fault);
    assert_int_equal(e, ERR_NONE);
    assert_true(table_reader_has_header(reader));
    while ((e = table_reader_next(reader, &row, &fault)) == ERR_NONE) {
        count++;
    }
    assert_int_equal(e, ERR_CLOSED);
    assert_int_equal(row.line, count + 1);
    table_reader_close(reader);
    return count;
}

static void test_next_sheet(void **state)
{
    (void)state;
    FILE *file = write_rows();
    rewind(file);
    assert_int_equal(count_rows(file, SLICE("1")), SHEET_ROWS);
    rewind(file);
    assert_int_equal(count_rows(file, SLICE("2")), ROWS - SHEET_ROWS);
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_sheet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
