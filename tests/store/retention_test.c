/* SPDX-License-Identifier: Apache-2.0 */
#include "store/retention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum { STEPS_MAX = 100 };

static const struct store_retention nothing = {INT64_MIN, INT64_MIN, INT64_MIN};

static struct store_sweep sweep(struct store *store, const struct store_retention *retention)
{
    struct store_sweep sweep;
    struct fault fault;
    store_sweep_begin(&sweep, retention);
    for (int i = 0; i < STEPS_MAX && !sweep.is_done; i++) {
        if (store_sweep_step(store, &sweep, &fault) != ERR_NONE) {
            fail_msg("%s", fault.text);
        }
    }
    assert_true(sweep.is_done);
    return sweep;
}

/* A thousand verdicts and facts of the times 1 to 1000, not in their order, and jobs of all states of the time 10. */
static struct store *fill(const char *path)
{
    store_close(scratch_open(path));
    (void)scratch_sql(
        path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000)"
        " INSERT INTO verdict SELECT i,i,i,'d','s','',1+(i*7)%1000,9999999,'{}' FROM n;"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000)"
        " INSERT INTO fact SELECT i,i,i,'d','k','s','{}',1+(i*7)%1000 FROM n;"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000)"
        " INSERT INTO watch_change SELECT i,1,'r',i,i,'a','s','','t','',1+(i*7)%1000 FROM n;"
        "INSERT INTO job(id,fingerprint,label,created_at,loaded,state,changed_at)"
        " VALUES(1,'a','',1,1,0,10),(2,'b','',1,1,1,10),(3,'c','',1,1,2,10),(4,'d','',1,1,3,10),"
        "(5,'e','',1,1,3,20);");
    return scratch_open(path);
}

static void what_is_old_goes_and_nothing_else(void **state)
{
    static const struct {
        struct store_retention retention;
        uint64_t deleted;
        long long verdicts, facts, jobs, changes;
    } cases[] = {
        {{INT64_MIN, INT64_MIN, INT64_MIN}, 0, 1000, 1000, 5, 1000},
        {{301, INT64_MIN, INT64_MIN}, 300, 700, 1000, 5, 1000},
        {{INT64_MIN, 301, INT64_MIN}, 600, 1000, 700, 5, 700},
        {{INT64_MIN, INT64_MIN, 11}, 2, 1000, 1000, 3, 1000},
        {{INT64_MIN, INT64_MIN, 10}, 0, 1000, 1000, 5, 1000},
        {{1001, 2, 21}, 1005, 0, 999, 2, 999},
        {{1, 1, 1}, 0, 1000, 1000, 5, 1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[SCRATCH_PATH_BYTES];
        char name[] = {(char)('a' + i), '\0'};
        scratch_path(state, name, path);
        struct store *store = fill(path);
        assert_int_equal(sweep(store, &cases[i].retention).deleted, cases[i].deleted);
        assert_int_equal(sweep(store, &cases[i].retention).deleted, 0);
        store_close(store);
        assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), cases[i].verdicts);
        assert_int_equal(scratch_sql(path, "SELECT count(*) FROM fact"), cases[i].facts);
        assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job"), cases[i].jobs);
        assert_int_equal(scratch_sql(path, "SELECT count(*) FROM watch_change"), cases[i].changes);
    }
}

/* Between two steps others can write, and what they write anew stays. */
static void a_step_holds_nobody_up(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault;
    struct store_sweep walk;
    struct store_retention retention = nothing;
    unsigned steps = 0;
    scratch_path(state, "x.db", path);
    struct store *store = fill(path);
    retention.verdicts_before_ms = 1001;
    store_sweep_begin(&walk, &retention);
    while (!walk.is_done) {
        assert_int_equal(store_sweep_step(store, &walk, &fault), ERR_NONE);
        if (steps++ == 0) {
            (void)scratch_sql(path, "PRAGMA busy_timeout=0; UPDATE verdict SET checked_at=5000");
        }
    }
    assert_int_equal(walk.deleted, 256);
    assert_true(steps >= 4);
    store_close(store);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), 744);
}

static void what_was_gathered_is_kept(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    const struct store_retention retention = {
        .verdicts_before_ms = 1, .facts_before_ms = 500, .jobs_before_ms = INT64_MIN};
    scratch_path(state, "x.db", path);
    struct store *store = fill(path);
    assert_int_equal(scratch_put(store, "new@b", "{}"), ERR_NONE);
    assert_int_equal(sweep(store, &retention).deleted, 2 * 499); /* facts, changes */
    assert_true(scratch_has(store, "new@b", "{}"));
    store_close(store);
}

static void a_step_that_fails_is_tried_again(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault;
    struct store *reader;
    struct store_sweep walk;
    struct store_retention retention = nothing;
    scratch_path(state, "x.db", path);
    struct store *store = fill(path);
    retention.facts_before_ms = 1001;
    assert_int_equal(store_open_to_read(path, &reader, &fault), ERR_NONE);
    store_sweep_begin(&walk, &retention);
    assert_int_equal(store_sweep_step(reader, &walk, &fault), ERR_STORE);
    assert_int_equal(walk.after, 0);
    store_close(reader);
    while (!walk.is_done) {
        assert_int_equal(store_sweep_step(store, &walk, &fault), ERR_NONE);
    }
    assert_int_equal(walk.deleted, 2 * 1000);
    store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_old_goes_and_nothing_else),
        IN_FOLDER(a_step_holds_nobody_up),
        IN_FOLDER(what_was_gathered_is_kept),
        IN_FOLDER(a_step_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests_name("store/retention", tests, NULL, NULL);
}
