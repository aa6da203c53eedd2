/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "fail_alloc.h"

static void plain_runs_end_at_the_first_other_byte(void **state)
{
    (void)state;
    char text[21];
    for (size_t at = 0; at < sizeof text; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memset(text, '~', sizeof text);
            memset(text, ' ', sizeof text / 2);
            text[at] = (char)byte;
            bool is_plain = byte >= ' ' && byte <= '~';
            assert_int_equal(text_plain_run(slice_make(text, sizeof text)),
                             is_plain ? sizeof text : at);
            assert_int_equal(text_plain_run(slice_make(text, at)), at);
        }
    }
}

/* RFC 3629 3 and 4; rows in the order of its grammar. */
static void utf8_is_well_formed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slice text;
        bool is_utf8;
        unsigned first;
    } rows[] = {
        {"empty", SLICE_LITERAL(""), true, 0},
        {"ASCII", SLICE_LITERAL("abc"), true, 'a'},
        {"NUL", SLICE_LITERAL("\0"), true, 0},
        {"U+007F", SLICE_LITERAL("\x7f"), true, 0x7f},
        {"U+0080", SLICE_LITERAL("\xc2\x80"), true, 0x80},
        {"U+07FF", SLICE_LITERAL("\xdf\xbf"), true, 0x7ff},
        {"U+0800", SLICE_LITERAL("\xe0\xa0\x80"), true, 0x800},
        {"U+D7FF", SLICE_LITERAL("\xed\x9f\xbf"), true, 0xd7ff},
        {"U+E000", SLICE_LITERAL("\xee\x80\x80"), true, 0xe000},
        {"U+FFFF", SLICE_LITERAL("\xef\xbf\xbf"), true, 0xffff},
        {"U+10000", SLICE_LITERAL("\xf0\x90\x80\x80"), true, 0x10000},
        {"U+10FFFF", SLICE_LITERAL("\xf4\x8f\xbf\xbf"), true, 0x10ffff},
        {"above U+10FFFF", SLICE_LITERAL("\xf4\x90\x80\x80"), false, 0},
        {"lead F5", SLICE_LITERAL("\xf5\x80\x80\x80"), false, 0},
        {"lead FF", SLICE_LITERAL("\xff"), false, 0},
        {"overlong NUL", SLICE_LITERAL("\xc0\x80"), false, 0},
        {"overlong slash", SLICE_LITERAL("\xc1\xaf"), false, 0},
        {"overlong, three", SLICE_LITERAL("\xe0\x9f\xbf"), false, 0},
        {"overlong, four", SLICE_LITERAL("\xf0\x8f\xbf\xbf"), false, 0},
        {"surrogate D800", SLICE_LITERAL("\xed\xa0\x80"), false, 0},
        {"surrogate DFFF", SLICE_LITERAL("\xed\xbf\xbf"), false, 0},
        {"lone continuation", SLICE_LITERAL("\x80"), false, 0},
        {"cut after one of two", SLICE_LITERAL("\xc3"), false, 0},
        {"cut after two of three", SLICE_LITERAL("\xe2\x82"), false, 0},
        {"cut after three of four", SLICE_LITERAL("\xf0\x9f\x98"), false, 0},
        {"no continuation", SLICE_LITERAL("\xc3(("), false, 0},
        {"second continuation wrong", SLICE_LITERAL("\xe2\x82("), false, 0},
        {"Latin-1 behind ASCII", SLICE_LITERAL("Jos\xe9"), false, 'J'},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned code = 0;
        size_t length = text_utf8_next(rows[i].text, &code);
        if (text_is_utf8(rows[i].text) != rows[i].is_utf8 || code != rows[i].first) {
            fail_msg("%s: %x", rows[i].name, code);
        }
        bool has_length = rows[i].text.len > 0 && (rows[i].is_utf8 || rows[i].first != 0);
        assert_int_equal(length > 0, has_length);
    }
    assert_true(text_is_utf8(slice_make(NULL, 0)));
    assert_true(text_is_ascii(SLICE("\x01 abc\x7f")));
    assert_true(text_is_ascii(SLICE_NONE));
    assert_false(text_is_ascii(SLICE("abc\x80")));
}

