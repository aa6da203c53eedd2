/* traffic/adapt: rises slowly, falls at once, never above its limit.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/adapt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "traffic/window.h"

enum { QUICK_MS = 20, USUAL_MS = 45000 };

static void begin(struct traffic_adapt *adapt, unsigned connections, unsigned first,
                  unsigned gap_ms)
{
    struct traffic_pace pace = {
        .connections = connections, .connections_first = first, .connection_gap_ms = gap_ms};
    traffic_adapt_init(adapt, &pace);
}

static void answer(struct traffic_adapt *adapt, unsigned times, uint32_t latency_ms)
{
    for (unsigned i = 0; i < times; i++) {
        traffic_adapt_answered(adapt, latency_ms, USUAL_MS);
    }
}

static void test_connections_and_gap(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 4, 0, 100);
    uint64_t now = 1000;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(traffic_adapt_connect_at(&adapt, now) <= now);
        traffic_adapt_opened(&adapt, now);
        if (i < 3) {
            assert_int_equal(traffic_adapt_connect_at(&adapt, now), now + 100);
        }
        now += 100;
    }
    assert_true(traffic_adapt_connect_at(&adapt, now) == TRAFFIC_NEVER);
    traffic_adapt_closed(&adapt);
    assert_int_equal(traffic_adapt_connect_at(&adapt, now), now);
}

static void test_rises_slowly(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 4, 2, 0);
    answer(&adapt, 2 * TRAFFIC_RISE_ANSWERS - 1, QUICK_MS);
    assert_int_equal(adapt.connections, 2);
    answer(&adapt, 1, QUICK_MS);
    assert_int_equal(adapt.connections, 3);
    answer(&adapt, 3 * TRAFFIC_RISE_ANSWERS, QUICK_MS);
    assert_int_equal(adapt.connections, 4);
    answer(&adapt, 1000, QUICK_MS);
    assert_int_equal(adapt.connections, 4);
}

static void test_words_about_rate(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 4, 0, 0);
    traffic_adapt_slowed(&adapt, 0, 0);
    assert_int_equal(traffic_adapt_connect_at(&adapt, 0), TRAFFIC_PAUSE_MS_MIN);
    assert_int_equal(adapt.connections, 2);
    traffic_adapt_slowed(&adapt, 0, 0);
    assert_int_equal(traffic_adapt_connect_at(&adapt, 0), 2 * TRAFFIC_PAUSE_MS_MIN);
    assert_int_equal(adapt.connections, 1);
    for (int i = 0; i < 20; i++) {
        traffic_adapt_slowed(&adapt, 4000000000u, 0);
    }
    assert_int_equal(traffic_adapt_connect_at(&adapt, 0), TRAFFIC_PAUSE_MS_MAX);
    answer(&adapt, 20, QUICK_MS);
    assert_int_equal(adapt.pause_ms, 0);
}

static void test_late_answers(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 8, 0, 0);
    answer(&adapt, 100, QUICK_MS);
    assert_int_equal(adapt.connections, 8);
    answer(&adapt, 4, 1500);
    assert_int_equal(adapt.connections, 6); /* at once, a quarter */
    answer(&adapt, 3, 1500);
    assert_int_equal(adapt.connections, 6); /* a new measure first */
    answer(&adapt, 20, 1500);
    assert_true(adapt.connections <= 4);
    answer(&adapt, 400, QUICK_MS);
    assert_int_equal(adapt.connections, 8);
    assert_false(adapt.is_tarpit);
}

/* One that was always slow is not overloaded: its baseline is high. */
static void test_slow_from_the_start(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 4, 0, 0);
    answer(&adapt, 200, 1500);
    assert_int_equal(adapt.connections, 4);
}

