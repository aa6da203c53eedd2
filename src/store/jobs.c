/* store/jobs: bulk runs: their items, order and results. A job is held by a lock on a file beside the store,
 * which the system takes back when its process dies, however it dies.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "store/store_private.h"

enum {
    JOB_PATH_BYTES = 4200,
    JOB_TRIES = 5, /* to hold a job that others delete meanwhile */
};

struct store_job {
    struct store *store;
    int64_t id;
    int lock; /* descriptor; -1: a store in memory needs none */
    struct store_job_info info;
    char lock_path[JOB_PATH_BYTES];
};

static enum err find_or_make(struct store_job *job, struct slice fingerprint, struct slice label,
                             int64_t now_ms, struct fault *out_fault)
{
    struct store *store = job->store;
    sqlite3_stmt *statement = NULL;
    static const char insert[] =
        "INSERT OR IGNORE INTO job(fingerprint,label,created_at) VALUES(?1,?2,?3)";
    static const char find[] = "SELECT id FROM job WHERE fingerprint=?1";
    enum err e = store_flush(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (sqlite3_prepare_v2(store->db, insert, -1, &statement, NULL) != SQLITE_OK) {
        return store_fail(store, out_fault, "cannot be written");
    }
    store_bind(statement, 1, fingerprint);
    store_bind(statement, 2, label);
    (void)sqlite3_bind_int64(statement, 3, now_ms);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (result != SQLITE_DONE ||
        sqlite3_prepare_v2(store->db, find, -1, &statement, NULL) != SQLITE_OK) {
        return store_fail(store, out_fault, "cannot be written");
    }
    store_bind(statement, 1, fingerprint);
    if (sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return store_fail(store, out_fault, "cannot be read");
    }
    job->id = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return ERR_NONE;
}

static enum err take_lock(struct store_job *job, struct fault *out_fault)
{
    if (strcmp(job->store->path, ":memory:") == 0) {
        return ERR_NONE;
    }
    (void)snprintf(job->lock_path, sizeof job->lock_path, "%s.job-%lld.lock", job->store->path,
                   (long long)job->id);
    job->lock = open(job->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (job->lock < 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "cannot open %.180s", job->lock_path);
    }
    if (flock(job->lock, LOCK_EX | LOCK_NB) != 0) {
        char holder[32] = "?";
        ssize_t len = read(job->lock, holder, sizeof holder - 1);
        holder[len > 0 ? len : 0] = '\0';
        return fault_set(out_fault, ERR_STATE, 0,
                         "another process (%s) runs this job already; wait for it or stop it",
                         holder);
    }
    char pid[32];
    int len = snprintf(pid, sizeof pid, "%ld", (long)getpid());
    bool is_told = ftruncate(job->lock, 0) == 0 && write(job->lock, pid, (size_t)len) == len;
    return is_told ? ERR_NONE
                   : fault_set(out_fault, ERR_SYSTEM, errno, "cannot write %.180s", job->lock_path);
}

/* False: whoever held it before has deleted the job, and the file with it. */
static bool is_lock_there(const struct store_job *job)
{
    struct stat about;
    return job->lock < 0 || (fstat(job->lock, &about) == 0 && about.st_nlink > 0);
}

static enum err hold(struct store_job *job, struct slice fingerprint, struct slice label,
                     int64_t now_ms, struct fault *out_fault)
{
    for (unsigned i = 0; i < JOB_TRIES; i++) {
        enum err e = find_or_make(job, fingerprint, label, now_ms, out_fault);
        if (e == ERR_NONE) {
            e = take_lock(job, out_fault);
        }
        if (e != ERR_NONE || is_lock_there(job)) {
            return e;
        }
        (void)close(job->lock);
        job->lock = -1;
    }
    return fault_set(out_fault, ERR_STATE, 0, "this job is being deleted; try again");
}

static enum err count(struct store_job *job, struct fault *out_fault)
{
    static const char sql[] = "SELECT loaded, (SELECT count(*) FROM job_item WHERE job=?1), "
                              "(SELECT count(*) FROM job_result WHERE job=?1) FROM job WHERE id=?1";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(job->store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        return store_fail(job->store, out_fault, "cannot be read");
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    if (sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return store_fail(job->store, out_fault, "cannot be read");
    }
    job->info = (struct store_job_info){
        .is_loaded = sqlite3_column_int(statement, 0) != 0,
        .item_count = (uint64_t)sqlite3_column_int64(statement, 1),
        .done_count = (uint64_t)sqlite3_column_int64(statement, 2),
    };
    job->info.is_resumed = job->info.item_count > 0;
    sqlite3_finalize(statement);
    return ERR_NONE;
}

enum err store_job_open(struct store *store, struct slice fingerprint, struct slice label,
                        int64_t now_ms, struct store_job **out, struct fault *out_fault)
{
    struct store_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the job");
    }
    job->store = store;
    job->lock = -1;
    enum err e = hold(job, fingerprint, label, now_ms, out_fault);
    if (e == ERR_NONE) {
        e = count(job, out_fault);
    }
    if (e != ERR_NONE) {
        store_job_close(job);
        return e;
    }
    *out = job;
    return ERR_NONE;
}

struct store_job_info store_job_info(const struct store_job *job)
{
    return job->info;
}

void store_job_close(struct store_job *job)
{
    if (job == NULL) {
        return;
    }
    if (job->lock >= 0) {
        (void)close(job->lock);
    }
    free(job);
}

static enum err run_for_job(struct store_job *job, const char *sql, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(job->store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        return store_fail(job->store, out_fault, "cannot be written");
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? ERR_NONE
                                 : store_fail(job->store, out_fault, "cannot be written");
}

enum err store_job_delete(struct store_job *job, struct fault *out_fault)
{
    enum err e = store_begin_write(job->store);
    if (e != ERR_NONE) {
        e = store_fail(job->store, out_fault, "cannot be written");
    }
    if (e == ERR_NONE) {
        e = run_for_job(job, "DELETE FROM job_result WHERE job=?1", out_fault);
    }
    if (e == ERR_NONE) {
        e = run_for_job(job, "DELETE FROM job_item WHERE job=?1", out_fault);
    }
    if (e == ERR_NONE) {
        e = run_for_job(job, "DELETE FROM job WHERE id=?1", out_fault);
    }
    if (e == ERR_NONE) {
        e = store_flush(job->store, out_fault);
    }
    if (e == ERR_NONE && job->lock >= 0) {
        (void)unlink(job->lock_path);
    }
    store_job_close(job);
    return e;
}

enum err store_job_add(struct store_job *job, struct slice key, struct slice address,
                       struct slice domain, bool *out_is_new)
{
    enum err e = store_begin_write(job->store);
    sqlite3_stmt *statement = store_statement(job->store, STATEMENT_JOB_ADD);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    store_bind(statement, 2, key);
    store_bind(statement, 3, address);
    store_bind(statement, 4, domain);
    e = store_run(statement);
    if (e != ERR_NONE) {
        return e;
    }
    bool is_new = sqlite3_changes(job->store->db) > 0;
    /* Loading commits in large groups: until store_job_loaded the items count for nothing. */
    if (++job->store->pending >= STORE_LOAD_ROWS) {
        e = store_flush(job->store, NULL);
    }
    if (e == ERR_NONE) {
        *out_is_new = is_new;
    }
    return e;
}

/* Short runs of one domain, domains taking turns: lines are shared, and no giant holds up the rest. */
enum err store_job_loaded(struct store_job *job, struct fault *out_fault)
{
    static const char order[] =
        "WITH ranked AS (SELECT id, domain, row_number() OVER (PARTITION BY domain ORDER BY id) - "
        "1 AS rank "
        "FROM job_item WHERE job=?1), turned AS (SELECT id, row_number() OVER (ORDER BY rank / 64, "
        "domain, rank) AS turn FROM ranked) UPDATE job_item SET turn=turned.turn FROM turned "
        "WHERE job_item.id=turned.id";
    enum err e = store_begin_write(job->store);
    if (e != ERR_NONE) {
        return store_fail(job->store, out_fault, "cannot be written");
    }
    e = run_for_job(job, order, out_fault);
    if (e == ERR_NONE) {
        e = run_for_job(job, "UPDATE job SET loaded=1 WHERE id=?1", out_fault);
    }
    return e != ERR_NONE ? e : store_flush(job->store, out_fault);
}

enum err store_job_next(struct store_job *job, uint64_t *cursor, size_t limit, store_item_fn fn,
                        void *context, size_t *out_count)
{
    sqlite3_stmt *statement = store_statement(job->store, STATEMENT_JOB_NEXT);
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)*cursor);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)limit);
    size_t found = 0;
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        struct store_item item = {
            .id = (uint64_t)sqlite3_column_int64(statement, 0),
            .key = store_column(statement, 1),
            .address = store_column(statement, 2),
            .domain = store_column(statement, 3),
        };
        *cursor = (uint64_t)sqlite3_column_int64(statement, 4);
        found++;
        fn(context, &item);
        result = sqlite3_step(statement);
    }
    (void)sqlite3_reset(statement);
    *out_count = found;
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

