/* Jobs: what is in them, their order, what a stop or a kill leaves, and that one process at a time runs one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"
#include "store/place.h"

enum { TEXT_BYTES = 65536, ITEMS = 40, DONE = 10, SHARE = 64, MANY_READS = 3000 };

static const struct store_job_name name_f = {.fingerprint = SLICE_LITERAL("f"),
                                             .label = SLICE_LITERAL("l")};

static struct store_job *open_job(struct store *store, const char *fingerprint,
                                  struct store_job_info *out_info)
{
    struct store_job *job;
    struct fault fault;
    const struct store_job_name name = {.fingerprint = slice_of(fingerprint),
                                        .label = SLICE("list.csv")};
    if (store_job_open(store, &name, 1, &job, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    *out_info = store_job_info(job);
    return job;
}

static void add(struct store_job *job, const char *key, const char *domain)
{
    assert_int_equal(store_job_add(job, slice_of(key), slice_of(key), slice_of(domain)), ERR_NONE);
}

static void finish_loading(struct store_job *job, uint64_t items)
{
    uint64_t count = 0;
    assert_int_equal(store_job_loaded(job, &count, NULL), ERR_NONE);
    assert_int_equal(count, items);
}

struct seen {
    struct buf keys; /* with a space after each */
    uint64_t ids[512];
    size_t count;
};

static void see(void *context, const struct store_item *item)
{
    struct seen *seen = context;
    assert_true(slice_equal(item->key, item->address));
    assert_int_equal(buf_printf(&seen->keys, "%.*s ", SLICE_ARG(item->key)), ERR_NONE);
    seen->ids[seen->count++] = item->id;
}

/* All that is unfinished, fetched a few at a time. */
static void see_all(struct store_job *job, size_t limit, struct seen *out)
{
    uint64_t cursor = 0;
    size_t count = 1;
    *out = (struct seen){0};
    buf_init(&out->keys, TEXT_BYTES);
    while (count > 0) {
        assert_int_equal(store_job_next(job, &cursor, limit, see, out, &count), ERR_NONE);
        assert_in_range(count, 0, limit);
    }
}

/* The keys as a job gives them, with a space after each: in the order of their places, SHARE of a domain at a time. */
static int by_place(const void *a, const void *b)
{
    int64_t x = store_place(slice_of(*(const char *const *)a));
    int64_t y = store_place(slice_of(*(const char *const *)b));
    return (x > y) - (x < y);
}

static const char *in_order(const char *const *keys, size_t count)
{
    static char text[TEXT_BYTES];
    const char *sorted[512];
    size_t len = 0;
    size_t written = 0;
    memcpy(sorted, keys, count * sizeof *keys);
    qsort(sorted, count, sizeof *sorted, by_place);
    for (size_t round = 0; written < count; round++) {
        const char *domain = "";
        size_t rank = 0;
        for (size_t i = 0; i < count; i++) {
            rank = strcmp(domain, strchr(sorted[i], '@')) == 0 ? rank + 1 : 0;
            domain = strchr(sorted[i], '@');
            if (rank / SHARE == round) {
                len += (size_t)snprintf(text + len, sizeof text - len, "%s ", sorted[i]);
                written++;
            }
        }
    }
    return text;
}

static void check_keys(struct store_job *job, size_t limit, const char *wanted)
{
    struct seen seen;
    see_all(job, limit, &seen);
    if (!slice_equal(buf_view(&seen.keys), slice_of(wanted))) {
        fail_msg("%zu at a time: %.*s", limit, SLICE_ARG(buf_view(&seen.keys)));
    }
    buf_done(&seen.keys);
}

static void items_count_once(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct store_job_info info;
    scratch_path(state, "x.db", path);
    const char *const paths[] = {":memory:", path};
    for (size_t i = 0; i < 2; i++) {
        struct store *store = scratch_open(paths[i]);
        struct store_job *job = open_job(store, "f1", &info);
        struct store_job *other = open_job(store, "f2", &info);
        assert_false(info.is_resumed);
        assert_false(info.is_loaded);
        add(job, "a@b", "b");
        add(job, "a@b", "b");
        add(other, "a@b", "b"); /* another list may have it too */
        add(job, "c@d", "d");
        add(job, "a@b", "b");
        check_keys(job, 10, ""); /* without an order there is no next */
        finish_loading(job, 2);
        finish_loading(other, 1);
        for (size_t limit = 1; limit < 4; limit++) {
            check_keys(job, limit, in_order((const char *const[]){"a@b", "c@d"}, 2));
            check_keys(other, limit, "a@b ");
        }
        store_job_close(job);
        store_job_close(other);
        store_close(store);
    }
    store_job_close(NULL);
}

