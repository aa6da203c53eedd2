/* The shift of a tally: it goes where what was seen lies, further the more was seen, never beyond its bound, and makes
 * what is said agree with what is seen.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/prior.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static double log_odds(double p)
{
    return log(p / (1.0 - p));
}

static double likelihood(double odds)
{
    return 1.0 / (1.0 + exp(-odds));
}

static struct prior_tally tally_of(uint32_t count, double said, double alive_share)
{
    return (struct prior_tally){count, count * said, count * alive_share};
}

static void test_nothing_seen_moves_nothing(void **state)
{
    (void)state;
    const struct prior_tally none = {0};
    assert_true(fabs(prior_shift(&none, 1.0)) < 1e-9);
    const struct prior_tally right = tally_of(50, 0.6, 0.6);
    assert_true(fabs(prior_shift(&right, 0.0)) < 1e-9);
}

static void test_it_moves_towards_what_is_seen(void **state)
{
    (void)state;
    double down = 0.0;
    double up = 0.0;
    struct prior_tally bounced = {0};
    struct prior_tally lived = {0};
    for (int i = 0; i < 12; i++) {
        prior_add(&bounced, 0.7, false);
        prior_add(&lived, 0.7, true);
        assert_true(prior_shift(&bounced, 0.0) < down);
        assert_true(prior_shift(&lived, 0.0) > up);
        down = prior_shift(&bounced, 0.0);
        up = prior_shift(&lived, 0.0);
    }
    assert_true(down < -1.5 && up > 0.8);
}

static void test_it_is_held_back_where_few_were_seen(void **state)
{
    (void)state;
    const struct prior_tally one = tally_of(1, 0.7, 0.0);
    assert_true(prior_shift(&one, 0.0) > -0.8 && prior_shift(&one, 0.0) < -0.3);
}

static void test_it_is_bounded(void **state)
{
    (void)state;
    const struct prior_tally all_dead = tally_of(UINT32_MAX, 0.99, 0.0);
    const struct prior_tally all_alive = tally_of(UINT32_MAX, 0.01, 1.0);
    assert_true(prior_shift(&all_dead, 0.0) >= -PRIOR_SHIFT_MAX);
    assert_true(prior_shift(&all_alive, 0.0) <= PRIOR_SHIFT_MAX);
    const struct prior_tally wrong[] = {
        {3, -1.0, 1.0}, {3, 4.0, 1.0},     {3, 1.0, 4.0},
        {3, 1.0, -1.0}, {3, nan(""), 1.0}, {3, 1.0, nan("")},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_true(fabs(prior_shift(&wrong[i], 0.0)) < 1e-9);
    }
}

/* What is said after many outcomes is what was seen, whatever was said before. */
static void test_it_calibrates(void **state)
{
    (void)state;
    for (double said = 0.3; said < 0.65; said += 0.1) {
        for (double seen = 0.2; seen < 0.75; seen += 0.1) {
            const struct prior_tally tally = tally_of(400, said, seen);
            double corrected = likelihood(log_odds(said) + prior_shift(&tally, 0.0));
            assert_true(fabs(corrected - seen) < 0.02);
        }
    }
}

/* What the provider's shift says already is not said again by the domain's. */
static void test_the_domain_comes_on_top_of_the_provider(void **state)
{
    (void)state;
    const struct prior_tally tally = tally_of(400, 0.7, 0.3);
    double provider = prior_shift(&tally, 0.0);
    double domain = prior_shift(&tally, provider);
    assert_true(fabs(domain) < 0.05);
    assert_true(fabs(likelihood(log_odds(0.7) + provider + domain) - 0.3) < 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_seen_moves_nothing),
        cmocka_unit_test(test_it_moves_towards_what_is_seen),
        cmocka_unit_test(test_it_is_held_back_where_few_were_seen),
        cmocka_unit_test(test_it_is_bounded),
        cmocka_unit_test(test_it_calibrates),
        cmocka_unit_test(test_the_domain_comes_on_top_of_the_provider),
    };
    return cmocka_run_group_tests_name("verify/prior", tests, NULL, NULL);
}
