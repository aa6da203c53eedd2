/* store/jobs: bulk runs as their runner sees them: items, order and results.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "store/job_lock.h"
#include "store/job_order.h"
#include "store/job_output.h"
#include "store/place.h"
#include "store/results.h"
#include "store/store_private.h"

enum {
    JOB_TRIES = 5, /* to hold a job that others delete meanwhile */
    JOB_SQL_BYTES = 256,
    ORDER_AT_ONCE = 1 << 20,
};

#define JOB_OVER_LIFE_MS (31 * INT64_C(86400000)) /* so long those that are over are listed */

struct store_job {
    struct store *store;
    int64_t id;
    struct job_lock lock;
    struct store_job_info info;
    int64_t turn_first, turn_end; /* its turns, once it is loaded */
    int64_t first_item;           /* while it is loaded; 0: none yet */
    struct job_order *order;      /* while that is made */
    struct job_output *output;    /* for who reads all results; NULL: nobody said so */
};

static enum err run_for_job(struct store *store, int64_t id, const char *sql,
                            struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    return store_step_once(store, statement, out_fault);
}

static enum err make(struct store *store, const struct store_job_name *name, int64_t now_ms,
                     struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store,
                               "INSERT OR IGNORE INTO job(fingerprint,label,created_at,changed_at) "
                               "VALUES(?1,?2,?3,?3)",
                               &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, name->fingerprint);
    store_bind(statement, 2, name->label);
    (void)sqlite3_bind_int64(statement, 3, now_ms);
    return store_step_once(store, statement, out_fault);
}

static enum err find_or_make(struct store_job *job, const struct store_job_name *name,
                             int64_t now_ms, struct fault *out_fault)
{
    struct store *store = job->store;
    sqlite3_stmt *statement = NULL;
    enum err e = store_flush(store, out_fault);
    e = e != ERR_NONE ? e : make(store, name, now_ms, out_fault);
    e = e != ERR_NONE ? e
                      : store_prepare(store, "SELECT id FROM job WHERE fingerprint=?1", &statement,
                                      out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, name->fingerprint);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        job->id = sqlite3_column_int64(statement, 0);
    } else {
        e = store_fail(store, out_fault, "cannot be read");
    }
    sqlite3_finalize(statement);
    return e;
}

