/* traffic/health: blocks, single probes that back off, recovery.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "traffic/window.h"

enum { LIMIT = 6 };

static const struct traffic_rest usual_rest;

static bool heard(struct traffic_health *health, enum traffic_word word, uint64_t now)
{
    return traffic_health_heard(health, word, health->state == TRAFFIC_TRYING, usual_rest, now);
}

static void test_a_certain_block_closes(void **state)
{
    (void)state;
    struct traffic_health health = {0};
    assert_int_equal(traffic_health_open_at(&health, 5), 5);
    assert_false(traffic_health_opened(&health));
    assert_true(heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, 5));
    assert_int_equal(traffic_health_open_at(&health, 5), 5 + TRAFFIC_TRY_MS_FIRST);
    /* Conversations that were open before go on to be answered; that changes nothing. */
    assert_false(traffic_health_heard(&health, TRAFFIC_WORD_GOOD, false, usual_rest, 6));
    assert_false(traffic_health_heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, false, usual_rest, 7));
    assert_int_equal(traffic_health_open_at(&health, 7), 5 + TRAFFIC_TRY_MS_FIRST);
}

/* Words, how many of them in a row close the path. */
static void test_words_weigh(void **state)
{
    (void)state;
    static const struct {
        enum traffic_word word;
        unsigned times;
    } rows[] = {
        {TRAFFIC_WORD_BLOCK_CERTAIN, 1}, {TRAFFIC_WORD_BLOCK_LIKELY, 3},
        {TRAFFIC_WORD_BLOCK_VAGUE, 8},   {TRAFFIC_WORD_RATE, 8},
        {TRAFFIC_WORD_NO_WAY, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct traffic_health health = {0};
        for (unsigned times = 1; times < rows[i].times; times++) {
            assert_false(heard(&health, rows[i].word, 0));
        }
        assert_false(heard(&health, TRAFFIC_WORD_GOOD, 0)); /* takes the weight off */
        assert_false(heard(&health, TRAFFIC_WORD_NONE, 0));
        for (unsigned times = 1; times < rows[i].times; times++) {
            assert_false(heard(&health, rows[i].word, 0));
        }
        assert_true(heard(&health, rows[i].word, 0));
    }
}

/* Sound is what nothing speaks against: not a path with a complaint that no good answer followed, nor one that is
 * blocked, on trial, or recovering. */
static void test_sound(void **state)
{
    (void)state;
    struct traffic_health health = {0};
    assert_true(traffic_health_is_sound(&health));
    assert_false(heard(&health, TRAFFIC_WORD_RATE, 0));
    assert_false(traffic_health_is_sound(&health));
    assert_false(heard(&health, TRAFFIC_WORD_NONE, 0));
    assert_false(traffic_health_is_sound(&health));
    assert_false(heard(&health, TRAFFIC_WORD_GOOD, 0));
    assert_true(traffic_health_is_sound(&health));
    assert_true(heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, 0));
    assert_false(traffic_health_is_sound(&health));
    assert_true(traffic_health_opened(&health));
    assert_false(traffic_health_is_sound(&health));
    for (unsigned i = 0; i < 1000 && !traffic_health_is_sound(&health); i++) {
        assert_true(health.state != TRAFFIC_WELL || health.share > 0);
        assert_false(heard(&health, TRAFFIC_WORD_GOOD, 0));
    }
    assert_int_equal(health.share, 0);
}

static void test_trials_back_off(void **state)
{
    (void)state;
    struct traffic_health health = {0};
    uint64_t now = 0;
    assert_true(heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, now));
    uint64_t pause = TRAFFIC_TRY_MS_FIRST;
    for (int i = 0; i < 20; i++) {
        uint64_t at = traffic_health_open_at(&health, now);
        assert_int_equal(at - now, pause);
        now = at;
        assert_true(traffic_health_opened(&health));
        assert_true(traffic_health_open_at(&health, now) == TRAFFIC_NEVER); /* one at a time */
        assert_false(traffic_health_opened(&health));
        /* Whatever displeases during a trial closes it again. */
        assert_true(heard(&health, i % 2 == 0 ? TRAFFIC_WORD_RATE : TRAFFIC_WORD_BLOCK_VAGUE, now));
        pause = pause * 2 < TRAFFIC_TRY_MS_MAX ? pause * 2 : TRAFFIC_TRY_MS_MAX;
    }
}

