/* SPDX-License-Identifier: Apache-2.0 */
#include "net/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../base/fail_alloc.h"
#include "base/random.h"

enum { TIMER_COUNT = 300, STEP_COUNT = 20000, DUE_SPREAD = 500 };

/* What must hold between calls: nobody is due before the one above, and everybody knows its place. */
static void assert_heap(const struct timers *timers)
{
    for (size_t i = 0; i < timers->count; i++) {
        assert_int_equal(timers->at[i]->place, i + 1);
        assert_true(i == 0 || timers->at[(i + 1) / 2 - 1]->due_ms <= timers->at[i]->due_ms);
    }
}

/* The same in the plainest way: a list sorted by due time. */
struct sorted {
    struct timer *at[TIMER_COUNT];
    uint64_t due_ms[TIMER_COUNT];
    size_t count;
};

static bool sorted_remove(struct sorted *list, const struct timer *timer)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i] == timer) {
            list->count--;
            memmove(list->at + i, list->at + i + 1, (list->count - i) * sizeof *list->at);
            memmove(list->due_ms + i, list->due_ms + i + 1,
                    (list->count - i) * sizeof *list->due_ms);
            return true;
        }
    }
    return false;
}

static void sorted_put(struct sorted *list, struct timer *timer, uint64_t due_ms)
{
    (void)sorted_remove(list, timer);
    size_t at = list->count++;
    for (; at > 0 && list->due_ms[at - 1] > due_ms; at--) {
        list->at[at] = list->at[at - 1];
        list->due_ms[at] = list->due_ms[at - 1];
    }
    list->at[at] = timer;
    list->due_ms[at] = due_ms;
}

static void orders_and_moves_like_a_sorted_list(void **state)
{
    (void)state;
    static struct timer timer[TIMER_COUNT];
    static struct sorted list;
    struct timers timers = {0};
    struct random random = {.state = 7};
    for (size_t step = 0; step < STEP_COUNT; step++) {
        struct timer *one = &timer[random_below(&random, TIMER_COUNT)];
        uint32_t what = random_below(&random, 10);
        if (what < 6) { /* a start, or a move of one that runs */
            uint64_t due_ms = random_below(&random, DUE_SPREAD);
            assert_int_equal(timers_put(&timers, one, due_ms), ERR_NONE);
            assert_int_equal(one->due_ms, due_ms);
            sorted_put(&list, one, due_ms);
        } else if (what < 9) {
            timers_remove(&timers, one);
            assert_int_equal(one->place, 0);
            (void)sorted_remove(&list, one);
        } else if (timers_first(&timers) != NULL) {
            one = timers_first(&timers);
            timers_remove(&timers, one);
            assert_true(sorted_remove(&list, one));
        }
        assert_int_equal(timers.count, list.count);
        if (list.count > 0) {
            assert_int_equal(timers_first(&timers)->due_ms, list.due_ms[0]);
        }
        if (step % 64 == 0) {
            assert_heap(&timers);
        }
    }
    for (size_t i = 0; i < list.count; i++) { /* all that is left comes out in order */
        struct timer *first = timers_first(&timers);
        assert_int_equal(first->due_ms, list.due_ms[i]);
        timers_remove(&timers, first);
        assert_heap(&timers);
    }
    assert_null(timers_first(&timers));
    timers_done(&timers);
}

static void a_stopped_timer_may_be_removed(void **state)
{
    (void)state;
    struct timers timers = {0};
    struct timer idle = {0}, once = {0};
    assert_null(timers_first(&timers));
    timers_remove(&timers, &idle);
    assert_int_equal(timers_put(&timers, &once, 5), ERR_NONE);
    timers_remove(&timers, &idle);
    assert_ptr_equal(timers_first(&timers), &once);
    timers_remove(&timers, &once);
    timers_remove(&timers, &once);
    assert_null(timers_first(&timers));
    timers_done(&timers);
    timers_done(&timers);
}

static void the_far_ends_of_time_are_in_order(void **state)
{
    (void)state;
    struct timers timers = {0};
    struct timer never = {0}, now = {0};
    assert_int_equal(timers_put(&timers, &never, UINT64_MAX), ERR_NONE);
    assert_int_equal(timers_put(&timers, &now, 0), ERR_NONE);
    assert_ptr_equal(timers_first(&timers), &now);
    assert_int_equal(timers_put(&timers, &now, UINT64_MAX), ERR_NONE);
    assert_int_equal(timers_put(&timers, &never, 1), ERR_NONE);
    assert_ptr_equal(timers_first(&timers), &never);
    assert_int_equal(timers.count, 2);
    timers_done(&timers);
}

static void no_memory_changes_nothing(void **state)
{
    (void)state;
    static struct timer timer[64];
    struct timers timers = {0};
    for (size_t i = 0; i < 64; i++) {
        fail_alloc_at(1);
        enum err e = timers_put(&timers, &timer[i], 64 - i);
        if (fail_alloc_happened()) {
            assert_int_equal(e, ERR_NOMEM);
            assert_int_equal(timer[i].place, 0);
            assert_int_equal(timers.count, i);
            e = timers_put(&timers, &timer[i], 64 - i);
        }
        fail_alloc_at(0);
        assert_int_equal(e, ERR_NONE);
        assert_ptr_equal(timers_first(&timers), &timer[i]);
    }
    assert_heap(&timers);
    timers_done(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_and_moves_like_a_sorted_list),
        cmocka_unit_test(a_stopped_timer_may_be_removed),
        cmocka_unit_test(the_far_ends_of_time_are_in_order),
        cmocka_unit_test(no_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
