/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outcomes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"
#include "store/erase.h"
#include "store/retention.h"

static void put(struct store *store, const char *key, const char *provider, bool was_alive,
                int64_t at_ms)
{
    struct slice text = slice_of(key);
    const struct store_outcome outcome = {
        .key = text,
        .domain = slice_sub(text, slice_find_last_byte(text, '@') + 1, text.len),
        .provider = slice_of(provider),
        .was_alive = was_alive,
        .said = 0.5,
        .at_ms = at_ms,
    };
    assert_int_equal(store_outcome_put(store, &outcome), ERR_NONE);
}

struct seen {
    unsigned count, alive;
};

static void on_outcome(void *context, const struct store_outcome *outcome)
{
    struct seen *seen = context;
    seen->count++;
    seen->alive += outcome->was_alive ? 1 : 0;
    assert_true(outcome->key.len > outcome->domain.len);
    assert_true(fabs(outcome->said - 0.5) < 1e-12);
}

static struct seen seen_of(struct store *store, const char *domain, int64_t before_ms, size_t limit)
{
    struct seen seen = {0};
    assert_int_equal(
        store_outcome_each(store, slice_of(domain), before_ms, limit, on_outcome, &seen), ERR_NONE);
    return seen;
}

static void a_domain_has_its_own(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    put(store, "a@b.example", "", true, 100);
    put(store, "c@b.example", "", false, 200);
    put(store, "a@c.example", "", true, 100);
    assert_int_equal(seen_of(store, "b.example", 1000, 9).count, 2);
    assert_int_equal(seen_of(store, "b.example", 1000, 9).alive, 1);
    assert_int_equal(seen_of(store, "b.example", 1000, 1).count, 1);
    assert_int_equal(seen_of(store, "b.example", 200, 9).count,
                     1); /* what came later is not there */
    assert_int_equal(seen_of(store, "d.example", 1000, 9).count, 0);
    put(store, "a@b.example", "", false, 300); /* the last word counts */
    assert_int_equal(seen_of(store, "b.example", 1000, 9).count, 2);
    assert_int_equal(seen_of(store, "b.example", 1000, 9).alive, 0);
    store_close(store);
}

static void a_provider_has_a_sum(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct store_outcome_sum sum;
    put(store, "a@b.example", "google", true, 100);
    put(store, "c@d.example", "google", false, 200);
    put(store, "e@f.example", "yahoo", true, 100);
    assert_int_equal(store_outcome_sum(store, SLICE("google"), 1000, 9, &sum), ERR_NONE);
    assert_int_equal(sum.count, 2);
    assert_true(fabs(sum.said - 1.0) < 1e-12 && fabs(sum.alive - 1.0) < 1e-12);
    assert_int_equal(store_outcome_sum(store, SLICE("google"), 1000, 1, &sum), ERR_NONE);
    assert_int_equal(sum.count, 1); /* the last one */
    assert_true(fabs(sum.alive) < 1e-12);
    assert_int_equal(store_outcome_sum(store, SLICE("nobody"), 1000, 9, &sum), ERR_NONE);
    assert_int_equal(sum.count, 0);
    store_close(store);
}

static void it_goes_with_its_address(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct store_erased erased;
    struct fault fault;
    put(store, "a@b.example", "google", true, 100);
    assert_int_equal(store_erase(store, SLICE("a@b.example"), &erased, &fault), ERR_NONE);
    assert_int_equal(seen_of(store, "b.example", 1000, 9).count, 0);
    store_close(store);
}

static void it_goes_when_facts_do(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct store_sweep sweep;
    struct fault fault;
    put(store, "a@b.example", "", true, 100);
    put(store, "c@b.example", "", true, 200);
    const struct store_retention retention = {INT64_MIN, 150, INT64_MIN};
    store_sweep_begin(&sweep, &retention);
    while (!sweep.is_done) {
        assert_int_equal(store_sweep_step(store, &sweep, &fault), ERR_NONE);
    }
    assert_int_equal(sweep.deleted, 1);
    assert_int_equal(seen_of(store, "b.example", 1000, 9).count, 1);
    store_close(store);
}

static void on_fact(void *context, const struct store_fact *fact)
{
    unsigned *count = context;
    (*count)++;
    assert_true(slice_equal(fact->domain, SLICE("b.example")));
}

static void facts_of_a_domain(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    static const char *const keys[] = {"a@b.example", "c@b.example", "a@c.example"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct slice key = slice_of(keys[i]);
        const struct store_fact fact = {.key = key,
                                        .domain = slice_sub(key, 2, key.len),
                                        .kind = SLICE_LITERAL("probe"),
                                        .source = SLICE_LITERAL("default"),
                                        .detail = SLICE_LITERAL("accepted"),
                                        .at_ms = 100 + (int64_t)i};
        assert_int_equal(store_fact_put(store, &fact), ERR_NONE);
    }
    const struct {
        int64_t before_ms;
        size_t limit;
        unsigned count;
    } rows[] = {{1000, 9, 2}, {101, 9, 1}, {1000, 1, 1}, {100, 9, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned count = 0;
        assert_int_equal(store_fact_each_of_domain(store, SLICE("b.example"), rows[i].before_ms,
                                                   rows[i].limit, on_fact, &count),
                         ERR_NONE);
        assert_int_equal(count, rows[i].count);
    }
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_has_its_own),     cmocka_unit_test(a_provider_has_a_sum),
        cmocka_unit_test(it_goes_with_its_address), cmocka_unit_test(it_goes_when_facts_do),
        cmocka_unit_test(facts_of_a_domain),
    };
    return cmocka_run_group_tests_name("store/outcomes", tests, NULL, NULL);
}
