/* Opening: what is made, what is refused and left as it is; and that what was flushed
 * is there after any death of the process.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
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

enum { FILE_BYTES = 1 << 16, WRITERS = 4, ROWS = 300, NOBODY = 65534 };

#define APPLICATION_ID "1214606447"

static unsigned mode_of(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        fail_msg("%s is not there", path);
    }
    return about.st_mode & 07777;
}

static void files_are_private_to_the_user(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char part[SCRATCH_PATH_BYTES];
    mode_t before = umask(0);
    assert_int_equal(chmod(*state, 0755), 0);
    scratch_path(state, "one/two/x.db", path);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, "a@b", "{}"), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    scratch_path(state, "one/two/x.db-wal", part);
    assert_int_equal(mode_of(part), 0600);
    assert_int_equal(mode_of(path), 0600);
    scratch_path(state, "one/two", part);
    assert_int_equal(mode_of(part), 0700);
    scratch_path(state, "one", part);
    assert_int_equal(mode_of(part), 0700);
    assert_int_equal(mode_of(*state), 0755);
    store_close(store);
    (void)umask(before);
}

static void content_outlives_the_connection(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    assert_int_equal(scratch_put(store, "a@b", "{\"n\":1}"), ERR_NONE);
    store_close(store); /* flushes by itself */
    store = scratch_open(path);
    assert_true(scratch_has(store, "a@b", "{\"n\":1}"));
    assert_false(scratch_has(store, "c@b", "{\"n\":1}"));
    store_close(store);
    store_close(NULL);
}

static void groups_are_seen_by_others_when_full_or_flushed(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char key[32];
    scratch_path(state, "x.db", path);
    struct store *one = scratch_open(path);
    struct store *two = scratch_open(path);
    for (int i = 0; i < STORE_GROUP_ROWS; i++) {
        assert_false(scratch_has(two, "k0", "{}"));
        (void)snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(scratch_put(one, key, "{}"), ERR_NONE);
        assert_true(scratch_has(one, key, "{}"));
    }
    assert_true(scratch_has(two, "k0", "{}"));
    assert_int_equal(scratch_put(one, "last", "{}"), ERR_NONE);
    assert_false(scratch_has(two, "last", "{}"));
    assert_int_equal(store_flush(one, NULL), ERR_NONE);
    assert_true(scratch_has(two, "last", "{}"));
    assert_int_equal(store_flush(one, NULL), ERR_NONE);
    store_close(one);
    store_close(two);
}

/* Refusals. */

struct refusal_row {
    const char *name;
    const char *text; /* the content of the file, or NULL: sql makes it */
    const char *sql;
    const char *says;
};

static const struct refusal_row refusal_rows[] = {
    {"a text file",
     "This is my diary, and it is longer than the head of a database file would be.\n", NULL,
     "not a database; move the file away"},
    {"another program's tables", NULL, "CREATE TABLE bookmark(x)", "another program's database"},
    {"another program's number", NULL, "PRAGMA application_id=7; CREATE TABLE x(y)",
     "another program's database"},
    {"another program's number, still empty", NULL, "PRAGMA application_id=7",
     "another program's database"},
    {"another program's version", NULL, "PRAGMA user_version=1; CREATE TABLE x(y)",
     "another program's database"},
    {"a newer schema", NULL,
     "PRAGMA application_id=" APPLICATION_ID "; PRAGMA user_version=99; CREATE TABLE verdict(x)",
     "newer heloise (schema 99"},
};

static size_t load(const char *path, char out[FILE_BYTES])
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(out, 1, FILE_BYTES, file);
    assert_int_equal(fclose(file), 0);
    return len;
}

