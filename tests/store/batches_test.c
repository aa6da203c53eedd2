/* Batches as rows, and what their jobs need besides: an order that is made in steps, a look from outside, and going away in
 * parts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"
#include "store/job_list.h"
#include "store/job_shed.h"

enum { ITEMS = 3000, DOMAINS = 7, TEXT_BYTES = 1 << 20 };

static void add_batch(struct store *store, const char *id, const char *owner)
{
    struct fault fault = {0};
    const struct store_batch batch = {.id = slice_of(id),
                                      .owner = slice_of(owner),
                                      .label = SLICE("my list"),
                                      .file = slice_of(id),
                                      .bytes = 12,
                                      .created_at_ms = 5};
    if (store_batch_add(store, &batch, NULL, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

struct seen {
    char ids[256]; /* with a space after each */
    struct store_batch last;
};

static void see(void *context, const struct store_batch *batch)
{
    struct seen *seen = context;
    size_t len = strlen(seen->ids);
    (void)snprintf(seen->ids + len, sizeof seen->ids - len, "%.*s ", SLICE_ARG(batch->id));
    seen->last = *batch;
}

static void settle(struct store *store, const char *id, enum store_batch_state state,
                   const char *cause)
{
    const struct store_batch_settling settling = {
        .id = slice_of(id), .state = state, .cause = slice_of(cause), .now_ms = 8};
    struct fault fault;
    assert_int_equal(store_batch_settle(store, &settling, &fault), ERR_NONE);
}

static void note_provider(void *context, const struct store_batch_provider *provider)
{
    size_t len = strlen(context);
    (void)snprintf((char *)context + len, 256 - len, "%.*s=%.*s:%d/%d/%d/%d ",
                   SLICE_ARG(provider->name), SLICE_ARG(provider->label),
                   (int)provider->by_status[0], (int)provider->by_status[1],
                   (int)provider->by_status[2], (int)provider->by_status[3]);
}

static void providers_of_results(void **state)
{
    static const struct {
        const char *batch, *name, *label;
        unsigned status;
    } results[] = {
        {"b_1", "gw", "Google", 0}, {"b_1", "gw", "Google", 3}, {"b_1", "", "", 1},
        {"b_2", "gw", "Google", 2}, {"b_1", "own", "", 1},      {"b_1", "gw", "Google", 0},
    };
    char path[SCRATCH_PATH_BYTES];
    char seen[256] = "";
    struct fault fault = {0};
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    add_batch(store, "b_1", "k");
    add_batch(store, "b_2", "k");
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        assert_int_equal(store_batch_provider_add(store, slice_of(results[i].batch),
                                                  slice_of(results[i].name),
                                                  slice_of(results[i].label), results[i].status),
                         ERR_NONE);
    }
    assert_int_equal(store_flush(store, &fault), ERR_NONE);
    store_close(store);
    store = scratch_open(path);
    assert_int_equal(store_batch_provider_each(store, SLICE("b_1"), 9, note_provider, seen, &fault),
                     ERR_NONE);
    assert_string_equal(seen, "gw=Google:2/0/0/1 =:0/1/0/0 own=:0/1/0/0 ");
    seen[0] = '\0';
    assert_int_equal(store_batch_provider_each(store, SLICE("b_1"), 1, note_provider, seen, &fault),
                     ERR_NONE);
    assert_string_equal(seen, "gw=Google:2/0/0/1 ");
    assert_int_equal(store_batch_delete(store, SLICE("b_1"), &fault), ERR_NONE);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM batch_provider"), 1);
    store_close(store);
}

/* What goes beside a state is there where the state is. */
struct beside {
    struct store *store;
    enum err err; /* after the put */
};

static enum err put_beside(void *context, struct fault *out_fault)
{
    const struct beside *beside = context;
    assert_int_equal(scratch_put(beside->store, "beside@b", "{}"), ERR_NONE);
    return beside->err == ERR_NONE ? ERR_NONE : fault_set(out_fault, beside->err, 0, "refused");
}

