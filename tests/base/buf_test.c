/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "fail_alloc.h"

static void assert_holds(const struct buf *b, const char *text)
{
    struct slice view = buf_view(b);
    assert_int_equal(view.len, strlen(text));
    assert_memory_equal(view.at, text, view.len);
}

static void appends_in_order(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_holds(&b, "");
    assert_int_equal(buf_append(&b, SLICE("ab")), ERR_NONE);
    assert_int_equal(buf_append(&b, slice_make(NULL, 0)), ERR_NONE);
    assert_int_equal(buf_append_byte(&b, 'c'), ERR_NONE);
    assert_int_equal(buf_printf(&b, "-%d-%s", 42, "x"), ERR_NONE);
    assert_int_equal(buf_printf(&b, "%s", ""), ERR_NONE);
    assert_holds(&b, "abc-42-x");
    buf_clear(&b);
    assert_holds(&b, "");
    buf_done(&b);
    buf_done(&b);
}

static void fills_a_lent_room(void **state)
{
    (void)state;
    static const struct {
        size_t room, max;
        const char *first, *second;
        enum err e;
        bool is_in_room;
    } rows[] = {
        {8, 100, "1234", "5678", ERR_NONE, true},   {8, 100, "1234", "56789", ERR_NONE, false},
        {8, 100, "", "123456789", ERR_NONE, false}, {8, 6, "1234", "56", ERR_NONE, true},
        {8, 6, "1234", "567", ERR_LIMIT, true},     {8, 8, "12345678", "9", ERR_LIMIT, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char room[8];
        char both[100];
        struct buf b;
        buf_init_in(&b, room, rows[i].room, rows[i].max);
        assert_int_equal(buf_append(&b, slice_of(rows[i].first)), ERR_NONE);
        assert_int_equal(buf_append(&b, slice_of(rows[i].second)), rows[i].e);
        (void)snprintf(both, sizeof both, "%s%s", rows[i].first,
                       rows[i].e == ERR_NONE ? rows[i].second : "");
        assert_holds(&b, both);
        assert_true((b.at == room) == rows[i].is_in_room);
        char *text = buf_take_text(&b);
        assert_string_equal(text, both);
        free(text);
        buf_done(&b);
        buf_done_wipe(&b);
    }
}

/* The buffer is as it was, and can be filled later. */
static void a_lent_room_without_memory(void **state)
{
    (void)state;
    char room[4];
    struct buf b;
    buf_init_in(&b, room, sizeof room, 100);
    assert_int_equal(buf_append(&b, SLICE("abcd")), ERR_NONE);
    fail_alloc_at(1);
    enum err e = buf_append(&b, SLICE("e"));
    assert_int_equal(fail_alloc_end(), 0);
    assert_int_equal(e, ERR_NOMEM);
    assert_holds(&b, "abcd");
    assert_int_equal(buf_append(&b, SLICE("e")), ERR_NONE);
    assert_holds(&b, "abcde");
    buf_done(&b);
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {{0, "0"},
                {7, "7"},
                {-7, "-7"},
                {10, "10"},
                {1234567890123, "1234567890123"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        buf_init(&b, 1000);
        assert_int_equal(buf_append_int(&b, rows[i].value), ERR_NONE);
        assert_holds(&b, rows[i].text);
        buf_done(&b);
    }
}

/* Around the length from which printing takes a second way. */
static void prints_of_every_length(void **state)
{
    (void)state;
    for (int len = 250; len < 260; len++) {
        struct buf b;
        buf_init(&b, 255);
        assert_int_equal(buf_printf(&b, "%*d", len, 1), len <= 255 ? ERR_NONE : ERR_LIMIT);
        assert_int_equal(b.len, len <= 255 ? (size_t)len : 0);
        buf_done(&b);
        buf_init(&b, 1000);
        assert_int_equal(buf_printf(&b, "%*d", len, 1), ERR_NONE);
        assert_int_equal(b.len, (size_t)len);
        assert_int_equal(b.at[len - 1], '1');
        buf_done(&b);
    }
}

static void grows_without_change(void **state)
{
    (void)state;
    enum { BYTES = 10000 };
    struct buf b;
    buf_init(&b, BYTES);
    for (size_t i = 0; i < BYTES; i++) {
        assert_int_equal(buf_append_byte(&b, (char)('a' + i % 26)), ERR_NONE);
    }
    for (size_t i = 0; i < BYTES; i++) {
        assert_int_equal(b.at[i], 'a' + i % 26);
    }
    assert_int_equal(buf_append_byte(&b, 'x'), ERR_LIMIT);
    assert_int_equal(b.len, BYTES);
    buf_done_wipe(&b);
    buf_done_wipe(&b);
}

static void ceiling_leaves_the_content(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t max;
        const char *text;
        enum err err;
        const char *after;
    } rows[] = {
        {"fits exactly", 6, "def", ERR_NONE, "abcdef"},
        {"one too many", 5, "def", ERR_LIMIT, "abc"},
        {"nothing into a full one", 3, "", ERR_NONE, "abc"},
        {"a byte into a full one", 3, "d", ERR_LIMIT, "abc"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        buf_init(&b, rows[i].max);
        assert_int_equal(buf_append(&b, SLICE("abc")), ERR_NONE);
        print_message("%s\n", rows[i].name);
        assert_int_equal(buf_append(&b, slice_of(rows[i].text)), rows[i].err);
        assert_holds(&b, rows[i].after);
        buf_clear(&b);
        assert_int_equal(buf_printf(&b, "abc"), ERR_NONE);
        assert_int_equal(buf_printf(&b, "%s", rows[i].text), rows[i].err);
        assert_holds(&b, rows[i].after);
        buf_done(&b);
    }
}

static void reserve_cannot_overflow(void **state)
{
    (void)state;
    static const size_t extras[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 3, SIZE_MAX / 2 + 2};
    struct buf b;
    buf_init(&b, SIZE_MAX);
    assert_int_equal(buf_append(&b, SLICE("abc")), ERR_NONE);
    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
        assert_int_not_equal(buf_reserve(&b, extras[i]), ERR_NONE);
        assert_holds(&b, "abc");
    }
    assert_int_equal(buf_reserve(&b, 500), ERR_NONE);
    memset(b.at + b.len, 'd', 500);
    b.len += 500;
    assert_int_equal(buf_view(&b).len, 503);
    buf_done(&b);
}

static void drops_from_the_front(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        const char *after;
    } rows[] = {{0, "abcdef"}, {1, "bcdef"}, {5, "f"}, {6, ""}, {7, ""}, {SIZE_MAX, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        buf_init(&b, 100);
        assert_int_equal(buf_append(&b, SLICE("abcdef")), ERR_NONE);
        buf_drop_front(&b, rows[i].n);
        assert_holds(&b, rows[i].after);
        buf_done(&b);
    }
}

static void taken_text_is_the_callers(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    char *text = buf_take_text(&b);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(buf_append(&b, SLICE("full")), ERR_NONE);
    text = buf_take_text(&b);
    assert_string_equal(text, "full");
    free(text);
    assert_holds(&b, "");
    assert_int_equal(buf_append(&b, SLICE("more")), ERR_NONE);
    buf_done(&b);
}

static void no_memory_leaves_the_content(void **state)
{
    (void)state;
    char large[200];
    memset(large, 'x', sizeof large);
    struct buf b;
    buf_init(&b, 1000);
    fail_alloc_at(1);
    assert_int_equal(buf_append(&b, SLICE("abc")), ERR_NOMEM);
    fail_alloc_at(0);
    assert_int_equal(buf_append(&b, SLICE("abc")), ERR_NONE);
    fail_alloc_at(1);
    assert_int_equal(buf_append(&b, slice_make(large, sizeof large)), ERR_NOMEM);
    assert_holds(&b, "abc");
    for (size_t n = 1; n <= 2; n++) {
        fail_alloc_at(n);
        assert_int_equal(buf_printf(&b, "%300d", 1), ERR_NOMEM);
        assert_true(fail_alloc_happened());
        assert_holds(&b, "abc");
    }
    fail_alloc_at(1);
    assert_null(buf_take_text(&b));
    fail_alloc_at(0);
    assert_holds(&b, "abc");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_in_order),
        cmocka_unit_test(fills_a_lent_room),
        cmocka_unit_test(a_lent_room_without_memory),
        cmocka_unit_test(numbers),
        cmocka_unit_test(prints_of_every_length),
        cmocka_unit_test(grows_without_change),
        cmocka_unit_test(ceiling_leaves_the_content),
        cmocka_unit_test(reserve_cannot_overflow),
        cmocka_unit_test(drops_from_the_front),
        cmocka_unit_test(taken_text_is_the_callers),
        cmocka_unit_test(no_memory_leaves_the_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
