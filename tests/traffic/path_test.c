/* traffic/path: no limit between an egress and a site is ever exceeded.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"

#define HOUR_MS UINT64_C(3600000)
#define START   UINT64_C(1763719200000)

static const struct traffic_limits limits = {
    .connections = 4,
    .rcpts_per_connection = 20,
    .transactions_per_connection = 20,
    .rcpts_per_transaction = 20,
    .invalids_per_session = 5,
    .invalids_per_hour = 10,
    .connection_gap_ms = 100,
};

static struct traffic_pool_egress egress(void)
{
    return (struct traffic_pool_egress){
        .egress = {.name = SLICE_LITERAL("a"), .weight = 1},
        .day.slot_ms = TRAFFIC_DAY_SLOT_MS,
    };
}

/* A path on which one RCPT is under way, and what may come between. */
static void test_when_rcpts_go_together(void **state)
{
    (void)state;
    const struct traffic_answer good = {.word = TRAFFIC_WORD_GOOD, .latency_ms = 20};
    const struct traffic_answer rate = {.word = TRAFFIC_WORD_RATE};
    const struct traffic_answer busy = {.word = TRAFFIC_WORD_BUSY};
    const struct traffic_answer block = {.word = TRAFFIC_WORD_BLOCK_CERTAIN};
    const struct traffic_answer held_back = {.word = TRAFFIC_WORD_GOOD, .latency_ms = 9000};
    static const struct {
        const char *name;
        size_t answer; /* of those below */
        bool may;
    } rows[] = {
        {"good answers", 0, true}, {"a word about rate", 1, false}, {"a busy server", 2, false},
        {"a block", 3, false},     {"a tarpit", 4, false},
    };
    const struct traffic_answer *answers[] = {&good, &rate, &busy, &block, &held_back};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct traffic_pool_egress way = egress();
        struct traffic_site site;
        struct traffic_path path;
        traffic_site_init(&site, &limits, true);
        traffic_path_init(&path, &site, &way, START);
        assert_false(traffic_path_opened(&path, START));
        for (unsigned n = 0; n < 3; n++) {
            traffic_path_asked(&path, START);
            (void)traffic_path_answered(&path, answers[rows[i].answer], START);
        }
        traffic_path_asked(&path, START);
        if (traffic_path_may_pipeline(&path, false, START) != rows[i].may) {
            fail_msg("after %s", rows[i].name);
        }
        assert_false(traffic_path_may_pipeline(&path, true, START)); /* a trial */
    }
}

/* Each other conversation keeps a place in the hour, and the pace holds. */
static void test_how_many_go_together(void **state)
{
    (void)state;
    struct traffic_pool_egress way = egress();
    struct traffic_limits slow = limits;
    struct traffic_site site;
    struct traffic_path path;
    traffic_site_init(&site, &limits, true);
    traffic_path_init(&path, &site, &way, START);
    for (unsigned i = 0; i < 3; i++) {
        assert_false(traffic_path_opened(&path, START));
    }
    unsigned under_way = 0;
    do {
        traffic_path_asked(&path, START);
        under_way++;
    } while (traffic_path_may_pipeline(&path, false, START));
    assert_int_equal(under_way, limits.invalids_per_hour - 3);
    slow.rcpt_gap_ms = 50;
    traffic_site_init(&site, &slow, true);
    traffic_path_init(&path, &site, &way, START);
    traffic_path_asked(&path, START);
    assert_false(traffic_path_may_pipeline(&path, false, START));
    assert_true(traffic_path_may_pipeline(&path, false, START + 50));
}

