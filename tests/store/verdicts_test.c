/* The verdict cache, what is learned of domains, and the history; the same rows in memory and in a file.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum { VALUE_BYTES = 1 << 21, BIG_BYTES = 1 << 20, FACTS_BYTES = 4096 };

/* Runs a table on both back ends. */
static void on_both(void **state, void (*check)(struct store *store))
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    const char *const paths[] = {":memory:", path};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct store *store = scratch_open(paths[i]);
        check(store);
        store_close(store);
    }
}

#define DAY_MS INT64_C(86400000)

struct life_row {
    const char *name;
    int64_t checked_at_ms, expires_at_ms, now_ms, age_ms_max;
    bool is_found;
};

static const struct life_row life_rows[] = {
    {"fresh", 1000, 2000, 1000, 0, true},
    {"the last moment", 1000, 2000, 1999, 0, true},
    {"the moment it ends", 1000, 2000, 2000, 0, false},
    {"long over", 1000, 2000, 900000, 0, false},
    {"never alive", 1000, 1000, 1000, 0, false},
    {"young enough", 1000, 90000, 1500, 600, true},
    {"just young enough", 1000, 90000, 1500, 500, true},
    {"too old", 1000, 90000, 1500, 499, false},
    {"young, but over", 1000, 1200, 1500, 600, false},
    {"any age will do", 1000, INT64_MAX, INT64_MAX - 1, 0, true},
    {"from the future: a clock was set back", 5000, 9000, 1000, 100, true},
    {"set back by a day", 1000 + DAY_MS, INT64_MAX, 1000, 0, true},
    {"set back by more: it would live for ever", 1001 + DAY_MS, INT64_MAX, 1000, 0, false},
    {"before 1970", -500, 500, -400, 200, true},
};

static struct store_verdict verdict_of(struct slice key, struct slice json)
{
    return (struct store_verdict){.key = key,
                                  .domain = SLICE_LITERAL("b"),
                                  .status = SLICE_LITERAL("valid"),
                                  .sub_status = SLICE_LITERAL("ok"),
                                  .checked_at_ms = 1000,
                                  .expires_at_ms = 2000,
                                  .json = json};
}

static void check_lives(struct store *store)
{
    for (size_t i = 0; i < sizeof life_rows / sizeof life_rows[0]; i++) {
        const struct life_row *row = &life_rows[i];
        struct store_verdict verdict = verdict_of(slice_of(row->name), SLICE("{}"));
        verdict.checked_at_ms = row->checked_at_ms;
        verdict.expires_at_ms = row->expires_at_ms;
        assert_int_equal(store_verdict_put(store, &verdict), ERR_NONE);
        struct buf out;
        buf_init(&out, VALUE_BYTES);
        bool is_found = store_verdict_find(store, verdict.key, row->now_ms, row->age_ms_max, &out);
        if (is_found != row->is_found || (out.len == 2) != is_found) {
            fail_msg("%s: %s", row->name, is_found ? "found" : "not found");
        }
        buf_done(&out);
        /* The same with a domain's facts, which have no age. */
        assert_int_equal(store_domain_put(store, verdict.key, SLICE("n"), SLICE("v"),
                                          row->checked_at_ms, row->expires_at_ms),
                         ERR_NONE);
        buf_init(&out, VALUE_BYTES);
        assert_int_equal(store_domain_find(store, verdict.key, SLICE("n"), row->now_ms, &out),
                         row->expires_at_ms > row->now_ms &&
                             row->checked_at_ms - DAY_MS <= row->now_ms);
        buf_done(&out);
    }
}

static void lives_end(void **state)
{
    on_both(state, check_lives);
}

struct content_row {
    const char *name;
    struct slice key, json;
};

static const struct content_row content_rows[] = {
    {"plain", SLICE_LITERAL("a@b"), SLICE_LITERAL("{\"a\":1}")},
    {"another case is another key", SLICE_LITERAL("A@b"), SLICE_LITERAL("{\"a\":2}")},
    {"an empty key", SLICE_LITERAL(""), SLICE_LITERAL("{\"a\":3}")},
    {"an empty value", SLICE_LITERAL("empty"), SLICE_LITERAL("")},
    {"quotes and comments", SLICE_LITERAL("'; DROP TABLE verdict; --@b"), SLICE_LITERAL("'\"--")},
    {"UTF-8", SLICE_LITERAL("\xc3\xbc@b\xc3\xbc.example"), SLICE_LITERAL("\xe2\x82\xac")},
    {"a NUL within", SLICE_LITERAL("a\0b"), SLICE_LITERAL("x\0y")},
    {"the same up to the NUL", SLICE_LITERAL("a"), SLICE_LITERAL("z")},
    {"wildcards", SLICE_LITERAL("%_*?"), SLICE_LITERAL("%")},
};