struct part_row {
    const char *name;
    struct slice key, address, domain;
};

static const struct part_row part_rows[] = {
    {"all is in the address", SLICE_LITERAL("a@b"), SLICE_LITERAL("a@b"), SLICE_LITERAL("b")},
    {"another key", SLICE_LITERAL("a@b port=1"), SLICE_LITERAL("a@b"), SLICE_LITERAL("b")},
    {"another domain", SLICE_LITERAL("c@b"), SLICE_LITERAL("c@b"), SLICE_LITERAL("d")},
    {"another key and domain", SLICE_LITERAL("key"), SLICE_LITERAL("\"x@y\"@b"),
     SLICE_LITERAL("d")},
    {"an '@' in quotes", SLICE_LITERAL("\"x@z\"@b"), SLICE_LITERAL("\"x@z\"@b"),
     SLICE_LITERAL("b")},
    {"no domain", SLICE_LITERAL("e"), SLICE_LITERAL("e"), SLICE_LITERAL("")},
    {"empty parts", SLICE_LITERAL(""), SLICE_LITERAL("f@b"), SLICE_LITERAL("")},
};

static void see_parts(void *context, const struct store_item *item)
{
    size_t *seen = context;
    for (size_t i = 0; i < sizeof part_rows / sizeof part_rows[0]; i++) {
        const struct part_row *row = &part_rows[i];
        if (slice_equal(row->key, item->key)) {
            *seen |= (size_t)1 << i;
            if (!slice_equal(row->address, item->address) ||
                !slice_equal(row->domain, item->domain)) {
                fail_msg("%s: %.*s, %.*s", row->name, SLICE_ARG(item->address),
                         SLICE_ARG(item->domain));
            }
        }
    }
}

static void items_come_back_as_they_were(void **state)
{
    (void)state;
    struct store_job_info info;
    struct store *store = scratch_open(":memory:");
    struct store_job *job = open_job(store, "f", &info);
    size_t rows = sizeof part_rows / sizeof part_rows[0];
    for (size_t i = 0; i < rows; i++) {
        const struct part_row *row = &part_rows[i];
        assert_int_equal(store_job_add(job, row->key, row->address, row->domain), ERR_NONE);
    }
    finish_loading(job, rows);
    uint64_t cursor = 0;
    size_t count;
    size_t seen = 0;
    assert_int_equal(store_job_next(job, &cursor, 100, see_parts, &seen, &count), ERR_NONE);
    assert_int_equal(count, rows);
    assert_int_equal(seen, ((size_t)1 << rows) - 1);
    store_job_close(job);
    store_close(store);
}

/* Runs of SHARE addresses of one domain, in turn; domains, and the addresses of each, in the order of their places. */
static void domains_take_turns(void **state)
{
    (void)state;
    enum { KEYS = 221, KEY_BYTES = 32 };
    static char keys[KEYS][KEY_BYTES];
    const char *pointers[KEYS];
    struct store_job_info info;
    struct store *store = scratch_open(":memory:");
    struct store_job *job = open_job(store, "f", &info);
    static const struct {
        const char *domain;
        int count;
    } shares[] = {{"giant", 150}, {"mid", 70}, {"one", 1}};
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        for (int j = 0; j < shares[i].count; j++) {
            (void)snprintf(keys[at], KEY_BYTES, "%d@%s", j, shares[i].domain);
            add(job, keys[at], shares[i].domain);
            pointers[at] = keys[at];
            at++;
        }
    }
    finish_loading(job, KEYS);
    const char *wanted = in_order(pointers, KEYS);
    check_keys(job, 7, wanted);
    check_keys(job, 400, wanted);
    store_job_close(job);
    store_close(store);
}

