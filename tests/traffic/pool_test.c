/* traffic/pool: the choice of an egress: shares, blocks, kept and shunned egresses; and a whole pool driven by
 * seeded random servers on a clock of its own, with every limit held against what was really done.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"

#define HOUR_MS UINT64_C(3600000)
#define START   UINT64_C(1763719200000)

static const struct traffic_limits limits = {
    .connections = 3,
    .rcpts_per_connection = 20,
    .transactions_per_connection = 20,
    .rcpts_per_transaction = 20,
    .invalids_per_session = 5,
    .invalids_per_hour = 40,
    .connection_gap_ms = 10,
};

static const struct traffic_wish any = {.has_ipv4 = true, .has_ipv6 = true, .keep = TRAFFIC_ANY};

static void make_pool(struct traffic_pool *pool, const unsigned *weights, size_t count)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct traffic_egress egresses[5];
    for (size_t i = 0; i < count; i++) {
        egresses[i] = (struct traffic_egress){.name = slice_of(names[i]), .weight = weights[i]};
    }
    struct fault fault;
    assert_int_equal(traffic_egresses_check(egresses, count, &fault), ERR_NONE);
    assert_int_equal(traffic_pool_init(pool, egresses, count), ERR_NONE);
}

static struct traffic_choice choose(struct traffic_pool *pool, struct traffic_site *site,
                                    struct traffic_wish wish, uint64_t now)
{
    struct traffic_choice choice;
    traffic_pool_choose(pool, site, &wish, now, &choice);
    return choice;
}

static struct traffic_path *path_of(struct traffic_pool *pool, struct traffic_site *site, size_t i,
                                    uint64_t now)
{
    struct traffic_path *path = traffic_pool_path(pool, site, i, now);
    assert_non_null(path);
    return path;
}

/* One conversation with one RCPT, from beginning to end. */
static void talk(struct traffic_path *path, enum traffic_word word, uint64_t now)
{
    bool is_trial = traffic_path_opened(path, now);
    traffic_path_asked(path, now);
    struct traffic_answer answer = {.word = word, .is_trial = is_trial, .latency_ms = 20};
    traffic_path_answered(path, &answer, now);
    traffic_path_closed(path, is_trial, now);
}

static void test_weights_are_honoured(void **state)
{
    (void)state;
    static const unsigned weights[] = {1, 2, 5};
    struct traffic_pool pool;
    struct traffic_site site;
    make_pool(&pool, weights, 3);
    traffic_site_init(&site, &limits, true);
    unsigned turns[3] = {0};
    uint64_t now = START;
    for (int i = 0; i < 8000; i++) {
        now += 50;
        struct traffic_choice choice = choose(&pool, &site, any, now);
        assert_int_equal(choice.kind, TRAFFIC_GO);
        turns[choice.egress]++;
        talk(path_of(&pool, &site, choice.egress, now), TRAFFIC_WORD_GOOD, now);
    }
    assert_in_range(turns[0], 990, 1010);
    assert_in_range(turns[1], 1990, 2010);
    assert_in_range(turns[2], 4980, 5020);
    traffic_site_done(&site);
    traffic_pool_done(&pool);
}

/* Who comes back after a long absence gets its share, not what it missed. */
static void test_absence_is_not_owed(void **state)
{
    (void)state;
    static const unsigned weights[] = {1, 1};
    struct traffic_pool pool;
    struct traffic_site site;
    make_pool(&pool, weights, 2);
    traffic_site_init(&site, &limits, true);
    uint64_t now = START;
    struct traffic_wish without_b = any;
    without_b.shun = 2;
    for (int i = 0; i < 1000; i++, now += 50) {
        struct traffic_choice choice = choose(&pool, &site, without_b, now);
        assert_int_equal(choice.egress, 0);
        talk(path_of(&pool, &site, 0, now), TRAFFIC_WORD_GOOD, now);
    }
    unsigned b = 0;
    for (int i = 0; i < 100; i++, now += 50) {
        struct traffic_choice choice = choose(&pool, &site, any, now);
        b += choice.egress == 1;
        talk(path_of(&pool, &site, choice.egress, now), TRAFFIC_WORD_GOOD, now);
    }
    assert_in_range(b, 48, 52);
    traffic_site_done(&site);
    traffic_pool_done(&pool);
}