static void makes_printable(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slice text;
        const char *shown;
    } rows[] = {
        {"nothing", SLICE_LITERAL(""), ""},
        {"plain", SLICE_LITERAL("550 5.1.1 No such user"), "550 5.1.1 No such user"},
        {"UTF-8",
         SLICE_LITERAL("b\xc3\xbc"
                       "cher \xe4\xbe\x8b \xf0\x9f\x98\x80"),
         "b\xc3\xbc"
         "cher \xe4\xbe\x8b \xf0\x9f\x98\x80"},
        {"tab", SLICE_LITERAL("a\tb"), "a b"},
        {"line ends", SLICE_LITERAL("a\r\nb"), "a\\x0d\\x0ab"},
        {"NUL", SLICE_LITERAL("a\0b"), "a\\x00b"},
        {"escape", SLICE_LITERAL("\x1b[31m"), "\\x1b[31m"},
        {"delete", SLICE_LITERAL("\x7f"), "\\x7f"},
        {"C1: CSI",
         SLICE_LITERAL("\xc2\x9b"
                       "1m"),
         "\\x9b1m"},
        {"C1: next line", SLICE_LITERAL("\xc2\x85"), "\\x85"},
        {"soft hyphen", SLICE_LITERAL("\xc2\xad"), "\\xad"},
        {"no-break space stays", SLICE_LITERAL("\xc2\xa0"), "\xc2\xa0"},
        {"right-to-left override",
         SLICE_LITERAL("\xe2\x80\xae"
                       "x"),
         "\\u{202e}x"},
        {"isolate", SLICE_LITERAL("\xe2\x81\xa6"), "\\u{2066}"},
        {"zero width", SLICE_LITERAL("\xe2\x80\x8b"), "\\u{200b}"},
        {"line separator", SLICE_LITERAL("\xe2\x80\xa8"), "\\u{2028}"},
        {"byte order mark", SLICE_LITERAL("\xef\xbb\xbf"), "\\u{feff}"},
        {"Arabic letter mark", SLICE_LITERAL("\xd8\x9c"), "\\u{61c}"},
        {"tag", SLICE_LITERAL("\xf3\xa0\x81\x81"), "\\u{e0041}"},
        {"Latin-1", SLICE_LITERAL("Jos\xe9"), "Jos\\xe9"},
        {"cut character", SLICE_LITERAL("\xe2\x82"), "\\xe2\\x82"},
        {"overlong", SLICE_LITERAL("\xc0\x8a"), "\\xc0\\x8a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, rows[i].text.len * 8 + 1); /* the promise of the header */
        if (text_append_printable(&out, rows[i].text) != ERR_NONE ||
            !slice_equal(buf_view(&out), slice_of(rows[i].shown))) {
            fail_msg("%s: %.*s", rows[i].name, SLICE_ARG(buf_view(&out)));
        }
        buf_done(&out);
    }
}

/* Nothing that comes out is a control, whatever goes in; what comes out is UTF-8 and stays as it is. */
static void shown_text_is_settled(void **state)
{
    (void)state;
    for (unsigned lead = 0; lead < 256; lead++) {
        for (unsigned next = 0; next < 256; next++) {
            const char pair[4] = {(char)lead, (char)next, 'x', (char)0x80};
            struct buf once;
            struct buf twice;
            buf_init(&once, 100);
            buf_init(&twice, 100);
            assert_int_equal(text_append_printable(&once, slice_make(pair, 4)), ERR_NONE);
            assert_true(text_is_utf8(buf_view(&once)));
            for (size_t i = 0; i < once.len; i++) {
                assert_true((unsigned char)once.at[i] >= ' ' && once.at[i] != 0x7f);
            }
            assert_int_equal(text_append_printable(&twice, buf_view(&once)), ERR_NONE);
            assert_true(slice_equal(buf_view(&once), buf_view(&twice)));
            buf_done(&once);
            buf_done(&twice);
        }
    }
}

static void passes_on_errors(void **state)
{
    (void)state;
    static const char *const texts[] = {"abc", "\t", "\n", "\xff", "\xe2\x80\xae"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf out;
        buf_init(&out, 100);
        fail_alloc_at(1);
        assert_int_equal(text_append_printable(&out, slice_of(texts[i])), ERR_NOMEM);
        fail_alloc_at(0);
        buf_done(&out);
    }
    struct buf small;
    buf_init(&small, 2);
    assert_int_equal(text_append_printable(&small, SLICE("abc")), ERR_LIMIT);
    assert_true(slice_equal(buf_view(&small), SLICE("ab")));
    buf_done(&small);
}

static void test_code_points_are_written_as_they_are_read(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 0x110000; code++) {
        char bytes[TEXT_UTF8_BYTES];
        unsigned read = 0;
        size_t len = text_utf8_write(code, bytes);
        bool is_surrogate = code >= 0xd800 && code < 0xe000;
        assert_int_equal(text_utf8_next(slice_make(bytes, len), &read), len);
        assert_int_equal(read, is_surrogate ? TEXT_REPLACEMENT : code);
    }
    char bytes[TEXT_UTF8_BYTES];
    assert_int_equal(text_utf8_write(0x110000, bytes), 3);
    assert_memory_equal(bytes, "\xef\xbf\xbd", 3);
}

/* RFC 9110 5.6.2 */
static void tokens_of_http(void **state)
{
    (void)state;
    static const char *const tokens[] = {"Host", "x", "!#$%&'*+-.^_`|~09azAZ"};
    static const char *const others[] = {"",    "a b",  " a",       "a:", "a\t",
                                         "a/b", "\x7f", "\xc3\xa4", "{a}"};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        assert_true(text_is_http_token(slice_of(tokens[i])));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(text_is_http_token(slice_of(others[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_points_are_written_as_they_are_read),
        cmocka_unit_test(plain_runs_end_at_the_first_other_byte),
        cmocka_unit_test(utf8_is_well_formed),
        cmocka_unit_test(makes_printable),
        cmocka_unit_test(shown_text_is_settled),
        cmocka_unit_test(passes_on_errors),
        cmocka_unit_test(tokens_of_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