static enum err update_name(struct store_job *job, const struct store_job_name *name,
                            int64_t now_ms, struct fault *out_fault)
{
    static const char sql[] =
        "UPDATE job SET label=?2,output=?3,folder=?4,command=?5,changed_at=?6,"
        "created_at=iif(state>=2,?6,created_at),loaded=iif(state>=2,0,loaded),"
        "items=iif(state>=2,0,items),done=iif(state>=2,0,done),"
        "turn_first=iif(state>=2 OR loaded=0,0,turn_first),"
        "turn_end=iif(state>=2 OR loaded=0,0,turn_end),state=0"
        " WHERE id=?1";
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(job->store, sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    store_bind(statement, 2, name->label);
    store_bind(statement, 3, name->output);
    store_bind(statement, 4, name->folder);
    store_bind(statement, 5, name->command);
    (void)sqlite3_bind_int64(statement, 6, now_ms);
    return store_step_once(job->store, statement, out_fault);
}

/* The list is read again from its beginning. */
static enum err drop_unloaded(struct store_job *job, struct fault *out_fault)
{
    enum err e = run_for_job(job->store, job->id,
                             "DELETE FROM job_item WHERE job=?1"
                             " AND EXISTS(SELECT 1 FROM job WHERE id=?1 AND loaded=0)",
                             out_fault);
    job->info.is_resumed = sqlite3_changes(job->store->db) > 0;
    /* Of an order that was not finished. */
    e = e != ERR_NONE ? e
                      : run_for_job(job->store, job->id,
                                    "DELETE FROM job_turn WHERE id>=(SELECT turn_first FROM job"
                                    " WHERE id=?1 AND loaded=0)"
                                    " AND id<(SELECT turn_end FROM job WHERE id=?1)",
                                    out_fault);
    return e != ERR_NONE ? e
                         : run_for_job(job->store, job->id,
                                       "DELETE FROM job_place WHERE job=?1 AND EXISTS(SELECT 1 FROM"
                                       " job WHERE id=?1 AND loaded=0 AND turn_end>turn_first)",
                                       out_fault);
}

/* Ours now: what it is called today, and no longer paused; one that was over begins anew. Those that have been over
 * for long leave the list. */
static enum err renew(struct store_job *job, const struct store_job_name *name, int64_t now_ms,
                      struct fault *out_fault)
{
    char sql[JOB_SQL_BYTES];
    (void)snprintf(
        sql, sizeof sql, "DELETE FROM job WHERE state>=%d AND changed_at<%lld AND id<>%lld",
        (int)STORE_JOB_CANCELLED, (long long)(now_ms - JOB_OVER_LIFE_MS), (long long)job->id);
    enum err e = store_change_begin(job->store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = store_exec(job->store, sql, out_fault);
    e = e != ERR_NONE ? e : drop_unloaded(job, out_fault);
    e = e != ERR_NONE ? e : update_name(job, name, now_ms, out_fault);
    return store_change_end(job->store, e, out_fault);
}

static enum err hold(struct store_job *job, const struct store_job_name *name, int64_t now_ms,
                     struct fault *out_fault)
{
    for (unsigned i = 0; i < JOB_TRIES; i++) {
        enum err e = find_or_make(job, name, now_ms, out_fault);
        if (e == ERR_NONE) {
            e = job_lock_take(job->store, job->id, now_ms, &job->lock, out_fault);
        }
        if (e != ERR_NONE) {
            return e;
        }
        if (job_lock_is_there(&job->lock)) {
            return renew(job, name, now_ms, out_fault);
        }
        job_lock_release(&job->lock);
    }
    return fault_set(out_fault, ERR_STATE, 0, "this job is being deleted; try again");
}

static enum err count(struct store_job *job, struct fault *out_fault)
{
    static const char sql[] =
        "SELECT loaded,turn_first,turn_end,(SELECT count(*) FROM job_turn WHERE id>=turn_first"
        " AND id<turn_end AND job_turn.result<>0),created_at FROM job WHERE id=?1";
    sqlite3_stmt *statement = NULL;
    if (store_results_write(job->store) != ERR_NONE ||
        sqlite3_prepare_v2(job->store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        return store_fail(job->store, out_fault, "cannot be read");
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    if (sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return store_fail(job->store, out_fault, "cannot be read");
    }
    job->turn_first = sqlite3_column_int64(statement, 1);
    job->turn_end = sqlite3_column_int64(statement, 2);
    job->info.id = job->id;
    job->info.is_loaded = sqlite3_column_int(statement, 0) != 0;
    job->info.is_resumed = job->info.is_resumed || job->info.is_loaded;
    job->info.item_count = (uint64_t)(job->turn_end - job->turn_first);
    job->info.done_count = (uint64_t)sqlite3_column_int64(statement, 3);
    job->info.begun_ms = sqlite3_column_int64(statement, 4);
    sqlite3_finalize(statement);
    return ERR_NONE;
}

enum err store_job_open(struct store *store, const struct store_job_name *name, int64_t now_ms,
                        struct store_job **out, struct fault *out_fault)
{
    struct store_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the job");
    }
    job->store = store;
    job->lock.fd = -1;
    enum err e = hold(job, name, now_ms, out_fault);
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

enum err store_job_look(struct store *store, int64_t id, struct store_job **out,
                        struct fault *out_fault)
{
    struct store_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the job");
    }
    *job = (struct store_job){.store = store, .id = id, .lock.fd = -1};
    enum err e = count(job, out_fault);
    if (e != ERR_NONE) {
        store_job_close(job);
        return e;
    }
    *out = job;
    return ERR_NONE;
}

int64_t store_job_begun(struct store *store, struct slice fingerprint, int64_t now_ms)
{
    sqlite3_stmt *statement = NULL;
    if (store_prepare(store, "SELECT created_at FROM job WHERE fingerprint=?1 AND state<2",
                      &statement, NULL) != ERR_NONE) {
        return now_ms;
    }
    store_bind(statement, 1, fingerprint);
    int64_t begun_ms =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : now_ms;
    sqlite3_finalize(statement);
    return begun_ms;
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
    job_lock_release(&job->lock);
    job_order_free(job->order);
    job_output_free(job->output);
    free(job);
}

enum store_job_wish store_job_wished(const struct store_job *job)
{
    return job_lock_wish(&job->lock);
}

/* Whether no other job has content. */
static enum err is_alone(struct store *store, int64_t id, bool *out, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e =
        store_prepare(store, "SELECT 1 FROM job WHERE id<>?1 AND state<2", &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    *out = result == SQLITE_DONE;
    return result == SQLITE_DONE || result == SQLITE_ROW
               ? ERR_NONE
               : store_fail(store, out_fault, "cannot be read");
}

/* A table that is emptied wholly is much cheaper than its rows one by one. */
static enum err delete_content(struct store *store, int64_t id, struct fault *out_fault)
{
    static const char *const of_all[] = {"DELETE FROM job_result", "DELETE FROM job_turn",
                                         "DELETE FROM job_place", "DELETE FROM job_item"};
    static const char *const of_one[] = {
        ("DELETE FROM job_result WHERE id IN (SELECT result FROM job_turn"
         " WHERE id>=(SELECT turn_first FROM job WHERE id=?1)"
         " AND id<(SELECT turn_end FROM job WHERE id=?1))"),
        "DELETE FROM job_turn WHERE id>=(SELECT turn_first FROM job WHERE id=?1)"
        " AND id<(SELECT turn_end FROM job WHERE id=?1)",
        "DELETE FROM job_place WHERE job=?1", "DELETE FROM job_item WHERE job=?1"};
    bool is_last = false;
    enum err e = is_alone(store, id, &is_last, out_fault);
    for (size_t i = 0; i < sizeof of_one / sizeof *of_one && e == ERR_NONE; i++) {
        e = run_for_job(store, id, is_last ? of_all[i] : of_one[i], out_fault);
    }
    return e;
}

enum err store_job_row_settle(struct store *store, int64_t id, enum store_job_state state,
                              int64_t now_ms, struct fault *out_fault)
{
    char sql[JOB_SQL_BYTES];
    (void)snprintf(sql, sizeof sql, "UPDATE job SET state=%d,changed_at=%lld WHERE id=?1",
                   (int)state, (long long)now_ms);
    bool is_over = state == STORE_JOB_CANCELLED || state == STORE_JOB_DONE;
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = is_over ? delete_content(store, id, out_fault) : ERR_NONE;
    e = e != ERR_NONE ? e : run_for_job(store, id, sql, out_fault);
    return store_change_end(store, e, out_fault);
}

enum err store_job_row_delete(struct store *store, int64_t id, struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = delete_content(store, id, out_fault);
    e = e != ERR_NONE ? e : run_for_job(store, id, "DELETE FROM job WHERE id=?1", out_fault);
    return store_change_end(store, e, out_fault);
}

enum err store_job_end(struct store_job *job, enum store_job_state state, int64_t now_ms,
                       struct fault *out_fault)
{
    enum err e = store_job_row_settle(job->store, job->id, state, now_ms, out_fault);
    if (e == ERR_NONE && state != STORE_JOB_PAUSED) {
        job_lock_remove(&job->lock);
    }
    store_job_close(job);
    return e;
}

enum err store_job_delete(struct store_job *job, struct fault *out_fault)
{
    enum err e = store_job_row_delete(job->store, job->id, out_fault);
    if (e == ERR_NONE) {
        job_lock_remove(&job->lock);
    }
    store_job_close(job);
    return e;
}

enum err store_job_progress(struct store_job *job, uint64_t items, uint64_t done, int64_t now_ms)
{
    enum err e = store_begin_write(job->store);
    sqlite3_stmt *statement = store_statement(job->store, STATEMENT_JOB_PROGRESS);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, job->id);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)items);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)done);
    (void)sqlite3_bind_int64(statement, 4, now_ms);
    return store_run(statement);
}

