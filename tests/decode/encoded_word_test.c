/* decode/encoded_word: words of other charsets in header fields.
 * SPDX-License-Identifier: Apache-2.0 */
#include "decode/encoded_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 2047 2, 4 */
static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *charset, *decoded; /* charset NULL: no word */
        size_t len;
    } cases[] = {
        {"=?utf-8?q?J=C3=B6rg_M?= x", "utf-8", "J\xc3\xb6rg M", 23},
        {"=?ISO-8859-1*en?B?YUBi?=", "ISO-8859-1", "a@b", 24},
        {"=?utf-8?q?\?=", "utf-8", "", 12},
        {"=?utf-8?x?a?=", NULL, NULL, 0},
        {"=?utf-8?q?a", NULL, NULL, 0},
        {"=?utf-8", NULL, NULL, 0},
        {"=?", NULL, NULL, 0},
        {"", NULL, NULL, 0},
    };
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct encoded_word word;
        size_t len;
        bool is_word = encoded_word_read(slice_of(cases[i].text), &word, &len);
        assert_int_equal(is_word, cases[i].charset != NULL);
        if (is_word) {
            buf_clear(&out);
            assert_int_equal(encoded_word_decode(&word, &out), ERR_NONE);
            assert_int_equal(len, cases[i].len);
            assert_true(slice_equal(word.charset, slice_of(cases[i].charset)));
            assert_true(slice_equal(buf_view(&out), slice_of(cases[i].decoded)));
        }
    }
    buf_done(&out);
}

/* Cut anywhere it is no word; decoded into too little room it is an error. */
static void test_bounds(void **state)
{
    (void)state;
    static const struct slice text = SLICE_LITERAL("=?utf-8?b?amFuZUBleGFtcGxlLmNvbQ==?=");
    struct encoded_word word;
    size_t len;
    for (size_t cut = 0; cut < text.len; cut++) {
        assert_false(encoded_word_read(slice_sub(text, 0, cut), &word, &len));
    }
    assert_true(encoded_word_read(text, &word, &len));
    struct buf out;
    buf_init(&out, 8);
    assert_int_equal(encoded_word_decode(&word, &out), ERR_LIMIT);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