static void test_a_named_delay_counts(void **state)
{
    (void)state;
    struct traffic_health health = {0};
    assert_true(traffic_health_heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, false,
                                     (struct traffic_rest){.hint_s = 7200}, 0));
    assert_int_equal(traffic_health_open_at(&health, 0), 7200000);
    struct traffic_health other = {0};
    assert_true(traffic_health_heard(&other, TRAFFIC_WORD_BLOCK_CERTAIN, false,
                                     (struct traffic_rest){.hint_s = UINT32_MAX}, 0));
    assert_int_equal(traffic_health_open_at(&other, 0), TRAFFIC_TRY_MS_MAX);
}

/* A provider that is known to rest for so long: that is the first pause, shorter or longer than the usual one. */
static void test_the_providers_own_pause(void **state)
{
    (void)state;
    static const uint32_t firsts_ms[] = {9000, 7200000};
    for (size_t i = 0; i < sizeof firsts_ms / sizeof firsts_ms[0]; i++) {
        struct traffic_rest rest = {.first_ms = firsts_ms[i]};
        struct traffic_health health = {0};
        uint64_t pause = rest.first_ms;
        bool is_trial = false;
        for (int strikes = 0; strikes < 20; strikes++) {
            assert_true(
                traffic_health_heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, is_trial, rest, 0));
            assert_int_equal(traffic_health_open_at(&health, 0), pause);
            is_trial = traffic_health_opened(&health);
            pause = pause * 2 < TRAFFIC_TRY_MS_MAX ? pause * 2 : TRAFFIC_TRY_MS_MAX;
        }
    }
}

static void test_recovers_step_by_step(void **state)
{
    (void)state;
    struct traffic_health health = {0};
    assert_true(heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, 0));
    uint64_t now = traffic_health_open_at(&health, 0);
    assert_true(traffic_health_opened(&health));
    assert_false(heard(&health, TRAFFIC_WORD_GOOD, now));
    assert_int_equal(traffic_health_open_at(&health, now), now);
    unsigned last = 0;
    unsigned answers = 1;
    for (; traffic_health_connections(&health, LIMIT) < LIMIT; answers++) {
        unsigned connections = traffic_health_connections(&health, LIMIT);
        assert_in_range(connections, last, last == 0 ? 1 : last * 2);
        last = connections;
        assert_false(heard(&health, TRAFFIC_WORD_GOOD, now));
    }
    assert_in_range(answers, 20, 40);
    for (int i = 0; i < 1000; i++) {
        assert_false(heard(&health, TRAFFIC_WORD_GOOD, now));
    }
    assert_int_equal(health.share, 0);
    assert_int_equal(health.strikes, 0);
}

/* A block while it recovers counts on from where it was. */
static void test_relapse(void **state)
{
    (void)state;
    struct traffic_health health = {0};
    assert_true(heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, 0));
    uint64_t now = traffic_health_open_at(&health, 0);
    assert_true(traffic_health_opened(&health));
    assert_false(heard(&health, TRAFFIC_WORD_GOOD, now));
    assert_true(heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, now));
    assert_int_equal(traffic_health_open_at(&health, now), now + 2 * TRAFFIC_TRY_MS_FIRST);
}

static void test_a_trial_without_a_word(void **state)
{
    (void)state;
    struct traffic_health health = {0};
    assert_true(heard(&health, TRAFFIC_WORD_BLOCK_CERTAIN, 0));
    uint64_t now = traffic_health_open_at(&health, 0);
    assert_true(traffic_health_opened(&health));
    traffic_health_trial_over(&health, now);
    assert_int_equal(traffic_health_open_at(&health, now), now + TRAFFIC_TRY_AGAIN_MS);
    traffic_health_trial_over(&health, now + 5); /* over already */
    assert_int_equal(traffic_health_open_at(&health, now), now + TRAFFIC_TRY_AGAIN_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_certain_block_closes),
        cmocka_unit_test(test_words_weigh),
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_trials_back_off),
        cmocka_unit_test(test_a_named_delay_counts),
        cmocka_unit_test(test_the_providers_own_pause),
        cmocka_unit_test(test_recovers_step_by_step),
        cmocka_unit_test(test_relapse),
        cmocka_unit_test(test_a_trial_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
