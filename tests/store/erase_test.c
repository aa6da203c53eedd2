/* SPDX-License-Identifier: Apache-2.0 */
#include "store/erase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"
#include "store/signals.h"
#include "store/webhooks.h"

/* Whom it is about. The local part stands nowhere else, so that its bytes can be looked for in the file. */
#define WHO "quincy.zz.unmistakable@b.example"

static struct store_erased erase(struct store *store, const char *key)
{
    struct store_erased erased;
    struct fault fault;
    if (store_erase(store, slice_of(key), &erased, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return erased;
}

static void put_fact(struct store *store, const char *key)
{
    const struct store_fact fact = {.key = slice_of(key),
                                    .domain = SLICE_LITERAL("b.example"),
                                    .kind = SLICE_LITERAL("probe"),
                                    .source = SLICE_LITERAL("e"),
                                    .detail = SLICE_LITERAL("{}"),
                                    .at_ms = 5};
    assert_int_equal(store_fact_put(store, &fact), ERR_NONE);
}

/* How often the bytes stand in the file or its log. */
static size_t occurrences(const char *path, const char *ending)
{
    static char block[1 << 20];
    char name[SCRATCH_PATH_BYTES + 8];
    (void)snprintf(name, sizeof name, "%s%s", path, ending);
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        return 0;
    }
    size_t len = fread(block, 1, sizeof block, file);
    assert_true(len < sizeof block);
    assert_int_equal(fclose(file), 0);
    size_t count = 0;
    static const char who[] = "quincy.zz.unmistakable";
    for (const char *at = block;
         (at = memmem(at, len - (size_t)(at - block), who, sizeof who - 1)) != NULL; at++) {
        count++;
    }
    return count;
}

static void put_outside(struct store *store, const char *who, const char *batch)
{
    int64_t endpoint;
    bool is_new;
    const struct store_webhook_endpoint where = {.url = SLICE_LITERAL("https://a.example/"),
                                                 .origin = SLICE_LITERAL("a.example:443"),
                                                 .secret = SLICE_LITERAL("whsec_")};
    const struct store_signal signal = {.key = slice_of(who),
                                        .service = SLICE_LITERAL("gravatar"),
                                        .at_ms = 5,
                                        .expires_at_ms = 100};
    assert_int_equal(store_signal_put(store, &signal), ERR_NONE);
    assert_int_equal(store_webhook_endpoint_open(store, &where, 5, &endpoint), ERR_NONE);
    const struct store_webhook event = {.id = slice_of(batch),
                                        .kind = SLICE_LITERAL("batch.result"),
                                        .batch = slice_of(batch),
                                        .about = slice_of(who),
                                        .once = slice_of(who),
                                        .body = slice_of(who),
                                        .endpoint = {.id = endpoint}};
    assert_int_equal(store_webhook_put(store, &event, &is_new), ERR_NONE);
    assert_true(is_new);
}

static void count_event(void *context, const struct store_webhook *event)
{
    (void)event;
    ++*(int *)context;
}

static void what_was_said_and_told_outside_goes(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_signal other = {.key = SLICE_LITERAL("other@b.example"),
                                 .service = SLICE_LITERAL("gravatar")};
    int seen = 0;
    put_outside(store, WHO, "b_1");
    put_outside(store, "other@b.example", "b_2");
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_true(occurrences(path, "") + occurrences(path, "-wal") > 0);
    struct store_erased erased = erase(store, WHO);
    assert_int_equal(erased.signals, 1);
    assert_int_equal(erased.webhooks, 1);
    assert_true(erased.is_log_clean);
    assert_true(store_signal_find(store, 50, &other));
    assert_int_equal(store_webhook_find(store, SLICE("b_1"), count_event, &seen), ERR_CLOSED);
    assert_int_equal(store_webhook_find(store, SLICE("b_2"), count_event, &seen), ERR_NONE);
    assert_int_equal(seen, 1);
    store_close(store);
    assert_int_equal(occurrences(path, "") + occurrences(path, "-wal"), 0);
}

static void verdicts_of_all_options_and_facts_go(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    bool is_mine = false;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    static const char *const keys[] = {WHO, WHO " port=2525 risky_if=1 mode=0",
                                       WHO " port=25 no_smtp risky_if=1 mode=0", "other@b.example",
                                       "other@b.example port=2525 risky_if=1 mode=0"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(scratch_put(store, keys[i], "{\"email\":\"" WHO "\"}"), ERR_NONE);
        assert_int_equal(store_flush(store, NULL), ERR_NONE);
    }
    put_fact(store, WHO);
    put_fact(store, WHO);
    put_fact(store, "other@b.example");
    assert_int_equal(store_claim_try(store, SLICE(WHO), 1, &is_mine), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    struct store_erased erased = erase(store, WHO);
    assert_int_equal(erased.verdicts, 3);
    assert_int_equal(erased.facts, 2);
    assert_int_equal(erased.items + erased.results, 0);
    assert_true(erased.is_log_clean);
    assert_false(scratch_has(store, keys[0], "{\"email\":\"" WHO "\"}"));
    assert_false(scratch_has(store, keys[1], "{\"email\":\"" WHO "\"}"));
    assert_true(scratch_has(store, keys[3], "{\"email\":\"" WHO "\"}"));
    erased = erase(store, WHO);
    assert_int_equal(erased.verdicts + erased.facts, 0);
    store_close(store);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), 2);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM fact"), 1);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict_variant"), 2);
}

