/* traffic/forecast: cases that can be reckoned by hand; the sums stand beside them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/forecast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

#define NOW    UINT64_C(1763719200000)
#define MINUTE UINT64_C(60000)
#define HOUR   UINT64_C(3600000)

/* What a row does not name never binds. */
static struct traffic_limits fill(struct traffic_limits limits)
{
    limits.connections = limits.connections == 0 ? 1 : limits.connections;
    limits.rcpts_per_connection = 10;
    limits.transactions_per_connection = 1000;
    limits.rcpts_per_transaction = 1000;
    limits.pipelined_rcpts = limits.pipelined_rcpts == 0 ? 1 : limits.pipelined_rcpts;
    limits.invalids_per_session =
        limits.invalids_per_session == 0 ? 1000 : limits.invalids_per_session;
    limits.invalids_per_hour = limits.invalids_per_hour == 0 ? 1000000 : limits.invalids_per_hour;
    return limits;
}

struct row {
    const char *name;
    struct traffic_limits limits;
    struct traffic_egress egresses[2]; /* a weight of 0: none */
    uint64_t addresses, controls;
    unsigned invalid_percent;
    uint64_t queue_wait_ms;
    bool is_shared, may_greylist;
    /* expected; times within a tenth of a percent and a few milliseconds */
    double probes;
    uint64_t time_ms, whole_ms, wait_ms, skipped;
    enum forecast_limit limit;
};

#define ONE         \
    {               \
        .weight = 1 \
    }
#define NEW                                                     \
    {                                                           \
        .weight = 1, .warm_up = {.since_ms = NOW, .first = 50 } \
    }
#define WEEK UINT64_C(604800000)