/* Rows 60 and 110: never more refused RCPTs within any hour than the limit, whatever the order. */
static void test_invalids_in_any_hour(void **state)
{
    (void)state;
    struct random random = {.state = 7};
    struct traffic_pool_egress way = egress();
    struct traffic_site site;
    struct traffic_path path;
    traffic_site_init(&site, &limits, true);
    traffic_path_init(&path, &site, &way, START);
    uint64_t refused_at[4096];
    size_t refused = 0;
    unsigned asking = 0;
    uint64_t now = START;
    for (size_t step = 0; step < 20000 && refused < 4096; step++) {
        now += random_below(&random, 60000);
        if (asking > 0 && random_below(&random, 2) == 0) {
            struct traffic_answer answer = {.word = TRAFFIC_WORD_GOOD, .is_invalid = true};
            assert_false(traffic_path_answered(&path, &answer, now));
            refused_at[refused++] = now;
            asking--;
        } else if (traffic_path_ask_at(&path, now) <= now) {
            traffic_path_asked(&path, now);
            asking++;
        }
    }
    assert_true(refused > 100);
    for (size_t i = limits.invalids_per_hour; i < refused; i++) {
        assert_true(refused_at[i] - refused_at[i - limits.invalids_per_hour] >= HOUR_MS);
    }
}

static void test_ask_at_names_a_time(void **state)
{
    (void)state;
    struct traffic_pool_egress way = egress();
    struct traffic_site site;
    struct traffic_path path;
    traffic_site_init(&site, &limits, true);
    traffic_path_init(&path, &site, &way, START);
    for (unsigned i = 0; i < limits.invalids_per_hour; i++) {
        traffic_path_asked(&path, START);
    }
    assert_true(traffic_path_ask_at(&path, START) == TRAFFIC_NEVER); /* an answer may make room */
    struct traffic_answer refused = {.word = TRAFFIC_WORD_GOOD, .is_invalid = true};
    for (unsigned i = 0; i < limits.invalids_per_hour; i++) {
        assert_false(traffic_path_answered(&path, &refused, START));
    }
    uint64_t at = traffic_path_ask_at(&path, START);
    assert_true(at >= START + HOUR_MS && at <= START + HOUR_MS + TRAFFIC_HOUR_SLOT_MS);
    assert_true(traffic_path_ask_at(&path, at) <= at);
}

static void test_days_budget(void **state)
{
    (void)state;
    struct traffic_pool_egress way = egress();
    way.egress.rcpts_per_day = 30;
    struct traffic_site sites[2];
    struct traffic_path paths[2];
    for (size_t i = 0; i < 2; i++) {
        traffic_site_init(&sites[i], &limits, true);
        traffic_path_init(&paths[i], &sites[i], &way, START);
    }
    uint64_t asked_at[200];
    size_t asked = 0;
    struct traffic_answer good = {.word = TRAFFIC_WORD_GOOD};
    for (uint64_t now = START; asked < 200; now += 600000) {
        struct traffic_path *path = &paths[asked % 2];
        if (traffic_path_ask_at(path, now) <= now) {
            traffic_path_asked(path, now);
            assert_false(traffic_path_answered(path, &good, now));
            asked_at[asked++] = now;
        }
    }
    for (size_t i = 30; i < asked; i++) {
        assert_true(asked_at[i] - asked_at[i - 30] >= 24 * HOUR_MS); /* over both sites */
    }
}

static void test_a_trial_asks_once(void **state)
{
    (void)state;
    struct traffic_pool_egress way = egress();
    struct traffic_site site;
    struct traffic_path path;
    traffic_site_init(&site, &limits, true);
    traffic_path_init(&path, &site, &way, START);
    assert_false(traffic_path_opened(&path, START));
    assert_true(traffic_path_may_ask(&path, false, 3, 0));
    traffic_path_asked(&path, START);
    struct traffic_answer block = {.word = TRAFFIC_WORD_BLOCK_CERTAIN};
    assert_true(traffic_path_answered(&path, &block, START));
    assert_false(traffic_path_may_ask(&path, false, 3, 0)); /* open ones leave */
    uint64_t at = traffic_path_connect_at(&path, START + 1000);
    assert_int_equal(at, START + TRAFFIC_TRY_MS_FIRST);
    assert_true(traffic_path_opened(&path, at));
    assert_true(traffic_path_connect_at(&path, at) == TRAFFIC_NEVER);
    assert_true(traffic_path_may_ask(&path, true, 0, 0));
    assert_false(traffic_path_may_ask(&path, true, 1, 0));
    assert_false(traffic_path_may_ask(&path, false, 0, 0));
    traffic_path_closed(&path, true, at); /* without a word */
    assert_int_equal(traffic_path_connect_at(&path, at), at + TRAFFIC_TRY_AGAIN_MS);
}

