/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/allowance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { GIVEN = ALLOWANCE_GIVEN, FAST = ALLOWANCE_TOO_FAST, UP = ALLOWANCE_USED_UP };

#define DAY_MS INT64_C(86400000)
#define NOON   (20000 * DAY_MS + DAY_MS / 2)

/* One request: so many milliseconds after noon. */
struct step {
    int64_t at_ms;
    uint32_t cost;
    int answer;
    int64_t wait_ms;
};

static void play(const struct allowance_limits *limits, uint64_t used_before,
                 const struct step *steps, size_t count)
{
    struct allowance allowance;
    allowance_init(&allowance, limits, allowance_day(NOON), used_before, NOON);
    for (size_t i = 0; i < count; i++) {
        int64_t wait_ms = 0;
        enum allowance_answer answer =
            allowance_take(&allowance, limits, steps[i].cost, NOON + steps[i].at_ms, &wait_ms);
        if ((int)answer != steps[i].answer || wait_ms != steps[i].wait_ms) {
            fail_msg("step %zu: %d, wait %lld", i, (int)answer, (long long)wait_ms);
        }
    }
}
#define PLAY(limits, used, steps) play(&(limits), used, steps, sizeof(steps) / sizeof *(steps))

static void a_minute_holds_so_many_and_fills_evenly(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.rate_per_minute = 3};
    const struct step steps[] = {
        {0, 1, GIVEN, 0},          {0, 1, GIVEN, 0},       {0, 1, GIVEN, 0},
        {0, 1, FAST, 20000},       {19999, 1, FAST, 1},    {20000, 1, GIVEN, 0},
        {20000, 2, FAST, 40000},   {60000, 2, GIVEN, 0},   {3600000, 3, GIVEN, 0},
        {3600000, 1, FAST, 20000}, {3600001, 0, GIVEN, 0},
    };
    PLAY(limits, 0, steps);
}

static void no_fraction_is_lost(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.rate_per_minute = 7};
    struct allowance allowance;
    int64_t wait_ms = 0;
    unsigned given = 0;
    allowance_init(&allowance, &limits, allowance_day(NOON), 0, NOON);
    for (int64_t at_ms = 0; at_ms < 10 * 60000; at_ms += 13) {
        given += allowance_take(&allowance, &limits, 1, NOON + at_ms, &wait_ms) == ALLOWANCE_GIVEN
                     ? 1
                     : 0;
    }
    assert_int_equal(given, 7 + 69); /* what was there, and ten minutes less the last 13 ms */
}

static void more_than_a_minute_leaves_a_debt(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.rate_per_minute = 60};
    const struct step steps[] = {
        {0, 1, GIVEN, 0},       {0, 1000, FAST, 1000}, /* needs a full bucket */
        {1000, 1000, GIVEN, 0}, {1000, 1, FAST, 941000},
        {941999, 1, FAST, 1},   {942000, 1, GIVEN, 0},
    };
    PLAY(limits, 0, steps);
}

static void a_day_holds_so_many(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.quota_per_day = 10};
    const struct step steps[] = {
        {0, 4, GIVEN, 0},
        {0, 4, UP, DAY_MS / 2},
        {1000, 3, GIVEN, 0},
        {2000, 1, UP, DAY_MS / 2 - 2000},
        {DAY_MS / 2 - 1, 1, UP, 1},
        {DAY_MS / 2, 10, GIVEN, 0},
        {DAY_MS / 2 + 5, 1, UP, DAY_MS - 5},
        {DAY_MS, 11, UP, DAY_MS / 2},
    };
    PLAY(limits, 3, steps);
}

static void the_usage_of_another_day_does_not_count(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.quota_per_day = 10};
    struct allowance allowance;
    int64_t wait_ms = 0;
    allowance_init(&allowance, &limits, allowance_day(NOON) - 1, 10, NOON);
    assert_int_equal(allowance_take(&allowance, &limits, 10, NOON, &wait_ms), ALLOWANCE_GIVEN);
    allowance_init(&allowance, &limits, allowance_day(NOON) + 700, 10, NOON); /* a wrong clock */
    assert_int_equal(allowance_take(&allowance, &limits, 10, NOON, &wait_ms), ALLOWANCE_GIVEN);
}

static void what_is_refused_costs_nothing(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.rate_per_minute = 2, .quota_per_day = 3};
    const struct step steps[] = {
        {0, 2, GIVEN, 0},       {0, 1, FAST, 30000},  {0, 1, FAST, 30000},
        {0, 2, UP, DAY_MS / 2}, {30000, 1, GIVEN, 0}, {60000, 1, UP, DAY_MS / 2 - 60000},
    };
    PLAY(limits, 0, steps);
}

static void without_limits_all_is_given(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.rate_per_minute = 0};
    const struct step steps[] = {{0, UINT32_MAX, GIVEN, 0}, {0, UINT32_MAX, GIVEN, 0}};
    PLAY(limits, 0, steps);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.rate_per_minute = 1};
    const struct step steps[] = {
        {0, 1, GIVEN, 0}, {-50000, 1, FAST, 60000}, {10000, 1, GIVEN, 0}, {INT32_MAX, 1, GIVEN, 0}};
    PLAY(limits, 0, steps);
}

static void a_charge_looks_at_the_day_alone(void **state)
{
    (void)state;
    const struct allowance_limits limits = {.rate_per_minute = 1, .quota_per_day = 1000};
    struct allowance allowance;
    int64_t wait_ms = 0;
    allowance_init(&allowance, &limits, allowance_day(NOON), 0, NOON);
    assert_int_equal(allowance_charge(&allowance, &limits, 999, NOON, &wait_ms), ALLOWANCE_GIVEN);
    assert_int_equal(allowance_charge(&allowance, &limits, 2, NOON, &wait_ms), ALLOWANCE_USED_UP);
    assert_int_equal(wait_ms, DAY_MS / 2);
    assert_int_equal(allowance_charge(&allowance, &limits, UINT64_MAX, NOON, &wait_ms),
                     ALLOWANCE_USED_UP);
    assert_int_equal(allowance_take(&allowance, &limits, 1, NOON, &wait_ms), ALLOWANCE_GIVEN);
}

static void days_are_those_of_utc(void **state)
{
    (void)state;
    assert_int_equal(allowance_day(0), 0);
    assert_int_equal(allowance_day(DAY_MS - 1), 0);
    assert_int_equal(allowance_day(DAY_MS), 1);
    assert_int_equal(allowance_day(-1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_holds_so_many_and_fills_evenly),
        cmocka_unit_test(no_fraction_is_lost),
        cmocka_unit_test(more_than_a_minute_leaves_a_debt),
        cmocka_unit_test(a_day_holds_so_many),
        cmocka_unit_test(the_usage_of_another_day_does_not_count),
        cmocka_unit_test(what_is_refused_costs_nothing),
        cmocka_unit_test(without_limits_all_is_given),
        cmocka_unit_test(a_clock_that_goes_back_gives_nothing),
        cmocka_unit_test(a_charge_looks_at_the_day_alone),
        cmocka_unit_test(days_are_those_of_utc),
    };
    return cmocka_run_group_tests_name("engine/allowance", tests, NULL, NULL);
}