static const struct row rows[] = {
    /* Conversations of 4 + 10 round trips of 100 ms, one after the other: ten of 1.4 s. */
    {"connections", .egresses = {ONE}, .addresses = 100, .queue_wait_ms = 5 * MINUTE, .probes = 100,
     .time_ms = 14000, .whole_ms = 14000, .limit = FORECAST_CONNECTIONS},
    /* Four at once: 4 + 1 + 9 / 4 round trips, ten times. Two refusals in a session: so many at once. */
    {"four at once", .limits = {.pipelined_rcpts = 4}, .egresses = {ONE}, .addresses = 100,
     .queue_wait_ms = 5 * MINUTE, .probes = 100, .time_ms = 7250, .whole_ms = 7250,
     .limit = FORECAST_CONNECTIONS},
    {"two at once, for fear of refusals",
     .limits = {.pipelined_rcpts = 4, .invalids_per_session = 2}, .egresses = {ONE},
     .addresses = 100, .queue_wait_ms = 5 * MINUTE, .probes = 100, .time_ms = 9500,
     .whole_ms = 9500, .limit = FORECAST_CONNECTIONS},
    /* 4 + 1 round trips; a queue of one opens one connection of four. */
    {"one address", .limits = {.connections = 4}, .egresses = {ONE}, .addresses = 1,
     .queue_wait_ms = 5 * MINUTE, .probes = 1, .time_ms = 500, .whole_ms = 500,
     .limit = FORECAST_ROUND_TRIPS},
    {"nothing to ask", .egresses = {ONE}, .limit = FORECAST_NOTHING},
    /* Two egresses at a shared system have a connection each: half of the time. */
    {"two egresses, shared system", .egresses = {ONE, ONE}, .addresses = 100,
     .queue_wait_ms = 5 * MINUTE, .is_shared = true, .probes = 100, .time_ms = 7000,
     .whole_ms = 7000, .limit = FORECAST_CONNECTIONS},
    /* At somebody's own server they have one together. */
    {"two egresses, own server", .egresses = {ONE, ONE}, .addresses = 100,
     .queue_wait_ms = 5 * MINUTE, .probes = 100, .time_ms = 14000, .whole_ms = 14000,
     .limit = FORECAST_CONNECTIONS},
    /* A connection may begin each minute, with ten each: the tenth after nine minutes. */
    {"gap", .limits = {.connection_gap_ms = 60000}, .egresses = {ONE}, .addresses = 100,
     .queue_wait_ms = 5 * MINUTE, .probes = 100, .time_ms = 9 * MINUTE, .whole_ms = 9 * MINUTE,
     .limit = FORECAST_GAP},
    /* The first at once, then each 72 s: 49 times that. */
    {"pace", .limits = {.rcpt_gap_ms = 72000}, .egresses = {ONE}, .addresses = 50,
     .queue_wait_ms = 5 * MINUTE, .probes = 50, .time_ms = 49 * 72000, .whole_ms = 49 * 72000,
     .limit = FORECAST_PACE},
    /* A tenth is refused and 20 refusals an hour are allowed: 200 an hour. They take 28 s, the wait for the
     * next share 65 min less that, which is longer than anybody waits: 800 of 1000 are left. For all of
     * them the fifth share begins after four such windows. */
    {"refusals, no patience", .limits = {.invalids_per_hour = 20}, .egresses = {ONE},
     .addresses = 1000, .invalid_percent = 10, .queue_wait_ms = 5 * MINUTE, .probes = 1000,
     .time_ms = 28000, .whole_ms = 4 * 65 * MINUTE + 28000, .wait_ms = 65 * MINUTE - 28000,
     .skipped = 800, .limit = FORECAST_REFUSALS},
    {"refusals, waited for", .limits = {.invalids_per_hour = 20}, .egresses = {ONE},
     .addresses = 1000, .invalid_percent = 10, .queue_wait_ms = 2 * HOUR, .probes = 1000,
     .time_ms = 4 * 65 * MINUTE + 28000, .whole_ms = 4 * 65 * MINUTE + 28000,
     .wait_ms = 65 * MINUTE - 28000, .limit = FORECAST_REFUSALS},
    /* 100 refusals and 10 refused controls in 1010 RCPTs: 20 refusals are used up by 183.6 RCPTs, a session
     * may have 5 of them: still ten RCPTs each, 1.4 s. 1010 are five shares and 92 RCPTs. */
    {"controls are refused", .limits = {.invalids_per_hour = 20}, .egresses = {ONE},
     .addresses = 1000, .controls = 10, .invalid_percent = 10, .queue_wait_ms = 2 * HOUR,
     .probes = 1010, .time_ms = 5 * 65 * MINUTE + 12860, .whole_ms = 5 * 65 * MINUTE + 12860,
     .wait_ms = 65 * MINUTE - 25709, .limit = FORECAST_REFUSALS},
    /* Half is refused and five end a session: ten RCPTs; one: two RCPTs on each of 50 connections of 0.6 s. */
    {"refusals of a session", .limits = {.invalids_per_session = 1}, .egresses = {ONE},
     .addresses = 100, .invalid_percent = 50, .queue_wait_ms = 5 * MINUTE, .probes = 100,
     .time_ms = 30000, .whole_ms = 30000, .limit = FORECAST_CONNECTIONS},
    /* Three days of 100: the third share begins after two windows of 26 h; ten conversations of 1.4 s. */
    {"budget", .egresses = {{.weight = 1, .rcpts_per_day = 100}}, .addresses = 300,
     .queue_wait_ms = WEEK, .probes = 300, .time_ms = 52 * HOUR + 14000,
     .whole_ms = 52 * HOUR + 14000, .wait_ms = 26 * HOUR - 14000, .limit = FORECAST_BUDGET},
    /* 50, 100, 200 and the rest of 400: the fourth day, of which 50 RCPTs are five conversations. */
    {"warm-up", .egresses = {NEW}, .addresses = 400, .queue_wait_ms = WEEK, .probes = 400,
     .time_ms = 78 * HOUR + 7000, .whole_ms = 78 * HOUR + 7000, .wait_ms = 26 * HOUR - 7000,
     .limit = FORECAST_WARM_UP},
    {"warm-up, no patience", .egresses = {NEW}, .addresses = 400, .queue_wait_ms = 5 * MINUTE,
     .probes = 400, .time_ms = 7000, .whole_ms = 78 * HOUR + 7000, .wait_ms = 26 * HOUR - 7000,
     .skipped = 350, .limit = FORECAST_WARM_UP},
    /* A warm one beside it takes what the new one may not: 50 and 450 RCPTs at the same speed. */
    {"a new egress and a warm one", .egresses = {NEW, ONE}, .addresses = 500,
     .queue_wait_ms = 5 * MINUTE, .is_shared = true, .probes = 500, .time_ms = 63000,
     .whole_ms = 63000, .wait_ms = 0, .limit = FORECAST_CONNECTIONS},
    /* A tenth of 100 once more. */
    {"greylisting", .egresses = {ONE}, .addresses = 100, .queue_wait_ms = 5 * MINUTE,
     .may_greylist = true, .probes = 110, .time_ms = 15400, .whole_ms = 15400,
     .limit = FORECAST_CONNECTIONS},
    {"no family", .egresses = {{.weight = 1, .no_ipv4 = true}}, .addresses = 9, .probes = 9,
     .skipped = 9, .limit = FORECAST_NO_WAY},
    {"never", .limits = {.rcpt_gap_ms = 3600000}, .egresses = {ONE}, .addresses = 1000000,
     .queue_wait_ms = 5 * MINUTE, .probes = 1000000, .time_ms = FORECAST_FOREVER_MS,
     .whole_ms = FORECAST_FOREVER_MS, .limit = FORECAST_PACE},
};

