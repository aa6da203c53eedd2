/* traffic/site: no limit is ever exceeded, and what a site teaches is kept.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"

static const struct traffic_limits limits = {
    .connections = 4,
    .rcpts_per_connection = 20,
    .rcpts_per_transaction = 20,
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
               [PROVIDER_RCPT_GAP_MS] = 400,
               [PROVIDER_INVALIDS_PER_SESSION] = 2,
               [PROVIDER_INVALIDS_PER_HOUR] = 40,
               [PROVIDER_COOLDOWN_S] = 60},
};

static void test_connections(void **state)
{
    (void)state;
    struct traffic_site site;
    traffic_site_init(&site, &limits);
    uint64_t now = 1000;
    for (unsigned i = 0; i < limits.connections; i++) {
        assert_true(traffic_site_connect_at(&site, now) <= now);
        traffic_site_opened(&site, now);
        if (i + 1 < limits.connections) {
            assert_int_equal(traffic_site_connect_at(&site, now), now + limits.connection_gap_ms);
        }
        now += limits.connection_gap_ms;
    }
    assert_true(traffic_site_connect_at(&site, now) == TRAFFIC_NEVER);
    traffic_site_closed(&site);
    assert_int_equal(traffic_site_connect_at(&site, now), now);
}

/* Rows 60 and 110: never more refused RCPTs within any hour than the limit, whatever the order. */
static void test_invalids_in_any_hour(void **state)
{
    (void)state;
    struct random random = {.state = 7};
    struct traffic_site site;
    traffic_site_init(&site, &limits);
    uint64_t refused_at[4096];
    size_t refused = 0;
    unsigned asking = 0;
    uint64_t now = 5;
    for (size_t step = 0; step < 20000 && refused < 4096; step++) {
        now += random_below(&random, 60000);
        if (asking > 0 && random_below(&random, 2) == 0) {
            traffic_site_answered(&site, true, now);
            refused_at[refused++] = now;
            asking--;
        } else if (traffic_site_ask_at(&site, now) <= now) {
            traffic_site_asked(&site, now);
            asking++;
        }
    }
    assert_true(refused > 100);
    for (size_t i = limits.invalids_per_hour; i < refused; i++) {
        assert_true(refused_at[i] - refused_at[i - limits.invalids_per_hour] >= 3600000);
    }
}

static void test_ask_at_names_a_time(void **state)
{
    (void)state;
    struct traffic_site site;
    traffic_site_init(&site, &limits);
    uint64_t now = 1000000;
    for (unsigned i = 0; i < limits.invalids_per_hour; i++) {
        traffic_site_asked(&site, now);
    }
    assert_true(traffic_site_ask_at(&site, now) == TRAFFIC_NEVER); /* an answer may make room */
    for (unsigned i = 0; i < limits.invalids_per_hour; i++) {
        traffic_site_answered(&site, true, now);
    }
    uint64_t at = traffic_site_ask_at(&site, now);
    assert_true(at >= now + 3600000 && at <= now + 3600000 + TRAFFIC_SLOT_MS);
    assert_true(traffic_site_ask_at(&site, at) <= at);
}

static void test_learning(void **state)
{
    (void)state;
    struct traffic_site site;
    traffic_site_init(&site, &limits);
    traffic_site_opened(&site, 0);
    traffic_site_opened(&site, 0);
    traffic_site_opened(&site, 0);
    traffic_site_crowded(&site); /* row 36: the third was turned away */
    assert_int_equal(site.limits.connections, 2);
    traffic_site_session_cut(&site, 5); /* row 34 */
    assert_false(traffic_session_may_ask(&site, 5, 0));
    assert_true(traffic_session_may_ask(&site, 4, 0));
    traffic_site_transaction_cut(&site, 1); /* row 35 */
    assert_int_equal(site.limits.rcpts_per_transaction, 1);
    assert_false(traffic_session_may_ask(&site, 1, limits.invalids_per_session));
}