/* What is not ours is not changed by a single byte, and the fault says whose it is and names the file. */
static void files_of_others_are_refused_and_kept(void **state)
{
    static char before[FILE_BYTES];
    static char after[FILE_BYTES];
    for (size_t i = 0; i < sizeof refusal_rows / sizeof refusal_rows[0]; i++) {
        const struct refusal_row *row = &refusal_rows[i];
        char path[SCRATCH_PATH_BYTES];
        char name[32];
        (void)snprintf(name, sizeof name, "%zu.db", i);
        scratch_path(state, name, path);
        if (row->text != NULL) {
            FILE *file = fopen(path, "wb");
            assert_non_null(file);
            assert_true(fputs(row->text, file) >= 0);
            assert_int_equal(fclose(file), 0);
        } else {
            (void)scratch_sql(path, row->sql);
        }
        size_t len = load(path, before);
        struct store *store = NULL;
        struct fault fault;
        enum err e = store_open(path, &store, &fault);
        if (e != ERR_STORE || store != NULL || strstr(fault.text, row->says) == NULL ||
            strstr(fault.text, name) == NULL) {
            fail_msg("%s: %s, %s", row->name, err_name(e), e == ERR_NONE ? "" : fault.text);
        }
        if (load(path, after) != len || memcmp(before, after, len) != 0) {
            fail_msg("%s: was changed", row->name);
        }
    }
}

static int open_as_nobody(const void *context, const struct scratch_ends *ends)
{
    (void)ends;
    struct store *store;
    struct fault fault = {0};
    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
        return 2;
    }
    if (store_open(context, &store, &fault) == ERR_NONE) {
        store_close(store);
        return 3;
    }
    bool is_said = (fault.err == ERR_SYSTEM && fault.os_errno == EACCES) || fault.err == ERR_STORE;
    return is_said && strstr(fault.text, strrchr(context, '/')) != NULL ? 0 : 4;
}

/* An error that names the file, for each part of the way that may be closed. */
static void folders_and_files_that_are_closed_are_said(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    static const char *const names[] = {"new.db", "old.db", "locked.db", "deep/deep"};
    scratch_path(state, "old.db", path);
    store_close(scratch_open(path));
    assert_int_equal(chmod(path, 0666), 0); /* open to all, but its folder takes no log beside it */
    scratch_path(state, "locked.db", path);
    store_close(scratch_open(path));
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(*state, 0555), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        scratch_path(state, names[i], path);
        struct scratch_process child = scratch_start(open_as_nobody, path);
        int code = scratch_finish(&child);
        if (code != 0) {
            fail_msg("%s: %d", names[i], code);
        }
    }
}

static void paths_that_lead_nowhere_are_said(void **state)
{
    struct store *store = NULL;
    struct fault fault;
    assert_int_equal(store_open(*state, &store, &fault), ERR_SYSTEM);
    assert_int_equal(fault.os_errno, EISDIR);
    static char path[8192];
    memset(path, 'a', sizeof path - 1);
    assert_int_equal(store_open(path, &store, &fault), ERR_LIMIT);
    assert_null(store);
    assert_int_equal(store_open(path, &store, NULL), ERR_LIMIT);
}

/* Several processes. */

static int write_rows(const void *context, const struct scratch_ends *ends)
{
    (void)ends;
    struct store *store;
    if (store_open(context, &store, NULL) != ERR_NONE) {
        return 1;
    }
    for (int i = 0; i < ROWS; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, "%ld-%d", (long)getpid(), i);
        if (scratch_put(store, key, "{}") != ERR_NONE ||
            (i % 10 == 9 && store_flush(store, NULL) != ERR_NONE)) {
            return 2;
        }
    }
    store_close(store);
    return 0;
}

static void two_processes_write_into_one_file(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct scratch_process children[WRITERS];
    scratch_path(state, "x.db", path);
    for (size_t i = 0; i < WRITERS; i++) {
        children[i] = scratch_start(write_rows, path);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        assert_int_equal(scratch_finish(&children[i]), 0);
    }
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), WRITERS * ROWS);
}

static int flush_and_die(const void *context, const struct scratch_ends *ends)
{
    (void)ends;
    struct store *store;
    if (store_open(context, &store, NULL) != ERR_NONE ||
        scratch_put(store, "a@b", "{}") != ERR_NONE ||
        scratch_put(store, "c@b", "{}") != ERR_NONE || store_flush(store, NULL) != ERR_NONE ||
        scratch_put(store, "lost@b", "{}") != ERR_NONE) {
        return 1;
    }
    return kill(getpid(), SIGKILL);
}