static void results_are_kept_and_left_out_of_next(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct store_job_info info;
    struct seen seen;
    struct buf json;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = open_job(store, "f", &info);
    add(job, "a@b", "b");
    add(job, "c@b", "b");
    add(job, "d@b", "b");
    finish_loading(job, 3);
    see_all(job, 10, &seen);
    char done[SCRATCH_PATH_BYTES];
    char left[SCRATCH_PATH_BYTES];
    struct slice keys = buf_view(&seen.keys); /* three of the same length */
    (void)snprintf(done, sizeof done, "%.3s", keys.at + 4);
    (void)snprintf(left, sizeof left, "%.4s%.4s", keys.at, keys.at + 8);
    buf_done(&seen.keys);
    assert_int_equal(store_job_result_put(job, seen.ids[1], SLICE("valid"), SLICE("{\"c\":1}")),
                     ERR_NONE);
    check_keys(job, 10, left);
    buf_init(&json, TEXT_BYTES);
    assert_false(store_job_result_find(job, slice_sub(slice_of(left), 0, 3), &json));
    assert_false(store_job_result_find(job, SLICE("x@b"), &json));
    assert_true(store_job_result_find(job, slice_of(done), &json));
    assert_true(slice_equal(buf_view(&json), SLICE("{\"c\":1}")));
    buf_done(&json);
    /* Closed without a flush, and asked for again in the same run and in the next. */
    for (int i = 0; i < 2; i++) {
        store_job_close(job);
        if (i == 1) {
            store_close(store);
            store = scratch_open(path);
        }
        job = open_job(store, "f", &info);
        assert_true(info.is_resumed && info.is_loaded);
        assert_int_equal(info.item_count, 3);
        assert_int_equal(info.done_count, 1);
        check_keys(job, 10, left);
    }
    store_job_close(job);
    store_close(store);
}

static void put_key(void *context, const struct store_item *item)
{
    struct store_job *job = context;
    assert_int_equal(store_job_result_put(job, item->id, SLICE("valid"), item->key), ERR_NONE);
}

static bool has_result(struct store_job *job, const char *key)
{
    struct buf found;
    buf_init(&found, TEXT_BYTES);
    bool is_found = store_job_result_find(job, slice_of(key), &found);
    assert_true(!is_found || slice_equal(buf_view(&found), slice_of(key)));
    buf_done(&found);
    return is_found;
}

static void an_empty_list_is_a_list(void **state)
{
    (void)state;
    struct store_job_info info;
    struct store *store = scratch_open(":memory:");
    struct store_job *job = open_job(store, "f", &info);
    finish_loading(job, 0);
    check_keys(job, 10, "");
    assert_false(has_result(job, "a@b"));
    store_job_close(job);
    job = open_job(store, "f", &info);
    assert_true(info.is_loaded);
    assert_int_equal(info.item_count, 0);
    store_job_close(job);
    store_close(store);
}

/* Which happens once in many lists; here it is made so. */
static void items_that_share_a_place_are_told_apart(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char sql[128];
    struct store_job_info info;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = open_job(store, "f", &info);
    static const char *const keys[] = {"a@b", "c@b", "d@b", "a@b"};
    for (size_t i = 0; i < 4; i++) {
        add(job, keys[i], "b");
    }
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    (void)snprintf(sql, sizeof sql, "UPDATE job_item SET place=%lld",
                   (long long)store_place(SLICE("c@b")));
    (void)scratch_sql(path, sql);
    finish_loading(job, 3);
    uint64_t cursor = 0;
    size_t count;
    assert_int_equal(store_job_next(job, &cursor, 10, put_key, job, &count), ERR_NONE);
    assert_int_equal(count, 3);
    assert_true(has_result(job, "c@b"));
    (void)snprintf(sql, sizeof sql, "UPDATE job_place SET place=%lld",
                   (long long)store_place(SLICE("a@b")));
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    (void)scratch_sql(path, sql);
    assert_true(has_result(job, "a@b"));
    assert_false(has_result(job, "c@b")); /* it is sought elsewhere now */
    store_job_close(job);
    store_close(store);
}

