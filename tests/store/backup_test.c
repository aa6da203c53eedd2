/* SPDX-License-Identifier: Apache-2.0 */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "scratch.h"

enum {
    GROUP = 10,
    BACKUPS = 20,
    BIG_ROWS = 2000,
    BIG_BYTES = 4000,
};

#define NOW INT64_C(1700000000000) /* 2023-11-14 22:13:20 UTC */

static void spell(void *context, struct slice text)
{
    size_t *count = context;
    (*count)++;
    print_message("%.*s\n", SLICE_ARG(text));
}

static void assert_whole(const char *path)
{
    struct fault fault;
    size_t complaints = 0;
    if (store_check(path, spell, &complaints, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    assert_int_equal(complaints, 0);
}

static void backup(const char *from, const char *to, bool overwrites)
{
    struct fault fault;
    if (store_backup(from, to, overwrites, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool is_there(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

static int header_byte(const char *path, off_t at)
{
    unsigned char byte = 0;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    assert_int_equal(close(fd), 0);
    return byte;
}

static void a_backup_is_a_store_in_one_file(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], log[SCRATCH_PATH_BYTES];
    struct stat about;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    scratch_path(state, "copy.db-wal", log);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, "a@b", "{\"a\":1}"), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_int_equal(scratch_put(store, "c@b", "{}"), ERR_NONE); /* not committed */
    backup(path, copy, false);
    store_close(store);
    assert_false(is_there(log));
    assert_int_equal(stat(copy, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_whole(copy);
    assert_int_equal(header_byte(copy, 18),
                     1); /* SQLite's mark of a file without a log beside it */
    store = scratch_open(copy);
    assert_true(scratch_has(store, "a@b", "{\"a\":1}"));
    assert_false(scratch_has(store, "c@b", "{}"));
    store_close(store);
}

static void what_is_there_is_not_overwritten(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    store_close(scratch_open(path));
    write_text(copy, "mine");
    assert_int_equal(store_backup(path, copy, false, &fault), ERR_STATE);
    assert_non_null(strstr(fault.text, "is there already"));
    assert_int_equal(store_backup(path, path, true, &fault), ERR_STATE);
    assert_non_null(strstr(fault.text, "the store itself"));
    backup(path, copy, true);
    assert_whole(copy);
}

static void what_is_no_store_is_not_backed_up(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    assert_int_equal(store_backup(path, copy, false, &fault), ERR_CLOSED);
    write_text(path, "");
    assert_int_equal(store_backup(path, copy, false, &fault), ERR_CLOSED);
    assert_non_null(strstr(fault.text, "empty"));
    write_text(path, "this is a text and no database, whatever its name says it might be");
    assert_int_equal(store_backup(path, copy, false, &fault), ERR_CLOSED);
    assert_int_equal(unlink(path), 0);
    (void)scratch_sql(path, "CREATE TABLE recipes(x)");
    assert_int_equal(store_backup(path, copy, false, &fault), ERR_CLOSED);
    assert_non_null(strstr(fault.text, "another program"));
    assert_false(is_there(copy));
    assert_int_equal(store_backup("/", copy, false, &fault), ERR_CLOSED);
}

static void a_backup_that_cannot_be_written_leaves_nothing(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "nowhere/copy.db", copy);
    store_close(scratch_open(path));
    assert_int_equal(store_backup(path, copy, false, &fault), ERR_SYSTEM);
    assert_int_equal(fault.os_errno, ENOENT);
}

/* Another process commits rows by tens, until it is told to stop. */
static int write_groups(const void *context, const struct scratch_ends *ends)
{
    struct store *store;
    if (fcntl(ends->go, F_SETFL, O_NONBLOCK) != 0 ||
        store_open(context, &store, NULL) != ERR_NONE) {
        return 1;
    }
    char byte;
    for (int group = 0; read(ends->go, &byte, 1) < 0; group++) {
        for (int i = 0; i < GROUP; i++) {
            char key[32];
            (void)snprintf(key, sizeof key, "%d.%d@b", group, i);
            if (scratch_put(store, key, "{}") != ERR_NONE) {
                return 2;
            }
        }
        if (store_flush(store, NULL) != ERR_NONE) {
            return 3;
        }
        if (group == 0) {
            scratch_tell_ready(ends);
        }
    }
    store_close(store);
    return 0;
}

static void a_backup_during_writes_is_of_one_moment(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    struct scratch_process writer = scratch_start(write_groups, path);
    scratch_wait_ready(&writer);
    long long before = 0;
    for (int i = 0; i < BACKUPS; i++) {
        backup(path, copy, true);
        assert_whole(copy);
        long long rows = scratch_sql(copy, "SELECT count(*) FROM verdict");
        assert_true(rows >= before && rows > 0);
        assert_int_equal(rows % GROUP, 0);
        before = rows;
    }
    scratch_tell_go(&writer);
    assert_int_equal(scratch_finish(&writer), 0);
}

/* Restoring. */

static enum err restore(const char *from, const char *to, char aside[STORE_ASIDE_BYTES],
                        struct fault *out_fault)
{
    aside[0] = '?';
    return store_restore(from, to, NOW, aside, out_fault);
}

static void make(const char *path, const char *key)
{
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, key, "{}"), ERR_NONE);
    store_close(store);
}

static bool has(const char *path, const char *key)
{
    struct store *store = scratch_open(path);
    bool is_found = scratch_has(store, key, "{}");
    store_close(store);
    return is_found;
}

static void a_backup_comes_back_and_the_old_one_stays(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], aside[STORE_ASIDE_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    make(path, "old@b");
    backup(path, copy, false);
    make(path, "new@b");
    assert_int_equal(restore(copy, path, aside, &fault), ERR_NONE);
    assert_true(has(path, "old@b"));
    assert_false(has(path, "new@b"));
    assert_non_null(strstr(aside, "x.db.before-20231114-221320"));
    assert_true(has(aside, "new@b"));
    assert_whole(path);
    make(path, "newer@b"); /* it can be written */
    /* Twice in a second: neither is lost. */
    assert_int_equal(restore(copy, path, aside, &fault), ERR_STATE);
    assert_true(has(path, "newer@b"));
}

static void a_backup_comes_where_nothing_was(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], log[SCRATCH_PATH_BYTES];
    char aside[STORE_ASIDE_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "x.db-wal", log);
    scratch_path(state, "copy.db", copy);
    make(copy, "old@b");
    write_text(log, "left over from a file that is gone");
    assert_int_equal(restore(copy, path, aside, &fault), ERR_NONE);
    assert_string_equal(aside, "");
    assert_true(has(path, "old@b"));
}

static void a_live_store_may_be_restored_from(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], aside[STORE_ASIDE_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    make(path, "new@b");
    struct store *store = scratch_open(copy); /* with a log beside it */
    assert_int_equal(scratch_put(store, "old@b", "{}"), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_int_equal(restore(copy, path, aside, &fault), ERR_NONE);
    store_close(store);
    assert_true(has(path, "old@b"));
}

static int keep_open(const void *context, const struct scratch_ends *ends)
{
    struct store *store;
    if (store_open(context, &store, NULL) != ERR_NONE) {
        return 1;
    }
    scratch_tell_ready(ends);
    scratch_wait_go(ends);
    store_close(store);
    return 0;
}

static void a_store_in_use_is_left_alone(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], aside[STORE_ASIDE_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    make(path, "new@b");
    make(copy, "old@b");
    struct scratch_process user = scratch_start(keep_open, path);
    scratch_wait_ready(&user);
    assert_int_equal(restore(copy, path, aside, &fault), ERR_STATE);
    assert_non_null(strstr(fault.text, "somebody uses"));
    scratch_tell_go(&user);
    assert_int_equal(scratch_finish(&user), 0);
    assert_true(has(path, "new@b"));
    assert_int_equal(restore(copy, path, aside, &fault), ERR_NONE);
    assert_true(has(path, "old@b"));
}

static void what_is_no_good_backup_is_refused(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], aside[STORE_ASIDE_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    make(path, "new@b");
    assert_int_equal(restore(copy, path, aside, &fault), ERR_CLOSED); /* not there */
    write_text(copy, "this is a text and no database, whatever its name says it might be");
    assert_int_equal(restore(copy, path, aside, &fault), ERR_CLOSED);
    assert_int_equal(unlink(copy), 0);
    make(copy, "old@b");
    (void)scratch_sql(copy, "PRAGMA user_version=99");
    assert_int_equal(restore(copy, path, aside, &fault), ERR_CLOSED);
    assert_non_null(strstr(fault.text, "newer heloise"));
    assert_true(has(path, "new@b"));
    assert_int_equal(restore(path, path, aside, &fault), ERR_STATE);
}

/* Bytes in the middle are not those that were written. */
static void damage(const char *path, off_t at)
{
    int fd = open(path, O_WRONLY);
    char bytes[512];
    memset(bytes, 0x55, sizeof bytes);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, sizeof bytes, at), sizeof bytes);
    assert_int_equal(close(fd), 0);
}

static void a_damaged_backup_is_refused(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], aside[STORE_ASIDE_BYTES];
    struct fault fault;
    size_t complaints = 0;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    make(path, "new@b");
    backup(path, copy, false);
    damage(copy, 3 * 8192); /* the root of some table */
    assert_int_equal(store_check(copy, spell, &complaints, &fault), ERR_NONE);
    assert_true(complaints > 0);
    assert_int_equal(restore(copy, path, aside, &fault), ERR_CLOSED);
    assert_non_null(strstr(fault.text, "is damaged"));
    assert_true(has(path, "new@b"));
}