static void test_tarpit(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 8, 0, 0);
    answer(&adapt, 10, QUICK_MS);
    answer(&adapt, 2, 5000);
    assert_false(adapt.is_tarpit);
    answer(&adapt, 1, 5000);
    assert_true(adapt.is_tarpit);
    traffic_adapt_opened(&adapt, 0);
    assert_int_equal(traffic_adapt_connect_at(&adapt, 0), 0);
    traffic_adapt_opened(&adapt, 0);
    assert_true(traffic_adapt_connect_at(&adapt, 0) == TRAFFIC_NEVER);
    unsigned before = adapt.connections;
    answer(&adapt, 50, 5000); /* waited out: this is no sign of load */
    assert_true(adapt.connections >= before);
    answer(&adapt, 8, QUICK_MS);
    assert_false(adapt.is_tarpit);
}

/* Answers to a group come together: what passes between two of them is no measure of lateness, but tells a tarpit. */
static void test_answers_behind_others(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 4, 0, 0);
    for (unsigned i = 0; i < 20; i++) {
        answer(&adapt, 1, 400); /* the round trip */
        for (unsigned n = 0; n < 9; n++) {
            traffic_adapt_followed(&adapt, 0, USUAL_MS);
        }
    }
    assert_int_equal(adapt.connections, 4);
    assert_in_range(adapt.baseline_us, 390000, 410000);
    begin(&adapt, 4, 2, 0);
    for (unsigned i = 0; i < 2 * TRAFFIC_RISE_ANSWERS; i++) {
        traffic_adapt_followed(&adapt, QUICK_MS, USUAL_MS);
    }
    assert_int_equal(adapt.connections, 3); /* good answers all the same */
    for (unsigned i = 0; i < 3; i++) {
        traffic_adapt_followed(&adapt, TRAFFIC_TARPIT_MS, USUAL_MS);
    }
    assert_true(adapt.is_tarpit);
    traffic_adapt_followed(&adapt, USUAL_MS - 1, USUAL_MS);
    assert_int_equal(adapt.patience, 1);
}

static void test_patience(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 4, 0, 0);
    assert_int_equal(traffic_adapt_timeout_ms(&adapt, USUAL_MS, 300000), USUAL_MS);
    answer(&adapt, 1, 30000);
    assert_int_equal(traffic_adapt_timeout_ms(&adapt, USUAL_MS, 300000), USUAL_MS * 3 / 2);
    answer(&adapt, 20, 30000);
    assert_int_equal(traffic_adapt_timeout_ms(&adapt, USUAL_MS, 300000), USUAL_MS * 4);
    assert_int_equal(traffic_adapt_timeout_ms(&adapt, USUAL_MS, 100000), 100000);
    assert_int_equal(traffic_adapt_timeout_ms(&adapt, 400000, 300000), 400000);
    traffic_adapt_timed_out(&adapt);
    assert_int_equal(traffic_adapt_timeout_ms(&adapt, USUAL_MS, 300000), USUAL_MS);
}

/* Row 36: the third was turned away. */
static void test_one_too_many(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 4, 0, 0);
    for (int i = 0; i < 3; i++) {
        traffic_adapt_opened(&adapt, 0);
    }
    traffic_adapt_crowded(&adapt);
    assert_int_equal(adapt.connections, 2);
    answer(&adapt, 1000, QUICK_MS);
    assert_int_equal(adapt.connections, 2); /* it has said so: not tried again */
    assert_true(traffic_adapt_has_learned(&adapt));
}

/* Never two RCPTs nearer than the pace, whatever connections they are on. */
static void test_pace(void **state)
{
    (void)state;
    struct traffic_pace pace = {.connections = 4, .rcpt_gap_ms = 400};
    struct traffic_adapt adapt;
    traffic_adapt_init(&adapt, &pace);
    uint64_t now = 1000;
    assert_int_equal(traffic_adapt_ask_at(&adapt, now), now);
    for (unsigned i = 0; i < 5; i++) {
        traffic_adapt_asked(&adapt, now);
        assert_int_equal(traffic_adapt_ask_at(&adapt, now), now + 400);
        assert_int_equal(traffic_adapt_ask_at(&adapt, now + 399), now + 400);
        now += 400;
        assert_int_equal(traffic_adapt_ask_at(&adapt, now), now);
    }
}