/* Results are read in one look at the file; a write or a flush ends it, and so does a number of reads. */
static void reading_holds_up_nobody(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct store_job_info info;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store *other = scratch_open(path);
    struct store_job *job = open_job(store, "f", &info);
    add(job, "a@b", "b");
    finish_loading(job, 1);
    uint64_t cursor = 0;
    size_t count;
    assert_int_equal(store_job_next(job, &cursor, 10, put_key, job, &count), ERR_NONE);
    assert_true(has_result(job, "a@b"));
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    for (int i = 0; i < MANY_READS; i++) {
        assert_true(has_result(job, "a@b"));
    }
    assert_int_equal(scratch_put(other, "a@b", "{}"), ERR_NONE);
    assert_int_equal(store_flush(other, NULL), ERR_NONE);
    assert_true(has_result(job, "a@b"));
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_true(scratch_has(store, "a@b", "{}"));
    assert_true(has_result(job, "a@b"));
    assert_int_equal(scratch_put(store, "c@b", "{}"), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_true(scratch_has(other, "c@b", "{}"));
    assert_true(has_result(job, "a@b"));
    assert_int_equal(store_job_end(job, STORE_JOB_DONE, 1, NULL), ERR_NONE);
    store_close(other);
    store_close(store);
}

static void deleted_jobs_begin_anew(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char lock[SCRATCH_PATH_BYTES];
    struct stat about;
    struct store_job_info info;
    scratch_path(state, "x.db", path);
    scratch_path(state, "x.db.job-1.lock", lock);
    struct store *store = scratch_open(path);
    struct store_job *other = NULL;
    struct store_job *job = open_job(store, "f", &info);
    add(job, "a@b", "b");
    assert_int_equal(stat(lock, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    other = open_job(store, "other", &info);
    add(other, "z@b", "b");
    finish_loading(other, 1);
    assert_int_equal(store_job_delete(job, NULL), ERR_NONE);
    assert_int_not_equal(stat(lock, &about), 0);
    job = open_job(store, "f", &info);
    assert_false(info.is_resumed);
    assert_int_equal(info.item_count, 0);
    store_job_close(job);
    store_job_close(other);
    other = open_job(store, "other", &info);
    assert_int_equal(info.item_count, 1);
    store_job_close(other);
    store_close(store);
}

/* However often it is gone on with; over, it begins anew. */
static void a_job_began_once(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    const struct store_job_name name = {.fingerprint = SLICE("f"), .label = SLICE("list.csv")};
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    static const int64_t begun_ms[] = {100, 100, 100, 400};
    for (int64_t i = 0; i < 4; i++) {
        int64_t now_ms = 100 * (i + 1);
        struct store_job *job = NULL;
        assert_int_equal(store_job_begun(store, name.fingerprint, now_ms), begun_ms[i]);
        assert_int_equal(store_job_open(store, &name, now_ms, &job, NULL), ERR_NONE);
        assert_int_equal(store_job_info(job).begun_ms, begun_ms[i]);
        if (i == 2) {
            assert_int_equal(store_job_end(job, STORE_JOB_DONE, now_ms, NULL), ERR_NONE);
        } else {
            store_job_close(job);
        }
    }
    store_close(store);
}

/* While a long list is read, others come to write: what was loaded is committed from time to time. */
static void loading_lets_others_write(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char key[32];
    struct store_job_info info;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store *other = scratch_open(path);
    struct store_job *job = open_job(store, "f", &info);
    for (int i = 0; i < STORE_LOAD_ROWS; i++) {
        (void)snprintf(key, sizeof key, "%d@b", i);
        add(job, key, "b");
    }
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_item"), STORE_LOAD_ROWS);
    assert_int_equal(scratch_put(other, "a@b", "{}"), ERR_NONE);
    store_close(other);
    store_job_close(job);
    job = open_job(store, "f", &info);
    assert_true(info.is_resumed);
    assert_false(info.is_loaded); /* the list must be read again */
    assert_int_equal(info.item_count, 0);
    add(job, "7@b", "b");
    finish_loading(job, 1);
    store_job_close(job);
    store_close(store);
}

/* Several processes. */

static int hold_job(const void *context, const struct scratch_ends *ends)
{
    struct store *store;
    struct store_job *job;
    if (store_open(context, &store, NULL) != ERR_NONE ||
        store_job_open(store, &name_f, 1, &job, NULL) != ERR_NONE) {
        return 1;
    }
    scratch_tell_ready(ends);
    scratch_wait_go(ends);
    return kill(getpid(), SIGKILL);
}

/* By whatever name the file is called; and free again when the holder dies, however it dies. */
static void a_job_has_one_process(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char alias[SCRATCH_PATH_BYTES];
    char pid[64];
    scratch_path(state, "x.db", path);
    scratch_path(state, "alias.db", alias);
    store_close(scratch_open(path));
    assert_int_equal(symlink(path, alias), 0);
    struct scratch_process child = scratch_start(hold_job, path);
    scratch_wait_ready(&child);
    (void)snprintf(pid, sizeof pid, "(%ld, since 1970-01-01 00:00:00 UTC)", (long)child.pid);
    const char *const names[] = {path, alias};
    struct store_job *job = NULL;
    struct store_job_info info;
    for (size_t i = 0; i < 2; i++) {
        struct fault fault;
        struct store *store = scratch_open(names[i]);
        assert_int_equal(store_job_open(store, &name_f, 1, &job, &fault), ERR_STATE);
        assert_null(job);
        assert_non_null(strstr(fault.text, pid));
        store_job_close(open_job(store, "another list", &info));
        store_close(store);
    }
    scratch_tell_go(&child);
    assert_int_equal(scratch_finish(&child), 256 + SIGKILL);
    struct store *store = scratch_open(path);
    store_job_close(open_job(store, "f", &info));
    store_close(store);
}

static void put_result(void *context, const struct store_item *item)
{
    uint64_t *ids = context;
    ids[ids[0]++ + 1] = item->id;
}

static int work_and_die(const void *context, const struct scratch_ends *ends)
{
    (void)ends;
    struct store *store;
    struct store_job *job = NULL;
    uint64_t ids[ITEMS + 1] = {0};
    uint64_t cursor = 0;
    size_t count;
    bool is_good = store_open(context, &store, NULL) == ERR_NONE &&
                   store_job_open(store, &name_f, 1, &job, NULL) == ERR_NONE;
    for (int i = 0; is_good && i < ITEMS; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%d@b", i);
        is_good = store_job_add(job, slice_of(key), slice_of(key), SLICE("b")) == ERR_NONE;
    }
    uint64_t items = 0;
    is_good = is_good && store_job_loaded(job, &items, NULL) == ERR_NONE && items == ITEMS &&
              store_job_next(job, &cursor, ITEMS, put_result, ids, &count) == ERR_NONE;
    for (int i = 0; is_good && i < DONE + 5; i++) {
        is_good = store_job_result_put(job, ids[i + 1], SLICE("valid"), SLICE("{}")) == ERR_NONE &&
                  (i != DONE - 1 || store_flush(store, NULL) == ERR_NONE);
    }
    return is_good ? kill(getpid(), SIGKILL) : 1;
}

static void a_killed_job_goes_on_where_it_was_flushed(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct store_job_info info;
    struct seen seen;
    scratch_path(state, "x.db", path);
    struct scratch_process child = scratch_start(work_and_die, path);
    assert_int_equal(scratch_finish(&child), 256 + SIGKILL);
    struct store *store = scratch_open(path);
    struct store_job *job = open_job(store, "f", &info);
    assert_true(info.is_resumed && info.is_loaded);
    assert_int_equal(info.item_count, ITEMS);
    assert_int_equal(info.done_count, DONE);
    see_all(job, 7, &seen);
    assert_int_equal(seen.count, ITEMS - DONE);
    char keys[ITEMS][16];
    const char *pointers[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "%d@b", i);
        pointers[i] = keys[i];
    }
    struct slice all = slice_of(in_order(pointers, ITEMS));
    assert_true(slice_ends(all, buf_view(&seen.keys)));
    buf_done(&seen.keys);
    store_job_close(job);
    store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(items_count_once),
        cmocka_unit_test(items_come_back_as_they_were),
        cmocka_unit_test(domains_take_turns),
        IN_FOLDER(results_are_kept_and_left_out_of_next),
        cmocka_unit_test(an_empty_list_is_a_list),
        IN_FOLDER(items_that_share_a_place_are_told_apart),
        IN_FOLDER(reading_holds_up_nobody),
        IN_FOLDER(a_job_began_once),
        IN_FOLDER(deleted_jobs_begin_anew),
        IN_FOLDER(loading_lets_others_write),
        IN_FOLDER(a_job_has_one_process),
        IN_FOLDER(a_killed_job_goes_on_where_it_was_flushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
