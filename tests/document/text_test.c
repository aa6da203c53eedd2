/* document/text: plain text, markup and other charsets, with lines, megabytes of them, and what is hostile.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "reading.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Line numbers are those of the source, in text and in markup. */
static void test_lines(void **state)
{
    (void)state;
    static const struct reading_case cases[] = {
        {.name = "text",
         .input = SLICE_LITERAL("a@d.de\n\nb@d.de\r\nc@d.de"),
         .expected = "a@d.de (line 1)\nb@d.de (line 3)\nc@d.de (line 4)\n"},
        {.name = "HTML, with a tag and a comment over lines",
         .input = SLICE_LITERAL("<p\n>a@d.de<!--\n\n-->\nb@d.de<script>\nc@d.de</script>\ne@d.de"),
         .expected = "a@d.de (line 2)\nb@d.de (line 5)\ne@d.de (line 7)\n"},
        {.name = "HTML in UTF-16",
         .input = SLICE_LITERAL("\xfe\xff\0<\0p\0>\0\n\0a\0@\0d\0.\0d\0e"),
         .expected = "a@d.de (line 2)\n"},
        {.name = "tags of style join, others part",
         .input = SLICE_LITERAL("<p>a@<b>d</b>.de<td>b@</td><td>d.de</td>"),
         .expected = "a@d.de (line 1)\n"},
        {.name = "an office file's runs join",
         .input = SLICE_LITERAL(
             "<?xml version='1.0'?><w:p xmlns:w='http://schemas.openxmlformats.org/x'>"
             "<w:r><w:t>a@</w:t></w:r><w:r><w:t>d.de</w:t></w:r></w:p>"),
         .expected = "a@d.de (line 1)\n"},
        {.name = "XML's elements part, CDATA counts",
         .input =
             SLICE_LITERAL("<?xml version='1.0'?><a><b>a@</b><b>d.de</b><![CDATA[b@d.de]]></a>"),
         .expected = "b@d.de (line 1)\n"},
        {.name = "links",
         .input = SLICE_LITERAL("<a href='mailto:a%2Bb@d.de?cc=c@d.de'>x</a>"),
         .expected = "a+b@d.de (line 1)\nc@d.de (line 1)\n"},
    };
    reading_check_all(cases, COUNT(cases));
}

/* Each as megabytes: read in the memory there is, and what stands behind is found where it can be. */
static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slice begin, unit, end;
        const char *expected;
    } cases[] = {
        {"an endless line", SLICE_LITERAL("x "), SLICE_LITERAL("xxxx "), SLICE_LITERAL(" a@d.de"),
         "a@d.de (line 1)\n"},
        {"at signs", SLICE_LITERAL("x "), SLICE_LITERAL("@"), SLICE_LITERAL(" a@d.de"),
         "a@d.de (line 1)\n"},
        {"tags in each other", SLICE_LITERAL("<p>"), SLICE_LITERAL("<div>"),
         SLICE_LITERAL("a@d.de"), "a@d.de (line 1)\n"},
        {"a tag without end", SLICE_LITERAL("<p><b "), SLICE_LITERAL("x='y' "),
         SLICE_LITERAL(">a@d.de"), "a@d.de (line 1)\n"},
        {"a name without end", SLICE_LITERAL("<p><b"), SLICE_LITERAL("bbbb"),
         SLICE_LITERAL(">a@d.de"), "a@d.de (line 1)\n"},
        {"a value without end", SLICE_LITERAL("<p><a href='"), SLICE_LITERAL("xxxx"),
         SLICE_LITERAL("'>a@d.de"), "a@d.de (line 1)\n"},
        {"references", SLICE_LITERAL("<p>"), SLICE_LITERAL("&amp"), SLICE_LITERAL(" a@d.de"),
         "a@d.de (line 1)\n"},
        {"a comment without end", SLICE_LITERAL("<p><!--"), SLICE_LITERAL("-- "),
         SLICE_LITERAL(" a@d.de"), ""},
        {"a document type that would grow", SLICE_LITERAL("<?xml version='1.0'?><!DOCTYPE x ["),
         SLICE_LITERAL("<!ENTITY a '&a;&a;'>"), SLICE_LITERAL("]><x>&a;a@d.de</x>"),
         "a@d.de (line 1)\n"},
    };
    const struct reading usual = {.wants_hidden = false};
    struct buf text;
    struct buf out;
    buf_init(&text, 8 << 20);
    buf_init(&out, 4096);
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf_clear(&text);
        buf_clear(&out);
        must(buf_append(&text, cases[i].begin) == ERR_NONE);
        while (text.len < 1 << 20) {
            must(buf_append(&text, cases[i].unit) == ERR_NONE);
        }
        must(buf_append(&text, cases[i].end) == ERR_NONE);
        assert_int_equal(reading_run(&usual, buf_view(&text), 10000, 10000, &out), ERR_NONE);
        if (!slice_equal(buf_view(&out), slice_of(cases[i].expected))) {
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(buf_view(&out)));
        }
    }
    buf_done(&out);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
