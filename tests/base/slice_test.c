/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void comparisons(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal, equal_nocase, starts, starts_nocase, ends, ends_nocase;
        int order;
    } rows[] = {
        {"", "", true, true, true, true, true, true, 0},
        {"a", "", false, false, true, true, true, true, 1},
        {"", "a", false, false, false, false, false, false, -1},
        {"abc", "abc", true, true, true, true, true, true, 0},
        {"abc", "ABC", false, true, false, true, false, true, 1},
        {"abc", "ab", false, false, true, true, false, false, 1},
        {"abc", "BC", false, false, false, false, false, true, 1},
        {"abc", "bc", false, false, false, false, true, true, -1},
        {"ab", "abc", false, false, false, false, false, false, -1},
        {"[", "{", false, false, false, false, false, false, -1},
        {"@", "`", false, false, false, false, false, false, -1},
        {"\xc3\x84", "\xc3\xa4", false, false, false, false, false, false, -1},
        {"\xff", "a", false, false, false, false, false, false, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice a = slice_of(rows[i].a);
        struct slice b = slice_of(rows[i].b);
        assert_int_equal(slice_equal(a, b), rows[i].equal);
        assert_int_equal(slice_equal_nocase(a, b), rows[i].equal_nocase);
        assert_int_equal(slice_starts(a, b), rows[i].starts);
        assert_int_equal(slice_starts_nocase(a, b), rows[i].starts_nocase);
        assert_int_equal(slice_ends(a, b), rows[i].ends);
        assert_int_equal(slice_ends_nocase(a, b), rows[i].ends_nocase);
        int order = slice_compare(a, b);
        assert_int_equal((order > 0) - (order < 0), rows[i].order);
    }
}

static void empty_slices_are_alike(void **state)
{
    (void)state;
    struct slice none = {NULL, 0};
    assert_int_equal(slice_of(NULL).len, 0);
    assert_non_null(slice_of(NULL).at);
    assert_true(slice_equal(none, SLICE("")));
    assert_true(slice_starts(SLICE("a"), none));
    assert_true(slice_ends(none, none));
    assert_int_equal(slice_compare(none, SLICE("")), 0);
    assert_int_equal(slice_find_byte(none, 'a', 0), 0);
    assert_int_equal(slice_find_last_byte(none, 'a'), 0);
    assert_int_equal(slice_find_nocase(none, SLICE("a")), 0);
    assert_int_equal(slice_sub(none, 1, 2).len, 0);
    assert_int_equal(slice_trim(none).len, 0);
    assert_int_equal(slice_hash(none, 3), slice_hash(SLICE(""), 3));
}

static void parts_are_clamped(void **state)
{
    (void)state;
    static const struct {
        size_t from, to;
        const char *part;
    } rows[] = {
        {0, 3, "abc"}, {1, 2, "b"},          {1, 99, "bc"},
        {3, 3, ""},    {99, 100, ""},        {2, 1, ""},
        {0, 0, ""},    {0, SIZE_MAX, "abc"}, {SIZE_MAX, SIZE_MAX, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice part = slice_sub(SLICE("abc"), rows[i].from, rows[i].to);
        assert_true(slice_equal(part, slice_of(rows[i].part)));
    }
}

static void finds(void **state)
{
    (void)state;
    struct slice s = SLICE("a.b.C");
    assert_int_equal(slice_find_byte(s, '.', 0), 1);
    assert_int_equal(slice_find_byte(s, '.', 1), 1);
    assert_int_equal(slice_find_byte(s, '.', 2), 3);
    assert_int_equal(slice_find_byte(s, '.', 4), 5);
    assert_int_equal(slice_find_byte(s, '.', 99), 5);
    assert_int_equal(slice_find_byte(s, 'x', 0), 5);
    assert_int_equal(slice_find_last_byte(s, '.'), 3);
    assert_int_equal(slice_find_last_byte(s, 'a'), 0);
    assert_int_equal(slice_find_last_byte(s, 'x'), 5);
    assert_int_equal(slice_find_nocase(s, SLICE("B.c")), 2);
    assert_int_equal(slice_find_nocase(s, SLICE("b.c.")), 5);
    assert_int_equal(slice_find_nocase(s, SLICE("")), 0);
    assert_int_equal(slice_find_byte(SLICE("a\0b"), 'b', 0), 2);
}

/* The first place where all of it stands: every short text of two letters in both cases, every shorter one in it. */
static void finds_in_any_case(void **state)
{
    (void)state;
    enum { LETTERS = 4, TEXT_MAX = 5, NEEDLE_MAX = 3 };
    static const char letters[LETTERS] = {'a', 'B', 'b', '.'};
    char text[TEXT_MAX];
    char needle[NEEDLE_MAX];
    for (unsigned n = 0; n < LETTERS * LETTERS * LETTERS * LETTERS * LETTERS; n++) {
        for (unsigned i = 0, left = n; i < TEXT_MAX; i++, left /= LETTERS) {
            text[i] = letters[left % LETTERS];
        }
        for (unsigned m = 0; m < LETTERS * LETTERS * LETTERS * NEEDLE_MAX; m++) {
            size_t len = m % NEEDLE_MAX + 1;
            for (unsigned i = 0, left = m / NEEDLE_MAX; i < NEEDLE_MAX; i++, left /= LETTERS) {
                needle[i] = letters[left % LETTERS];
            }
            struct slice whole = slice_make(text, TEXT_MAX);
            struct slice part = slice_make(needle, len);
            size_t place = 0;
            while (place < TEXT_MAX &&
                   !slice_starts_nocase(slice_sub(whole, place, TEXT_MAX), part)) {
                place++;
            }
            assert_int_equal(slice_find_nocase(whole, part), place);
        }
    }
}

/* In steps of eight bytes, and more of them than a byte can count. */
static void counts_bytes(void **state)
{
    (void)state;
    static char text[5000];
    memset(text, '\n', sizeof text);
    for (size_t len = 0; len < 40; len++) {
        assert_int_equal(slice_count_byte(slice_make(text + 1, len), '\n'), len);
        assert_int_equal(slice_count_byte(slice_make(text + 1, len), '\x8a'), 0);
    }
    assert_int_equal(slice_count_byte(slice_make(text, sizeof text), '\n'), sizeof text);
    text[2345] = '\v';
    text[2346] = '\x8a';
    assert_int_equal(slice_count_byte(slice_make(text, sizeof text), '\n'), sizeof text - 2);
}

static void trims_both_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text, *trimmed;
    } rows[] = {
        {"", ""},       {" ", ""},        {" \t\r\n", ""}, {" a ", "a"},
        {"a b", "a b"}, {"\ta\r\n", "a"}, {"\va", "\va"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(slice_equal(slice_trim(slice_of(rows[i].text)), slice_of(rows[i].trimmed)));
    }
}