static void what_goes_beside_a_state(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault = {0};
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct beside context = {store, ERR_LIMIT};
    const struct store_beside beside = {put_beside, &context};
    const struct store_batch_settling settling = {
        .id = SLICE("b_1"), .state = STORE_BATCH_DONE, .now_ms = 8, .beside = &beside};
    add_batch(store, "b_1", "k");
    assert_int_equal(scratch_put(store, "before@b", "{}"), ERR_NONE);
    uint64_t losses = store_losses(store);
    assert_int_equal(store_batch_settle(store, &settling, &fault), ERR_LIMIT);
    assert_string_equal(fault.text, "refused");
    assert_int_equal(scratch_sql(path, "SELECT state FROM batch"), STORE_BATCH_LOADING);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), 1); /* the one before */
    context.err = ERR_NONE;
    assert_int_equal(store_batch_settle(store, &settling, &fault), ERR_NONE);
    assert_int_equal(scratch_sql(path, "SELECT state FROM batch"), STORE_BATCH_DONE);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), 2);
    assert_int_equal(store_kept_since(store, losses, &fault), ERR_NONE); /* nothing of others */
    store_close(store);
}

static void rows_and_states(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct seen seen = {.ids = ""};
    struct fault fault = {0};
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    add_batch(store, "b_1", "k");
    const struct store_batch again = {.id = SLICE("b_1")};
    assert_int_equal(store_batch_add(store, &again, NULL, &fault), ERR_STATE);
    const struct store_batch_counts counts = {.rows = 9,
                                              .bad_rows = 1,
                                              .invalid_rows = 2,
                                              .items = 5,
                                              .done = 3,
                                              .by_status = {1, 2, 0, 0}};
    assert_int_equal(store_batch_progress(store, SLICE("b_1"), 77, true, &counts, 6), ERR_NONE);
    assert_int_equal(store_flush(store, &fault), ERR_NONE);
    settle(store, "b_1", STORE_BATCH_FAILED, "why");
    store_close(store);
    store = scratch_open(path);
    assert_int_equal(store_batch_find(store, SLICE("b_1"), see, &seen, &fault), ERR_NONE);
    assert_int_equal(seen.last.state, STORE_BATCH_FAILED);
    assert_int_equal(seen.last.job, 77);
    assert_true(seen.last.is_loaded);
    assert_int_equal(seen.last.bytes, 12);
    assert_memory_equal(&seen.last.counts, &counts, sizeof counts);
    assert_int_equal(seen.last.created_at_ms, 5);
    assert_int_equal(seen.last.finished_at_ms, 8);
    assert_true(store_batch_has_file(store, SLICE("b_1")));
    assert_false(store_batch_has_file(store, SLICE("b_2")));
    settle(store, "b_1", STORE_BATCH_DELETED, "");
    assert_int_equal(store_batch_find(store, SLICE("b_1"), see, &seen, &fault), ERR_CLOSED);
    assert_true(store_batch_has_file(store, SLICE("b_1"))); /* until it is gone */
    assert_int_equal(store_batch_delete(store, SLICE("b_1"), &fault), ERR_NONE);
    assert_false(store_batch_has_file(store, SLICE("b_1")));
    store_close(store);
}

static void pages(void **state)
{
    (void)state;
    static const struct {
        const char *name, *owner;
        int64_t before;
        size_t limit;
        const char *wanted;
    } rows[] = {
        {"all", NULL, 0, 10, "b_4 b_3 b_1 "}, {"the newest", NULL, 0, 1, "b_4 "},
        {"the next", NULL, 4, 1, "b_3 "},     {"the last", NULL, 3, 5, "b_1 "},
        {"no more", NULL, 1, 5, ""},          {"of one", "k", 0, 5, "b_3 b_1 "},
        {"of nobody", "", 0, 5, ""},
    };
    struct store *store = scratch_open(":memory:");
    struct fault fault;
    add_batch(store, "b_1", "k");
    add_batch(store, "b_2", "k");
    add_batch(store, "b_3", "k");
    add_batch(store, "b_4", "l");
    settle(store, "b_2", STORE_BATCH_DELETED, "");
    settle(store, "b_1", STORE_BATCH_DONE, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = {.ids = ""};
        struct slice owner = slice_of(rows[i].owner == NULL ? "" : rows[i].owner);
        const struct store_page page = {.owner = rows[i].owner == NULL ? NULL : &owner,
                                        .before = rows[i].before,
                                        .limit = rows[i].limit};
        assert_int_equal(store_batch_each(store, &page, see, &seen, &fault), ERR_NONE);
        if (strcmp(seen.ids, rows[i].wanted) != 0) {
            fail_msg("%s: %s", rows[i].name, seen.ids);
        }
    }
    struct seen seen = {.ids = ""};
    assert_int_equal(store_batch_each_open(store, see, &seen, &fault), ERR_NONE);
    assert_string_equal(seen.ids, "b_2 b_3 b_4 ");
    store_close(store);
}