static void test_pause_grows_and_is_forgotten(void **state)
{
    (void)state;
    struct traffic_site site;
    traffic_site_init(&site, &limits);
    traffic_site_slowed(&site, 0, 0);
    assert_int_equal(traffic_site_connect_at(&site, 0), TRAFFIC_PAUSE_MS_MIN);
    traffic_site_slowed(&site, 0, 0);
    assert_int_equal(traffic_site_connect_at(&site, 0), 2 * TRAFFIC_PAUSE_MS_MIN);
    assert_int_equal(site.limits.connections, 1);
    for (int i = 0; i < 20; i++) {
        traffic_site_slowed(&site, 0, 4000000000u);
    }
    assert_int_equal(traffic_site_connect_at(&site, 0), TRAFFIC_PAUSE_MS_MAX);
    for (int i = 0; i < 20; i++) {
        traffic_site_went_well(&site);
    }
    assert_int_equal(site.pause_ms, 0);
}

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
    static const struct traffic_ceilings more = {50, 100, 1000};
    static const struct traffic_ceilings less = {1, 4, 10};
    struct traffic_limits got = traffic_limits_of(&plain, &more);
    assert_int_equal(got.connections, 3); /* never more than the provider's */
    assert_int_equal(got.rcpts_per_connection, 100);
    assert_int_equal(got.transactions_per_connection, 100);
    assert_int_equal(got.invalids_per_session, 100);
    assert_int_equal(got.invalids_per_hour, 1000);
    got = traffic_limits_of(&plain, &less);
    assert_int_equal(got.connections, 1);
    assert_int_equal(got.rcpts_per_connection, 4);
    assert_int_equal(got.invalids_per_hour, 10);
    got = traffic_limits_of(&one_by_one, &more);
    assert_int_equal(got.rcpts_per_transaction, 1); /* the shape stays */
    got = traffic_limits_of(&shy, &more);
    assert_int_equal(got.rcpts_per_connection, 13);
    assert_int_equal(got.invalids_per_session, 2);
    assert_int_equal(got.invalids_per_hour, 40);
    got = traffic_limits_of(&shy, &less);
    assert_int_equal(got.rcpts_per_connection, 4);
    assert_int_equal(got.invalids_per_hour, 10);
}

/* Never two RCPTs nearer than the pace, whatever connections they are on. */
static void test_pace(void **state)
{
    (void)state;
    struct traffic_limits paced = limits;
    paced.rcpt_gap_ms = 400;
    struct traffic_site site;
    traffic_site_init(&site, &paced);
    uint64_t now = 1000;
    assert_int_equal(traffic_site_ask_at(&site, now), now);
    for (unsigned i = 0; i < 5; i++) {
        traffic_site_asked(&site, now);
        assert_int_equal(traffic_site_ask_at(&site, now), now + 400);
        assert_int_equal(traffic_site_ask_at(&site, now + 399), now + 400);
        now += 400;
        assert_int_equal(traffic_site_ask_at(&site, now), now);
        traffic_site_answered(&site, false, now);
    }
}

static void test_cooldown(void **state)
{
    (void)state;
    struct traffic_limits cooling = limits;
    cooling.cooldown_ms = 1800000;
    struct traffic_site site;
    traffic_site_init(&site, &cooling);
    traffic_site_slowed(&site, 5000, 0);
    assert_int_equal(traffic_site_connect_at(&site, 5000), 5000 + 1800000);
    traffic_site_slowed(&site, 6000, 7200); /* a delay that is named adds nothing above the pause */
    assert_int_equal(traffic_site_connect_at(&site, 6000), 6000 + 1800000);
    cooling.cooldown_ms = 10;
    traffic_site_init(&site, &cooling);
    traffic_site_slowed(&site, 0, 0);
    assert_int_equal(traffic_site_connect_at(&site, 0), TRAFFIC_PAUSE_MS_MIN);
}

static void test_tightening(void **state)
{
    (void)state;
    const struct traffic_ceilings none = {0};
    struct traffic_limits theirs = traffic_limits_of(&plain, &none);
    struct traffic_site site;
    traffic_site_init(&site, &limits);
    traffic_site_tighten(&site, &theirs);
    const struct traffic_limits want = {
        .connections = 3,
        .rcpts_per_connection = 13,
        .transactions_per_connection = 7,
        .rcpts_per_transaction = 5,
        .invalids_per_session = 2,
        .invalids_per_hour = 10,
        .connection_gap_ms = 250,
        .rcpt_gap_ms = 400,
        .cooldown_ms = 60000,
    };
    assert_memory_equal(&site.limits, &want, sizeof want);
}

/* A limit above what a small counter holds binds too. */
static void test_many_invalids(void **state)
{
    (void)state;
    struct traffic_limits wide = limits;
    wide.invalids_per_hour = 70000;
    struct traffic_site site;
    traffic_site_init(&site, &wide);
    for (unsigned i = 0; i < wide.invalids_per_hour; i++) {
        assert_true(traffic_site_ask_at(&site, 1000) <= 1000);
        traffic_site_asked(&site, 1000);
        traffic_site_answered(&site, true, 1000);
    }
    assert_true(traffic_site_ask_at(&site, 1000) > 1000);
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
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_invalids_in_any_hour),
        cmocka_unit_test(test_ask_at_names_a_time),
        cmocka_unit_test(test_learning),
        cmocka_unit_test(test_pause_grows_and_is_forgotten),
        cmocka_unit_test(test_limits_of_a_provider),
        cmocka_unit_test(test_what_the_user_says_for_all),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_cooldown),
        cmocka_unit_test(test_tightening),
        cmocka_unit_test(test_many_invalids),
        cmocka_unit_test(test_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