static void test_cooldown(void **state)
{
    (void)state;
    struct traffic_pace pace = {.connections = 4, .cooldown_ms = 1800000};
    struct traffic_adapt adapt;
    traffic_adapt_init(&adapt, &pace);
    traffic_adapt_slowed(&adapt, 0, 5000);
    assert_int_equal(traffic_adapt_connect_at(&adapt, 5000), 5000 + 1800000);
    traffic_adapt_slowed(&adapt, 7200,
                         6000); /* a delay that is named adds nothing above the pause */
    assert_int_equal(traffic_adapt_connect_at(&adapt, 6000), 6000 + 1800000);
    pace.cooldown_ms = 10;
    traffic_adapt_init(&adapt, &pace);
    traffic_adapt_slowed(&adapt, 0, 0);
    assert_int_equal(traffic_adapt_connect_at(&adapt, 0), TRAFFIC_PAUSE_MS_MIN);
}

static void test_tightening(void **state)
{
    (void)state;
    struct traffic_pace strict = {.connections = 2, .connection_gap_ms = 50, .rcpt_gap_ms = 10};
    struct traffic_pace lax = {.connections = 9, .connection_gap_ms = 5};
    struct traffic_adapt adapt;
    begin(&adapt, 4, 0, 20);
    traffic_adapt_tighten(&adapt, &strict);
    traffic_adapt_tighten(&adapt, &lax);
    answer(&adapt, 1000, QUICK_MS);
    assert_int_equal(adapt.connections, 2);
    assert_int_equal(adapt.pace.connection_gap_ms, 50);
    assert_int_equal(adapt.pace.rcpt_gap_ms, 10);
}

static void test_only_what_differs_is_learned(void **state)
{
    (void)state;
    struct traffic_adapt adapt;
    begin(&adapt, 4, 2, 0);
    answer(&adapt, 5, QUICK_MS);
    assert_false(traffic_adapt_has_learned(&adapt));
    answer(&adapt, 50, QUICK_MS);
    assert_true(traffic_adapt_has_learned(&adapt));
}

static void test_never_above_the_limit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random random = {.state = seed};
        struct traffic_adapt adapt;
        unsigned limit = 1 + random_below(&random, 10);
        begin(&adapt, limit, random_below(&random, 12), 50);
        uint64_t now = 0;
        uint64_t last_opened = 0;
        for (int step = 0; step < 2000; step++) {
            now += random_below(&random, 300);
            switch (random_below(&random, 8)) {
            case 0: traffic_adapt_slowed(&adapt, random_below(&random, 100), now); break;
            case 1: traffic_adapt_crowded(&adapt); break;
            case 2: traffic_adapt_timed_out(&adapt); break;
            case 3:
                if (adapt.open > 0) {
                    traffic_adapt_closed(&adapt);
                }
                break;
            case 4:
            case 5: answer(&adapt, 9, 1 + random_below(&random, 8000)); break;
            default:
                if (traffic_adapt_connect_at(&adapt, now) <= now) {
                    assert_true(last_opened == 0 || now - last_opened >= 50);
                    last_opened = now;
                    traffic_adapt_opened(&adapt, now);
                }
            }
            assert_true(adapt.open <= limit);
            assert_in_range(adapt.connections, 1, limit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections_and_gap),
        cmocka_unit_test(test_rises_slowly),
        cmocka_unit_test(test_words_about_rate),
        cmocka_unit_test(test_late_answers),
        cmocka_unit_test(test_slow_from_the_start),
        cmocka_unit_test(test_tarpit),
        cmocka_unit_test(test_answers_behind_others),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_one_too_many),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_cooldown),
        cmocka_unit_test(test_tightening),
        cmocka_unit_test(test_only_what_differs_is_learned),
        cmocka_unit_test(test_never_above_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
