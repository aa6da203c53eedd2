/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* A seed whose settings are patient, so that honest servers' answers are foretold. */
static struct campaign_plan *plan_of(unsigned faults, bool is_patient)
{
    for (uint64_t seed = 1;; seed++) {
        const struct campaign_options options = {.seed = seed, .addresses = 300, .faults = faults};
        struct campaign_plan *plan;
        assert_int_equal(campaign_plan_new(&options, &plan), ERR_NONE);
        if (plan->settings.is_patient == is_patient) {
            return plan;
        }
        campaign_plan_free(plan);
    }
}

static uint32_t find(const struct campaign_plan *plan, enum campaign_truth truth)
{
    for (uint32_t i = 0; i < plan->options.addresses; i++) {
        if (campaign_truth(plan, i) == truth) {
            return i;
        }
    }
    return UINT32_MAX;
}

struct claim {
    enum campaign_truth truth;
    enum verdict_sub sub;
    bool is_patient, is_right;
};

static void verdicts_are_held_against_the_truth(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {CAMPAIGN_LIVE, SUB_ACCEPTED, true, true},
        {CAMPAIGN_LIVE, SUB_MAILBOX_NOT_FOUND, true, false},
        {CAMPAIGN_LIVE, SUB_MAILBOX_NOT_FOUND, false, false},
        {CAMPAIGN_LIVE, SUB_CATCH_ALL, true, false},
        {CAMPAIGN_LIVE, SUB_SKIPPED, true, false},
        {CAMPAIGN_LIVE, SUB_SKIPPED, false, true},
        {CAMPAIGN_LIVE, SUB_INTERNAL_ERROR, false, false},
        {CAMPAIGN_LIVE, SUB_DOMAIN_NOT_FOUND, false, false},
        {CAMPAIGN_UNKNOWN, SUB_MAILBOX_NOT_FOUND, true, true},
        {CAMPAIGN_UNKNOWN, SUB_ACCEPTED, true, false},
        {CAMPAIGN_UNKNOWN, SUB_ACCEPTED, false, false},
        {CAMPAIGN_UNKNOWN, SUB_GREYLISTED, true, false},
        {CAMPAIGN_UNKNOWN, SUB_GREYLISTED, false, true},
    };
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        const struct claim *claim = &claims[i];
        struct campaign_plan *plan = plan_of(0, claim->is_patient);
        char address[CAMPAIGN_ADDRESS_BYTES], why[CAMPAIGN_WHY_BYTES] = "";
        uint32_t number = find(plan, claim->truth);
        campaign_address(plan, number, address);
        struct record record = {.email = slice_of(address),
                                .ascii = slice_of(address),
                                .sub = claim->sub,
                                .status = verdict_status_of(claim->sub)};
        bool is_right = campaign_judge(plan, number, slice_of(address), &record, why);
        if (is_right != claim->is_right) {
            fail_msg("row %zu: %s", i, why);
        }
        campaign_plan_free(plan);
    }
}

static void answers_to_others_are_seen(void **state)
{
    (void)state;
    struct campaign_plan *plan = plan_of(0, false);
    char mine[CAMPAIGN_ADDRESS_BYTES], other[CAMPAIGN_ADDRESS_BYTES], why[CAMPAIGN_WHY_BYTES];
    char text[CAMPAIGN_ADDRESS_BYTES + 40];
    campaign_address(plan, 0, mine);
    campaign_address(plan, 1, other);
    struct record record = {.email = slice_of(mine),
                            .ascii = slice_of(mine),
                            .sub = SUB_SKIPPED,
                            .status = VERDICT_UNKNOWN};
    assert_true(campaign_judge(plan, 0, slice_of(mine), &record, why));
    assert_false(campaign_judge(plan, 0, slice_of(other), &record, why));
    assert_false(campaign_judge(plan, 1, slice_of(mine), &record, why));
    (void)snprintf(text, sizeof text, "5.1.1 <%s>: User unknown", mine);
    record.smtp.text = slice_of(text);
    assert_true(campaign_judge(plan, 0, slice_of(mine), &record, why));
    (void)snprintf(text, sizeof text, "5.1.1 <%s>: User unknown", other);
    record.smtp.text = slice_of(text);
    assert_false(campaign_judge(plan, 0, slice_of(mine), &record, why));
    record.smtp.text = SLICE("5.1.1 <a.qyxyzew@d0.test>: said of a control");
    assert_true(campaign_judge(plan, 0, slice_of(mine), &record, why));
    campaign_plan_free(plan);
}

static void domains_without_a_way(void **state)
{
    (void)state;
    struct campaign_plan *plan = plan_of(1u << CAMPAIGN_DNS, false);
    for (uint32_t i = 0; i < plan->options.addresses; i++) {
        char address[CAMPAIGN_ADDRESS_BYTES], why[CAMPAIGN_WHY_BYTES];
        campaign_address(plan, i, address);
        struct record record = {.email = slice_of(address),
                                .ascii = slice_of(address),
                                .sub = SUB_NULL_MX,
                                .status = VERDICT_UNDELIVERABLE};
        bool is_null = plan->domains[campaign_domain_of(plan, i)].way == CAMPAIGN_WAY_NULL_MX;
        bool is_dead = campaign_truth(plan, i) == CAMPAIGN_UNKNOWN &&
                       plan->domains[campaign_domain_of(plan, i)].way <= CAMPAIGN_WAY_ALIAS;
        bool is_right = campaign_judge(plan, i, slice_of(address), &record, why);
        assert_true(is_right == is_null || is_dead);
    }
    campaign_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_held_against_the_truth),
        cmocka_unit_test(answers_to_others_are_seen),
        cmocka_unit_test(domains_without_a_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