/* At a shared system each egress has the limit; at somebody's own server all together. */
static void test_whose_connections(void **state)
{
    (void)state;
    for (int is_shared = 0; is_shared < 2; is_shared++) {
        struct traffic_pool_egress ways[2] = {egress(), egress()};
        struct traffic_site site;
        struct traffic_path paths[2];
        traffic_site_init(&site, &limits, is_shared != 0);
        for (size_t i = 0; i < 2; i++) {
            traffic_path_init(&paths[i], &site, &ways[i], START);
        }
        unsigned opened = 0;
        for (uint64_t now = START; now < START + 20000; now += 100) {
            struct traffic_path *path = &paths[now / 100 % 2];
            if (traffic_path_connect_at(path, now) <= now) {
                traffic_path_opened(path, now);
                opened++;
            }
        }
        assert_int_equal(opened, is_shared != 0 ? 8 : 4);
        struct traffic_answer slow = {.word = TRAFFIC_WORD_RATE};
        assert_false(traffic_path_failed(&paths[0], &slow, START));
        traffic_path_closed(&paths[1], false, START);
        uint64_t at = traffic_path_connect_at(&paths[1], START);
        assert_int_equal(at == TRAFFIC_NEVER, is_shared == 0); /* half of four, three are open */
    }
}

static void test_warm_up_hears_of_it(void **state)
{
    (void)state;
    struct traffic_pool_egress way = egress();
    way.egress.warm_up.since_ms = START - 30 * 24 * HOUR_MS;
    struct traffic_site site;
    struct traffic_path path;
    traffic_site_init(&site, &limits, true);
    traffic_path_init(&path, &site, &way, START);
    assert_int_equal(path.warmup.stage, TRAFFIC_WARMUP_HEAD_START);
    traffic_path_asked(&path, START);
    struct traffic_answer block = {.word = TRAFFIC_WORD_BLOCK_CERTAIN};
    assert_true(traffic_path_answered(&path, &block, START));
    assert_int_equal(path.warmup.stage, TRAFFIC_WARMUP_HEAD_START - 2);
}

static void test_timeouts(void **state)
{
    (void)state;
    struct traffic_pool_egress way = egress();
    struct traffic_site site;
    struct traffic_path path;
    traffic_site_init(&site, &limits, false);
    traffic_path_init(&path, &site, &way, START);
    struct traffic_answer late = {
        .word = TRAFFIC_WORD_GOOD, .latency_ms = 40000, .usual_ms = 45000};
    traffic_path_asked(&path, START);
    assert_false(traffic_path_answered(&path, &late, START));
    assert_int_equal(traffic_path_timeout_ms(&path, 45000), 67500);
    assert_int_equal(traffic_path_timeout_ms(&path, 250000), 300000);
    struct traffic_answer in_vain = {.is_timeout = true};
    traffic_path_asked(&path, START);
    assert_false(traffic_path_answered(&path, &in_vain, START));
    assert_int_equal(traffic_path_timeout_ms(&path, 45000), 45000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invalids_in_any_hour),
        cmocka_unit_test(test_ask_at_names_a_time),
        cmocka_unit_test(test_when_rcpts_go_together),
        cmocka_unit_test(test_how_many_go_together),
        cmocka_unit_test(test_days_budget),
        cmocka_unit_test(test_a_trial_asks_once),
        cmocka_unit_test(test_whose_connections),
        cmocka_unit_test(test_warm_up_hears_of_it),
        cmocka_unit_test(test_timeouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