static void check_contents(struct store *store)
{
    size_t count = sizeof content_rows / sizeof content_rows[0];
    for (size_t i = 0; i < count; i++) {
        struct store_verdict verdict = verdict_of(content_rows[i].key, SLICE("replaced"));
        assert_int_equal(store_verdict_put(store, &verdict), ERR_NONE);
        verdict.json = content_rows[i].json;
        assert_int_equal(store_verdict_put(store, &verdict), ERR_NONE);
    }
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    for (size_t i = 0; i < count; i++) {
        struct buf out;
        buf_init(&out, VALUE_BYTES);
        assert_int_equal(buf_append(&out, SLICE("before ")), ERR_NONE);
        bool is_found = store_verdict_find(store, content_rows[i].key, 1500, 0, &out);
        if (!is_found ||
            !slice_equal(slice_sub(buf_view(&out), 7, out.len), content_rows[i].json)) {
            fail_msg("%s: %.*s", content_rows[i].name, SLICE_ARG(buf_view(&out)));
        }
        buf_done(&out);
    }
}

static void contents_come_back_as_they_were(void **state)
{
    on_both(state, check_contents);
}

static void check_big(struct store *store)
{
    char *big = malloc(BIG_BYTES);
    assert_non_null(big);
    memset(big, 'x', BIG_BYTES);
    const struct store_verdict verdict = verdict_of(SLICE("big"), slice_make(big, BIG_BYTES));
    assert_int_equal(store_verdict_put(store, &verdict), ERR_NONE);
    struct buf out;
    buf_init(&out, VALUE_BYTES);
    assert_true(store_verdict_find(store, verdict.key, 1500, 0, &out));
    assert_int_equal(out.len, BIG_BYTES);
    buf_done(&out);
    /* No room for it: not found, and what stood there stays. */
    buf_init(&out, 16);
    assert_int_equal(buf_append(&out, SLICE("kept")), ERR_NONE);
    assert_false(store_verdict_find(store, verdict.key, 1500, 0, &out));
    assert_true(slice_equal(buf_view(&out), SLICE("kept")));
    buf_done(&out);
    assert_true(scratch_put(store, "after", "{}") == ERR_NONE);
    assert_true(scratch_has(store, "after", "{}"));
    free(big);
}

static void large_values_are_kept_and_bounded(void **state)
{
    on_both(state, check_big);
}

static void check_domains(struct store *store)
{
    struct buf out;
    static const struct slice names[] = {SLICE_LITERAL("memory"), SLICE_LITERAL("pace")};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(store_domain_put(store, SLICE("b"), names[i], names[i], 1, 1000),
                         ERR_NONE);
        assert_int_equal(store_domain_put(store, SLICE("c"), names[i], SLICE("of c"), 1, 1000),
                         ERR_NONE);
    }
    for (size_t i = 0; i < 2; i++) {
        buf_init(&out, VALUE_BYTES);
        assert_true(store_domain_find(store, SLICE("b"), names[i], 5, &out));
        assert_true(slice_equal(buf_view(&out), names[i]));
        buf_done(&out);
    }
    buf_init(&out, VALUE_BYTES);
    assert_false(store_domain_find(store, SLICE("b"), SLICE("other"), 5, &out));
    assert_false(store_domain_find(store, SLICE("d"), SLICE("memory"), 5, &out));
    assert_int_equal(store_domain_put(store, SLICE("b"), names[0], SLICE("new"), 6, 2000),
                     ERR_NONE);
    assert_true(store_domain_find(store, SLICE("b"), names[0], 1500, &out));
    assert_true(slice_equal(buf_view(&out), SLICE("new")));
    buf_done(&out);
}

static void domains_have_values_by_name(void **state)
{
    on_both(state, check_domains);
}

static void note_fact(void *context, const struct store_fact *fact)
{
    struct buf *out = context;
    assert_int_equal(buf_printf(out, "%.*s/%.*s/%.*s/%.*s/%.*s@%lld ", SLICE_ARG(fact->key),
                                SLICE_ARG(fact->domain), SLICE_ARG(fact->kind),
                                SLICE_ARG(fact->source), SLICE_ARG(fact->detail),
                                (long long)fact->at_ms),
                     ERR_NONE);
}

struct facts_row {
    const char *name;
    struct slice key;
    size_t limit;
    const char *text;
};

