/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "fail_alloc.h"

enum { BYTES = 100, PER_BLOCK = 4, PIECES = 11 };

static void pieces_do_not_overlap(void **state)
{
    (void)state;
    struct slab slab;
    unsigned char *pieces[PIECES];
    slab_init(&slab, BYTES, PER_BLOCK);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < PIECES; i++) {
            pieces[i] = slab_take(&slab);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
            memset(pieces[i], (int)i, BYTES);
        }
        assert_int_equal(slab.out, PIECES);
        for (size_t i = 0; i < PIECES; i++) {
            for (size_t j = 0; j < BYTES; j++) {
                assert_int_equal(pieces[i][j], i);
            }
            slab_give(&slab, pieces[i]);
        }
        assert_int_equal(slab.out, 0);
    }
    slab_done(&slab);
    slab_done(&slab);
}

static void the_last_one_back_is_the_first_out(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab, BYTES, PER_BLOCK);
    void *a = slab_take(&slab);
    void *b = slab_take(&slab);
    const uintptr_t last = (uintptr_t)a;
    slab_give(&slab, b);
    slab_give(&slab, a);
    void *again = slab_take(&slab);
    bool is_last = (uintptr_t)again == last;
    assert_true(is_last || POOL_IS_WATCHED);
    slab_give(&slab, again);
    slab_done(&slab);
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab, BYTES, PER_BLOCK);
    fail_alloc_at(1);
    assert_null(slab_take(&slab));
    assert_int_equal(fail_alloc_end(), 0);
    assert_int_equal(slab.out, 0);
    void *piece = slab_take(&slab);
    assert_non_null(piece);
    slab_give(&slab, piece);
    slab_done(&slab);
}

/* Of any length: larger ones than a piece do not share a block, and all are given back. */
static void larger_ones_are_alone(void **state)
{
    (void)state;
    const size_t lengths[] = {1, 47, 48, 49, 5000};
    struct slab slab;
    slab_init(&slab, 48, 4);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char *one = slab_take_sized(&slab, lengths[i]);
        char *other = slab_take_sized(&slab, lengths[i]);
        assert_true(one != NULL && other != NULL && one != other);
        memset(one, 1, lengths[i]);
        memset(other, 2, lengths[i]);
        assert_int_equal(one[lengths[i] - 1], 1);
        assert_int_equal(slab.out, 2);
        slab_give_sized(&slab, one, lengths[i]);
        slab_give_sized(&slab, other, lengths[i]);
    }
    slab_done(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(larger_ones_are_alone),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(the_last_one_back_is_the_first_out),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
