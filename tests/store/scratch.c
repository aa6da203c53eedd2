/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/slice.h"

enum { CHILD_SECONDS = 60, FOLDER_DEPTH = 16, VALUE_BYTES = 1 << 16, SQL_BYTES = 512 };

int scratch_make(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = malloc(SCRATCH_PATH_BYTES);
    if (path == NULL) {
        return -1;
    }
    (void)snprintf(path, SCRATCH_PATH_BYTES, "%s/store-XXXXXX", base == NULL ? "/tmp" : base);
    *state = path;
    return mkdtemp(path) == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

int scratch_remove(void **state)
{
    char *path = *state;
    (void)chmod(path, 0700);
    int result = nftw(path, remove_one, FOLDER_DEPTH, FTW_DEPTH | FTW_PHYS);
    free(path);
    return result;
}

void scratch_path(void **state, const char *name, char out[SCRATCH_PATH_BYTES])
{
    const char *folder = *state;
    int len = snprintf(out, SCRATCH_PATH_BYTES, "%s/%s", folder, name);
    assert_in_range(len, 1, SCRATCH_PATH_BYTES - 1);
}

struct store *scratch_open(const char *path)
{
    struct store *store;
    struct fault fault;
    if (store_open(path, &store, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return store;
}

enum err scratch_put(struct store *store, const char *key, const char *json)
{
    const struct store_verdict verdict = {.key = slice_of(key),
                                          .domain = SLICE_LITERAL("b"),
                                          .status = SLICE_LITERAL("valid"),
                                          .sub_status = SLICE_LITERAL(""),
                                          .checked_at_ms = 1,
                                          .expires_at_ms = INT64_MAX,
                                          .json = slice_of(json)};
    return store_verdict_put(store, &verdict);
}

bool scratch_has(struct store *store, const char *key, const char *json)
{
    struct buf out;
    buf_init(&out, VALUE_BYTES);
    bool is_found = store_verdict_find(store, slice_of(key), 5, 0, &out) &&
                    slice_equal(buf_view(&out), slice_of(json));
    buf_done(&out);
    return is_found;
}

struct scratch_process scratch_start(scratch_fn body, const void *context)
{
    int go[2];
    int ready[2];
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(go[1]);
        (void)close(ready[0]);
        (void)alarm(CHILD_SECONDS);
        const struct scratch_ends ends = {.go = go[0], .ready = ready[1]};
        _exit(body(context, &ends));
    }
    (void)close(go[0]);
    (void)close(ready[1]);
    return (struct scratch_process){.pid = pid, .go = go[1], .ready = ready[0]};
}

void scratch_tell_ready(const struct scratch_ends *ends)
{
    if (write(ends->ready, "r", 1) != 1) {
        _exit(120);
    }
}

void scratch_wait_go(const struct scratch_ends *ends)
{
    char byte;
    if (read(ends->go, &byte, 1) < 0) {
        _exit(121);
    }
}

void scratch_wait_ready(const struct scratch_process *child)
{
    char byte;
    assert_int_equal(read(child->ready, &byte, 1), 1);
}

void scratch_tell_go(const struct scratch_process *child)
{
    assert_int_equal(write(child->go, "g", 1), 1);
}

int scratch_finish(struct scratch_process *child)
{
    int status;
    (void)close(child->go);
    (void)close(child->ready);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

long long scratch_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement = NULL;
    const char *rest = sql;
    long long answer = -1;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    while (*rest != '\0') {
        if (sqlite3_prepare_v2(db, rest, -1, &statement, &rest) != SQLITE_OK) {
            fail_msg("%s: %s", sqlite3_errmsg(db), sql);
        }
        if (sqlite3_step(statement) == SQLITE_ROW && answer == -1) {
            answer = sqlite3_column_int64(statement, 0);
        }
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return answer;
}

/* Refusing. */

static rlim_t set_file_bytes_max(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return before;
}

static rlim_t usual_file_bytes_max;

void scratch_refuse(const char *path, const struct scratch_refusal *refusal)
{
    char sql[SQL_BYTES];
    if (refusal->when == NULL) {
        (void)signal(SIGXFSZ, SIG_IGN); /* it is an error of the write then */
        usual_file_bytes_max = set_file_bytes_max(1);
        return;
    }
    (void)snprintf(sql, sizeof sql,
                   "CREATE TRIGGER refusal %s BEGIN SELECT RAISE(%s,'no room'); END", refusal->when,
                   refusal->how);
    (void)scratch_sql(path, sql);
}

void scratch_relieve(const char *path, const struct scratch_refusal *refusal)
{
    if (refusal->when == NULL) {
        (void)set_file_bytes_max(usual_file_bytes_max);
    } else {
        (void)scratch_sql(path, "DROP TRIGGER refusal");
    }
}
