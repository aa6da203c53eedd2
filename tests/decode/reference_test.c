/* decode/reference: character references of HTML, by name and by number.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static void test_references(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned code;
        size_t len; /* 0: none */
    } cases[] = {
        {"&amp;x", '&', 5},
        {"&lt;", '<', 4},
        {"&commat;", '@', 8},
        {"&period;", '.', 8},
        {"&uuml;", 0xfc, 6},
        {"&Uuml;", 0xdc, 6},
        {"&AElig;", 0xc6, 7},
        {"&zwnj;", 0x200c, 6},
        {"&Zeta;", 0x396, 6},
        {"&#64;", '@', 5},
        {"&#x40;", '@', 6},
        {"&#X40;", '@', 6},
        {"&#x1F600;", 0x1f600, 9},
        {"&#00000000000064;", '@', 17},
        {"&#1114111;", 0x10ffff, 10},
        {"", 0, 0},
        {"&", 0, 0},
        {"&;", 0, 0},
        {"&#;", 0, 0},
        {"&#x;", 0, 0},
        {"&#6a;", 0, 0},
        {"&#x110000;", 0xfffd, 10},
        {"&#99999999999999999999;", 0xfffd, 23},
        {"&amp", 0, 0},
        {"&nosuch;", 0, 0},
        {"&AMPERSAND;", 0, 0},
        {"&UUML;", 0, 0},
        {"a", 0, 0},
        {"&#xd800;", 0xfffd, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned code = 0;
        size_t len = 0;
        bool is_one = reference_read(slice_of(cases[i].text), &code, &len);
        if (is_one != (cases[i].len > 0) || code != cases[i].code || len != cases[i].len) {
            fail_msg("%s: %x %zu", cases[i].text, code, len);
        }
    }
}

/* Cut anywhere before its semicolon it is none, and longer than it may be it is none. */
static void test_cut(void **state)
{
    (void)state;
    static const struct slice text = SLICE_LITERAL("&#x0000000000000000000000040;");
    static const struct slice longer = SLICE_LITERAL("&#x00000000000000000000000000000040;");
    unsigned code;
    size_t len;
    assert_true(text.len <= REFERENCE_BYTES_MAX && longer.len > REFERENCE_BYTES_MAX);
    assert_true(reference_read(text, &code, &len));
    assert_int_equal(code, '@');
    for (size_t cut = 0; cut < text.len; cut++) {
        assert_false(reference_read(slice_sub(text, 0, cut), &code, &len));
    }
    assert_false(reference_read(longer, &code, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
