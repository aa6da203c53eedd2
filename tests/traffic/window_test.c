/* traffic/window: never too few are counted, in any position of the span.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"

enum { HOUR_MS = 3600000 };

static void test_never_more_than_max_in_any_hour(void **state)
{
    (void)state;
    enum { MAX = 10, EVENTS = 2000 };
    struct random random = {.state = 3};
    struct traffic_window window = {.slot_ms = TRAFFIC_HOUR_SLOT_MS};
    uint64_t at[EVENTS];
    size_t count = 0;
    uint64_t now = 1763719200000;
    while (count < EVENTS) {
        now += random_below(&random, 400000);
        if (traffic_window_room_at(&window, MAX, now) <= now) {
            traffic_window_add(&window, 1, now);
            at[count++] = now;
        }
    }
    for (size_t i = MAX; i < EVENTS; i++) {
        assert_true(at[i] - at[i - MAX] >= HOUR_MS);
    }
}

static void test_room_is_when_it_says(void **state)
{
    (void)state;
    struct random random = {.state = 4};
    for (int round = 0; round < 500; round++) {
        struct traffic_window window = {.slot_ms = TRAFFIC_HOUR_SLOT_MS};
        uint64_t now = 1763719200000;
        for (int i = 0; i < 20; i++) {
            now += random_below(&random, 500000);
            traffic_window_add(&window, random_below(&random, 4), now);
        }
        uint32_t max = 1 + random_below(&random, 30);
        uint64_t room = traffic_window_room_at(&window, max, now);
        assert_true(traffic_window_sum(&window, room) < max);
        if (room > now) {
            assert_true(traffic_window_sum(&window, room - 1) >= max);
        }
    }
}

/* Also where it was used before. */
static void test_what_is_restored_counts_as_it_did(void **state)
{
    (void)state;
    struct random random = {.state = 5};
    for (int round = 0; round < 200; round++) {
        struct traffic_window window = {.slot_ms = TRAFFIC_HOUR_SLOT_MS};
        struct traffic_window copy = {.slot_ms = TRAFFIC_HOUR_SLOT_MS};
        uint64_t now = 1763719200000;
        for (int i = 0; i < 30; i++) {
            now += random_below(&random, 900000);
            traffic_window_add(&window, random_below(&random, 4), now);
        }
        traffic_window_add(&copy, 7, 5);
        copy.newest = window.newest;
        for (uint64_t i = 0; i < TRAFFIC_WINDOW_SLOTS; i++) {
            traffic_window_restore(&copy, window.newest - i,
                                   window.counts[(window.newest - i) % TRAFFIC_WINDOW_SLOTS]);
        }
        for (int i = 0; i < 20; i++) {
            assert_int_equal(traffic_window_sum(&copy, now), traffic_window_sum(&window, now));
            now += random_below(&random, 900000);
        }
        traffic_window_add(&copy, 3, now);
        traffic_window_add(&window, 3, now);
        assert_int_equal(traffic_window_sum(&copy, now), traffic_window_sum(&window, now));
    }
}

static void test_edges(void **state)
{
    (void)state;
    struct traffic_window window = {.slot_ms = TRAFFIC_DAY_SLOT_MS};
    assert_int_equal(traffic_window_sum(&window, 0), 0);
    assert_true(traffic_window_room_at(&window, 0, 5) == TRAFFIC_NEVER);
    traffic_window_add(&window, UINT32_MAX, 0);
    traffic_window_add(&window, 7, 0);
    assert_int_equal(traffic_window_sum(&window, 0), UINT32_MAX);
    traffic_window_add(&window, 1,
                       100 * (uint64_t)86400000); /* much later: all that is forgotten */
    assert_int_equal(traffic_window_sum(&window, 100 * (uint64_t)86400000), 1);
    traffic_window_add(&window, 1, 5); /* the clock went back: it counts in the newest slot */
    assert_int_equal(traffic_window_sum(&window, 5), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_more_than_max_in_any_hour),
        cmocka_unit_test(test_room_is_when_it_says),
        cmocka_unit_test(test_what_is_restored_counts_as_it_did),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
