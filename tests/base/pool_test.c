/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"

enum { BYTES = 100, KEPT = 3, PIECES = 10 };

static void pieces_do_not_overlap(void **state)
{
    (void)state;
    struct pool pool;
    unsigned char *pieces[PIECES];
    pool_init(&pool, BYTES, KEPT);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < PIECES; i++) {
            pieces[i] = pool_take(&pool);
            assert_non_null(pieces[i]);
            memset(pieces[i], (int)i, BYTES);
        }
        for (size_t i = 0; i < PIECES; i++) {
            for (size_t j = 0; j < BYTES; j++) {
                assert_int_equal(pieces[i][j], i);
            }
            pool_give(&pool, pieces[i]);
        }
    }
    pool_done(&pool);
    pool_done(&pool);
}

static void keeps_no_more_than_its_ceiling(void **state)
{
    (void)state;
    struct pool pool;
    void *pieces[PIECES];
    pool_init(&pool, BYTES, KEPT);
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = pool_take(&pool);
    }
    for (size_t i = 0; i < PIECES; i++) {
        pool_give(&pool, pieces[i]);
        assert_true(pool.count <= KEPT);
    }
    assert_int_equal(pool.count, POOL_IS_WATCHED ? 0 : KEPT);
    pool_give(&pool, NULL);
    pool_done(&pool);
    assert_int_equal(pool.count, 0);
}

static void the_last_one_back_is_the_first_out(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, BYTES, KEPT);
    void *a = pool_take(&pool);
    void *b = pool_take(&pool);
    uintptr_t last = (uintptr_t)b;
    pool_give(&pool, a);
    pool_give(&pool, b);
    void *again = pool_take(&pool);
    if (!POOL_IS_WATCHED) {
        assert_true((uintptr_t)again == last);
    }
    pool_give(&pool, again);
    pool_done(&pool);
}

static void a_piece_may_come_back_when_the_pool_is_done(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, BYTES, KEPT);
    void *piece = pool_take(&pool);
    pool_done(&pool);
    pool_give(&pool, piece);
    assert_int_equal(pool.count, 0);
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, BYTES, KEPT);
    fail_alloc_at(1);
    assert_null(pool_take(&pool));
    assert_int_equal(fail_alloc_end(), 0);
    pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(keeps_no_more_than_its_ceiling),
        cmocka_unit_test(the_last_one_back_is_the_first_out),
        cmocka_unit_test(a_piece_may_come_back_when_the_pool_is_done),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
