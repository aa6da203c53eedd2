/* Jobs as others see them: what is listed, who runs one, what it is asked for, and what may be done to one that nobody
 * runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"
#include "store/job_list.h"

enum { LISTED_MAX = 8, LATER_MS = 1000 };

#define MONTH_MS (31 * INT64_C(86400000))

static const struct store_job_name name_f = {.fingerprint = SLICE_LITERAL("f"),
                                             .label = SLICE_LITERAL("list.csv"),
                                             .output = SLICE_LITERAL("out.csv"),
                                             .folder = SLICE_LITERAL("/home"),
                                             .command = SLICE_LITERAL("bulk\0list.csv\0")};

struct listed {
    size_t count;
    struct store_job_entry entries[LISTED_MAX]; /* their names are not to be used */
    bool are_names_right;
};

static void see(void *context, const struct store_job_entry *entry)
{
    struct listed *listed = context;
    listed->entries[listed->count++] = *entry;
    listed->are_names_right = slice_equal(entry->name.fingerprint, name_f.fingerprint) &&
                              slice_equal(entry->name.label, name_f.label) &&
                              slice_equal(entry->name.output, name_f.output) &&
                              slice_equal(entry->name.folder, name_f.folder) &&
                              slice_equal(entry->name.command, name_f.command);
}

static struct listed list(struct store *store)
{
    struct listed listed = {0};
    assert_int_equal(store_job_each(store, see, &listed, NULL), ERR_NONE);
    return listed;
}

