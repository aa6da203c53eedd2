/* document/any: bytes are read as what they are, whatever surrounds them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "decode/sniff.h"

#include "reading.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void test_kinds(void **state)
{
    (void)state;
    static const struct reading_case cases[] = {
        {.name = "nothing", .input = SLICE_LITERAL(""), .expected = ""},
        {.name = "text",
         .input = SLICE_LITERAL("a\njane@example.com"),
         .expected = "jane@example.com (line 2)\n"},
        {.name = "text that begins as mail",
         .input = SLICE_LITERAL("To: you\njane@example.com\n"),
         .expected = "jane@example.com (line 2)\n"},
        {.name = "HTML",
         .input = SLICE_LITERAL("<p>jane&#64;example.com<!-- joe@example.com -->"),
         .expected = "jane@example.com (line 1)\n"},
        {.name = "HTML whose comments count",
         .input = SLICE_LITERAL("<p>jane@example.com<!-- joe@example.com -->"),
         .expected = "jane@example.com (line 1)\njoe@example.com (line 1)\n",
         .reading = {.wants_hidden = true}},
        {.name = "XML",
         .input = SLICE_LITERAL("<?xml version='1.0'?>\n<a b='jane@example.com'/>"),
         .expected = "jane@example.com (line 2)\n"},
        {.name = "mail",
         .input = SLICE_LITERAL("From: jane@example.com\nDate: x\n\njoe@example.org\n"),
         .expected = "jane@example.com (From, line 0)\njoe@example.org (body, line 1)\n"},
        {.name = "an mbox",
         .input = SLICE_LITERAL("From x\nFrom: jane@example.com\nDate: x\n\njoe@example.org\n"),
         .expected = "jane@example.com (message 1/From, line 0)\n"
                     "joe@example.org (message 1/body, line 1)\n"},
        {.name = "a vCard",
         .input = SLICE_LITERAL("BEGIN:VCARD\r\nEMAIL:jane@\r\n example.com\r\n"),
         .expected = "jane@example.com (line 2)\n"},
        {.name = "LDIF",
         .input = SLICE_LITERAL("dn: cn=x\nmail:: amFuZUBleGFtcGxlLmNvbQ==\n"),
         .expected = "jane@example.com (line 2)\n"},
        {.name = "words for at signs",
         .input = SLICE_LITERAL("jane [at] example [dot] com"),
         .expected = "jane@example.com (line 1)\n",
         .reading = {.wants_obfuscated = true}},
    };
    reading_check_all(cases, COUNT(cases));
}

/* Wide charsets by their mark or their zero bytes; others where the markup says so. */
static void test_charsets(void **state)
{
    (void)state;
#define WIDE "\0j\0a\0n\0e\0@\0e\0x\0a\0m\0p\0l\0e\0.\0c\0o\0m\0\n"
    static const struct reading_case cases[] = {
        {.name = "UTF-16 with a mark",
         .input = SLICE_LITERAL("\xfe\xff" WIDE),
         .expected = "jane@example.com (line 1)\n"},
        {.name = "UTF-16 without one",
         .input = SLICE_LITERAL(WIDE),
         .expected = "jane@example.com (line 1)\n"},
        {.name = "UTF-16, and the least first",
         .input = SLICE_LITERAL("\xff\xfe"
                                "j\0@\0d\0.\0d\0e\0"),
         .expected = "j@d.de (line 1)\n"},
        {.name = "UTF-32",
         .input = SLICE_LITERAL("\xff\xfe\0\0"
                                "j\0\0\0@\0\0\0d\0\0\0.\0\0\0d\0\0\0e\0\0\0"),
         .expected = "j@d.de (line 1)\n"},
        {.name = "UTF-16 that says of itself it is Latin-1",
         .input = SLICE_LITERAL("\xfe\xff\0<\0p\0 \0c\0h\0a\0r\0s\0e\0t\0=\0l\0a\0t\0i\0n\0"
                                "1\0>"
                                "\0j\0@\0d\0.\0d\0e"),
         .expected = "j@d.de (line 1)\n"},
        {.name = "HTML in Latin-1",
         .input = SLICE_LITERAL("<meta charset=iso-8859-1>j\xf6@m\xfcller.de"),
         .expected = "j\xc3\xb6@m\xc3\xbcller.de (line 1)\n"},
        {.name = "XML in Latin-1",
         .input = SLICE_LITERAL("<?xml version='1.0' encoding='latin1'?><a>j\xf6@d.de</a>"),
         .expected = "j\xc3\xb6@d.de (line 1)\n"},
        {.name = "a charset that nobody knows",
         .input = SLICE_LITERAL("<meta charset=x-none>jane@example.com"),
         .expected = "jane@example.com (line 1)\n"},
        {.name = "a byte too few",
         .input = SLICE_LITERAL("\xfe\xff" WIDE "\0"),
         .expected = "jane@example.com (line 1)\n"},
    };
    reading_check_all(cases, COUNT(cases));
}

/* What is decided late is read whole all the same. */
static void test_long_head(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 16);
    must(buf_append(&text, SLICE("jane@example.com:")) == ERR_NONE);
    while (text.len < (size_t)3 * SNIFF_BYTES) {
        must(buf_append_byte(&text, 'x') == ERR_NONE);
    }
    must(buf_append(&text, SLICE(" joe@example.org")) == ERR_NONE);
    const struct reading usual = {.wants_hidden = false};
    size_t wrong = reading_check_large("one line", &usual, buf_view(&text),
                                       "jane@example.com (line 1)\njoe@example.org (line 1)\n");
    buf_done(&text);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_long_head),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
