/* document/workbook: the cells of all sheets, with sheet, row and column.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "packing.h"
#include "reading.h"

enum { BYTES_MAX = 1 << 20 };

#define XML    "<?xml version='1.0'?>"
#define MAIN   "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'"
#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define LINKS \
    XML "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
#define SHEET(rows) \
    SLICE_LITERAL(XML "<worksheet " MAIN "><sheetData>" rows "</sheetData></worksheet>")

enum { SHARED = 4, FIRST, SECOND, NOTES, MEMBERS };

static const struct packing_member book[MEMBERS] = {
    {"[Content_Types].xml",
     SLICE_LITERAL(
         XML "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>")},
    {"_rels/.rels",
     SLICE_LITERAL(LINKS "<Relationship Id='r1' Type='" OFFICE
                         "/officeDocument' Target='xl/workbook.xml'/></Relationships>")},
    {"xl/workbook.xml",
     SLICE_LITERAL(XML "<workbook " MAIN " xmlns:r='" OFFICE "'><sheets>"
                       "<sheet name='People' sheetId='1' r:id='r1'/>"
                       "<sheet name='More' sheetId='2' r:id='r2'/></sheets></workbook>")},
    {"xl/_rels/workbook.xml.rels",
     SLICE_LITERAL(
         LINKS "<Relationship Id='r1' Type='" OFFICE "/worksheet' Target='worksheets/sheet1.xml'/>"
               "<Relationship Id='r2' Type='" OFFICE "/worksheet' Target='worksheets/sheet2.xml'/>"
               "<Relationship Id='r3' Type='" OFFICE
               "/sharedStrings' Target='sharedStrings.xml'/></Relationships>")},
    [SHARED] = {"xl/sharedStrings.xml",
                SLICE_LITERAL(XML
                              "<sst " MAIN "><si><t>a@d.de</t></si>"
                              "<si><r><t>say \"b@</t></r><r><t>d.de\", c@d.de</t></r></si></sst>")},
    [FIRST] = {"xl/worksheets/sheet1.xml",
               SHEET("<row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='s'><v>0</v></c></row>"
                     "<row r='7'><c r='B7' t='s'><v>1</v></c></row>")},
    [SECOND] = {"xl/worksheets/sheet2.xml",
                SHEET("<row r='2'><c r='A2' t='inlineStr'><is><t>e@</t></is></c>"
                      "<c r='B2' t='inlineStr'><is><t>d.de</t></is></c></row>")},
    [NOTES] = {"xl/comments1.xml",
               SLICE_LITERAL(XML "<comments " MAIN "><t>f@d.de</t></comments>")},
};

/* What stands in cells is told as cells, once; the other parts are read as text. No cell goes into the next. */
static void test_cells(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    struct buf data;
    buf_init(&data, BYTES_MAX);
    packing_zip(book, MEMBERS, &data);
    size_t wrong = reading_check_large("cells", &usual, buf_view(&data),
                                       "a@d.de (People, row 1, column 1)\n"
                                       "a@d.de (People, row 1, column 3)\n"
                                       "b@d.de (People, row 7, column 2)\n"
                                       "c@d.de (People, row 7, column 2)\n"
                                       "f@d.de (xl/comments1.xml, line 1)\n");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

/* A sheet that is not as it should be is told; the rest is read. */
static void test_damaged_sheet(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    struct packing_member members[MEMBERS];
    struct buf data;
    struct buf out;
    buf_init(&data, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    for (size_t i = 0; i < MEMBERS; i++) {
        members[i] = book[i];
    }
    members[FIRST].content = SLICE(XML "<worksheet><sheetData><row r='1'></sheetData>");
    packing_zip(members, MEMBERS, &data);
    assert_int_equal(reading_run(&usual, buf_view(&data), SIZE_MAX / 2, 1, &out), ERR_NONE);
    assert_true(slice_starts(buf_view(&out), SLICE("! ")));
    buf_done(&out);
    buf_done(&data);
}

/* What says it is a workbook and is none is read as an archive. */
static void test_no_workbook(void **state)
{
    (void)state;
    static const struct packing_member members[] = {
        {"xl/workbook.xml", SLICE_LITERAL("a@d.de")},
        {"xl/worksheets/sheet1.xml", SLICE_LITERAL("b@d.de")},
    };
    const struct reading usual = {.wants_hidden = false};
    struct buf data;
    buf_init(&data, BYTES_MAX);
    packing_zip(members, 2, &data);
    size_t wrong = reading_check_large("no workbook", &usual, buf_view(&data),
                                       "a@d.de (xl/workbook.xml, line 1)\n"
                                       "b@d.de (xl/worksheets/sheet1.xml, line 1)\n");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_damaged_sheet),
        cmocka_unit_test(test_no_workbook),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
