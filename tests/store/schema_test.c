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

enum { OPENERS = 8, ROUNDS = 5, TEXT_BYTES = 4096 };

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
    (void)scratch_sql(path, SCHEMA_1 UNFINISHED_JOB_1
                      "INSERT INTO verdict VALUES('a@b port=1','b','valid','',1,9000,'{}'),"
                      "('\"x y\"@b port=1','b','valid','',1,9000,'{}'),"
                      "('\"x y\"@b','b','valid','',1,9000,'{}');");
    struct store *store = scratch_open(path);
    assert_true(scratch_has(store, "a@b", "{\"old\":1}"));
    assert_int_equal(store_claim_try(store, SLICE("a@b"), 1, &is_mine), ERR_NONE);
    assert_true(is_mine);
    store_close(store);
    assert_int_equal(scratch_sql(path, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
    assert_int_equal(scratch_sql(path, "SELECT item FROM job_turn WHERE id=1"), 2);
    assert_int_equal(scratch_sql(path, "SELECT item FROM job_turn WHERE id=2"), 1);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_turn"), 3);
    assert_int_equal(
        scratch_sql(path, "SELECT id FROM job_turn WHERE result IN (SELECT id FROM job_result)"),
        3);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict_variant"), 1);
    assert_int_equal(
        scratch_sql(path, "SELECT count(*) FROM verdict_variant WHERE variant=' port=1'"), 1);
}

/* Until version 11 no record was packed. */
static void records_of_older_files_are_read(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, "a@b", "{}"), ERR_NONE);
    store_close(store);
    (void)scratch_sql(path, "UPDATE verdict SET json='{\"status\":\"deliverable\",\"score\":95}';"
                            "PRAGMA user_version=11");
    store = scratch_open(path);
    assert_true(scratch_has(store, "a@b", "{\"status\":\"deliverable\",\"score\":95}"));
    store_close(store);
    assert_int_equal(scratch_sql(path, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
}

/* Until version 12 a variant lay elsewhere than its address. */
static void variants_move_to_their_address(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    bool is_mine = false;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, "a@b port=1", "{}"), ERR_NONE);
    store_close(store);
    (void)scratch_sql(path, "UPDATE verdict SET place=5;"
                            "INSERT INTO claim VALUES(6,'c@d port=1',1,1);"
                            "PRAGMA user_version=12");
    store = scratch_open(path);
    assert_true(scratch_has(store, "a@b port=1", "{}"));
    assert_int_equal(store_claim_try(store, SLICE("c@d port=1"), 2, &is_mine), ERR_NONE);
    assert_true(is_mine); /* its holder is gone */
    store_close(store);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM claim"), 0);
}

/* Objects of one file that the other has not, or has otherwise. Names have quotes where a table was renamed. */
#define DIFFERENCES(one, other)                                                        \
    "SELECT count(*) FROM (SELECT type,name,tbl_name,replace(sql,'\"','') FROM " one   \
    ".sqlite_master EXCEPT SELECT type,name,tbl_name,replace(sql,'\"','') FROM " other \
    ".sqlite_master)"

static void a_new_file_is_as_one_that_grew(void **state)
{
    char old_path[SCRATCH_PATH_BYTES];
    char new_path[SCRATCH_PATH_BYTES];
    char sql[TEXT_BYTES];
    scratch_path(state, "old.db", old_path);
    scratch_path(state, "new.db", new_path);
    (void)scratch_sql(old_path, SCHEMA_1);
    store_close(scratch_open(old_path));
    store_close(scratch_open(new_path));
    static const char *const questions[] = {
        DIFFERENCES("main", "old"), DIFFERENCES("old", "main"),
        "SELECT a.value-b.value FROM main.api_key_generation a,old.api_key_generation b"};
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        (void)snprintf(sql, sizeof sql, "ATTACH '%s' AS old; %s", old_path, questions[i]);
        assert_int_equal(scratch_sql(new_path, sql), 0);
    }
    assert_true(scratch_sql(new_path, "SELECT count(*) FROM sqlite_master") > 40);
}

/* As version 5 left it. */
#define SCHEMA_5                                                                                   \
    "CREATE TABLE holder(id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER NOT NULL,"              \
    " at INTEGER NOT NULL);"                                                                       \
    "CREATE TABLE claim(key TEXT PRIMARY KEY, holder INTEGER NOT NULL, at INTEGER NOT NULL)"       \
    " WITHOUT ROWID;"                                                                              \
    "CREATE TABLE verdict(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, domain TEXT NOT NULL," \
    " status TEXT NOT NULL, sub_status TEXT NOT NULL, checked_at INTEGER NOT NULL,"                \
    " expires_at INTEGER NOT NULL, json TEXT NOT NULL);"                                           \
    "CREATE TABLE domain(domain TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"           \
    " at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY(domain, name)) WITHOUT ROWID;" \
    "CREATE TABLE fact(id INTEGER PRIMARY KEY, key TEXT NOT NULL, domain TEXT NOT NULL,"           \
    " kind TEXT NOT NULL, source TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL);"       \
    "CREATE INDEX fact_key ON fact(key, at);"                                                      \
    "CREATE TABLE job(id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE,"                   \
    " label TEXT NOT NULL, created_at INTEGER NOT NULL, loaded INTEGER NOT NULL DEFAULT 0,"        \
    " state INTEGER NOT NULL DEFAULT 0, output TEXT NOT NULL DEFAULT '',"                          \
    " folder TEXT NOT NULL DEFAULT '', command TEXT NOT NULL DEFAULT '',"                          \
    " items INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,"                          \
    " changed_at INTEGER NOT NULL DEFAULT 0);"                                                     \
    "CREATE TABLE job_item(id INTEGER PRIMARY KEY, job INTEGER NOT NULL, key TEXT NOT NULL,"       \
    " address TEXT NOT NULL, domain TEXT NOT NULL);"                                               \
    "CREATE UNIQUE INDEX job_item_key ON job_item(job, key);"                                      \
    "CREATE TABLE job_turn(job INTEGER NOT NULL, turn INTEGER NOT NULL, item INTEGER NOT NULL,"    \
    " PRIMARY KEY(job, turn)) WITHOUT ROWID;"                                                      \
    "CREATE TABLE job_result(item INTEGER PRIMARY KEY, job INTEGER NOT NULL, status TEXT NOT "     \
    "NULL, result TEXT NOT NULL);"                                                                 \
    "PRAGMA user_version=5; PRAGMA application_id=" APPLICATION_ID ";"