/* Jobs in steps. */

static struct store_job *load(struct store *store, const char *fingerprint)
{
    struct store_job *job;
    struct fault fault = {0};
    const struct store_job_name name = {.fingerprint = slice_of(fingerprint),
                                        .label = SLICE("list.csv")};
    if (store_job_open(store, &name, 1, &job, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    for (int i = 0; i < ITEMS; i++) {
        char key[64];
        int n = i % (ITEMS - 100); /* a hundred stand twice */
        (void)snprintf(key, sizeof key, "n%d@d%d.test", n, n % DOMAINS);
        struct slice domain = slice_of(strchr(key, '@') + 1);
        assert_int_equal(store_job_add(job, slice_of(key), slice_of(key), domain), ERR_NONE);
    }
    return job;
}

static void take(void *context, const struct store_item *item)
{
    struct buf *text = context;
    assert_int_equal(buf_printf(text, "%.*s ", SLICE_ARG(item->key)), ERR_NONE);
}

static void read_order(struct store_job *job, struct buf *out)
{
    uint64_t cursor = 0;
    size_t count;
    buf_init(out, TEXT_BYTES);
    assert_int_equal(store_job_next(job, &cursor, ITEMS, take, out, &count), ERR_NONE);
    assert_int_equal(count, ITEMS - 100);
}

static void steps_make_the_same_order(void **state)
{
    (void)state;
    static const size_t limits[] = {1, 7, 1000, 1024, ITEMS, ITEMS * 2};
    struct store *store = scratch_open(":memory:");
    struct fault fault = {0};
    struct buf whole;
    uint64_t items = 0;
    struct store_job *job = load(store, "whole");
    assert_int_equal(store_job_loaded(job, &items, &fault), ERR_NONE);
    assert_int_equal(items, ITEMS - 100);
    read_order(job, &whole);
    store_job_close(job);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        char name[32];
        bool is_done = false;
        struct buf text;
        (void)snprintf(name, sizeof name, "by %zu", limits[i]);
        job = load(store, name);
        for (size_t steps = 0; !is_done; steps++) {
            assert_true(steps < (size_t)ITEMS * 40);
            assert_int_equal(store_job_order_some(job, limits[i], &is_done, &items, &fault),
                             ERR_NONE);
            assert_int_equal(steps % 5 != 0 || store_flush(store, &fault) == ERR_NONE, 1);
        }
        assert_int_equal(items, ITEMS - 100);
        read_order(job, &text);
        assert_true(slice_equal(buf_view(&whole), buf_view(&text)));
        buf_done(&text);
        store_job_close(job);
    }
    buf_done(&whole);
    store_close(store);
}

static const char *const tables[] = {"job", "job_item", "job_place", "job_turn", "job_result"};

/* What is left of an order that was not finished is gone with the next beginning. */
static void stopped_in_the_order(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    for (unsigned stop = 1; stop < 60; stop++) {
        struct store *store = scratch_open(path);
        struct fault fault = {0};
        bool is_done = false;
        uint64_t items = 0;
        struct store_job *job = load(store, "f");
        for (unsigned i = 0; i < stop && !is_done; i++) {
            assert_int_equal(store_job_order_some(job, 512, &is_done, &items, &fault), ERR_NONE);
        }
        store_job_close(job);
        store_close(store);
        if (is_done) {
            break;
        }
        store = scratch_open(path);
        job = load(store, "f");
        assert_int_equal(store_job_loaded(job, &items, &fault), ERR_NONE);
        assert_int_equal(items, ITEMS - 100);
        assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_turn"), ITEMS - 100);
        assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_place"), ITEMS - 100);
        assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_item"), ITEMS);
        assert_int_equal(store_job_delete(job, &fault), ERR_NONE);
        store_close(store);
    }
}

static void shed_in_parts(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    for (unsigned is_loaded = 0; is_loaded < 2; is_loaded++) {
        struct store *store = scratch_open(path);
        struct fault fault = {0};
        uint64_t items = 0;
        struct store_job *kept = load(store, "kept");
        assert_int_equal(store_job_loaded(kept, &items, &fault), ERR_NONE);
        struct store_job *job = load(store, "goes");
        if (is_loaded != 0) {
            assert_int_equal(store_job_loaded(job, &items, &fault), ERR_NONE);
            uint64_t cursor = 0;
            size_t count;
            struct buf text;
            buf_init(&text, TEXT_BYTES);
            assert_int_equal(store_job_next(job, &cursor, 9, take, &text, &count), ERR_NONE);
            assert_int_equal(store_job_result_put(job, cursor, SLICE("risky"), SLICE("{}")),
                             ERR_NONE);
            buf_done(&text);
        }
        int64_t id = store_job_info(job).id;
        bool is_done = false;
        int64_t cursor = 0;
        unsigned steps = 0;
        assert_int_equal(store_job_shed(store, id, 100, &cursor, &is_done, &fault), ERR_STATE);
        store_job_close(job);
        while (!is_done) {
            assert_true(steps++ < ITEMS);
            assert_int_equal(store_job_shed(store, id, 100, &cursor, &is_done, &fault), ERR_NONE);
        }
        assert_true(steps > 20);
        struct buf text;
        read_order(kept, &text);
        buf_done(&text);
        assert_int_equal(store_job_delete(kept, &fault), ERR_NONE);
        store_close(store);
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
            char sql[64];
            (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
            assert_int_equal(scratch_sql(path, sql), 0);
        }
    }
}

static void looked_at_from_outside(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault = {0};
    struct store_job *look;
    struct buf found;
    uint64_t items = 0;
    uint64_t cursor = 0;
    size_t count;
    struct buf text;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = load(store, "batch b_1");
    assert_int_equal(store_job_loaded(job, &items, &fault), ERR_NONE);
    struct store *reader = scratch_open(path);
    assert_int_equal(store_job_look(reader, store_job_info(job).id, &look, &fault), ERR_NONE);
    assert_int_equal(store_job_info(look).item_count, ITEMS - 100);
    buf_init(&text, TEXT_BYTES);
    buf_init(&found, TEXT_BYTES);
    assert_int_equal(store_job_next(job, &cursor, 1, take, &text, &count), ERR_NONE);
    struct slice key = slice_sub(buf_view(&text), 0, text.len - 1);
    assert_false(store_job_result_find(look, key, &found));
    assert_int_equal(store_job_result_put(job, cursor, SLICE("risky"), SLICE("{1}")), ERR_NONE);
    assert_int_equal(store_flush(store, &fault), ERR_NONE);
    assert_int_equal(store_flush(reader, &fault), ERR_NONE); /* a new look at the file */
    assert_true(store_job_result_find(look, key, &found));
    assert_true(slice_equal(buf_view(&found), SLICE("{1}")));
    store_job_close(look);
    assert_int_equal(store_job_look(reader, 99, &look, &fault), ERR_STORE);
    /* It is none of the command line's. */
    assert_int_equal(store_job_find(store, store_job_info(job).id, NULL, NULL, &fault), ERR_CLOSED);
    buf_done(&text);
    buf_done(&found);
    store_job_close(job);
    store_close(reader);
    store_close(store);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CASE(rows_and_states),           CASE(providers_of_results),     CASE(pages),
        CASE(steps_make_the_same_order), CASE(stopped_in_the_order),     CASE(shed_in_parts),
        CASE(looked_at_from_outside),    CASE(what_goes_beside_a_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