static struct store_job *open_job(struct store *store, int64_t now_ms)
{
    struct store_job *job;
    struct fault fault;
    if (store_job_open(store, &name_f, now_ms, &job, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return job;
}

static void remember_id(void *context, const struct store_item *item)
{
    *(uint64_t *)context = item->id;
}

/* Two addresses, one of them answered. */
static struct store_job *make_half(struct store *store)
{
    struct store_job *job = open_job(store, 1);
    uint64_t items;
    uint64_t cursor = 0;
    uint64_t id = 0;
    size_t count;
    assert_int_equal(store_job_add(job, SLICE("a@b"), SLICE("a@b"), SLICE("b")), ERR_NONE);
    assert_int_equal(store_job_add(job, SLICE("c@b"), SLICE("c@b"), SLICE("b")), ERR_NONE);
    assert_int_equal(store_job_loaded(job, &items, NULL), ERR_NONE);
    assert_int_equal(store_job_next(job, &cursor, 1, remember_id, &id, &count), ERR_NONE);
    assert_int_equal(store_job_result_put(job, id, SLICE("risky"), SLICE("{}")), ERR_NONE);
    assert_int_equal(store_job_progress(job, 2, 1, LATER_MS), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    return job;
}

static void what_there_is_is_listed(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store *other = scratch_open(path);
    assert_int_equal(list(other).count, 0);
    struct store_job *job = make_half(store);
    struct listed listed = list(other);
    const struct store_job_entry *entry = &listed.entries[0];
    assert_int_equal(listed.count, 1);
    assert_true(listed.are_names_right);
    assert_true(entry->is_loaded && entry->is_running);
    assert_int_equal(entry->holder.pid, getpid());
    assert_int_equal(entry->holder.since_ms, 1);
    assert_int_equal(entry->items, 2);
    assert_int_equal(entry->done, 1);
    assert_int_equal(entry->created_at_ms, 1);
    assert_int_equal(entry->changed_at_ms, LATER_MS);
    store_job_close(job);
    assert_false(list(other).entries[0].is_running);
    store_close(other);
    store_close(store);
}

static void the_runner_hears_what_is_wanted(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store *other = scratch_open(path);
    struct store_job *job = open_job(store, 1);
    int64_t id = store_job_info(job).id;
    assert_int_equal(store_job_wished(job), STORE_WISH_NONE);
    assert_int_equal(store_job_ask(other, id, STORE_WISH_PAUSE, NULL), ERR_NONE);
    assert_int_equal(store_job_wished(job), STORE_WISH_PAUSE);
    assert_int_equal(store_job_ask(other, id, STORE_WISH_CANCEL, NULL), ERR_NONE);
    assert_int_equal(store_job_ask(other, id, STORE_WISH_PAUSE, NULL), ERR_NONE);
    assert_int_equal(store_job_wished(job), STORE_WISH_CANCEL);
    store_job_close(job);
    assert_int_equal(store_job_ask(other, id, STORE_WISH_PAUSE, NULL), ERR_CLOSED);
    job = open_job(store, 2); /* a wish dies with the process it was meant for */
    assert_int_equal(store_job_wished(job), STORE_WISH_NONE);
    store_job_close(job);
    store_close(other);
    store_close(store);
}

/* While a busy runner holds the database. */
static void asking_needs_no_write(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store *other = scratch_open(path);
    struct store_job *job = make_half(store);
    assert_int_equal(store_job_progress(job, 2, 1, 3), ERR_NONE); /* a group is open */
    assert_int_equal(store_job_ask(other, store_job_info(job).id, STORE_WISH_PAUSE, NULL),
                     ERR_NONE);
    assert_int_equal(list(other).count, 1);
    assert_int_equal(store_job_wished(job), STORE_WISH_PAUSE);
    store_job_close(job);
    store_close(other);
    store_close(store);
}

static void states_are_kept(void **state)
{
    static const struct {
        enum store_job_state state;
        long long items; /* that stay */
        bool is_resumed;
    } rows[] = {
        {STORE_JOB_PAUSED, 2, true},
        {STORE_JOB_CANCELLED, 0, false},
        {STORE_JOB_DONE, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int by_runner = 0; by_runner < 2; by_runner++) {
            char path[SCRATCH_PATH_BYTES];
            char file[32];
            (void)snprintf(file, sizeof file, "%zu-%d.db", i, by_runner);
            scratch_path(state, file, path);
            struct store *store = scratch_open(path);
            struct store_job *job = make_half(store);
            int64_t id = store_job_info(job).id;
            if (by_runner == 1) {
                assert_int_equal(store_job_end(job, rows[i].state, LATER_MS, NULL), ERR_NONE);
            } else {
                store_job_close(job);
                assert_int_equal(store_job_settle(store, id, rows[i].state, LATER_MS, NULL),
                                 ERR_NONE);
            }
            assert_int_equal(list(store).entries[0].state, rows[i].state);
            assert_int_equal(list(store).entries[0].done, 1);
            assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_item"), rows[i].items);
            job = open_job(store, LATER_MS + 1); /* it goes on, or begins anew */
            assert_int_equal(store_job_info(job).is_resumed, rows[i].is_resumed);
            assert_int_equal(store_job_info(job).is_loaded, rows[i].is_resumed);
            assert_int_equal(list(store).entries[0].state, STORE_JOB_OPEN);
            assert_int_equal(list(store).entries[0].items, (uint64_t)rows[i].items);
            assert_int_equal(list(store).entries[0].created_at_ms,
                             rows[i].is_resumed ? 1 : LATER_MS + 1);
            store_job_close(job);
            store_close(store);
        }
    }
}

static void those_that_are_over_leave_after_a_month(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    const struct store_job_name other = {.fingerprint = SLICE("g"), .label = SLICE("other")};
    struct store *store = scratch_open(path);
    struct store_job *job = open_job(store, 1);
    assert_int_equal(store_job_end(job, STORE_JOB_DONE, 1, NULL), ERR_NONE);
    const int64_t moments[] = {MONTH_MS + 1, MONTH_MS + 2};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(store_job_open(store, &other, moments[i], &job, NULL), ERR_NONE);
        store_job_close(job);
        assert_int_equal(list(store).count, 2 - i);
    }
    store_close(store);
}

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

static void what_runs_is_left_alone(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char pid[64];
    struct fault fault;
    scratch_path(state, "x.db", path);
    store_close(scratch_open(path));
    struct scratch_process child = scratch_start(hold_job, path);
    scratch_wait_ready(&child);
    (void)snprintf(pid, sizeof pid, "(%ld, since", (long)child.pid);
    struct store *store = scratch_open(path);
    assert_int_equal(list(store).entries[0].holder.pid, child.pid);
    assert_int_equal(store_job_settle(store, 1, STORE_JOB_PAUSED, 2, &fault), ERR_STATE);
    assert_non_null(strstr(fault.text, pid));
    assert_int_equal(store_job_forget(store, 1, 2, &fault), ERR_STATE);
    scratch_tell_go(&child);
    assert_int_equal(scratch_finish(&child), 256 + SIGKILL);
    assert_false(list(store).entries[0].is_running);
    assert_int_equal(store_job_forget(store, 1, 2, &fault), ERR_NONE);
    assert_int_equal(list(store).count, 0);
    store_close(store);
}

static void there_is_no_such_job(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault;
    struct listed listed = {0};
    scratch_path(state, "x.db", path);
    const char *const paths[] = {":memory:", path};
    for (size_t i = 0; i < 2; i++) {
        struct store *store = scratch_open(paths[i]);
        assert_int_equal(store_job_find(store, 7, see, &listed, &fault), ERR_CLOSED);
        assert_non_null(strstr(fault.text, "no job 7"));
        assert_int_equal(store_job_settle(store, 7, STORE_JOB_PAUSED, 1, &fault), ERR_CLOSED);
        assert_int_equal(store_job_forget(store, 7, 1, &fault), ERR_CLOSED);
        assert_int_equal(store_job_ask(store, 7, STORE_WISH_PAUSE, &fault), ERR_CLOSED);
        store_close(store);
    }
    scratch_path(state, "x.db.job-7.lock", path);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* Whatever somebody has put into the file beside the store. */
static void odd_locks_are_read_with_care(void **state)
{
    static const struct {
        const char *text;
        long pid;
        enum store_job_wish wish;
    } rows[] = {
        {"", 0, STORE_WISH_NONE},
        {"77", 0, STORE_WISH_NONE},
        {"77 5", 77, STORE_WISH_NONE},
        {"99999999999 5\n", 0, STORE_WISH_NONE},
        {"-1 5\npause", 0, STORE_WISH_PAUSE},
        {"77 5\npause \npausecancel\n", 77, STORE_WISH_NONE},
        {"77 5\ncancel\npause\n\n", 77, STORE_WISH_CANCEL},
        {"pause\npause\n", 0, STORE_WISH_PAUSE},
    };
    char path[SCRATCH_PATH_BYTES];
    char lock[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    scratch_path(state, "x.db.job-1.lock", lock);
    struct store *store = scratch_open(path);
    struct store_job *job = open_job(store, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *file = fopen(lock, "we");
        assert_non_null(file);
        assert_true(fputs(rows[i].text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        if (list(store).entries[0].holder.pid != rows[i].pid ||
            store_job_wished(job) != rows[i].wish) {
            fail_msg("\"%s\": %ld, %d", rows[i].text, list(store).entries[0].holder.pid,
                     (int)store_job_wished(job));
        }
    }
    store_job_close(job);
    store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_there_is_is_listed),
        IN_FOLDER(the_runner_hears_what_is_wanted),
        IN_FOLDER(asking_needs_no_write),
        IN_FOLDER(states_are_kept),
        IN_FOLDER(those_that_are_over_leave_after_a_month),
        IN_FOLDER(what_runs_is_left_alone),
        IN_FOLDER(there_is_no_such_job),
        IN_FOLDER(odd_locks_are_read_with_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
