/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhook_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

static void answers_decide(void **state)
{
    static const struct {
        enum http_client_end end;
        unsigned status;
        enum store_webhook_state state;
    } rows[] = {
        {HTTP_CLIENT_END_ANSWERED, 200, STORE_WEBHOOK_DELIVERED},
        {HTTP_CLIENT_END_ANSWERED, 204, STORE_WEBHOOK_DELIVERED},
        {HTTP_CLIENT_END_ANSWERED, 299, STORE_WEBHOOK_DELIVERED},
        {HTTP_CLIENT_END_ANSWERED, 303, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_ANSWERED, 400, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_ANSWERED, 404, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_ANSWERED, 410, STORE_WEBHOOK_FAILED},
        {HTTP_CLIENT_END_ANSWERED, 429, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_ANSWERED, 500, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_TOO_LARGE, 200,
         STORE_WEBHOOK_WAITING}, /* nobody knows what the rest says */
        {HTTP_CLIENT_END_TIMEOUT, 0, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_FORBIDDEN, 302, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_REDIRECTED, 302, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_TLS, 0, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_UNREACHABLE, 0, STORE_WEBHOOK_WAITING},
        {HTTP_CLIENT_END_LOCAL, 0, STORE_WEBHOOK_WAITING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct webhook_try done = {
            .tries = 1, .now_ms = 5, .end = rows[i].end, .status = rows[i].status};
        struct webhook_next next = webhook_schedule(&done);
        if (next.state != rows[i].state ||
            (next.at_ms > 5) != (rows[i].state == STORE_WEBHOOK_WAITING)) {
            fail_msg("%s %u: %d", http_end_name(rows[i].end), rows[i].status, (int)next.state);
        }
    }
}

/* A receiver that never answers, on a clock of our own, with any chance. */
static void it_goes_on_for_about_a_day(void **state)
{
    (void)state;
    struct random random = {7};
    for (int round = 0; round < 200; round++) {
        struct webhook_try done = {.tries = 0, .now_ms = 1000, .end = HTTP_CLIENT_END_TIMEOUT};
        struct webhook_next next = {STORE_WEBHOOK_WAITING, 1000};
        int64_t wait_ms = 0;
        while (next.state == STORE_WEBHOOK_WAITING) {
            done.tries++;
            done.now_ms = next.at_ms;
            done.chance = (uint32_t)random_next(&random);
            next = webhook_schedule(&done);
            assert_true(next.state != STORE_WEBHOOK_WAITING ||
                        next.at_ms - done.now_ms >= wait_ms * 8 / 10); /* it grows */
            wait_ms = next.at_ms - done.now_ms;
        }
        assert_int_equal(next.state, STORE_WEBHOOK_FAILED);
        assert_int_equal(done.tries, WEBHOOK_TRIES_MAX);
        assert_in_range(done.now_ms - 1000, 21 * HOUR_MS, 27 * HOUR_MS);
    }
}

static void the_first_delays_are_short(void **state)
{
    static const struct {
        unsigned tries;
        int64_t from_ms, to_ms;
    } rows[] = {
        {1, 9000, 11000},
        {2, 27000, 33000},
        {3, 108000, 132000},
        {4, 9 * MINUTE_MS, 11 * MINUTE_MS},
        {5, 27 * MINUTE_MS, 33 * MINUTE_MS},
        {6, 54 * MINUTE_MS, 66 * MINUTE_MS},
        {11, 6 * HOUR_MS * 9 / 10, 6 * HOUR_MS / 10 * 11},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint32_t chance = 0; chance < 5000; chance++) {
            const struct webhook_try done = {
                .tries = rows[i].tries, .end = HTTP_CLIENT_END_TIMEOUT, .chance = chance * 1000003};
            assert_in_range(webhook_schedule(&done).at_ms, rows[i].from_ms, rows[i].to_ms);
        }
    }
}

static void a_receiver_that_names_a_time_is_heard(void **state)
{
    static const struct {
        uint32_t retry_after_s;
        int64_t at_ms;
    } rows[] = {
        {0, 9000}, {5, 9000}, {100, 100000}, {86400, DAY_MS}, {UINT32_MAX, DAY_MS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct webhook_try done = {.tries = 1,
                                         .end = HTTP_CLIENT_END_ANSWERED,
                                         .status = 503,
                                         .retry_after_s = rows[i].retry_after_s};
        assert_int_equal(webhook_schedule(&done).at_ms, rows[i].at_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_decide),
        cmocka_unit_test(it_goes_on_for_about_a_day),
        cmocka_unit_test(the_first_delays_are_short),
        cmocka_unit_test(a_receiver_that_names_a_time_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