static void cuts_all_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *parts; /* parts: each ended by '|' */
    } rows[] = {
        {"", "|"},     {"a", "a|"},   {"a.b", "a|b|"},   {".", "||"},
        {"a.", "a||"}, {".a", "|a|"}, {"a..b", "a||b|"}, {"a.b.c", "a|b|c|"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice rest = slice_of(rows[i].text);
        struct buf parts;
        buf_init(&parts, 50);
        while (rest.at != NULL) {
            struct slice part = slice_cut(&rest, '.');
            assert_int_equal(buf_printf(&parts, "%.*s|", SLICE_ARG(part)), ERR_NONE);
        }
        assert_true(slice_equal(buf_view(&parts), slice_of(rows[i].parts)));
        buf_done(&parts);
        assert_int_equal(slice_cut(&rest, '.').len, 0);
        assert_null(rest.at);
    }
}

/* The header promises the same hash on every machine. */
static void hashes_stay(void **state)
{
    (void)state;
    assert_true(slice_hash(SLICE("example.com"), 0) == UINT64_C(0xeb84df048d125abb));
    assert_true(slice_hash(SLICE(""), 0) == UINT64_C(0xfdbdf6ac4fc52e7f));
    assert_true(slice_hash(SLICE("\xff"), 1) == UINT64_C(0xae53c5ca1c30745d));
    assert_true(slice_hash(SLICE("a"), 0) != slice_hash(SLICE("a"), 1));
    assert_true(slice_hash(SLICE("a"), 0) != slice_hash(SLICE("b"), 0));
    assert_true(slice_hash(SLICE("a"), 0) != slice_hash(SLICE("a\0"), 0));
}

/* Of tables in memory: the same for the same bytes wherever they stand, another where one byte is. */
static void quick_hashes_tell_bytes_apart(void **state)
{
    (void)state;
    char text[40];
    char copy[sizeof text + 1];
    for (size_t len = 0; len <= sizeof text; len++) {
        for (size_t i = 0; i < len; i++) {
            copy[i + 1] = text[i] = (char)(i * 37);
        }
        uint64_t hash = slice_mix(slice_make(text, len), 7);
        assert_true(hash == slice_mix(slice_make(copy + 1, len), 7));
        assert_true(hash != slice_mix(slice_make(text, len), 8));
        for (size_t i = 0; i < len; i++) {
            text[i] ^= 1;
            assert_true(hash != slice_mix(slice_make(text, len), 7));
            text[i] ^= 1;
            assert_true(hash != slice_mix(slice_make(text, i), 7));
        }
    }
    assert_true(slice_mix(SLICE("a"), 0) != slice_mix(SLICE("\0a"), 0));
}

static void letters_are_ascii(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool is_digit = i >= 0x30 && i <= 0x39;
        bool is_upper = i >= 0x41 && i <= 0x5a;
        bool is_lower = i >= 0x61 && i <= 0x7a;
        assert_int_equal(ascii_is_digit(c), is_digit);
        assert_int_equal(ascii_is_alpha(c), is_upper || is_lower);
        assert_int_equal(ascii_is_alnum(c), is_digit || is_upper || is_lower);
        assert_int_equal(ascii_is_space(c), i == 0x20 || i == 0x09 || i == 0x0d || i == 0x0a);
        assert_int_equal(ascii_lower(c), is_upper ? (char)(i + 0x20) : c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons),       cmocka_unit_test(empty_slices_are_alike),
        cmocka_unit_test(parts_are_clamped), cmocka_unit_test(finds),
        cmocka_unit_test(finds_in_any_case), cmocka_unit_test(counts_bytes),
        cmocka_unit_test(trims_both_ends),   cmocka_unit_test(cuts_all_parts),
        cmocka_unit_test(hashes_stay),       cmocka_unit_test(quick_hashes_tell_bytes_apart),
        cmocka_unit_test(letters_are_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
