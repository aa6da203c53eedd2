/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address_case.h"

/* RFC 5321 4.1.2 Dot-string, RFC 5322 3.2.3 atext */
static void dot_strings(void **state)
{
    (void)state;
    static const struct good_case good[] = {
        {"one letter", "a@b.de", "a@b.de"},
        {"all of atext", "!#$%&'*+-/=?^_`{|}~09azAZ@b.de", "!#$%&'*+-/=?^_`{|}~09azAZ@b.de"},
        {"atoms", "a.b.c.d@b.de", "a.b.c.d@b.de"},
        {"digits", "1234567890@b.de", "1234567890@b.de"},
        {"tag", "a+b+c@b.de", "a+b+c@b.de"},
        {"hyphens", "-a-@b.de", "-a-@b.de"},
        {"apostrophe", "o'brien@b.de", "o'brien@b.de"},
        {"percent hack", "a%c.de@b.de", "a%c.de@b.de"},
        {"bang path", "x!y@b.de", "x!y@b.de"},
    };
    static const struct bad_case bad[] = {
        {"parenthesis", SLICE_LITERAL("a(b@c.de"), 2},
        {"bracket", SLICE_LITERAL("a[b@c.de"), 2},
        {"colon", SLICE_LITERAL("a:b@c.de"), 2},
        {"comma", SLICE_LITERAL("a,b@c.de"), 2},
        {"semicolon", SLICE_LITERAL("a;b@c.de"), 2},
        {"backslash", SLICE_LITERAL("a\\b@c.de"), 2},
        {"quote", SLICE_LITERAL("a\"@c.de"), 2},
        {"less", SLICE_LITERAL("a<b@c.de"), 2},
        {"greater", SLICE_LITERAL("a>b@c.de"), 2},
        {"tab", SLICE_LITERAL("a\tb@c.de"), 2},
        {"delete", SLICE_LITERAL("a\x7f@c.de"), 2},
        {"escape", SLICE_LITERAL("a\x1b@c.de"), 2},
        {"bell", SLICE_LITERAL("a\x07@c.de"), 2},
        {"only dots", SLICE_LITERAL("..@c.de"), 1},
        {"a dot", SLICE_LITERAL(".@c.de"), 1},
        {"encoded LF", SLICE_LITERAL("a%0Ab@c.de"), 2},
        {"encoded CR", SLICE_LITERAL("a%0db@c.de"), 2},
        {"encoded NUL", SLICE_LITERAL("%00@c.de"), 1},
    };
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

/* RFC 5321 4.1.2: Quoted-string of qtextSMTP (32-33, 35-91, 93-126) and quoted-pairSMTP (32-126) */
static void quoted_strings(void **state)
{
    (void)state;
    static const struct good_case good[] = {
        {"empty", "\"\"@b.de", "\"\"@b.de"},
        {"a space", "\" \"@b.de", "\" \"@b.de"},
        {"specials", "\"()<>[]:;,@.\"@b.de", "\"()<>[]:;,@.\"@b.de"},
        {"dots", "\"..a..\"@b.de", "\"..a..\"@b.de"},
        {"pair: quote", "\"a\\\"b\"@b.de", "\"a\\\"b\"@b.de"},
        {"pair: backslash", "\"a\\\\\"@b.de", "\"a\\\\\"@b.de"},
        {"pair: letter", "\"\\a\"@b.de", "\"\\a\"@b.de"},
        {"pair: space", "\"\\ \"@b.de", "\"\\ \"@b.de"},
        {"pair: tilde", "\"\\~\"@b.de", "\"\\~\"@b.de"},
        {"pairs at the end", "\"\\\\\\\"\"@b.de", "\"\\\\\\\"\"@b.de"},
        {"could do without", "\"abc\"@b.de", "\"abc\"@b.de"},
        {"UTF-8, RFC 6531 3.3", "\"\xc3\xa4 \xc3\xb6\"@b.de", "\"\xc3\xa4 \xc3\xb6\"@b.de"},
        {"no-break space", "\"\xc2\xa0\"@b.de", "\"\xc2\xa0\"@b.de"},
    };
    static const struct bad_case bad[] = {
        {"not closed", SLICE_LITERAL("\"abc@b.de"), 1},
        {"closed by a pair", SLICE_LITERAL("\"abc\\\"@b.de"), 1},
        {"a backslash at the end", SLICE_LITERAL("\"abc\\"), 1},
        {"a quote alone", SLICE_LITERAL("\""), 1},
        {"text before", SLICE_LITERAL("a\"b\"@b.de"), 2},
        {"text behind", SLICE_LITERAL("\"a\"b@b.de"), 4},
        {"a word of two", SLICE_LITERAL("\"a\".b@b.de"), 4}, /* RFC 5322 4.4, not of SMTP */
        {"nothing behind", SLICE_LITERAL("\"a\""), 4},
        {"tab", SLICE_LITERAL("\"a\tb\"@b.de"), 3},
        {"delete", SLICE_LITERAL("\"a\x7f\"@b.de"), 3},
        {"pair: tab", SLICE_LITERAL("\"a\\\tb\"@b.de"), 4},
        {"pair: UTF-8", SLICE_LITERAL("\"\\\xc3\xa9\"@b.de"),
         3}, /* RFC 6531 3.3 leaves pairs ASCII */
        {"C1 control", SLICE_LITERAL("\"a\xc2\x85\"@b.de"), 3},
        {"C1 control CSI", SLICE_LITERAL("\"\xc2\x9b\"@b.de"), 2},
        {"line separator", SLICE_LITERAL("\"a\xe2\x80\xa8\"@b.de"), 3},
        {"right-to-left override", SLICE_LITERAL("\"a\xe2\x80\xae\"@b.de"), 3},
        {"encoded LF", SLICE_LITERAL("\"a%0a\"@b.de"), 3},
    };
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

/* RFC 6531 3.3; NFC by its section 3.1 and RFC 5198 3 */
static void international(void **state)
{
    (void)state;
    static const struct good_case good[] = {
        {"Latin", "j\xc3\xb6rg@b.de", "j\xc3\xb6rg@b.de"},
        {"Chinese", "\xe7\x94\xa8\xe6\x88\xb7@b.de", "\xe7\x94\xa8\xe6\x88\xb7@b.de"},
        {"Arabic", "\xd8\xb9\xd9\x84\xd9\x8a@b.de", "\xd8\xb9\xd9\x84\xd9\x8a@b.de"},
        {"Devanagari with marks", "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8@b.de",
         "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8@b.de"},
        {"emoji", "\xf0\x9f\x98\x80@b.de", "\xf0\x9f\x98\x80@b.de"},
        {"composed", "A\xcc\x8a@b.de", "\xc3\x85@b.de"},
        {"singleton: angstrom", "\xe2\x84\xab@b.de", "\xc3\x85@b.de"},
        {"Hangul", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab@b.de", "\xed\x95\x9c@b.de"},
        {"composed within quotes", "\"A\xcc\x8a b\"@b.de", "\"\xc3\x85 b\"@b.de"},
        {"Kelvin sign is a K", "\xe2\x84\xaa@b.de", "K@b.de"},
        {"Greek varia is a grave", "a\xe1\xbf\xaf@b.de", "a`@b.de"},
        {"case stays", "J\xc3\x96RG@b.de", "J\xc3\x96RG@b.de"},
        {"compatibility forms stay", "\xef\xac\x81@b.de", "\xef\xac\x81@b.de"},
    };
    static const struct bad_case bad[] = {
        {"Greek question mark is a semicolon",
         SLICE_LITERAL("a\xcd\xbe"
                       "b@b.de"),
         2},
        {"C1 control",
         SLICE_LITERAL("a\xc2\x85"
                       "b@b.de"),
         2},
        {"zero width joiner",
         SLICE_LITERAL("a\xe2\x80\x8d"
                       "b@b.de"),
         2},
        {"override",
         SLICE_LITERAL("a\xe2\x80\xae"
                       "b@b.de"),
         2},
        {"byte order mark inside",
         SLICE_LITERAL("a\xef\xbb\xbf"
                       "b@b.de"),
         2},
        {"private use", SLICE_LITERAL("\xee\x80\x80@b.de"), 1},
        {"not assigned", SLICE_LITERAL("\xcd\xb8@b.de"), 1},
        {"not a character", SLICE_LITERAL("\xef\xbf\xbf@b.de"), 1},
        {"ideographic space",
         SLICE_LITERAL("a\xe3\x80\x80"
                       "b@b.de"),
         2},
        {"tag character", SLICE_LITERAL("a\xf3\xa0\x81\xa1@b.de"), 2},
    };
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

/* The limit counts octets of the composed form, not characters. */
static void length_is_in_octets(void **state)
{
    (void)state;
    static const struct {
        const char *name, *unit;
        size_t count, local_len;
        bool is_strict;
    } rows[] = {
        {"32 of two octets", "\xc3\xbc", 32, 64, true},
        {"33 of two octets", "\xc3\xbc", 33, 66, false},
        {"32 that compose", "u\xcc\x88", 32, 64, true},
        {"21 of three octets", "\xe7\x94\xa8", 21, 63, true},
        {"22 of three octets", "\xe7\x94\xa8", 22, 66, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char local[CASE_TEXT_BYTES];
        char text[CASE_TEXT_BYTES];
        size_t unit_len = strlen(rows[i].unit);
        for (size_t n = 0; n < rows[i].count; n++) {
            memcpy(local + n * unit_len, rows[i].unit, unit_len);
        }
        local[rows[i].count * unit_len] = '\0';
        (void)write_address(local, "b.de", text);
        struct hel_address a;
        bool is_strict =
            hel_address_parse(slice_of(text), HEL_ADDRESS_STRICT, &a, NULL) == ERR_NONE;
        if (is_strict != rows[i].is_strict) {
            fail_msg("%s", rows[i].name);
        }
        a = parsed(text);
        assert_int_equal(a.local_len, rows[i].local_len);
        assert_true(a.needs_smtputf8);
    }
}

static void needs_smtputf8_only_for_what_is_sent(void **state)
{
    (void)state;
    assert_false(parsed("a@b\xc3\xbc"
                        "cher.example")
                     .needs_smtputf8);
    assert_false(parsed("\xe2\x84\xaa@b.de").needs_smtputf8);
    assert_true(parsed("\"\xc3\xa4\"@b.de").needs_smtputf8);
    assert_true(parsed("\xc3\xa4@b.de").needs_smtputf8);
    assert_false(parsed("\"a b\"@b.de").needs_smtputf8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dot_strings),
        cmocka_unit_test(quoted_strings),
        cmocka_unit_test(international),
        cmocka_unit_test(length_is_in_octets),
        cmocka_unit_test(needs_smtputf8_only_for_what_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