static void its_bytes_are_gone_from_the_file(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, WHO, "{\"email\":\"" WHO "\"}"), ERR_NONE);
    assert_int_equal(scratch_put(store, "other@b.example", "{}"), ERR_NONE);
    put_fact(store, WHO);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_true(occurrences(path, "-wal") > 0);
    (void)erase(store, WHO);
    assert_int_equal(occurrences(path, ""), 0);
    assert_int_equal(occurrences(path, "-wal"), 0);
    store_close(store);
    assert_int_equal(occurrences(path, ""), 0);
}

static void a_reader_keeps_the_log(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct store *reader;
    struct fault fault;
    struct buf json;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, WHO, "{}"), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_int_equal(store_open_to_read(path, &reader, &fault), ERR_NONE);
    struct store_job *job;
    const struct store_job_name name = {.fingerprint = SLICE_LITERAL("f")};
    assert_int_equal(store_job_open(store, &name, 1, &job, &fault), ERR_NONE);
    store_job_close(job);
    buf_init(&json, 100);
    assert_true(store_verdict_find(reader, SLICE(WHO), 5, 0, &json));
    buf_done(&json);
    assert_int_equal(erase(store, WHO).verdicts, 1);
    assert_false(store_verdict_find(reader, SLICE(WHO), 5, 0, &json));
    store_close(reader);
    store_close(store);
    assert_int_equal(occurrences(path, ""), 0);
}

/* Jobs. */