static void a_broken_store_is_replaced_and_kept(void **state)
{
    static const char text[] =
        "this was a store once, before the disk had its day, and now it is not";
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], aside[STORE_ASIDE_BYTES];
    struct fault fault;
    char found[sizeof text] = {0};
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    make(copy, "old@b");
    write_text(path, text);
    if (restore(copy, path, aside, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    assert_true(has(path, "old@b"));
    FILE *file = fopen(aside, "r");
    assert_non_null(file);
    assert_int_equal(fread(found, 1, sizeof found - 1, file), sizeof text - 1);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(found, text);
}

static void another_programs_file_is_not_overwritten(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], aside[STORE_ASIDE_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    make(copy, "old@b");
    (void)scratch_sql(path, "CREATE TABLE recipes(x); INSERT INTO recipes VALUES(7)");
    assert_int_equal(restore(copy, path, aside, &fault), ERR_STORE);
    assert_non_null(strstr(fault.text, "another program"));
    assert_int_equal(scratch_sql(path, "SELECT x FROM recipes"), 7);
}

static void an_older_backup_is_brought_up_to_date(void **state)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], aside[STORE_ASIDE_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    make(path, "new@b");
    make(copy, "old@b");
    (void)scratch_sql(copy,
                      "DROP TABLE api_key; DROP TABLE api_key_generation;"
                      "DROP TABLE idempotency; DROP TABLE verdict_variant; DROP TABLE batch;"
                      "DROP TABLE webhook; DROP TABLE webhook_endpoint; DROP TABLE signal;"
                      "DROP TABLE watch; DROP TABLE watch_change;"
                      "DROP TABLE batch_provider; DROP TABLE outcome;"
                      "ALTER TABLE job_turn DROP COLUMN result;"
                      "ALTER TABLE job_result RENAME COLUMN id TO turn; PRAGMA user_version=6");
    assert_int_equal(restore(copy, path, aside, &fault), ERR_NONE);
    assert_true(has(path, "old@b"));
    assert_int_equal(scratch_sql(path, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
}

/* Kills. */

/* Of letters by chance: nothing can pack them. */
static void make_big(const char *path, char which)
{
    static char json[BIG_BYTES + 1];
    struct random random = {1};
    for (size_t i = 0; i < BIG_BYTES; i++) {
        json[i] = (char)('!' + random_below(&random, '~' - '!'));
    }
    struct store *store = scratch_open(path);
    for (int i = 0; i < BIG_ROWS; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%c%d@b", which, i);
        assert_int_equal(scratch_put(store, key, json), ERR_NONE);
    }
    store_close(store);
}

struct plan {
    const char *from, *to;
};

static int restore_and_tell(const void *context, const struct scratch_ends *ends)
{
    const struct plan *plan = context;
    char aside[STORE_ASIDE_BYTES];
    struct fault fault;
    (void)ends;
    return store_restore(plan->from, plan->to, NOW, aside, &fault) == ERR_NONE ? 0 : 1;
}

static long long count_of(const char *path, char which)
{
    char sql[100];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM verdict WHERE substr(key,1,1)='%c'",
                   which);
    return scratch_sql(path, sql);
}

/* Killed once a file of that ending is so large; it tells at what stage of its work it is. */
static void kill_when(void **state, const char *ending, off_t bytes)
{
    char path[SCRATCH_PATH_BYTES], copy[SCRATCH_PATH_BYTES], watched[SCRATCH_PATH_BYTES + 64];
    char aside[SCRATCH_PATH_BYTES + 64];
    scratch_path(state, "x.db", path);
    scratch_path(state, "copy.db", copy);
    (void)snprintf(watched, sizeof watched, "%s%s", path, ending);
    (void)snprintf(aside, sizeof aside, "%s.before-20231114-221320", path);
    make_big(path, 'o');
    make_big(copy, 'n');
    const struct plan plan = {copy, path};
    struct scratch_process child = scratch_start(restore_and_tell, &plan);
    struct stat about = {.st_size = 0};
    siginfo_t end = {.si_pid = 0};
    while ((stat(watched, &about) != 0 || about.st_size < bytes) && end.si_pid == 0) {
        assert_int_equal(waitid(P_PID, (id_t)child.pid, &end, WEXITED | WNOHANG | WNOWAIT), 0);
    }
    assert_int_equal(kill(child.pid, SIGKILL), 0); /* not waited for yet: it is still ours */
    (void)scratch_finish(&child);
    struct store *store = scratch_open(path); /* takes back what was begun */
    store_close(store);
    assert_whole(path);
    long long old = count_of(path, 'o');
    long long new = count_of(path, 'n');
    assert_true((old == BIG_ROWS && new == 0) || (old == 0 && new == BIG_ROWS));
    if (new > 0) {
        assert_whole(aside);
        assert_int_equal(count_of(aside, 'o'), BIG_ROWS);
    }
}

static void a_kill_at_the_beginning_leaves_the_old_one(void **state)
{
    kill_when(state, ".before-20231114-221320", 1);
}

static void a_kill_in_the_middle_leaves_one_of_both(void **state)
{
    kill_when(state, "-journal", 1);
}

static void a_kill_near_the_end_leaves_one_of_both(void **state)
{
    kill_when(state, "-journal", BIG_ROWS * BIG_BYTES / 2);
}

static void a_store_tells_what_it_holds(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct store_info info;
    struct fault fault;
    scratch_path(state, "x.db", path);
    assert_int_equal(store_info(path, &info, &fault), ERR_CLOSED);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, "a@b", "{}"), ERR_NONE);
    assert_int_equal(store_domain_put(store, SLICE("b"), SLICE("n"), SLICE("v"), 1, 2), ERR_NONE);
    for (int64_t at_ms = 5; at_ms < 8; at_ms++) {
        const struct store_fact fact = {.key = SLICE_LITERAL("a@b"), .at_ms = at_ms};
        assert_int_equal(store_fact_put(store, &fact), ERR_NONE);
    }
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_int_equal(store_info(path, &info, &fault), ERR_NONE);
    assert_int_equal(info.schema, STORE_SCHEMA_VERSION);
    assert_int_equal(info.verdicts, 1);
    assert_int_equal(info.facts, 3);
    assert_int_equal(info.domains, 1);
    assert_int_equal(info.jobs, 0);
    assert_int_equal(info.keys, 0);
    assert_int_equal(info.oldest_fact_ms, 5);
    assert_true(info.file_bytes > 0 && info.log_bytes > 0);
    store_close(store);
    assert_int_equal(store_info(path, &info, &fault), ERR_NONE);
    assert_int_equal(info.log_bytes, 0);
    (void)scratch_sql(path, "PRAGMA user_version=6");
    assert_int_equal(store_info(path, &info, &fault), ERR_CLOSED);
    assert_non_null(strstr(fault.text, "older schema 6"));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_backup_is_a_store_in_one_file),
        IN_FOLDER(what_is_there_is_not_overwritten),
        IN_FOLDER(what_is_no_store_is_not_backed_up),
        IN_FOLDER(a_backup_that_cannot_be_written_leaves_nothing),
        IN_FOLDER(a_backup_during_writes_is_of_one_moment),
        IN_FOLDER(a_backup_comes_back_and_the_old_one_stays),
        IN_FOLDER(a_backup_comes_where_nothing_was),
        IN_FOLDER(a_live_store_may_be_restored_from),
        IN_FOLDER(a_store_in_use_is_left_alone),
        IN_FOLDER(what_is_no_good_backup_is_refused),
        IN_FOLDER(a_damaged_backup_is_refused),
        IN_FOLDER(a_broken_store_is_replaced_and_kept),
        IN_FOLDER(another_programs_file_is_not_overwritten),
        IN_FOLDER(an_older_backup_is_brought_up_to_date),
        IN_FOLDER(a_kill_at_the_beginning_leaves_the_old_one),
        IN_FOLDER(a_kill_in_the_middle_leaves_one_of_both),
        IN_FOLDER(a_kill_near_the_end_leaves_one_of_both),
        IN_FOLDER(a_store_tells_what_it_holds),
    };
    return cmocka_run_group_tests_name("store/backup", tests, NULL, NULL);
}