enum err store_job_result_put(struct store_job *job, uint64_t item_id, struct slice status,
                              struct slice json)
{
    enum err e = store_begin_write(job->store);
    sqlite3_stmt *statement = store_statement(job->store, STATEMENT_JOB_RESULT_PUT);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)item_id);
    store_bind(statement, 2, status);
    store_bind(statement, 3, json);
    (void)sqlite3_bind_int64(statement, 4, job->id);
    e = store_run(statement);
    return e != ERR_NONE ? e : store_end_write(job->store);
}

enum err store_job_count_statuses(struct store_job *job, store_status_fn fn, void *context)
{
    static const char sql[] =
        "SELECT status, count(*) FROM job_result WHERE job=?1 GROUP BY status";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(job->store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        fn(context, store_column(statement, 0), (uint64_t)sqlite3_column_int64(statement, 1));
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

bool store_job_result_find(struct store_job *job, struct slice key, struct buf *out_json)
{
    sqlite3_stmt *statement = store_statement(job->store, STATEMENT_JOB_RESULT_FIND);
    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    store_bind(statement, 2, key);
    bool is_found = sqlite3_step(statement) == SQLITE_ROW &&
                    buf_append(out_json, store_column(statement, 0)) == ERR_NONE;
    (void)sqlite3_reset(statement);
    return is_found;
}
