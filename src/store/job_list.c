/* SPDX-License-Identifier: Apache-2.0 */
#include "store/job_list.h"

#include "base/slice.h"
#include "store/job_lock.h"
#include "store/store_private.h"

#define JOB_COLUMNS                                                                         \
    "SELECT id,state,fingerprint,label,output,folder,command,loaded,items,done,created_at," \
    "changed_at FROM job "

/* Those of the service are no jobs of the command line (store/batches: BATCH_FINGERPRINT). */
#define NO_BATCH "(fingerprint<'batch ' OR fingerprint>='batch!') "

static void read_entry(struct store *store, sqlite3_stmt *statement, struct store_job_entry *out)
{
    int state = sqlite3_column_int(statement, 1);
    *out = (struct store_job_entry){
        .id = sqlite3_column_int64(statement, 0),
        .state = state > (int)STORE_JOB_OPEN && state <= (int)STORE_JOB_DONE
                     ? (enum store_job_state)state
                     : STORE_JOB_OPEN,
        .name = {.fingerprint = store_column(statement, 2),
                 .label = store_column(statement, 3),
                 .output = store_column(statement, 4),
                 .folder = store_column(statement, 5),
                 .command = store_column(statement, 6)},
        .is_loaded = sqlite3_column_int(statement, 7) != 0,
        .items = (uint64_t)sqlite3_column_int64(statement, 8),
        .done = (uint64_t)sqlite3_column_int64(statement, 9),
        .created_at_ms = sqlite3_column_int64(statement, 10),
        .changed_at_ms = sqlite3_column_int64(statement, 11),
    };
    out->is_running = job_lock_holder(store, out->id, &out->holder);
}

static enum err each(struct store *store, sqlite3_stmt *statement, store_job_entry_fn fn,
                     void *context, size_t *out_count)
{
    int result = sqlite3_step(statement);
    *out_count = 0;
    while (result == SQLITE_ROW) {
        struct store_job_entry entry;
        read_entry(store, statement, &entry);
        fn(context, &entry);
        (*out_count)++;
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

enum err store_job_each(struct store *store, store_job_entry_fn fn, void *context,
                        struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    size_t count;
    if (sqlite3_prepare_v2(store->db, JOB_COLUMNS "WHERE " NO_BATCH "ORDER BY id", -1, &statement,
                           NULL) != SQLITE_OK ||
        each(store, statement, fn, context, &count) != ERR_NONE) {
        return store_fail(store, out_fault, "cannot be read");
    }
    return ERR_NONE;
}

static enum err no_such_job(int64_t id, struct fault *out_fault)
{
    return fault_set(out_fault, ERR_CLOSED, 0,
                     "there is no job %lld in this store; 'heloise jobs' lists those there are",
                     (long long)id);
}

enum err store_job_find(struct store *store, int64_t id, store_job_entry_fn fn, void *context,
                        struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    if (sqlite3_prepare_v2(store->db, JOB_COLUMNS "WHERE " NO_BATCH "AND id=?1", -1, &statement,
                           NULL) != SQLITE_OK) {
        return store_fail(store, out_fault, "cannot be read");
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    if (each(store, statement, fn, context, &count) != ERR_NONE) {
        return store_fail(store, out_fault, "cannot be read");
    }
    return count > 0 ? ERR_NONE : no_such_job(id, out_fault);
}

enum err store_job_ask(struct store *store, int64_t id, enum store_job_wish wish,
                       struct fault *out_fault)
{
    return job_lock_ask(store, id, wish, out_fault);
}

static void ignore_entry(void *context, const struct store_job_entry *entry)
{
    (void)context;
    (void)entry;
}

/* Held by us while it is changed: nobody begins to run it meanwhile. */
static enum err hold(struct store *store, int64_t id, int64_t now_ms, struct job_lock *out,
                     struct fault *out_fault)
{
    enum err e = job_lock_take(store, id, now_ms, out, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = store_job_find(store, id, ignore_entry, NULL, out_fault);
    if (e == ERR_NONE && !job_lock_is_there(out)) {
        e = fault_set(out_fault, ERR_STATE, 0, "this job is being deleted; try again");
    }
    if (e == ERR_CLOSED) {
        job_lock_remove(out); /* our taking it made the file */
    }
    return e;
}

enum err store_job_settle(struct store *store, int64_t id, enum store_job_state state,
                          int64_t now_ms, struct fault *out_fault)
{
    struct job_lock lock;
    enum err e = hold(store, id, now_ms, &lock, out_fault);
    e = e != ERR_NONE ? e : store_job_row_settle(store, id, state, now_ms, out_fault);
    if (e == ERR_NONE && state != STORE_JOB_OPEN && state != STORE_JOB_PAUSED) {
        job_lock_remove(&lock);
    }
    job_lock_release(&lock);
    return e;
}

enum err store_job_forget(struct store *store, int64_t id, int64_t now_ms, struct fault *out_fault)
{
    struct job_lock lock;
    enum err e = hold(store, id, now_ms, &lock, out_fault);
    e = e != ERR_NONE ? e : store_job_row_delete(store, id, out_fault);
    if (e == ERR_NONE) {
        job_lock_remove(&lock);
    }
    job_lock_release(&lock);
    return e;
}
