/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "fail_alloc.h"

static void hands_out_zeroed_aligned_memory(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 7, 8, 15, 16, 17, 100, 4095, 4096, 4097, 20000, 1, 0};
    static const char zeros[20000];
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *at = arena_alloc(&a, sizes[i]);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
        assert_memory_equal(at, zeros, sizes[i]);
        memset(at, 0x5a, sizes[i]);
    }
    arena_done(&a);
    arena_done(&a);
}

/* Also where the heap hands out what somebody wrote to, and beside pieces that are not cleared. */
static void is_zeroed_when_the_heap_is_not(void **state)
{
    (void)state;
    enum { ROUNDS = 3, PIECES = 200, BYTES = 700 };
    static const char zeros[BYTES];
    for (int round = 0; round < ROUNDS; round++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        for (size_t i = 0; i < PIECES; i++) {
            char *unfilled = arena_alloc_unfilled(&a, BYTES);
            assert_non_null(unfilled);
            memset(unfilled, 0x5a, BYTES);
            char *zeroed = arena_alloc(&a, BYTES);
            assert_non_null(zeroed);
            assert_memory_equal(zeroed, zeros, BYTES);
            memset(zeroed, 0x5a, BYTES);
        }
        arena_done(&a);
    }
}

static void pieces_do_not_overlap(void **state)
{
    (void)state;
    enum { PIECES = 500, BYTES = 33 };
    unsigned char *pieces[PIECES];
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = arena_alloc(&a, BYTES);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)(i % 251), BYTES);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < BYTES; j++) {
            assert_int_equal(pieces[i][j], i % 251);
        }
    }
    arena_done(&a);
}

static void ceiling_holds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t max, first, second;
        bool has_first, has_second;
    } rows[] = {
        {"exactly full", 64, 64, 1, true, false},
        {"exactly full, odd size", 100, 100, 1, true, false},
        {"nothing of nothing left", 64, 64, 0, true, true},
        {"one too many", 64, 65, 64, false, true},
        {"two halves", 64, 32, 32, true, true},
        {"the largest size there is", SIZE_MAX, SIZE_MAX, 1, false, true},
        {"nearly the largest size", SIZE_MAX, SIZE_MAX - 8, 1, false, true},
        {"larger than a chunk", 10000, 9000, 2000, true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a;
        arena_init(&a, rows[i].max);
        bool has_first = arena_alloc(&a, rows[i].first) != NULL;
        bool has_second = arena_alloc(&a, rows[i].second) != NULL;
        arena_done(&a);
        if (has_first != rows[i].has_first || has_second != rows[i].has_second) {
            fail_msg("%s: %d %d", rows[i].name, has_first, has_second);
        }
    }
}

static void copies_end_with_nul(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100);
    struct slice copy = SLICE("before");
    assert_int_equal(arena_copy(&a, SLICE_NONE, &copy), ERR_NONE);
    assert_int_equal(copy.len, 0);
    assert_int_equal(copy.at[0], '\0');
    assert_int_equal(arena_copy(&a, slice_make(NULL, 0), &copy), ERR_NONE);
    assert_int_equal(arena_copy(&a, SLICE("a\0b"), &copy), ERR_NONE);
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.at, "a\0b", 4);
    char large[200] = {0};
    struct slice untouched = copy;
    assert_int_equal(arena_copy(&a, slice_make(large, sizeof large), &copy), ERR_NOMEM);
    assert_ptr_equal(copy.at, untouched.at);
    arena_done(&a);
}

static void no_memory_is_no_loss(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    fail_alloc_at(1);
    assert_null(arena_alloc(&a, 10));
    assert_true(fail_alloc_happened());
    assert_int_equal(a.used_bytes, 0);
    char *at = arena_alloc(&a, 10);
    assert_non_null(at);
    fail_alloc_at(1);
    assert_null(arena_alloc(&a, 5000));
    fail_alloc_at(0);
    assert_non_null(arena_alloc(&a, 5000));
    at[9] = 1;
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_zeroed_aligned_memory),
        cmocka_unit_test(is_zeroed_when_the_heap_is_not),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(ceiling_holds),
        cmocka_unit_test(copies_end_with_nul),
        cmocka_unit_test(no_memory_is_no_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
