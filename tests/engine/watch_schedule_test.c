/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/watch_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HOUR (INT64_C(3600) * 1000)
#define DAY  (24 * HOUR)

static void next_times(void **state)
{
    static const struct {
        const char *name;
        int64_t due, every, now, next;
    } rows[] = {
        {"not due yet", 10 * DAY, 7 * DAY, 9 * DAY, 10 * DAY},
        {"just due", 10 * DAY, 7 * DAY, 10 * DAY, 17 * DAY},
        {"a little late keeps the grid", 10 * DAY, 7 * DAY, 10 * DAY + 1, 17 * DAY},
        {"missed ones are not made up for", 10 * DAY, 7 * DAY, 40 * DAY, 45 * DAY},
        {"exactly at a later one", 10 * DAY, 7 * DAY, 24 * DAY, 31 * DAY},
        {"the clock went back", 100 * DAY, 7 * DAY, 10 * DAY, 17 * DAY},
        {"one interval ahead", 17 * DAY, 7 * DAY, 10 * DAY, 17 * DAY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (watch_next_ms(rows[i].due, rows[i].every, rows[i].now) != rows[i].next) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/* A clock that goes by any steps: a run begins once in each interval at most, and never twice for one time. */
static void a_year_of_looks(void **state)
{
    static const int64_t steps[] = {60 * 1000, HOUR, 5 * HOUR, 2 * DAY, 9 * DAY};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int64_t due = 7 * DAY;
        int64_t last = 0;
        for (int64_t now = 0; now < 365 * DAY; now += steps[i]) {
            if (now < due) {
                continue;
            }
            due = watch_next_ms(due, 7 * DAY, now);
            assert_true(due > now && due - now <= 7 * DAY && due % (7 * DAY) == 0);
            assert_true(last == 0 || now / (7 * DAY) > last / (7 * DAY));
            last = now;
        }
        assert_true(last >= 350 * DAY);
    }
}

static void ages(void **state)
{
    (void)state;
    assert_int_equal(watch_age_ms_max(7 * DAY, 0), 7 * DAY);
    assert_int_equal(watch_age_ms_max(7 * DAY, HOUR), 7 * DAY - HOUR);
    assert_int_equal(watch_age_ms_max(2 * DAY, DAY), DAY);
    assert_int_equal(watch_age_ms_max(2 * DAY, 30 * DAY), DAY);
    assert_int_equal(watch_age_ms_max(2 * DAY, -HOUR), DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_times),
        cmocka_unit_test(a_year_of_looks),
        cmocka_unit_test(ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