static void nothing_flushed_is_lost_by_a_kill(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct scratch_process child = scratch_start(flush_and_die, path);
    assert_int_equal(scratch_finish(&child), 256 + SIGKILL);
    struct store *store = scratch_open(path);
    assert_true(scratch_has(store, "a@b", "{}"));
    assert_true(scratch_has(store, "c@b", "{}"));
    assert_false(scratch_has(store, "lost@b", "{}"));
    assert_int_equal(scratch_put(store, "d@b", "{}"), ERR_NONE);
    store_close(store);
    assert_int_equal(scratch_sql(path, "PRAGMA integrity_check"), 0); /* the text "ok" */
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM verdict"), 3);
}

/* What was gathered is in the file wholly or not at all, and who gathered is told, also where another flushes. */
static void a_group_that_is_lost_is_told(void **state)
{
    static const char *const hows[] = {"ABORT",
                                       "ROLLBACK"}; /* that row; all, as a full disk does */
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        bool is_lost = i == 1;
        const struct scratch_refusal refusal = {
            .when = "BEFORE INSERT ON verdict WHEN NEW.key='no@b'", .how = hows[i]};
        char path[SCRATCH_PATH_BYTES];
        struct fault fault = {0};
        scratch_path(state, "x.db", path);
        struct store *store = scratch_open(path);
        uint64_t losses = store_losses(store);
        scratch_refuse(path, &refusal);
        assert_int_equal(scratch_put(store, "a@b", "{}"), ERR_NONE);
        assert_int_equal(scratch_put(store, "no@b", "{}"), ERR_STORE);
        assert_true(store_kept_since(store, losses, &fault) == (is_lost ? ERR_STORE : ERR_NONE));
        assert_true((fault.text[0] != '\0') == is_lost);
        assert_int_equal(scratch_put(store, "c@b", "{}"), ERR_NONE); /* by another */
        assert_true(store_flush(store, &fault) == ERR_NONE);
        assert_true(store_kept_since(store, losses, &fault) == (is_lost ? ERR_STORE : ERR_NONE));
        assert_true(scratch_has(store, "a@b", "{}") == !is_lost);
        assert_true(scratch_has(store, "c@b", "{}"));
        losses = store_losses(store);
        assert_int_equal(scratch_put(store, "d@b", "{}"), ERR_NONE);
        (void)!scratch_put(store, "no@b", "{}");
        assert_true(store_flush(store, &fault) == (is_lost ? ERR_STORE : ERR_NONE));
        assert_true(store_kept_since(store, losses, &fault) == (is_lost ? ERR_STORE : ERR_NONE));
        assert_int_equal(store_flush(store, &fault), ERR_NONE);
        store_close(store);
        assert_int_equal(unlink(path), 0);
    }
}

static void what_is_taken_back_is_not_there(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault = {0};
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    uint64_t losses = store_losses(store);
    store_take_back(store); /* nothing */
    assert_int_equal(store_kept_since(store, losses, &fault), ERR_NONE);
    assert_int_equal(scratch_put(store, "a@b", "{}"), ERR_NONE);
    store_take_back(store);
    assert_int_equal(store_kept_since(store, losses, &fault), ERR_STORE);
    assert_int_equal(scratch_put(store, "c@b", "{}"), ERR_NONE);
    assert_int_equal(store_flush(store, &fault), ERR_NONE);
    assert_false(scratch_has(store, "a@b", "{}"));
    assert_true(scratch_has(store, "c@b", "{}"));
    store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(files_are_private_to_the_user),
        IN_FOLDER(content_outlives_the_connection),
        IN_FOLDER(groups_are_seen_by_others_when_full_or_flushed),
        IN_FOLDER(files_of_others_are_refused_and_kept),
        IN_FOLDER(folders_and_files_that_are_closed_are_said),
        IN_FOLDER(paths_that_lead_nowhere_are_said),
        IN_FOLDER(two_processes_write_into_one_file),
        IN_FOLDER(nothing_flushed_is_lost_by_a_kill),
        IN_FOLDER(a_group_that_is_lost_is_told),
        IN_FOLDER(what_is_taken_back_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
