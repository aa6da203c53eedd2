/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "verify/control.h"

enum { ADDRESSES = 3000 };

static struct campaign_plan *plan_of(uint64_t seed, uint32_t addresses, unsigned faults)
{
    const struct campaign_options options = {
        .seed = seed, .addresses = addresses, .faults = faults};
    struct campaign_plan *plan;
    assert_int_equal(campaign_plan_new(&options, &plan), ERR_NONE);
    return plan;
}

static void every_address_is_read_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct campaign_plan *plan = plan_of(seed, ADDRESSES, CAMPAIGN_FAULTS_USUAL);
        for (uint32_t i = 0; i < ADDRESSES; i++) {
            char address[CAMPAIGN_ADDRESS_BYTES];
            campaign_address(plan, i, address);
            assert_int_equal(campaign_number(plan, slice_of(address)), i);
            uint32_t domain = campaign_domain_of(plan, i);
            assert_true(plan->domains[domain].first <= i);
            assert_true(domain + 1 == plan->domain_count || plan->domains[domain + 1].first > i);
        }
        campaign_plan_free(plan);
    }
}

static void what_is_not_of_the_plan_is_nobody(void **state)
{
    (void)state;
    struct campaign_plan *plan = plan_of(1, ADDRESSES, 0);
    static const char *const paths[] = {
        "",         "postmaster",           "@d0.test",           "anna@d0.test",
        "anna0",    "anna0@d99999.test",    "anna0@e0.test",      "anna4294967295@d0.test",
        "@",        "anna99999999@d0.test", "anna0@d0.test.test", "zzzzz@d0.test",
        "a@d0.tes", "anna0@d.test",         "aaaaa@d0.test",      "\"anna0\"@d0.test",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (campaign_number(plan, slice_of(paths[i])) != UINT32_MAX) {
            fail_msg("%s", paths[i]);
        }
    }
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        char address[CAMPAIGN_ADDRESS_BYTES], control[CONTROL_CHARS_MAX + 1];
        char path[CONTROL_CHARS_MAX + CAMPAIGN_ADDRESS_BYTES];
        campaign_address(plan, i, address);
        const char *at = strchr(address, '@');
        control_make(slice_make(address, (size_t)(at - address)), i, control);
        (void)snprintf(path, sizeof path, "%s%s", control, at);
        assert_int_equal(campaign_number(plan, slice_of(path)), UINT32_MAX);
    }
    campaign_plan_free(plan);
}

static void the_same_seed_is_the_same_plan(void **state)
{
    (void)state;
    struct campaign_plan *one = plan_of(7, ADDRESSES, CAMPAIGN_FAULTS_USUAL);
    struct campaign_plan *two = plan_of(7, ADDRESSES, CAMPAIGN_FAULTS_USUAL);
    assert_int_equal(one->site_count, two->site_count);
    assert_int_equal(one->domain_count, two->domain_count);
    for (uint32_t i = 0; i < one->site_count; i++) {
        assert_int_equal(one->sites[i].faults, two->sites[i].faults);
        assert_string_equal(one->sites[i].hosts[0].ip, two->sites[i].hosts[0].ip);
    }
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        char a[CAMPAIGN_ADDRESS_BYTES], b[CAMPAIGN_ADDRESS_BYTES];
        campaign_address(one, i, a);
        campaign_address(two, i, b);
        assert_string_equal(a, b);
        assert_int_equal(campaign_truth(one, i), campaign_truth(two, i));
    }
    campaign_plan_free(one);
    campaign_plan_free(two);
}

static void only_allowed_faults_are_drawn(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < CAMPAIGN_FAULTS; fault++) {
        unsigned drawn = 0;
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct campaign_plan *plan = plan_of(seed, 500, 1u << fault);
            for (uint32_t i = 0; i < plan->site_count; i++) {
                drawn |= plan->sites[i].faults;
            }
            for (uint32_t i = 0; i < plan->domain_count && fault != CAMPAIGN_DNS; i++) {
                assert_true(plan->domains[i].way <= CAMPAIGN_WAY_ALIAS);
            }
            campaign_plan_free(plan);
        }
        assert_int_equal(drawn, 1u << fault);
    }
}

static void hosts_are_found_by_their_address(void **state)
{
    (void)state;
    struct campaign_plan *plan = plan_of(3, ADDRESSES, CAMPAIGN_FAULTS_USUAL);
    for (uint32_t i = 0; i < plan->site_count; i++) {
        for (unsigned n = 0; n < plan->sites[i].host_count; n++) {
            struct ip ip;
            assert_true(ip_parse(slice_of(plan->sites[i].hosts[n].ip), &ip));
            assert_ptr_equal(campaign_site_at(plan, &ip), &plan->sites[i]);
            if (plan->sites[i].hosts[n].ip6[0] != '\0') {
                assert_true(ip_parse(slice_of(plan->sites[i].hosts[n].ip6), &ip));
                assert_ptr_equal(campaign_site_at(plan, &ip), &plan->sites[i]);
            }
        }
    }
    struct ip stranger;
    assert_true(ip_parse(SLICE("10.1.2.3"), &stranger));
    assert_null(campaign_site_at(plan, &stranger));
    campaign_plan_free(plan);
}

static void one_address_is_a_plan(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct campaign_plan *plan = plan_of(seed, 1, CAMPAIGN_FAULTS_USUAL);
        assert_int_equal(campaign_domain_of(plan, 0), plan->domain_count - 1);
        campaign_plan_free(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_address_is_read_back),
        cmocka_unit_test(what_is_not_of_the_plan_is_nobody),
        cmocka_unit_test(the_same_seed_is_the_same_plan),
        cmocka_unit_test(only_allowed_faults_are_drawn),
        cmocka_unit_test(hosts_are_found_by_their_address),
        cmocka_unit_test(one_address_is_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