static struct forecast_assumptions assumed_by(const struct row *row)
{
    return (struct forecast_assumptions){
        .invalid_share = row->invalid_percent / 100.0,
        .greylist_share = 0.1,
        .rtt_ms = 100,
        .greylist_wait_ms = 300000,
        .queue_wait_ms = row->queue_wait_ms,
        .connections_max = 500,
    };
}

static void make_pool(struct traffic_pool *pool, const struct traffic_egress *egresses)
{
    size_t count = egresses[1].weight == 0 ? 1 : 2;
    assert_int_equal(traffic_pool_init(pool, egresses, count), ERR_NONE);
}

static void assert_near(const char *name, const char *what, uint64_t is, uint64_t wanted)
{
    uint64_t slack = wanted / 1000 + 5;
    if (is + slack < wanted || is > wanted + slack) {
        fail_msg("%s: %s is %llu, not %llu", name, what, (unsigned long long)is,
                 (unsigned long long)wanted);
    }
}

static void test_sites(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct traffic_pool pool;
        struct traffic_site site;
        struct forecast_outlook out;
        struct forecast_assumptions assumed = assumed_by(row);
        struct forecast_demand demand = {.addresses = row->addresses,
                                         .controls = row->controls,
                                         .has_ipv4 = true,
                                         .may_greylist = row->may_greylist};
        make_pool(&pool, row->egresses);
        struct traffic_limits limits = fill(row->limits);
        traffic_site_init(&site, &limits, row->is_shared);
        traffic_forecast_site(&pool, &site, &demand, &assumed, NOW, &out);
        assert_near(row->name, "time", out.time_ms, row->time_ms);
        assert_near(row->name, "whole time", out.whole_ms, row->whole_ms);
        assert_near(row->name, "wait", out.wait_ms, row->wait_ms);
        assert_near(row->name, "probes x 10", (uint64_t)(out.probes * 10),
                    (uint64_t)(row->probes * 10));
        if (out.limit != row->limit || out.skipped != row->skipped) {
            fail_msg("%s: bound by %s, %llu skipped", row->name, forecast_limit_name(out.limit),
                     (unsigned long long)out.skipped);
        }
        traffic_site_done(&site);
        traffic_pool_done(&pool);
    }
}

/* What was learned of a path counts: blocked, it is none; its warm-up goes on where it is. */
static void test_what_was_learned(void **state)
{
    (void)state;
    static const struct traffic_egress egresses[2] = {NEW};
    const struct traffic_limits limits = fill((struct traffic_limits){.connections = 1});
    const struct forecast_demand demand = {.addresses = 400, .has_ipv4 = true};
    const struct forecast_assumptions assumed = {
        .rtt_ms = 100, .connections_max = 1, .queue_wait_ms = WEEK};
    struct traffic_pool pool;
    struct traffic_site site;
    struct forecast_outlook out;
    make_pool(&pool, egresses);
    traffic_site_init(&site, &limits, true);
    struct traffic_path *path = traffic_pool_path(&pool, &site, 0, NOW);
    assert_non_null(path);
    path->warmup.stage = 3; /* 400 today */
    traffic_forecast_site(&pool, &site, &demand, &assumed, NOW, &out);
    assert_near("stage 3", "time", out.time_ms, 56000);
    path->health.state = TRAFFIC_BLOCKED;
    traffic_forecast_site(&pool, &site, &demand, &assumed, NOW, &out);
    assert_int_equal(out.limit, FORECAST_NO_WAY);
    assert_int_equal(out.skipped, 400);
    traffic_site_done(&site);
    traffic_pool_done(&pool);
}