/* Row 114: a block at one provider moves that provider's traffic only, and single trials back off. */
static void test_a_block_moves_one_sites_traffic(void **state)
{
    (void)state;
    static const unsigned weights[] = {5, 1};
    struct traffic_pool pool;
    struct traffic_site p, q;
    make_pool(&pool, weights, 2);
    traffic_site_init(&p, &limits, true);
    traffic_site_init(&q, &limits, true);
    uint64_t now = START;
    assert_int_equal(choose(&pool, &p, any, now).egress, 0);
    talk(path_of(&pool, &p, 0, now), TRAFFIC_WORD_BLOCK_CERTAIN, now);
    unsigned trials = 0;
    unsigned at_q = 0;
    for (; now < START + 4 * HOUR_MS; now += 1000) {
        struct traffic_choice choice = choose(&pool, &p, any, now);
        if (choice.kind == TRAFFIC_GO) {
            bool is_a = choice.egress == 0;
            trials += is_a;
            talk(path_of(&pool, &p, choice.egress, now),
                 is_a ? TRAFFIC_WORD_BLOCK_CERTAIN : TRAFFIC_WORD_GOOD, now);
        }
        at_q += choose(&pool, &q, any, now).egress == 0;
    }
    assert_in_range(trials, 2, 3); /* after half an hour, an hour more, two hours more */
    assert_int_equal(at_q, 4 * 3600);
    traffic_site_done(&p);
    traffic_site_done(&q);
    traffic_pool_done(&pool);
}

/* Row 115: nobody, since when, until when. */
static void test_everybody_blocked(void **state)
{
    (void)state;
    static const unsigned weights[] = {1, 1};
    struct traffic_pool pool;
    struct traffic_site site;
    make_pool(&pool, weights, 2);
    traffic_site_init(&site, &limits, true);
    talk(path_of(&pool, &site, 0, START), TRAFFIC_WORD_BLOCK_CERTAIN, START);
    assert_true(traffic_pool_has_well(&pool, &site, &any, START));
    talk(path_of(&pool, &site, 1, START + 5), TRAFFIC_WORD_BLOCK_CERTAIN, START + 5);
    assert_false(traffic_pool_has_well(&pool, &site, &any, START + 5));
    struct traffic_choice choice = choose(&pool, &site, any, START + 10);
    assert_int_equal(choice.kind, TRAFFIC_NOBODY);
    assert_int_equal(choice.why, TRAFFIC_ALL_BLOCKED);
    assert_int_equal(choice.at_ms, START + TRAFFIC_TRY_MS_FIRST);
    choice = choose(&pool, &site, any, choice.at_ms);
    assert_int_equal(choice.kind, TRAFFIC_GO);
    struct traffic_path *path = path_of(&pool, &site, choice.egress, START);
    assert_true(traffic_path_opened(path, START + TRAFFIC_TRY_MS_FIRST));
    choice =
        choose(&pool, &site, any, START + TRAFFIC_TRY_MS_FIRST); /* the trial's answer is awaited */
    assert_int_equal(choice.kind, TRAFFIC_WAIT);
    traffic_site_done(&site);
    traffic_pool_done(&pool);
}