static const struct facts_row facts_rows[] = {
    {"newest first; at one moment, the last one put", SLICE_LITERAL("a@b"), 10,
     "a@b/b/probe/e1/four@30 a@b/b/probe/e1/two@20 a@b/b/probe/e1/three@20 a@b/b/probe/e1/one@10 "},
    {"no more than asked for", SLICE_LITERAL("a@b"), 1, "a@b/b/probe/e1/four@30 "},
    {"none asked for", SLICE_LITERAL("a@b"), 0, ""},
    {"of another", SLICE_LITERAL("c@b"), 10, "c@b/b/probe/e1/other@25 "},
    {"of nobody", SLICE_LITERAL("d@b"), 10, ""},
};

static void check_facts(struct store *store)
{
    static const struct store_fact facts[] = {
        {SLICE_LITERAL("a@b"), SLICE_LITERAL("b"), SLICE_LITERAL("probe"), SLICE_LITERAL("e1"),
         SLICE_LITERAL("one"), 10},
        {SLICE_LITERAL("a@b"), SLICE_LITERAL("b"), SLICE_LITERAL("probe"), SLICE_LITERAL("e1"),
         SLICE_LITERAL("three"), 20},
        {SLICE_LITERAL("a@b"), SLICE_LITERAL("b"), SLICE_LITERAL("probe"), SLICE_LITERAL("e1"),
         SLICE_LITERAL("four"), 30},
        {SLICE_LITERAL("c@b"), SLICE_LITERAL("b"), SLICE_LITERAL("probe"), SLICE_LITERAL("e1"),
         SLICE_LITERAL("other"), 25},
        {SLICE_LITERAL("a@b"), SLICE_LITERAL("b"), SLICE_LITERAL("probe"), SLICE_LITERAL("e1"),
         SLICE_LITERAL("two"), 20},
    };
    assert_true(store_fact_oldest(store) == INT64_MAX);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        assert_int_equal(store_fact_put(store, &facts[i]), ERR_NONE);
    }
    assert_int_equal(store_fact_oldest(store), 10);
    for (size_t i = 0; i < sizeof facts_rows / sizeof facts_rows[0]; i++) {
        struct buf out;
        buf_init(&out, FACTS_BYTES);
        assert_int_equal(
            store_fact_each(store, facts_rows[i].key, facts_rows[i].limit, note_fact, &out),
            ERR_NONE);
        if (!slice_equal(buf_view(&out), slice_of(facts_rows[i].text))) {
            fail_msg("%s: %.*s", facts_rows[i].name, SLICE_ARG(buf_view(&out)));
        }
        buf_done(&out);
    }
}

static void facts_come_newest_first(void **state)
{
    on_both(state, check_facts);
}

/* Which happens once among very many; here it is made so. */
static void keys_that_share_a_place_are_told_apart(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct buf out;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    const struct store_fact facts[] = {
        {.key = SLICE_LITERAL("a@b"), .detail = SLICE_LITERAL("of a"), .at_ms = 1},
        {.key = SLICE_LITERAL("c@b"), .detail = SLICE_LITERAL("of c"), .at_ms = 2},
    };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(scratch_put(store, facts[i].key.at, facts[i].detail.at), ERR_NONE);
        assert_int_equal(store_fact_put(store, &facts[i]), ERR_NONE);
    }
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    (void)scratch_sql(path, "UPDATE verdict SET place=(SELECT place FROM verdict WHERE key='a@b')");
    (void)scratch_sql(path, "UPDATE fact SET place=(SELECT place FROM verdict WHERE key='a@b')");
    assert_int_equal(scratch_put(store, "a@b", "again"), ERR_NONE);
    assert_true(scratch_has(store, "a@b", "again"));
    buf_init(&out, FACTS_BYTES);
    assert_int_equal(store_fact_each(store, SLICE("a@b"), 9, note_fact, &out), ERR_NONE);
    assert_true(slice_equal(buf_view(&out), SLICE("a@b////of a@1 ")));
    buf_done(&out);
    store_close(store);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), 2);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict WHERE json='of c'"), 1);
}

static void a_verdict_is_replaced(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(scratch_put(store, "a@b", "{}"), ERR_NONE);
        assert_int_equal(store_flush(store, NULL), ERR_NONE);
    }
    store_close(store);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), 1);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(lives_end),
        IN_FOLDER(contents_come_back_as_they_were),
        IN_FOLDER(large_values_are_kept_and_bounded),
        IN_FOLDER(domains_have_values_by_name),
        IN_FOLDER(facts_come_newest_first),
        IN_FOLDER(keys_that_share_a_place_are_told_apart),
        IN_FOLDER(a_verdict_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
