/* document/card: what counts of vCards and LDIF, with its line.
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

/* RFC 6350, 2426, and version 2.1 */
static void test_vcards(void **state)
{
    (void)state;
#define VCARD "BEGIN:VCARD\r\n"
    static const struct reading_case cases[] = {
        {.name = "version 4",
         .input = SLICE_LITERAL(VCARD "VERSION:4.0\r\nEMAIL;TYPE=work:jane@example.com\r\n"
                                      "NOTE:or joe@example.org\\, then\r\nEND:VCARD\r\n"),
         .expected = "jane@example.com (line 3)\njoe@example.org (line 4)\n"},
        {.name = "a group, folded",
         .input = SLICE_LITERAL(VCARD "item1.EMAIL;TYPE=INTERNET:ja\r\n ne@exam\r\n\tple.com\r\n"),
         .expected = "jane@example.com (line 2)\n"},
        {.name = "what programs made up",
         .input = SLICE_LITERAL(VCARD "UID:1@example.com\r\nitem1.PHOTO:2@example.com\r\n"
                                      "LOGO;X=y:3@example.com\r\nSOUND:4@example.com\r\n"
                                      "uid:5@example.com\r\n"),
         .expected = ""},
        {.name = "quoted, in another charset",
         .input = SLICE_LITERAL(VCARD "EMAIL;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:"
                                      "j=F6=40d=\r\n.de\r\nEMAIL:a@d.de\r\n"),
         .expected = "j\xc3\xb6@d.de (line 2)\na@d.de (line 4)\n"},
        {.name = "two cards, bare line feeds",
         .input = SLICE_LITERAL("BEGIN:VCARD\nEMAIL:a@d.de\nEND:VCARD\n\n"
                                "BEGIN:VCARD\nEMAIL:b@d.de\nEND:VCARD"),
         .expected = "a@d.de (line 2)\nb@d.de (line 6)\n"},
        {.name = "no line goes into the next",
         .input = SLICE_LITERAL(VCARD "NOTE:jane@\r\nNOTE:d.de\r\n"),
         .expected = ""},
    };
    reading_check_all(cases, COUNT(cases));
}

/* RFC 2849 */
static void test_ldif(void **state)
{
    (void)state;
    static const struct reading_case cases[] = {
        {.name = "plain and encoded",
         .input = SLICE_LITERAL("version: 1\ndn: cn=x\nmail: a@d.de\nmail:: YkBk\n LmRl\n"),
         .expected = "a@d.de (line 3)\nb@d.de (line 4)\n"},
        {.name = "pictures and certificates",
         .input =
             SLICE_LITERAL("dn: cn=x\njpegPhoto:: YkBkLmRl\nuserCertificate;binary:: YkBkLmRl\n"
                           "mail;lang-de: c@d.de\n"),
         .expected = "c@d.de (line 4)\n"},
        {.name = "an entry's name",
         .input = SLICE_LITERAL("dn: mail=a@d.de,dc=x\n\ndn: cn=y\nmail: b@d.de"),
         .expected = "a@d.de (line 1)\nb@d.de (line 4)\n"},
    };
    reading_check_all(cases, COUNT(cases));
}

/* A photograph of megabytes in one value costs no more than the ceiling of a line, and what follows it is read. */
static void test_huge_value(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 8 << 20);
    must(buf_append(&text, SLICE("BEGIN:VCARD\nNOTE:")) == ERR_NONE);
    while (text.len < (4 << 20)) {
        must(buf_append(&text, SLICE("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n ")) == ERR_NONE);
    }
    must(buf_append(&text, SLICE("\nEMAIL:jane@example.com\nEND:VCARD\n")) == ERR_NONE);
    const struct reading usual = {.wants_hidden = false};
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(reading_run(&usual, buf_view(&text), 4096, 4096, &out), ERR_NONE);
    assert_true(slice_starts(buf_view(&out), SLICE("jane@example.com (line ")));
    buf_done(&out);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vcards),
        cmocka_unit_test(test_ldif),
        cmocka_unit_test(test_huge_value),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
