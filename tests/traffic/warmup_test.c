/* traffic/warmup: advances on good days, holds or falls back on complaints, never exceeds its allowance.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/warmup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"

#define DAY_MS UINT64_C(86400000)
#define FIRST  (UINT64_C(20000) * DAY_MS)

static const struct traffic_ramp usual = {.since_ms = FIRST};

static void spend_day(struct traffic_warmup *warmup, unsigned asked, unsigned bad, uint64_t now)
{
    traffic_warmup_turn(warmup, now);
    for (unsigned i = 0; i < asked; i++) {
        traffic_warmup_asked(warmup, now);
        if (i < bad) {
            traffic_warmup_bad(warmup, false, now);
        } else {
            traffic_warmup_good(warmup, now);
        }
    }
}

/* What a day was like, and the stage that the next one begins with. */
static void test_days(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned stage, asked, bad, days, next;
    } rows[] = {
        {"a good day", 4, 800, 0, 1, 5},
        {"one complaint in a thousand", 4, 800, 1, 1, 5},
        {"hardly used", 4, 300, 0, 1, 4},
        {"some complaints", 4, 800, 10, 1, 4},
        {"many complaints", 4, 800, 50, 1, 2},
        {"many complaints on the first day", 0, 50, 10, 1, 0},
        {"nothing asked", 4, 0, 0, 1, 4},
        {"a month without a word", 4, 0, 0, 31, 2},
        {"the last good day", 9, 25600, 0, 1, 10},
        {"warm", 10, 60000, 10, 1, 10},
        {"warm, and a bad day", 10, 6000, 600, 1, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct traffic_warmup warmup;
        traffic_warmup_init(&warmup, &usual, FIRST);
        warmup.stage = (uint8_t)rows[i].stage;
        spend_day(&warmup, rows[i].asked, rows[i].bad, FIRST);
        traffic_warmup_turn(&warmup, FIRST + rows[i].days * DAY_MS);
        if (warmup.stage != rows[i].next) {
            fail_msg("%s: stage %u", rows[i].name, (unsigned)warmup.stage);
        }
    }
}

static void test_a_block_takes_back_at_once(void **state)
{
    (void)state;
    struct traffic_warmup warmup;
    traffic_warmup_init(&warmup, &usual, FIRST);
    warmup.stage = 5;
    spend_day(&warmup, 400, 0, FIRST);
    traffic_warmup_bad(&warmup, true, FIRST);
    assert_int_equal(warmup.stage, 3);
    traffic_warmup_bad(&warmup, true, FIRST); /* once a day */
    assert_int_equal(warmup.stage, 3);
    traffic_warmup_turn(&warmup, FIRST + DAY_MS);
    assert_int_equal(warmup.stage, 3);
}

static void test_age(void **state)
{
    (void)state;
    static const struct {
        uint64_t days;
        unsigned stage;
    } rows[] = {{0, 0}, {6, 0}, {7, 1}, {15, 2}, {400, TRAFFIC_WARMUP_HEAD_START}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct traffic_warmup warmup;
        struct traffic_ramp ramp = {.since_ms = FIRST - rows[i].days * DAY_MS};
        traffic_warmup_init(&warmup, &ramp, FIRST);
        assert_int_equal(warmup.stage, rows[i].stage);
        assert_int_equal(traffic_warmup_allowance(&warmup), TRAFFIC_WARMUP_FIRST << rows[i].stage);
    }
    struct traffic_ramp aged = {.since_ms = FIRST - 2 * DAY_MS, .age_ms = 13 * DAY_MS};
    struct traffic_warmup warmup;
    traffic_warmup_init(&warmup, &aged, FIRST);
    assert_int_equal(warmup.stage, 2);
    struct traffic_warmup old;
    struct traffic_ramp none = {.since_ms = 0};
    traffic_warmup_init(&old, &none, FIRST);
    traffic_warmup_bad(&old, true, FIRST);
    assert_int_equal(traffic_warmup_allowance(&old), TRAFFIC_NO_BOUND);
    assert_int_equal(traffic_warmup_ask_at(&old, FIRST), FIRST);
}

static void test_ramps(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, growth_percent;
        unsigned stage;
        uint32_t allowance;
    } rows[] = {
        {0, 0, 0, 50},
        {0, 0, 9, 25600},
        {0, 0, 10, TRAFFIC_NO_BOUND},
        {20, 30, 0, 20},
        {20, 30, 1, 26},
        {20, 30, 2, 34},
        {1, 1, 99, 100}, /* one more each day at least */
        {100000, 10, 0, TRAFFIC_NO_BOUND},
        {UINT32_MAX, UINT32_MAX, 199, TRAFFIC_NO_BOUND},
        {1, 1, TRAFFIC_WARMUP_STAGES, TRAFFIC_NO_BOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct traffic_ramp ramp = {
            .since_ms = FIRST, .first = rows[i].first, .growth_percent = rows[i].growth_percent};
        struct traffic_warmup warmup;
        traffic_warmup_init(&warmup, &ramp, FIRST);
        warmup.stage = (uint8_t)rows[i].stage;
        assert_int_equal(traffic_warmup_allowance(&warmup), rows[i].allowance);
    }
}

/* Whatever the answers, never more in 24 hours than the largest allowance within them. */
static void test_allowance_holds_in_any_day(void **state)
{
    (void)state;
    enum { ASKED_MAX = 20000 };
    static uint64_t asked_at[ASKED_MAX];
    static uint32_t allowed[ASKED_MAX];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct random random = {.state = seed};
        struct traffic_warmup warmup;
        traffic_warmup_init(&warmup, &usual, FIRST);
        size_t asked = 0;
        uint64_t now = FIRST;
        while (asked < ASKED_MAX && now < FIRST + 30 * DAY_MS) {
            now += random_below(&random, 200000);
            traffic_warmup_turn(&warmup, now);
            if (traffic_warmup_ask_at(&warmup, now) > now) {
                continue;
            }
            asked_at[asked] = now;
            allowed[asked++] = traffic_warmup_allowance(&warmup);
            traffic_warmup_asked(&warmup, now);
            if (random_below(&random, 500) == 0) {
                traffic_warmup_bad(&warmup, random_below(&random, 4) == 0, now);
            } else {
                traffic_warmup_good(&warmup, now);
            }
        }
        assert_true(asked > 1000);
        for (size_t i = 0, first = 0; i < asked; i++) {
            while (asked_at[i] - asked_at[first] >= DAY_MS) {
                first++;
            }
            assert_true(i - first < allowed[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_a_block_takes_back_at_once),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_ramps),
        cmocka_unit_test(test_allowance_holds_in_any_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