/* Two jobs whose items were put in by turns, each with one result; a third one that was not loaded to its end. */
#define CONTENT_5                                                                            \
    "INSERT INTO verdict VALUES(3,'a@b','b','valid','',1,9000,'{\"old\":1}'),"               \
    "(7,'c@d','d','valid','',1,9000,'{\"old\":2}');"                                         \
    "INSERT INTO fact VALUES(1,'a@b','b','probe','e','first',10),"                           \
    "(2,'a@b','b','probe','e','second',20);"                                                 \
    "INSERT INTO holder VALUES(5,1,1);"                                                      \
    "INSERT INTO claim VALUES('z@b',5,1);"                                                   \
    "INSERT INTO job VALUES(1,'one','one.csv',1,1,0,'','','',3,1,1),"                        \
    "(2,'two','two.csv',1,1,1,'','','',1,1,1),(3,'three','three.csv',1,0,0,'','','',0,0,1)," \
    "(4,'four','four.csv',1,1,3,'','','',9,9,1);"                                            \
    "INSERT INTO job_item VALUES(1,1,'a@b','a@b','b'),(2,2,'a@b','a@b','b'),"                \
    "(3,1,'c@d port=1','c@d','d'),(4,3,'x@b','x@b','b'),(5,1,'e@f','e@f','f');"              \
    "INSERT INTO job_turn VALUES(1,1,3),(1,2,1),(1,3,5),(2,1,2);"                            \
    "INSERT INTO job_result VALUES(1,1,'valid','one a'),(2,2,'valid','two a');"

static void note_keys(void *context, const struct store_item *item)
{
    assert_int_equal(buf_printf(context, "%.*s/%.*s/%.*s ", SLICE_ARG(item->key),
                                SLICE_ARG(item->address), SLICE_ARG(item->domain)),
                     ERR_NONE);
}

static void check_job(struct store *store, const char *fingerprint, bool is_loaded, uint64_t items,
                      const char *unfinished, const char *result_of_a)
{
    struct fault fault;
    struct store_job *job;
    struct buf text;
    uint64_t cursor = 0;
    size_t count;
    const struct store_job_name name = {.fingerprint = slice_of(fingerprint)};
    assert_int_equal(store_job_open(store, &name, 1, &job, &fault), ERR_NONE);
    assert_int_equal(store_job_info(job).is_loaded, is_loaded);
    assert_int_equal(store_job_info(job).item_count, items);
    buf_init(&text, TEXT_BYTES);
    assert_int_equal(store_job_next(job, &cursor, 10, note_keys, &text, &count), ERR_NONE);
    assert_true(slice_equal(buf_view(&text), slice_of(unfinished)));
    buf_clear(&text);
    assert_int_equal(store_job_result_find(job, SLICE("a@b"), &text), result_of_a[0] != '\0');
    assert_true(slice_equal(buf_view(&text), slice_of(result_of_a)));
    buf_done(&text);
    store_job_close(job);
}

static void note_detail(void *context, const struct store_fact *fact)
{
    assert_int_equal(buf_printf(context, "%.*s ", SLICE_ARG(fact->detail)), ERR_NONE);
}

static void jobs_go_on_after_a_migration(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct buf text;
    bool is_mine;
    scratch_path(state, "x.db", path);
    (void)scratch_sql(path, SCHEMA_5 CONTENT_5);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM claim WHERE holder=5"), 1);
    assert_true(scratch_has(store, "a@b", "{\"old\":1}"));
    assert_true(scratch_has(store, "c@d", "{\"old\":2}"));
    buf_init(&text, TEXT_BYTES);
    assert_int_equal(store_fact_each(store, SLICE("a@b"), 9, note_detail, &text), ERR_NONE);
    assert_true(slice_equal(buf_view(&text), SLICE("second first ")));
    buf_done(&text);
    check_job(store, "one", true, 3, "c@d port=1/c@d/d e@f/e@f/f ", "one a");
    check_job(store, "two", true, 1, "", "two a");
    check_job(store, "three", false, 0, "", "");
    check_job(store, "four", false, 0, "", "");
    assert_int_equal(store_claim_try(store, SLICE("z@b"), 1, &is_mine), ERR_NONE);
    assert_true(is_mine); /* its holder is dead */
    store_close(store);
    assert_int_equal(scratch_sql(path, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
    assert_int_equal(scratch_sql(path, "PRAGMA integrity_check"), 0); /* the text "ok" */
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_item WHERE job=3"), 0);
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
        IN_FOLDER(records_of_older_files_are_read),
        IN_FOLDER(variants_move_to_their_address),
        IN_FOLDER(a_new_file_is_as_one_that_grew),
        IN_FOLDER(jobs_go_on_after_a_migration),
        IN_FOLDER(a_broken_migration_is_taken_back),
        IN_FOLDER(a_new_file_may_be_opened_by_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
