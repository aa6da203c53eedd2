/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "fail_alloc.h"

enum { MEMBERS = 10000 };

static bool add(struct hash_set *set, uint64_t hash)
{
    bool is_new;
    assert_int_equal(hash_set_add(set, hash, &is_new), ERR_NONE);
    return is_new;
}

static void test_each_is_new_once(void **state)
{
    (void)state;
    struct hash_set set = {0};
    for (unsigned round = 0; round < 2; round++) {
        struct random random = {.state = 7};
        for (size_t i = 0; i < MEMBERS; i++) {
            assert_int_equal(add(&set, random_next(&random)), round == 0);
        }
    }
    assert_int_equal(set.count, MEMBERS);
    hash_set_done(&set);
    hash_set_done(&set);
    assert_int_equal(set.count, 0);
}

static void test_zero_and_crowded_slots(void **state)
{
    (void)state;
    struct hash_set set = {0};
    assert_true(add(&set, 0));
    assert_false(add(&set, 0));
    for (uint64_t i = 1; i <= 200; i++) { /* all want the same slot */
        assert_true(add(&set, i << 32));
        assert_false(add(&set, i << 32));
    }
    hash_set_done(&set);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct hash_set set = {0};
    bool is_new = false;
    fail_alloc_at(1);
    assert_int_equal(hash_set_add(&set, 5, &is_new), ERR_NOMEM);
    assert_true(fail_alloc_happened());
    assert_true(add(&set, 5));
    hash_set_done(&set);
    assert_int_equal(fail_alloc_end(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_new_once),
        cmocka_unit_test(test_zero_and_crowded_slots),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