static struct store_job *open_job(struct store *store, const char *fingerprint)
{
    struct fault fault;
    struct store_job *job;
    const struct store_job_name name = {.fingerprint = slice_of(fingerprint)};
    if (store_job_open(store, &name, 1, &job, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return job;
}

static void add(struct store_job *job, const char *key, const char *address)
{
    assert_int_equal(store_job_add(job, slice_of(key), slice_of(address), SLICE("b.example")),
                     ERR_NONE);
}

static void load(struct store_job *job, uint64_t expected)
{
    uint64_t items = 0;
    struct fault fault;
    assert_int_equal(store_job_loaded(job, &items, &fault), ERR_NONE);
    assert_int_equal(items, expected);
}

struct seen {
    size_t count;
    uint64_t who; /* the turn of the one it is about; 0: not there */
    uint64_t last;
};

static void see(void *context, const struct store_item *item)
{
    struct seen *seen = context;
    seen->count++;
    seen->last = item->id;
    if (slice_equal(item->key, SLICE(WHO))) {
        seen->who = item->id;
    }
    assert_true(item->address.len > 0);
}

static struct seen look(struct store_job *job)
{
    struct seen seen = {.count = 0};
    uint64_t cursor = 0;
    size_t count;
    assert_int_equal(store_job_next(job, &cursor, 100, see, &seen, &count), ERR_NONE);
    return seen;
}

static void items_and_results_of_jobs_go(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct buf json;
    struct fault fault;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = open_job(store, "one");
    add(job, WHO, WHO);
    add(job, WHO, "Quincy.ZZ.unmistakable@b.example"); /* the same, in another spelling */
    add(job, "other@b.example", "other@b.example");
    load(job, 2);
    struct seen seen = look(job);
    assert_int_equal(seen.count, 2);
    assert_int_equal(
        store_job_result_put(job, seen.who, SLICE("valid"), SLICE("{\"a\":\"" WHO "\"}")),
        ERR_NONE);
    assert_int_equal(store_job_progress(job, 2, 1, 1), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    struct store_erased erased = erase(store, WHO);
    assert_int_equal(erased.items, 2);
    assert_int_equal(erased.results, 1);
    assert_int_equal(look(job).count, 1);
    assert_int_equal(look(job).who, 0);
    buf_init(&json, 100);
    assert_false(store_job_result_find(job, SLICE(WHO), &json));
    buf_done(&json);
    /* An answer that was under way is not kept by the job. */
    assert_int_equal(store_job_result_put(job, seen.who, SLICE("valid"), SLICE("{}")), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_result"), 0);
    assert_int_equal(scratch_sql(path, "SELECT done FROM job"), 0);
    assert_int_equal(store_job_end(job, STORE_JOB_DONE, 1, &fault), ERR_NONE);
    store_close(store);
    assert_int_equal(occurrences(path, ""), 0);
}

/* Numbers of rows that were erased are not given to another job, whose rows would be taken for the first one's. */
static void another_job_keeps_its_own(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *first = open_job(store, "one");
    add(first, WHO, WHO);
    load(first, 1);
    assert_int_equal(erase(store, WHO).items, 1);
    struct store_job *second = open_job(store, "two");
    add(second, WHO, WHO);
    add(second, "other@b.example", "other@b.example");
    load(second, 2);
    assert_int_equal(look(first).count, 0);
    struct seen seen = look(second);
    assert_int_equal(seen.count, 2);
    assert_int_equal(store_job_result_put(second, seen.who, SLICE("valid"), SLICE("{}")), ERR_NONE);
    store_job_close(first);
    first = open_job(store, "one");
    assert_int_equal(store_job_info(first).done_count, 0);
    assert_int_equal(store_job_end(first, STORE_JOB_DONE, 1, &fault), ERR_NONE);
    assert_int_equal(look(second).count, 1);
    store_job_close(second);
    store_close(store);
}

static void a_list_that_is_being_read_forgets_too(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = open_job(store, "one");
    add(job, WHO, WHO);
    add(job, "other@b.example", "other@b.example");
    assert_int_equal(erase(store, WHO).items, 1);
    load(job, 1);
    assert_int_equal(look(job).count, 1);
    store_job_close(job);
    store_close(store);
}

static void nothing_else_goes(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    assert_int_equal(scratch_put(store, "a@b.example", "{}"), ERR_NONE);
    struct store_erased erased = erase(store, "nobody@b.example");
    assert_int_equal(erased.verdicts + erased.facts + erased.items + erased.results, 0);
    assert_true(scratch_has(store, "a@b.example", "{}"));
    store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(verdicts_of_all_options_and_facts_go),
        IN_FOLDER(what_was_said_and_told_outside_goes),
        IN_FOLDER(its_bytes_are_gone_from_the_file),
        IN_FOLDER(a_reader_keeps_the_log),
        IN_FOLDER(items_and_results_of_jobs_go),
        IN_FOLDER(another_job_keeps_its_own),
        IN_FOLDER(a_list_that_is_being_read_forgets_too),
        cmocka_unit_test(nothing_else_goes),
    };
    return cmocka_run_group_tests_name("store/erase", tests, NULL, NULL);
}
