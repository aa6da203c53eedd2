/* traffic/saved: what is kept is what comes back; hostile text does no harm.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/saved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"

#define START UINT64_C(1763719200000)

static const struct traffic_limits limits = {
    .connections = 4,
    .rcpts_per_connection = 20,
    .transactions_per_connection = 20,
    .rcpts_per_transaction = 20,
    .pipelined_rcpts = 5,
    .invalids_per_session = 5,
    .invalids_per_hour = 10,
};

struct pair {
    struct traffic_pool pool;
    struct traffic_site site;
};

static void make(struct pair *pair, bool is_shared)
{
    struct traffic_egress egresses[2] = {
        {.name = SLICE_LITERAL("north"), .weight = 1, .warm_up = {.since_ms = START}},
        {.name = SLICE_LITERAL("south"), .weight = 1, .rcpts_per_day = 100},
    };
    assert_int_equal(traffic_pool_init(&pair->pool, egresses, 2), ERR_NONE);
    traffic_site_init(&pair->site, &limits, is_shared);
}

static void take_down(struct pair *pair)
{
    traffic_site_done(&pair->site);
    traffic_pool_done(&pair->pool);
}

static void save(const struct pair *pair, uint64_t now, struct buf *out)
{
    buf_init(out, TRAFFIC_SAVED_BYTES_MAX);
    assert_int_equal(traffic_site_save(&pair->site, &pair->pool, now, out), ERR_NONE);
}

/* A life in which everything is learned. */
static void live(struct pair *pair)
{
    struct traffic_path *north = traffic_pool_path(&pair->pool, &pair->site, 0, START);
    struct traffic_path *south = traffic_pool_path(&pair->pool, &pair->site, 1, START);
    assert_non_null(north);
    assert_non_null(south);
    traffic_site_session_cut(&pair->site, 5);
    struct traffic_answer refused = {
        .word = TRAFFIC_WORD_GOOD, .is_invalid = true, .latency_ms = 5000, .usual_ms = 6000};
    for (int i = 0; i < 7; i++) {
        uint64_t now = START + (uint64_t)i * 700000;
        traffic_path_asked(north, now);
        traffic_path_answered(north, &refused, now);
        traffic_path_asked(south, now);
        traffic_path_answered(south, &refused, now);
    }
    struct traffic_answer rated = {.word = TRAFFIC_WORD_RATE};
    traffic_path_failed(north, &rated, START + 5000000);
    struct traffic_answer blocked = {.word = TRAFFIC_WORD_BLOCK_CERTAIN};
    traffic_path_failed(south, &blocked, START + 5000000);
}

static bool keeps_refusals(bool is_shared, int count)
{
    struct pair pair;
    struct buf text;
    make(&pair, is_shared);
    struct traffic_path *south = traffic_pool_path(&pair.pool, &pair.site, 1, START);
    assert_non_null(south);
    struct traffic_answer refused = {.word = TRAFFIC_WORD_GOOD, .is_invalid = true};
    for (int i = 0; i < count; i++) {
        traffic_path_asked(south, START);
        assert_false(traffic_path_answered(south, &refused, START));
    }
    save(&pair, START, &text);
    bool is_kept = text.len > 0;
    buf_done(&text);
    take_down(&pair);
    return is_kept;
}

/* Of ten an hour: a provider's are kept from the first, somebody's own server's from a quarter of them. */
static void test_few_refusals_are_not_worth_it(void **state)
{
    (void)state;
    assert_false(keeps_refusals(true, 0));
    assert_true(keeps_refusals(true, 1));
    assert_false(keeps_refusals(false, 2));
    assert_true(keeps_refusals(false, 3));
}

static void test_what_is_kept_comes_back(void **state)
{
    (void)state;
    for (int is_shared = 0; is_shared < 2; is_shared++) {
        uint64_t now = START + 5000000;
        struct pair before, after;
        struct buf first, second;
        make(&before, is_shared != 0);
        make(&after, is_shared != 0);
        live(&before);
        save(&before, now, &first);
        assert_int_equal(traffic_site_load(&after.site, &after.pool, buf_view(&first), now),
                         ERR_NONE);
        save(&after, now, &second);
        assert_true(slice_equal(buf_view(&first), buf_view(&second)));
        assert_int_equal(after.site.limits.rcpts_per_connection, 5);
        const struct traffic_path *south = after.site.paths[1];
        assert_int_equal(south->health.state, TRAFFIC_BLOCKED);
        assert_int_equal(south->health.try_at_ms, now + TRAFFIC_TRY_MS_FIRST);
        const struct traffic_path *north = after.site.paths[0];
        const struct traffic_adapt *adapt = is_shared != 0 ? &north->adapt : &after.site.adapt;
        assert_true(adapt->is_tarpit);
        assert_int_equal(adapt->connections, 2);
        assert_int_equal(traffic_window_sum(&north->invalids, now),
                         traffic_window_sum(&before.site.paths[0]->invalids, now));
        assert_int_equal(north->warmup.good, 7);
        assert_int_equal(traffic_window_sum(&north->warmup.asked, now), 7);
        buf_done(&first);
        buf_done(&second);
        take_down(&before);
        take_down(&after);
    }
}

/* Somebody's own server that did not bear several at once is asked one by one for thirty days, whatever else is
 * written meanwhile; a provider's many machines for the run only. */
