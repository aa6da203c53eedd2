/* The schema: older files are brought up to date, wholly or not at all, and many may make a new one at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum { OPENERS = 8, ROUNDS = 5 };

#define APPLICATION_ID "1214606447"

#define SCHEMA_1                                                                                   \
    "CREATE TABLE verdict(key TEXT PRIMARY KEY, domain TEXT NOT NULL, status TEXT NOT NULL,"       \
    " sub_status TEXT NOT NULL, checked_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"         \
    " json TEXT NOT NULL) WITHOUT ROWID;"                                                          \
    "CREATE TABLE domain(domain TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"           \
    " at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY(domain, name)) WITHOUT ROWID;" \
    "CREATE TABLE fact(id INTEGER PRIMARY KEY, key TEXT NOT NULL, domain TEXT NOT NULL,"           \
    " kind TEXT NOT NULL, source TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL);"       \
    "CREATE INDEX fact_key ON fact(key, at);"                                                      \
    "CREATE TABLE job(id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE,"                   \
    " label TEXT NOT NULL, created_at INTEGER NOT NULL, loaded INTEGER NOT NULL DEFAULT 0);"       \
    "CREATE TABLE job_item(id INTEGER PRIMARY KEY, job INTEGER NOT NULL, key TEXT NOT NULL,"       \
    " address TEXT NOT NULL, domain TEXT NOT NULL, turn INTEGER, status TEXT, json TEXT);"         \
    "CREATE UNIQUE INDEX job_item_key ON job_item(job, key);"                                      \
    "CREATE INDEX job_item_turn ON job_item(job, turn) WHERE status IS NULL;"                      \
    "INSERT INTO verdict VALUES('a@b','b','valid','',1,9000,'{\"old\":1}');"                       \
    "PRAGMA user_version=1; PRAGMA application_id=" APPLICATION_ID ";"

/* Two to be asked, the second one first, and one that is done. */
#define UNFINISHED_JOB_1                                            \
    "INSERT INTO job VALUES(1,'print','list.csv',1,1);"             \
    "INSERT INTO job_item VALUES(1,1,'a@b','a@b','b',2,NULL,NULL)," \
    "(2,1,'c@d','c@d','d',1,NULL,NULL),(3,1,'e@f','e@f','f',3,'valid','{}');"

static void an_older_schema_is_brought_up_to_date(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    bool is_mine = false;
    scratch_path(state, "x.db", path);
    (void)scratch_sql(path, SCHEMA_1 UNFINISHED_JOB_1);
    struct store *store = scratch_open(path);
    assert_true(scratch_has(store, "a@b", "{\"old\":1}"));
    assert_int_equal(store_claim_try(store, SLICE("a@b"), 1, &is_mine), ERR_NONE);
    assert_true(is_mine);
    store_close(store);
    assert_int_equal(scratch_sql(path, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
    assert_int_equal(scratch_sql(path, "SELECT item FROM job_turn WHERE turn=1"), 2);
    assert_int_equal(scratch_sql(path, "SELECT item FROM job_turn WHERE turn=2"), 1);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_turn"), 3);
    assert_int_equal(scratch_sql(path, "SELECT item FROM job_result"), 3);
}

/* A migration that cannot be finished leaves the file as it was. */
static void a_broken_migration_is_taken_back(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct store *store = NULL;
    struct fault fault;
    scratch_path(state, "x.db", path);
    (void)scratch_sql(path, SCHEMA_1 "CREATE TABLE claim(in_the_way)");
    assert_int_equal(store_open(path, &store, &fault), ERR_STORE);
    assert_non_null(strstr(fault.text, "already exists"));
    assert_int_equal(scratch_sql(path, "PRAGMA user_version"), 1);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM sqlite_master WHERE name='holder'"),
                     0);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), 1);
}

static int open_at_once(const void *context, const struct scratch_ends *ends)
{
    struct store *store;
    struct fault fault;
    scratch_tell_ready(ends);
    scratch_wait_go(ends);
    if (store_open(context, &store, &fault) != ERR_NONE) {
        (void)fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    store_close(store);
    return 0;
}

static void a_new_file_may_be_opened_by_many_at_once(void **state)
{
    for (int round = 0; round < ROUNDS; round++) {
        char path[SCRATCH_PATH_BYTES];
        char name[32];
        struct scratch_process children[OPENERS];
        (void)snprintf(name, sizeof name, "%d.db", round);
        scratch_path(state, name, path);
        for (size_t i = 0; i < OPENERS; i++) {
            children[i] = scratch_start(open_at_once, path);
            scratch_wait_ready(&children[i]);
        }
        for (size_t i = 0; i < OPENERS; i++) {
            scratch_tell_go(&children[i]);
        }
        for (size_t i = 0; i < OPENERS; i++) {
            assert_int_equal(scratch_finish(&children[i]), 0);
        }
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(an_older_schema_is_brought_up_to_date),
        IN_FOLDER(a_broken_migration_is_taken_back),
        IN_FOLDER(a_new_file_may_be_opened_by_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
