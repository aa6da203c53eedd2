/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "fail_alloc.h"

enum { TEXTS = 40, STEPS = 20000, HOLDERS_MAX = 5 };

static void each_is_there_once(void **state)
{
    (void)state;
    struct intern intern;
    intern_init(&intern, 7);
    struct interned *first = intern_hold(&intern, SLICE("try later"));
    struct interned *same = intern_hold(&intern, SLICE("try later"));
    struct interned *empty = intern_hold(&intern, SLICE_NONE);
    assert_ptr_equal(first, same);
    assert_ptr_not_equal(first, empty);
    assert_true(slice_equal(interned_view(first), SLICE("try later")));
    assert_int_equal(interned_view(empty).len, 0);
    assert_int_equal(intern.map.count, 2);
    intern_drop(&intern, first);
    assert_int_equal(intern.map.count, 2);
    intern_drop(&intern, same);
    intern_drop(&intern, empty);
    assert_int_equal(intern.map.count, 0);
    intern_done(&intern);
}

/* Random holders that come and go, against a plain count. */
static void lives_as_long_as_it_is_held(void **state)
{
    (void)state;
    struct random random = {3};
    struct intern intern;
    struct interned *held[TEXTS] = {NULL};
    unsigned holders[TEXTS] = {0};
    fail_alloc_at(0);
    intern_init(&intern, 1);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = random_below(&random, TEXTS);
        char text[16];
        int len = snprintf(text, sizeof text, "text %u", i);
        if (holders[i] > 0 && random_below(&random, HOLDERS_MAX) < holders[i]) {
            assert_true(slice_equal(interned_view(held[i]), slice_make(text, (size_t)len)));
            intern_drop(&intern, held[i]);
            holders[i]--;
            continue;
        }
        struct interned *got = intern_hold(&intern, slice_make(text, (size_t)len));
        assert_true(got != NULL && (holders[i] == 0 || got == held[i]));
        held[i] = got;
        holders[i]++;
    }
    intern_done(&intern);
    assert_int_equal(fail_alloc_end(), 0);
}

static void memory_may_fail(void **state)
{
    (void)state;
    for (size_t failing = 1; failing <= 2; failing++) {
        struct intern intern;
        fail_alloc_at(failing);
        intern_init(&intern, 1);
        assert_null(intern_hold(&intern, SLICE("text")));
        assert_true(fail_alloc_happened());
        struct interned *held = intern_hold(&intern, SLICE("text"));
        assert_non_null(held);
        intern_drop(&intern, held);
        intern_done(&intern);
        assert_int_equal(fail_alloc_end(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_there_once),
        cmocka_unit_test(lives_as_long_as_it_is_held),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