/* What follows its last '@': nearly always the domain. */
static struct slice domain_of(struct slice address)
{
    size_t at = slice_find_last_byte(address, '@');
    return at == address.len ? SLICE_NONE : slice_sub(address, at + 1, address.len);
}

enum err store_job_add(struct store_job *job, struct slice key, struct slice address,
                       struct slice domain)
{
    enum err e = store_begin_write(job->store);
    sqlite3_stmt *statement = store_statement(job->store, STATEMENT_JOB_ADD);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_clear_bindings(
        statement); /* what is not bound is NULL, and follows from the address */
    (void)sqlite3_bind_int64(statement, 1, job->id);
    (void)sqlite3_bind_int64(statement, 2, store_place(key));
    store_bind(statement, 3, address);
    if (!slice_equal(key, address)) {
        store_bind(statement, 4, key);
    }
    if (!slice_equal(domain, domain_of(address))) {
        store_bind(statement, 5, domain);
    }
    e = store_run(statement);
    if (e == ERR_NONE && job->first_item == 0) {
        job->first_item = sqlite3_last_insert_rowid(job->store->db);
    }
    /* Loading commits in large groups: until store_job_loaded the items count for nothing. */
    if (e == ERR_NONE && ++job->store->pending >= STORE_LOAD_ROWS) {
        e = store_flush(job->store, NULL);
    }
    return e;
}

