/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"

static void assert_rest(const struct reader *r, const char *text)
{
    assert_int_equal(r->rest.len, strlen(text));
    assert_true(slice_equal(r->rest, slice_of(text)));
}

static void finds_nothing_at_the_end(void **state)
{
    (void)state;
    static const struct slice empties[] = {{"", 0}, {NULL, 0}};
    for (size_t i = 0; i < 2; i++) {
        struct reader r = reader_over(empties[i]);
        char byte;
        struct slice s;
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t number;
        assert_true(reader_is_done(&r));
        assert_false(reader_peek(&r, &byte));
        assert_false(reader_byte(&r, &byte));
        assert_false(reader_take(&r, 1, &s));
        assert_true(reader_take(&r, 0, &s));
        assert_true(reader_literal(&r, SLICE("")));
        assert_false(reader_literal(&r, SLICE("a")));
        assert_false(reader_literal_nocase(&r, SLICE("a")));
        assert_false(reader_until(&r, ' ', &s));
        assert_false(reader_line(&r, &s));
        assert_false(reader_number(&r, 9, &number));
        assert_false(reader_u8(&r, &u8));
        assert_false(reader_u16(&r, &u16));
        assert_false(reader_u32(&r, &u32));
        assert_int_equal(reader_while(&r, ascii_is_alpha).len, 0);
    }
}

static void a_miss_consumes_nothing(void **state)
{
    (void)state;
    struct reader r = reader_over(SLICE("ab"));
    struct slice s = SLICE("kept");
    uint32_t u32;
    uint64_t number;
    assert_false(reader_take(&r, 3, &s));
    assert_false(reader_literal(&r, SLICE("aB")));
    assert_false(reader_literal(&r, SLICE("abc")));
    assert_false(reader_literal_nocase(&r, SLICE("ac")));
    assert_false(reader_until(&r, 'c', &s));
    assert_false(reader_number(&r, 9, &number));
    assert_false(reader_u32(&r, &u32));
    assert_rest(&r, "ab");
    assert_true(slice_equal(s, SLICE("kept")));
}

static void reads_in_order(void **state)
{
    (void)state;
    struct reader r = reader_over(SLICE("EHLO mx.example 25;x"));
    struct slice s;
    char byte;
    uint64_t number;
    assert_true(reader_literal_nocase(&r, SLICE("ehlo")));
    assert_true(reader_peek(&r, &byte));
    assert_int_equal(byte, ' ');
    assert_true(reader_byte(&r, &byte));
    assert_true(slice_equal(reader_while(&r, ascii_is_alpha), SLICE("mx")));
    assert_true(reader_literal(&r, SLICE(".")));
    assert_true(reader_until(&r, ' ', &s));
    assert_true(slice_equal(s, SLICE("example")));
    assert_true(reader_number(&r, 65535, &number));
    assert_int_equal(number, 25);
    assert_true(reader_until(&r, ';', &s));
    assert_int_equal(s.len, 0);
    assert_true(reader_take(&r, 1, &s));
    assert_true(slice_equal(s, SLICE("x")));
    assert_true(reader_is_done(&r));
}

static void lines_of_every_ending(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *lines; /* lines: each ended by '|' */
    } rows[] = {
        {"CRLF", "a\r\nb\r\n", "a|b|"},
        {"LF", "a\nb\n", "a|b|"},
        {"mixed", "a\nb\r\nc", "a|b|c|"},
        {"no end", "a", "a|"},
        {"empty lines", "\n\r\n\n", "|||"},
        {"CR within", "a\rb\n", "a\rb|"},
        {"two CR", "a\r\r\n", "a\r|"},
        {"CR at the end", "a\r", "a|"},
        {"nothing", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reader r = reader_over(slice_of(rows[i].text));
        struct buf lines;
        buf_init(&lines, 100);
        struct slice line;
        while (reader_line(&r, &line)) {
            assert_int_equal(buf_append(&lines, line), ERR_NONE);
            assert_int_equal(buf_append_byte(&lines, '|'), ERR_NONE);
        }
        if (!slice_equal(buf_view(&lines), slice_of(rows[i].lines))) {
            fail_msg("%s: %.*s", rows[i].name, SLICE_ARG(buf_view(&lines)));
        }
        buf_done(&lines);
    }
}

static void numbers_have_a_ceiling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool is_read;
        uint64_t value;
        const char *rest;
    } rows[] = {
        {"0", 0, true, 0, ""},
        {"000", 0, true, 0, ""},
        {"1", 0, false, 0, "1"},
        {"255", 255, true, 255, ""},
        {"256", 255, false, 0, "256"},
        {"0255x", 255, true, 255, "x"},
        {"2551", 255, false, 0, "2551"},
        {"7", 5, false, 0, "7"},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX, ""},
        {"18446744073709551616", UINT64_MAX, false, 0, "18446744073709551616"},
        {"99999999999999999999", UINT64_MAX, false, 0, "99999999999999999999"},
        {"-1", 9, false, 0, "-1"},
        {"+1", 9, false, 0, "+1"},
        {" 1", 9, false, 0, " 1"},
        {"x", 9, false, 0, "x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reader r = reader_over(slice_of(rows[i].text));
        uint64_t value = 0;
        if (reader_number(&r, rows[i].max, &value) != rows[i].is_read) {
            fail_msg("%s", rows[i].text);
        }
        assert_int_equal(value, rows[i].value);
        assert_rest(&r, rows[i].rest);
    }
}

/* RFC 1700: the most significant octet first. */
static void binary_is_big_endian(void **state)
{
    (void)state;
    struct reader r = reader_over(SLICE("\xff\x01\x80\xfe\xdc\xba\x98\x01"));
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    assert_true(reader_u8(&r, &u8));
    assert_int_equal(u8, 0xff);
    assert_true(reader_u16(&r, &u16));
    assert_int_equal(u16, 0x0180);
    assert_true(reader_u32(&r, &u32));
    assert_int_equal(u32, 0xfedcba98);
    assert_false(reader_u16(&r, &u16));
    assert_false(reader_u32(&r, &u32));
    assert_true(reader_u8(&r, &u8));
    assert_int_equal(u8, 1);
    assert_true(reader_is_done(&r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nothing_at_the_end), cmocka_unit_test(a_miss_consumes_nothing),
        cmocka_unit_test(reads_in_order),           cmocka_unit_test(lines_of_every_ending),
        cmocka_unit_test(numbers_have_a_ceiling),   cmocka_unit_test(binary_is_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