struct sum {
    const char *name;
    unsigned sites, connections_max;
    uint32_t per_day;
    bool may_greylist;
    uint64_t time_ms;
    enum forecast_limit limit;
};

/* Sites of 100 addresses, 14 s each. */
static void test_totals(void **state)
{
    (void)state;
    static const struct sum sums[] = {
        {"the slowest site", .sites = 3, .connections_max = 10, .time_ms = 14000,
         .limit = FORECAST_CONNECTIONS},
        {"connections over all", .sites = 30, .connections_max = 10, .time_ms = 42000,
         .limit = FORECAST_ALL_CONNECTIONS},
        {"budget over all", .sites = 3, .connections_max = 10, .per_day = 100, .time_ms = 52 * HOUR,
         .limit = FORECAST_BUDGET},
        {"greylisting", .sites = 1, .connections_max = 10, .may_greylist = true, .time_ms = 300000,
         .limit = FORECAST_GREYLISTING},
        {"nothing", .sites = 0, .connections_max = 10, .limit = FORECAST_NOTHING},
    };
    const struct traffic_limits limits = fill((struct traffic_limits){.connections = 1});
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        const struct sum *sum = &sums[i];
        const struct traffic_egress egresses[2] = {{.weight = 1, .rcpts_per_day = sum->per_day}};
        const struct forecast_demand demand = {
            .addresses = 100, .has_ipv4 = true, .may_greylist = sum->may_greylist};
        const struct forecast_assumptions assumed = {.rtt_ms = 100,
                                                     .greylist_share = 0.1,
                                                     .greylist_wait_ms = 300000,
                                                     .queue_wait_ms = WEEK,
                                                     .connections_max = sum->connections_max};
        struct traffic_pool pool;
        struct traffic_site site;
        struct forecast_total total = {.addresses = 0};
        make_pool(&pool, egresses);
        traffic_site_init(&site, &limits, false);
        for (unsigned k = 0; k < sum->sites; k++) {
            struct forecast_outlook out;
            traffic_forecast_site(&pool, &site, &demand, &assumed, NOW, &out);
            forecast_total_add(&total, &demand, &out);
        }
        forecast_total_finish(&total, &pool, &assumed);
        assert_near(sum->name, "time", total.time_ms, sum->time_ms);
        assert_string_equal(forecast_limit_name(total.limit), forecast_limit_name(sum->limit));
        assert_int_equal(total.addresses, sum->sites * 100);
        traffic_site_done(&site);
        traffic_pool_done(&pool);
    }
}

/* More work or tighter limits never take less time. */
static void test_monotone(void **state)
{
    (void)state;
    static const struct traffic_egress egresses[2] = {NEW, {.weight = 1, .rcpts_per_day = 700}};
    const struct forecast_assumptions assumed = {
        .invalid_share = 0.2, .rtt_ms = 150, .connections_max = 10, .queue_wait_ms = WEEK};
    struct traffic_pool pool;
    make_pool(&pool, egresses);
    for (unsigned per_hour = 5; per_hour <= 500; per_hour *= 10) {
        uint64_t last_ms = 0;
        const struct traffic_limits limits =
            fill((struct traffic_limits){.invalids_per_hour = per_hour});
        for (uint64_t addresses = 1; addresses < 100000; addresses *= 3) {
            const struct forecast_demand demand = {.addresses = addresses, .has_ipv4 = true};
            struct traffic_site site;
            struct forecast_outlook out;
            traffic_site_init(&site, &limits, true);
            traffic_forecast_site(&pool, &site, &demand, &assumed, NOW, &out);
            assert_true(out.whole_ms >= last_ms);
            assert_true(out.time_ms <= out.whole_ms);
            assert_true(out.skipped <= addresses);
            last_ms = out.whole_ms;
            traffic_site_done(&site);
        }
    }
    traffic_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sites),
        cmocka_unit_test(test_what_was_learned),
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_monotone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