static enum err mark_loaded(struct store_job *job, struct fault *out_fault)
{
    char sql[JOB_SQL_BYTES];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE job SET loaded=1,items=%lld,turn_first=%lld,turn_end=%lld WHERE id=?1",
                   (long long)(job->turn_end - job->turn_first), (long long)job->turn_first,
                   (long long)job->turn_end);
    return run_for_job(job->store, job->id, sql, out_fault);
}

static enum err order_some(struct store_job *job, size_t limit, bool *out_is_done,
                           struct fault *out_fault)
{
    if (job->order == NULL &&
        job_order_new(job->store, job->id, job->first_item, &job->order) != ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the order of the list");
    }
    bool is_done = false;
    enum err e = job_order_step(job->order, limit, &is_done, out_fault);
    if (e == ERR_NONE && is_done) {
        job->turn_first = job_order_turn_first(job->order);
        job->turn_end = job_order_turn_end(job->order);
        e = mark_loaded(job, out_fault);
    }
    if (e != ERR_NONE || is_done) {
        job_order_free(job->order);
        job->order = NULL;
    }
    *out_is_done = is_done;
    return e;
}

enum err store_job_order_some(struct store_job *job, size_t limit, bool *out_is_done,
                              uint64_t *out_items, struct fault *out_fault)
{
    bool is_done = false;
    enum err e = order_some(job, limit, &is_done, out_fault);
    job->store->pending += (unsigned)limit;
    bool is_full = is_done || job->store->pending >= STORE_LOAD_ROWS;
    e = e == ERR_NONE && is_full ? store_flush(job->store, out_fault) : e;
    if (e == ERR_NONE) {
        *out_is_done = is_done;
        *out_items = (uint64_t)(job->turn_end - job->turn_first);
    }
    return e;
}