/* Row 20: a greylisted retry waits for its egress rather than leave by another. */
static void test_kept_egress(void **state)
{
    (void)state;
    static const unsigned weights[] = {1, 100};
    struct traffic_pool pool;
    struct traffic_site site;
    make_pool(&pool, weights, 2);
    traffic_site_init(&site, &limits, true);
    struct traffic_wish keep_a = any;
    keep_a.keep = 0;
    struct traffic_path *a = path_of(&pool, &site, 0, START);
    assert_int_equal(choose(&pool, &site, keep_a, START).egress, 0);
    traffic_path_opened(a, START);
    struct traffic_choice choice = choose(&pool, &site, keep_a, START);
    assert_int_equal(choice.kind, TRAFFIC_WAIT);
    assert_int_equal(choice.at_ms, START + limits.connection_gap_ms);
    traffic_path_closed(a, false, START);
    talk(a, TRAFFIC_WORD_BLOCK_CERTAIN, START + 100); /* its triplet is lost anyway */
    choice = choose(&pool, &site, keep_a, START + 200);
    assert_int_equal(choice.kind, TRAFFIC_GO);
    assert_int_equal(choice.egress, 1);
    traffic_site_done(&site);
    traffic_pool_done(&pool);
}

static void test_families(void **state)
{
    (void)state;
    struct traffic_egress egresses[2] = {
        {.name = SLICE_LITERAL("four"), .weight = 1, .no_ipv6 = true},
        {.name = SLICE_LITERAL("six"), .weight = 1, .no_ipv4 = true},
    };
    struct traffic_pool pool;
    struct traffic_site site;
    traffic_site_init(&site, &limits, true);
    assert_int_equal(traffic_pool_init(&pool, egresses, 2), ERR_NONE);
    struct traffic_wish four = {.has_ipv4 = true, .keep = TRAFFIC_ANY};
    struct traffic_wish six = {.has_ipv6 = true, .keep = TRAFFIC_ANY};
    assert_int_equal(choose(&pool, &site, four, START).egress, 0);
    assert_int_equal(choose(&pool, &site, six, START).egress, 1);
    pool.count = 1;
    assert_int_equal(choose(&pool, &site, six, START).kind, TRAFFIC_NOBODY);
    assert_int_equal(choose(&pool, &site, six, START).why, TRAFFIC_NO_FAMILY);
    traffic_site_done(&site);
    traffic_pool_done(&pool);
}

/* Where most of an hour's refusals or of a day's allowance is spent, others take more of the turns. */
static void test_capacity_counts(void **state)
{
    (void)state;
    static const unsigned weights[] = {1, 1};
    struct traffic_pool pool;
    struct traffic_site site;
    make_pool(&pool, weights, 2);
    traffic_site_init(&site, &limits, true);
    struct traffic_path *a = path_of(&pool, &site, 0, START);
    traffic_window_add(&a->invalids, 30, START); /* of 40 */
    unsigned turns[2] = {0};
    uint64_t now = START;
    for (int i = 0; i < 500; i++, now += 50) {
        struct traffic_choice choice = choose(&pool, &site, any, now);
        turns[choice.egress]++;
        talk(path_of(&pool, &site, choice.egress, now), TRAFFIC_WORD_GOOD, now);
    }
    assert_in_range(turns[0], 90, 135); /* a quarter as good: one of five */
    traffic_site_done(&site);
    traffic_pool_done(&pool);
}

/* A pool driven by random servers. */

enum {
    EGRESSES = 4,
    SITES = 3,
    SESSIONS_MAX = EGRESSES * SITES * 3,
    STEPS = 6000,
    EVENTS_MAX = STEPS,
};

struct event {
    uint64_t at_ms;
    bool is_invalid;
};

struct driven {
    struct random random;
    struct traffic_pool pool;
    struct traffic_site sites[SITES];
    struct {
        struct traffic_path *path;
        size_t site, egress;
        bool is_trial, is_asking;
        unsigned rcpts, invalids;
    } sessions[SESSIONS_MAX];
    size_t session_count;
    unsigned open[SITES][EGRESSES], open_peak[SITES], path_peak[SITES][EGRESSES];
    struct event *asked[EGRESSES], *answered[SITES][EGRESSES];
    size_t asked_count[EGRESSES], answered_count[SITES][EGRESSES];
    uint64_t hash;
    unsigned wont;
};

