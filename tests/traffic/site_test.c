/* traffic/site: its limits, its name, and what it teaches.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static const struct traffic_limits limits = {
    .connections = 4,
    .rcpts_per_connection = 20,
    .rcpts_per_transaction = 20,
    .pipelined_rcpts = 6,
    .invalids_per_session = 5,
    .invalids_per_hour = 10,
    .connection_gap_ms = 100,
    .transactions_per_connection = 20,
};

static const struct provider plain = {
    .class = PROVIDER_BUSINESS,
    .limits = {[PROVIDER_CONNECTIONS] = 3,
               [PROVIDER_CONNECTION_GAP_MS] = 250,
               [PROVIDER_RCPTS_PER_CONNECTION] = 13,
               [PROVIDER_TRANSACTIONS_PER_CONNECTION] = 7,
               [PROVIDER_RCPTS_PER_TRANSACTION] = 5,
               [PROVIDER_PIPELINED_RCPTS] = 3,
               [PROVIDER_RCPT_GAP_MS] = 400,
               [PROVIDER_INVALIDS_PER_SESSION] = 2,
               [PROVIDER_INVALIDS_PER_HOUR] = 40,
               [PROVIDER_COOLDOWN_S] = 60},
};

/* Every limit of a provider is one of its sites. */
static void test_limits_of_a_provider(void **state)
{
    (void)state;
    const struct traffic_ceilings none = {0};
    const struct traffic_limits want = {
        .connections = 3,
        .rcpts_per_connection = 13,
        .transactions_per_connection = 7,
        .rcpts_per_transaction = 5,
        .pipelined_rcpts = 3,
        .invalids_per_session = 2,
        .invalids_per_hour = 40,
        .connection_gap_ms = 250,
        .rcpt_gap_ms = 400,
        .cooldown_ms = 60000,
    };
    struct traffic_limits got = traffic_limits_of(&plain, &none);
    assert_memory_equal(&got, &want, sizeof want);
}

static void test_what_the_user_says_for_all(void **state)
{
    (void)state;
    struct provider shy = plain;
    shy.traits = PROVIDER_FORBIDS_PROBING;
    struct provider one_by_one = plain;
    one_by_one.limits[PROVIDER_RCPTS_PER_TRANSACTION] = 1;
    static const struct traffic_ceilings more = {50, 100, 9, 1000};
    static const struct traffic_ceilings less = {1, 4, 2, 10};
    struct traffic_limits got = traffic_limits_of(&plain, &more);
    assert_int_equal(got.connections, 3); /* never more than the provider's */
    assert_int_equal(got.rcpts_per_connection, 100);
    assert_int_equal(got.transactions_per_connection, 100);
    assert_int_equal(got.invalids_per_session, 100);
    assert_int_equal(got.pipelined_rcpts, 9);
    assert_int_equal(got.invalids_per_hour, 1000);
    got = traffic_limits_of(&plain, &less);
    assert_int_equal(got.connections, 1);
    assert_int_equal(got.rcpts_per_connection, 4);
    assert_int_equal(got.pipelined_rcpts, 2);
    assert_int_equal(got.invalids_per_hour, 10);
    got = traffic_limits_of(&one_by_one, &more);
    assert_int_equal(got.rcpts_per_transaction, 1); /* the shape stays */
    got = traffic_limits_of(&shy, &more);
    assert_int_equal(got.rcpts_per_connection, 13);
    assert_int_equal(got.pipelined_rcpts, 3);
    assert_int_equal(got.invalids_per_session, 2);
    assert_int_equal(got.invalids_per_hour, 40);
    got = traffic_limits_of(&shy, &less);
    assert_int_equal(got.rcpts_per_connection, 4);
    assert_int_equal(got.invalids_per_hour, 10);
}

/* Nobody knows what somebody's own server bears: half of the limit to begin with, unless the user says. */
static void test_own_servers_begin_low(void **state)
{
    (void)state;
    struct provider own = plain;
    own.class = PROVIDER_SELFHOSTED;
    const struct traffic_ceilings none = {0};
    const struct traffic_ceilings two = {.per_site = 2};
    assert_int_equal(traffic_limits_of(&own, &none).connections, 3);
    assert_int_equal(traffic_limits_of(&own, &none).connections_first, 2);
    assert_int_equal(traffic_limits_of(&own, &two).connections, 2);
    assert_int_equal(traffic_limits_of(&own, &two).connections_first, 0);
    assert_int_equal(traffic_limits_of(&plain, &none).connections_first, 0);
}

static void test_learning(void **state)
{
    (void)state;
    struct traffic_site site;
    traffic_site_init(&site, &limits, false);
    traffic_site_session_cut(&site, 5); /* row 34 */
    assert_false(traffic_site_may_ask(&site, 5, 0));
    assert_true(traffic_site_may_ask(&site, 4, 0));
    traffic_site_session_cut(&site, 0);
    traffic_site_session_cut(&site, 7);
    assert_int_equal(site.limits.rcpts_per_connection, 5);
    traffic_site_transaction_cut(&site, 1); /* row 35 */
    assert_int_equal(site.limits.rcpts_per_transaction, 1);
    assert_int_equal(site.limits.pipelined_rcpts, 6);
    traffic_site_pipeline_broke(&site, 1763719200000);
    assert_int_equal(site.limits.pipelined_rcpts, 1);
    assert_int_equal(site.broke_ms, 1763719200000);
    assert_false(traffic_site_may_ask(&site, 1, limits.invalids_per_session));
    traffic_site_done(&site);
}

static void test_tightening(void **state)
{
    (void)state;
    const struct traffic_ceilings none = {0};
    struct traffic_limits theirs = traffic_limits_of(&plain, &none);
    struct traffic_site site;
    traffic_site_init(&site, &limits, false);
    traffic_site_tighten(&site, &theirs);
    const struct traffic_limits want = {
        .connections = 3,
        .rcpts_per_connection = 13,
        .transactions_per_connection = 7,
        .rcpts_per_transaction = 5,
        .pipelined_rcpts = 3,
        .invalids_per_session = 2,
        .invalids_per_hour = 10,
        .connection_gap_ms = 250,
        .rcpt_gap_ms = 400,
        .cooldown_ms = 60000,
    };
    assert_memory_equal(&site.limits, &want, sizeof want);
}

static void test_key(void **state)
{
    (void)state;
    struct route *route = test_calloc(1, sizeof *route + 2 * sizeof(struct exchanger));
    route->exchanger_count = 2;
    memcpy(route->exchangers[0].host, "mx2.example.org", 16);
    memcpy(route->exchangers[1].host, "mx1.example.org", 16);
    struct provider own = {.name = SLICE_LITERAL("default"), .class = PROVIDER_SELFHOSTED};
    struct provider google = {.name = SLICE_LITERAL("google"), .class = PROVIDER_WEBMAIL};
    char key[TRAFFIC_KEY_BYTES];
    traffic_site_key(route, &own, key);
    assert_string_equal(
        key, "mx1.example.org mx2.example.org "); /* the order of exchangers is no part */
    traffic_site_key(route, &google, key);
    assert_string_equal(key, "@google");
    test_free(route);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_of_a_provider),
        cmocka_unit_test(test_what_the_user_says_for_all),
        cmocka_unit_test(test_own_servers_begin_low),
        cmocka_unit_test(test_tightening),
        cmocka_unit_test(test_learning),
        cmocka_unit_test(test_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