enum err store_job_loaded(struct store_job *job, uint64_t *out_items, struct fault *out_fault)
{
    enum err e = store_change_begin(job->store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    bool is_done = false;
    while (e == ERR_NONE && !is_done) {
        e = order_some(job, ORDER_AT_ONCE, &is_done, out_fault);
    }
    e = store_change_end(job->store, e, out_fault);
    if (e == ERR_NONE) {
        *out_items = (uint64_t)(job->turn_end - job->turn_first);
    }
    return e;
}

static struct store_item read_item(sqlite3_stmt *statement)
{
    struct store_item item = {.id = (uint64_t)sqlite3_column_int64(statement, 0),
                              .address = store_column(statement, 2)};
    bool has_key = sqlite3_column_type(statement, 1) != SQLITE_NULL;
    bool has_domain = sqlite3_column_type(statement, 3) != SQLITE_NULL;
    item.key = has_key ? store_column(statement, 1) : item.address;
    item.domain = has_domain ? store_column(statement, 3) : domain_of(item.address);
    return item;
}

enum err store_job_next(struct store_job *job, uint64_t *cursor, size_t limit, store_item_fn fn,
                        void *context, size_t *out_count)
{
    sqlite3_stmt *statement = store_statement(job->store, STATEMENT_JOB_NEXT);
    if (statement == NULL) {
        return ERR_STORE;
    }
    int64_t from = (int64_t)*cursor + 1;
    if (store_results_wait(job->store, from, job->turn_end) &&
        store_results_write(job->store) != ERR_NONE) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, from > job->turn_first ? from : job->turn_first);
    (void)sqlite3_bind_int64(statement, 2, job->turn_end);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)limit);
    size_t found = 0;
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        struct store_item item = read_item(statement);
        *cursor = item.id;
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
    e = e != ERR_NONE ? e : store_results_keep(job->store, (int64_t)item_id, status, json);
    return e != ERR_NONE ? e : store_end_write(job->store);
}

enum err store_job_count_statuses(struct store_job *job, store_status_fn fn, void *context)
{
    static const char sql[] =
        "SELECT status,count(*) FROM job_turn t JOIN job_result r ON r.id=t.result"
        " WHERE t.id>=?1 AND t.id<?2 GROUP BY status";
    sqlite3_stmt *statement = NULL;
    if (store_results_write(job->store) != ERR_NONE ||
        sqlite3_prepare_v2(job->store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, job->turn_first);
    (void)sqlite3_bind_int64(statement, 2, job->turn_end);
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        fn(context, store_column(statement, 0), (uint64_t)sqlite3_column_int64(statement, 1));
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

static bool find_result(sqlite3_stmt *statement, struct buf *out)
{
    bool is_found = sqlite3_step(statement) == SQLITE_ROW &&
                    buf_append(out, store_column(statement, 0)) == ERR_NONE;
    (void)sqlite3_reset(statement);
    return is_found;
}

void store_job_read_in_order(struct store_job *job)
{
    const struct job_output_of of = {job->id, job->turn_first, job->turn_end};
    job_output_free(job->output);
    job->output = NULL;
    if (store_results_write(job->store) != ERR_NONE ||
        job_output_new(job->store, &of, &job->output) != ERR_NONE) {
        return; /* they are found one by one */
    }
}

bool store_job_result_find(struct store_job *job, struct slice key, struct buf *out_json)
{
    sqlite3_stmt *by_place = store_statement(job->store, STATEMENT_JOB_RESULT_FIND);
    sqlite3_stmt *by_key = store_statement(job->store, STATEMENT_JOB_RESULT_FIND_KEY);
    if (by_place == NULL || by_key == NULL || store_results_write(job->store) != ERR_NONE) {
        return false;
    }
    if (job->output != NULL && job_output_find(job->output, key, out_json)) {
        return true;
    }
    store_begin_read(job->store);
    (void)sqlite3_bind_int64(by_place, 1, job->id);
    (void)sqlite3_bind_int64(by_place, 2, store_place(key));
    if (find_result(by_place, out_json)) {
        return true;
    }
    (void)sqlite3_bind_int64(by_key, 1, job->id);
    store_bind_key(by_key, 2, key);
    return find_result(by_key, out_json);
}