static struct traffic_egress driven_egress(size_t i)
{
    static const char *const names[EGRESSES] = {"a", "b", "c", "d"};
    return (struct traffic_egress){
        .name = slice_of(names[i]),
        .weight = 1 + (unsigned)i,
        .rcpts_per_day = i == 1 ? 300 : 0,
        .warm_up = {.since_ms = i == 2 ? START : 0},
    };
}

static struct driven *driven_new(uint64_t seed)
{
    struct driven *d = test_calloc(1, sizeof *d);
    d->random.state = seed;
    struct traffic_egress egresses[EGRESSES];
    for (size_t i = 0; i < EGRESSES; i++) {
        egresses[i] = driven_egress(i);
        d->asked[i] = test_calloc(EVENTS_MAX, sizeof *d->asked[i]);
    }
    assert_int_equal(traffic_pool_init(&d->pool, egresses, EGRESSES), ERR_NONE);
    for (size_t s = 0; s < SITES; s++) {
        traffic_site_init(&d->sites[s], &limits, s != 0);
        for (size_t i = 0; i < EGRESSES; i++) {
            d->answered[s][i] = test_calloc(EVENTS_MAX, sizeof *d->answered[s][i]);
        }
    }
    return d;
}

static void driven_free(struct driven *d)
{
    for (size_t i = 0; i < EGRESSES; i++) {
        test_free(d->asked[i]);
        for (size_t s = 0; s < SITES; s++) {
            test_free(d->answered[s][i]);
        }
    }
    for (size_t s = 0; s < SITES; s++) {
        traffic_site_done(&d->sites[s]);
    }
    traffic_pool_done(&d->pool);
    test_free(d);
}

static void note(struct driven *d, uint64_t what)
{
    d->hash = (d->hash ^ what) * UINT64_C(0x100000001b3);
}

static void try_open(struct driven *d, size_t s, uint64_t now)
{
    struct traffic_wish wish = any;
    if (random_below(&d->random, 10) == 0) {
        wish.keep = (int)random_below(&d->random, EGRESSES);
    }
    if (random_below(&d->random, 10) == 0) {
        wish.shun = random_below(&d->random, 1 << EGRESSES);
    }
    struct traffic_choice choice = choose(&d->pool, &d->sites[s], wish, now);
    note(d, (uint64_t)choice.kind << 8 | choice.egress);
    if (choice.kind != TRAFFIC_GO || d->session_count == SESSIONS_MAX) {
        return;
    }
    struct traffic_path *path = path_of(&d->pool, &d->sites[s], choice.egress, now);
    d->sessions[d->session_count].path = path;
    d->sessions[d->session_count].site = s;
    d->sessions[d->session_count].egress = choice.egress;
    d->sessions[d->session_count].is_trial = traffic_path_opened(path, now);
    d->sessions[d->session_count].is_asking = false;
    d->sessions[d->session_count].rcpts = d->sessions[d->session_count].invalids = 0;
    d->session_count++;
    unsigned open = ++d->open[s][choice.egress];
    unsigned all = 0;
    for (size_t i = 0; i < EGRESSES; i++) {
        all += d->open[s][i];
    }
    assert_true(open <= limits.connections);
    assert_true(s != 0 || all <= limits.connections); /* somebody's own server */
}

static void close_session(struct driven *d, size_t at, uint64_t now)
{
    traffic_path_closed(d->sessions[at].path, d->sessions[at].is_trial, now);
    d->open[d->sessions[at].site][d->sessions[at].egress]--;
    d->sessions[at] = d->sessions[--d->session_count];
}

/* Egress 0 is not liked at site 1 for a while; elsewhere words come at random. */
static enum traffic_word random_word(struct driven *d, size_t s, size_t egress, uint64_t now)
{
    if (s == 1 && egress == 0 && now > START + HOUR_MS && now < START + 5 * HOUR_MS) {
        return TRAFFIC_WORD_BLOCK_CERTAIN;
    }
    switch (random_below(&d->random, 60)) {
    case 0: return TRAFFIC_WORD_RATE;
    case 1: return TRAFFIC_WORD_BLOCK_VAGUE;
    case 2: return TRAFFIC_WORD_NONE;
    default: return TRAFFIC_WORD_GOOD;
    }
}

