/* document/charset: other charsets as UTF-8, however they are cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "document/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "../decode/split.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum { TEXT_BYTES_MAX = 1 << 20 };

struct charset_case {
    const char *name; /* of the charset */
    struct slice input, expected;
};

static void convert(const void *how, struct slice input, size_t first, size_t step, struct buf *out)
{
    const struct charset_case *c = how;
    struct charset charset = {.is_open = false};
    charset_set(&charset, slice_of(c->name));
    for (size_t at = 0; at < input.len;) {
        struct slice piece;
        char *copy = split_piece(input, &at, first, step, &piece);
        must(charset_feed(&charset, piece, out) == ERR_NONE);
        free(copy);
    }
    must(charset_end(&charset, out) == ERR_NONE);
    charset_done(&charset);
    charset_done(&charset);
}

static void test_converted(void **state)
{
    (void)state;
    static const struct charset_case cases[] = {
        {"", SLICE_LITERAL("j\xc3\xb6\xff"), SLICE_LITERAL("j\xc3\xb6\xff")},
        {"utf-8", SLICE_LITERAL("j\xc3\xb6\xff"), SLICE_LITERAL("j\xc3\xb6\xff")},
        {"US-ASCII", SLICE_LITERAL("j\xf6"), SLICE_LITERAL("j\xf6")},
        {"x-none", SLICE_LITERAL("j\xf6"), SLICE_LITERAL("j\xf6")},
        {"utf-16//IGNORE", SLICE_LITERAL("jane"), SLICE_LITERAL("jane")},
        {"iso-8859-1", SLICE_LITERAL("\x93j\xf6\x94"),
         SLICE_LITERAL("\xe2\x80\x9cj\xc3\xb6\xe2\x80\x9d")},
        {"ISO-8859-15", SLICE_LITERAL("\xa4"), SLICE_LITERAL("\xe2\x82\xac")},
        {"shift_jis", SLICE_LITERAL("a\x93\xfa\x96{"), SLICE_LITERAL("a\xe6\x97\xa5\xe6\x9c\xac")},
        {"iso-2022-jp", SLICE_LITERAL("a\x1b$BF|K\\\x1b(Bb"),
         SLICE_LITERAL("a\xe6\x97\xa5\xe6\x9c\xac"
                       "b")},
        {"UTF-16LE",
         SLICE_LITERAL("a\0=\xd8\x00\xde"
                       "b\0"),
         SLICE_LITERAL("a\xf0\x9f\x98\x80"
                       "b")},
        {"UTF-16LE", SLICE_LITERAL("a\0b"), SLICE_LITERAL("a\xef\xbf\xbd")},
        {"utf-7", SLICE_LITERAL("a+AOk-b"),
         SLICE_LITERAL("a\xc3\xa9"
                       "b")},
    };
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        wrong += split_check(cases[i].name, convert, &cases[i], cases[i].input, cases[i].expected);
    }
    assert_int_equal(wrong, 0);
}

static void test_is_foreign(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_foreign;
    } cases[] = {
        {"", false},
        {"utf-8", false},
        {"UTF8", false},
        {"us-ascii", false},
        {"koi8-r", true},
        {"utf-8//x", false},
        {"a b", false},
        {"latin1", true},
        {"utf-16le", true},
        {"x\ny", false},
        {"a-name-of-more-than-forty-bytes-is-not-one", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(charset_is_foreign(slice_of(cases[i].name)), cases[i].is_foreign);
    }
}

/* The same name again begins anew; another one changes; what was held of a character is forgotten. */
static void test_again(void **state)
{
    (void)state;
    struct charset charset = {.is_open = false};
    struct buf out;
    buf_init(&out, TEXT_BYTES_MAX);
    charset_set(&charset, SLICE("utf-16le"));
    assert_int_equal(charset_feed(&charset, SLICE("a"), &out), ERR_NONE);
    charset_set(&charset, SLICE("utf-16le"));
    assert_int_equal(charset_feed(&charset, slice_make("b\0", 2), &out), ERR_NONE);
    assert_int_equal(charset_end(&charset, &out), ERR_NONE);
    charset_set(&charset, SLICE("latin1"));
    assert_int_equal(charset_feed(&charset, SLICE("\xe9"), &out), ERR_NONE);
    charset_set(&charset, SLICE_NONE);
    assert_int_equal(charset_feed(&charset, SLICE("c"), &out), ERR_NONE);
    assert_true(slice_equal(buf_view(&out), SLICE("b\xc3\xa9"
                                                  "c")));
    charset_done(&charset);
    buf_done(&out);
}

/* What is no character at all grows to three bytes each, never above what is promised; a full buffer is an error. */
static void test_bounds(void **state)
{
    (void)state;
    static char bytes[100000];
    struct charset charset = {.is_open = false};
    struct buf out;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = '\xff';
    }
    buf_init(&out, TEXT_BYTES_MAX);
    charset_set(&charset, SLICE("euc-jp"));
    assert_int_equal(charset_feed(&charset, slice_make(bytes, sizeof bytes), &out), ERR_NONE);
    assert_true(out.len <= 4 * sizeof bytes);
    buf_done(&out);
    buf_init(&out, 1000);
    assert_int_equal(charset_feed(&charset, slice_make(bytes, sizeof bytes), &out), ERR_LIMIT);
    buf_done(&out);
    charset_done(&charset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_converted),
        cmocka_unit_test(test_is_foreign),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
