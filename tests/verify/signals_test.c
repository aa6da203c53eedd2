/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "verify/score.h"

enum { NOW_DAY = 20000, DAY_MS = 86400000, ROUNDS = 2000 };

struct subject {
    int score;
    uint8_t reason_count;
    struct verdict_reason reasons[VERDICT_REASONS_MAX];
};

static void weigh(const struct verify_signals *signals, enum verdict_status status,
                  struct subject *subject)
{
    const struct signals_score onto = {.status = status,
                                       .now_ms = (int64_t)NOW_DAY * DAY_MS,
                                       .score = &subject->score,
                                       .reasons = subject->reasons,
                                       .reason_count = &subject->reason_count};
    signals_weigh(signals, &onto);
}

static void each_says_what_it_saw(void **state)
{
    static const struct {
        enum signal_service service;
        struct verify_signal signal;
        const char *code, *detail; /* code NULL: nothing is said */
        int effect;
    } rows[] = {
        {SIGNAL_GRAVATAR, {SIGNAL_YES, 1}, "has_gravatar", "", 5},
        {SIGNAL_GRAVATAR, {SIGNAL_NO, 0}, NULL, "", 0},
        {SIGNAL_GITHUB, {SIGNAL_YES, 2}, "has_github", "", 5},
        {SIGNAL_GITHUB, {SIGNAL_NO_ANSWER, 0}, NULL, "", 0},
        {SIGNAL_HIBP, {SIGNAL_YES, 7}, "in_breaches", "in 7 breaches", 3},
        {SIGNAL_HIBP, {SIGNAL_NO, 0}, NULL, "", 0},
        {SIGNAL_RDAP, {SIGNAL_YES, NOW_DAY - 29}, "domain_new", "registered on 2024-09-05", -10},
        {SIGNAL_RDAP, {SIGNAL_YES, NOW_DAY - 30}, "domain_age", "registered on 2024-09-04", 0},
        {SIGNAL_RDAP, {SIGNAL_YES, 0}, "domain_age", "registered on 1970-01-01", 0},
        {SIGNAL_RDAP, {SIGNAL_YES, NOW_DAY + 5}, "domain_new", "registered on 2024-10-09", -10},
        {SIGNAL_RDAP, {SIGNAL_NO, 0}, NULL, "", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct verify_signals signals = {0};
        struct subject subject = {.score = 50};
        signals.of[rows[i].service] = rows[i].signal;
        weigh(&signals, VERDICT_RISKY, &subject);
        assert_int_equal(subject.score, 50 + rows[i].effect);
        assert_int_equal(subject.reason_count, rows[i].code == NULL ? 0 : 1);
        if (rows[i].code != NULL) {
            assert_string_equal(subject.reasons[0].code, rows[i].code);
            assert_string_equal(subject.reasons[0].detail, rows[i].detail);
            assert_int_equal(subject.reasons[0].effect, rows[i].effect);
        }
    }
}

/* Whatever they say, of whatever score: a little, and nothing of an undeliverable address. */
static void their_weight_is_bounded(void **state)
{
    struct random random = {3};
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct verify_signals signals;
        for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
            signals.of[i] = (struct verify_signal){
                .result = (enum signal_result)random_below(&random, 4),
                .number = i == SIGNAL_RDAP ? NOW_DAY - random_below(&random, 60)
                                           : random_below(&random, 9)};
        }
        for (int sub = 0; sub < SUB_COUNT; sub++) {
            int before = score_base((enum verdict_sub)sub);
            int sum = before;
            struct subject subject = {.score = before,
                                      .reason_count =
                                          (uint8_t)random_below(&random, VERDICT_REASONS_MAX + 1)};
            uint8_t first = subject.reason_count;
            enum verdict_status status = verdict_status_of((enum verdict_sub)sub);
            weigh(&signals, status, &subject);
            assert_in_range(subject.score, before < 10 ? 0 : before - 10,
                            before > 90 ? 100 : before + 10);
            assert_true(status != VERDICT_UNDELIVERABLE || subject.score == before);
            assert_true(subject.reason_count <= VERDICT_REASONS_MAX);
            for (uint8_t i = first; i < subject.reason_count; i++) {
                sum += subject.reasons[i].effect;
            }
            assert_int_equal(subject.score, sum < 0 ? 0 : sum > 100 ? 100 : sum);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_says_what_it_saw),
        cmocka_unit_test(their_weight_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