static void step_session(struct driven *d, size_t at, uint64_t now)
{
    size_t s = d->sessions[at].site;
    size_t egress = d->sessions[at].egress;
    struct traffic_path *path = d->sessions[at].path;
    if (d->sessions[at].is_asking) {
        struct traffic_answer answer = {
            .word = random_word(d, s, egress, now),
            .is_trial = d->sessions[at].is_trial,
            .is_invalid = random_below(&d->random, 3) == 0,
            .latency_ms = random_below(&d->random, 100),
        };
        note(d, (uint64_t)traffic_path_answered(path, &answer, now));
        d->answered[s][egress][d->answered_count[s][egress]++] =
            (struct event){now, answer.is_invalid};
        d->sessions[at].is_asking = false;
        d->sessions[at].rcpts++;
        d->sessions[at].invalids += answer.is_invalid;
        return;
    }
    if (!traffic_path_may_ask(path, d->sessions[at].is_trial, d->sessions[at].rcpts,
                              d->sessions[at].invalids) ||
        traffic_path_ask_at(path, now) > now || random_below(&d->random, 20) == 0) {
        close_session(d, at, now);
        return;
    }
    traffic_path_asked(path, now);
    d->asked[egress][d->asked_count[egress]++] = (struct event){now, false};
    d->sessions[at].is_asking = true;
}

static void drive(struct driven *d)
{
    uint64_t now = START;
    for (int step = 0; step < STEPS; step++) {
        now += random_below(&d->random, 15000);
        if (d->session_count == 0 || random_below(&d->random, 4) == 0) {
            try_open(d, random_below(&d->random, SITES), now);
        } else {
            step_session(d, random_below(&d->random, (uint32_t)d->session_count), now);
        }
    }
}

/* No more than max of these within any span. */
static void check_window(const struct event *events, size_t count, bool invalids_only, size_t max,
                         uint64_t span_ms)
{
    size_t first = 0;
    size_t within = 0;
    for (size_t i = 0; i < count; i++) {
        within += !invalids_only || events[i].is_invalid;
        for (; events[i].at_ms - events[first].at_ms >= span_ms; first++) {
            within -= !invalids_only || events[first].is_invalid;
        }
        assert_true(within <= max);
    }
}

static void test_random_servers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct driven *d = driven_new(seed);
        drive(d);
        check_window(d->asked[1], d->asked_count[1], false, 300, 24 * HOUR_MS);
        for (size_t s = 0; s < SITES; s++) {
            for (size_t i = 0; i < EGRESSES; i++) {
                check_window(d->answered[s][i], d->answered_count[s][i], true,
                             limits.invalids_per_hour, HOUR_MS);
                if (d->answered_count[s][i] < 5) { /* none starves, anywhere */
                    fail_msg("seed %u: egress %zu was used %zu times at site %zu", (unsigned)seed,
                             i, d->answered_count[s][i], s);
                }
            }
            check_window(d->answered[s][2], d->answered_count[s][2], false,
                         TRAFFIC_WARMUP_FIRST + limits.connections, 20 * HOUR_MS);
        }
        driven_free(d);
    }
}

static void test_the_same_seed_gives_the_same_choices(void **state)
{
    (void)state;
    struct driven *one = driven_new(5);
    struct driven *two = driven_new(5);
    struct driven *other = driven_new(6);
    drive(one);
    drive(two);
    drive(other);
    assert_true(one->hash == two->hash);
    assert_true(one->hash != other->hash);
    driven_free(one);
    driven_free(two);
    driven_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_are_honoured),
        cmocka_unit_test(test_absence_is_not_owed),
        cmocka_unit_test(test_a_block_moves_one_sites_traffic),
        cmocka_unit_test(test_everybody_blocked),
        cmocka_unit_test(test_kept_egress),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_capacity_counts),
        cmocka_unit_test(test_random_servers),
        cmocka_unit_test(test_the_same_seed_gives_the_same_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