static void test_one_by_one_for_a_month(void **state)
{
    (void)state;
    static const struct {
        bool is_shared;
        int64_t since_ms, read_ms; /* after START */
        unsigned pipelined;
    } rows[] = {
        {false, 0, 0, 1},
        {false, 0, INT64_C(29) * 86400000, 1},
        {false, 0, INT64_C(30) * 86400000, 5},
        {false, 3600000, 0, 5}, /* a clock that was ahead */
        {true, 0, 0, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pair before, after;
        struct buf first, second;
        make(&before, rows[i].is_shared);
        make(&after, rows[i].is_shared);
        uint64_t since = START + (uint64_t)rows[i].since_ms;
        uint64_t now = START + (uint64_t)rows[i].read_ms;
        traffic_site_pipeline_broke(&before.site, since);
        save(&before, since, &first);
        assert_int_equal(traffic_site_load(&after.site, &after.pool, buf_view(&first), now),
                         ERR_NONE);
        assert_int_equal(after.site.limits.pipelined_rcpts, rows[i].pipelined);
        save(&after, now, &second);
        assert_int_equal(second.len, rows[i].pipelined == 1 ? first.len : 0);
        buf_done(&first);
        buf_done(&second);
        take_down(&before);
        take_down(&after);
    }
}

static void test_nothing_to_say(void **state)
{
    (void)state;
    struct pair pair;
    struct buf text;
    make(&pair, true);
    assert_non_null(traffic_pool_path(&pair.pool, &pair.site, 1, START));
    save(&pair, START, &text);
    assert_int_equal(text.len, 0);
    buf_done(&text);
    take_down(&pair);
}

static void test_days_of_an_egress(void **state)
{
    (void)state;
    struct pair before, after;
    struct buf text;
    make(&before, true);
    make(&after, true);
    traffic_window_add(&before.pool.egresses[1].day, 42, START);
    buf_init(&text, TRAFFIC_SAVED_BYTES_MAX);
    assert_int_equal(traffic_egress_save(&before.pool.egresses[1], START, &text), ERR_NONE);
    traffic_egress_load(&after.pool.egresses[1], buf_view(&text), START + 1000);
    assert_int_equal(traffic_window_sum(&after.pool.egresses[1].day, START + 1000), 42);
    buf_done(&text);
    take_down(&before);
    take_down(&after);
}

/* Left out, each for its reason; then all is as configured. */
static void test_broken_items(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "=",
        "rcpts",
        "rcpts=",
        "rcpts=5",
        "rcpts=5,1,1",
        "rcpts=900,900",
        "rcpts=0,0",
        "rcpts=-1,1",
        "rcpts=5x,1",
        "single=0",
        "single=1763719200000,1",
        "single=1763719200000000", /* years ahead */
        "single=1700000000000",    /* years ago */
        "north:single=1763719200000",
        "adapt=1,1,99999999,0,0,0",
        "adapt=99999999999999999999,1,0,0,0,0",
        "west:health=1,0,1,0,1763719200000",
        "north:health=7,0,1,0,1763719200000",
        "north:health=1,0,1,0,9999999999999999", /* years ahead */
        "north:warm=3,9999999,0,0,0",
        "north:asked=9999999999,1",
        "north:refused=9999999999999,1",
        "north:refused=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
        "north:=1",
        ":health=1,0,1,0,1",
        "north:health:1,0,1,0,1",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pair pair;
        struct buf text;
        make(&pair, false);
        assert_int_equal(traffic_site_load(&pair.site, &pair.pool, slice_of(rows[i]), START + 1000),
                         ERR_NONE);
        save(&pair, START + 1000, &text);
        if (text.len != 0) {
            fail_msg("%s: became %.*s", rows[i], SLICE_ARG(buf_view(&text)));
        }
        buf_done(&text);
        take_down(&pair);
    }
}

/* Any text leaves limits within what was configured. */
static void test_random_text(void **state)
{
    (void)state;
    static const char *const words[] = {"rcpts",  "adapt", "north",   "south",      ":", "health",
                                        "warm",   "asked", "refused", "=",          ",", "0",
                                        "1",      "5",     "65",      "4294967296", " ", "day",
                                        "293953", "\xff",  "single"};
    struct random random = {.state = 11};
    for (int round = 0; round < 3000; round++) {
        char text[600];
        size_t len = 0;
        for (int i = 0; i < 60; i++) {
            const char *word = words[random_below(&random, sizeof words / sizeof words[0])];
            memcpy(text + len, word, strlen(word));
            len += strlen(word);
        }
        struct pair pair;
        make(&pair, random_below(&random, 2) == 0);
        assert_int_equal(traffic_site_load(&pair.site, &pair.pool, slice_make(text, len), START),
                         ERR_NONE);
        traffic_egress_load(&pair.pool.egresses[1], slice_make(text, len), START);
        assert_in_range(pair.site.adapt.connections, 1, limits.connections);
        assert_in_range(pair.site.limits.rcpts_per_connection, 1, limits.rcpts_per_connection);
        take_down(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_kept_comes_back),
        cmocka_unit_test(test_few_refusals_are_not_worth_it),
        cmocka_unit_test(test_one_by_one_for_a_month),
        cmocka_unit_test(test_nothing_to_say),
        cmocka_unit_test(test_days_of_an_egress),
        cmocka_unit_test(test_broken_items),
        cmocka_unit_test(test_random_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
