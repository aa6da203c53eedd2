/* SPDX-License-Identifier: Apache-2.0 */
#include "store/batches.h"

#include "base/slice.h"
#include "store/store_private.h"

#define BATCH_COLUMNS                                                                         \
    "SELECT number,id,owner,client_token,label,file,file_name,column_name,output_columns,"    \
    "webhook,state,cause,loaded,bytes,job,rows,bad_rows,invalid_rows,items,done,deliverable," \
    "undeliverable,risky,unknown,created_at,changed_at,finished_at,max_age,tells_results "    \
    "FROM batch "

static enum err insert(struct store *store, const struct store_batch *batch,
                       struct fault *out_fault)
{
    static const char sql[] =
        "INSERT INTO batch(id,owner,client_token,label,file,file_name,column_name,output_columns,"
        "webhook,bytes,created_at,changed_at,max_age,tells_results)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?11,?12,?13)";
    const struct slice texts[] = {batch->id,     batch->owner,          batch->client_token,
                                  batch->label,  batch->file,           batch->file_name,
                                  batch->column, batch->output_columns, batch->webhook};
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        store_bind(statement, (int)i + 1, texts[i]);
    }
    (void)sqlite3_bind_int64(statement, 10, (int64_t)batch->bytes);
    (void)sqlite3_bind_int64(statement, 11, batch->created_at_ms);
    (void)sqlite3_bind_int64(statement, 12, batch->max_age_ms);
    (void)sqlite3_bind_int64(statement, 13, batch->tells_results ? 1 : 0);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (result == SQLITE_CONSTRAINT) {
        return fault_set(out_fault, ERR_STATE, 0, "there is a batch of this id already");
    }
    return result == SQLITE_DONE ? ERR_NONE : store_fail(store, out_fault, "cannot be written");
}

enum err store_batch_add(struct store *store, const struct store_batch *batch,
                         const struct store_request_end *end, struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = insert(store, batch, out_fault);
    if (e == ERR_NONE && end != NULL &&
        store_request_finish(store, end->request, end->status, end->reference) != ERR_NONE) {
        e = store_fail(store, out_fault, "cannot be written");
    }
    return store_change_end(store, e, out_fault);
}

static enum err update_state(struct store *store, struct slice id, enum store_batch_state state,
                             struct slice cause, int64_t now_ms, struct fault *out_fault)
{
    static const char sql[] =
        "UPDATE batch SET state=?2,cause=?3,changed_at=?4,finished_at=?5 WHERE id=?1";
    bool is_over =
        state != STORE_BATCH_LOADING && state != STORE_BATCH_RUNNING && state != STORE_BATCH_PAUSED;
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)state);
    store_bind(statement, 3, cause);
    (void)sqlite3_bind_int64(statement, 4, now_ms);
    (void)sqlite3_bind_int64(statement, 5, is_over ? now_ms : 0);
    return store_step_once(store, statement, out_fault);
}

enum err store_batch_settle(struct store *store, struct slice id, enum store_batch_state state,
                            struct slice cause, int64_t now_ms, struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    return store_change_end(store, update_state(store, id, state, cause, now_ms, out_fault),
                            out_fault);
}

enum err store_batch_progress(struct store *store, struct slice id, int64_t job, bool is_loaded,
                              const struct store_batch_counts *counts, int64_t now_ms)
{
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement = store_statement(store, STATEMENT_BATCH_PROGRESS);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    const uint64_t numbers[] = {
        counts->rows,         counts->bad_rows,     counts->invalid_rows,
        counts->items,        counts->done,         counts->by_status[0],
        counts->by_status[1], counts->by_status[2], counts->by_status[3],
    };
    store_bind(statement, 1, id);
    (void)sqlite3_bind_int64(statement, 2, job);
    (void)sqlite3_bind_int(statement, 3, is_loaded ? 1 : 0);
    (void)sqlite3_bind_int64(statement, 4, now_ms);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        (void)sqlite3_bind_int64(statement, (int)i + 5, (int64_t)numbers[i]);
    }
    e = store_run(statement);
    return e != ERR_NONE ? e : store_end_write(store);
}

static enum err delete_row(struct store *store, struct slice id, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, "DELETE FROM batch WHERE id=?1", &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, id);
    return store_step_once(store, statement, out_fault);
}

enum err store_batch_delete(struct store *store, struct slice id, struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    return store_change_end(store, delete_row(store, id, out_fault), out_fault);
}

/* Reading. */

static void read_counts(sqlite3_stmt *statement, int first, struct store_batch_counts *out)
{
    uint64_t *const numbers[] = {
        &out->rows,         &out->bad_rows,     &out->invalid_rows, &out->items,        &out->done,
        &out->by_status[0], &out->by_status[1], &out->by_status[2], &out->by_status[3],
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        *numbers[i] = (uint64_t)sqlite3_column_int64(statement, first + (int)i);
    }
}

static void read_batch(sqlite3_stmt *statement, struct store_batch *out)
{
    int state = sqlite3_column_int(statement, 10);
    *out = (struct store_batch){
        .number = sqlite3_column_int64(statement, 0),
        .id = store_column(statement, 1),
        .owner = store_column(statement, 2),
        .client_token = store_column(statement, 3),
        .label = store_column(statement, 4),
        .file = store_column(statement, 5),
        .file_name = store_column(statement, 6),
        .column = store_column(statement, 7),
        .output_columns = store_column(statement, 8),
        .webhook = store_column(statement, 9),
        .state = state >= 0 && state < (int)STORE_BATCH_STATE_COUNT ? (enum store_batch_state)state
                                                                    : STORE_BATCH_FAILED,
        .cause = store_column(statement, 11),
        .is_loaded = sqlite3_column_int(statement, 12) != 0,
        .bytes = (uint64_t)sqlite3_column_int64(statement, 13),
        .job = sqlite3_column_int64(statement, 14),
        .created_at_ms = sqlite3_column_int64(statement, 24),
        .changed_at_ms = sqlite3_column_int64(statement, 25),
        .finished_at_ms = sqlite3_column_int64(statement, 26),
        .max_age_ms = sqlite3_column_int64(statement, 27),
        .tells_results = sqlite3_column_int(statement, 28) != 0,
    };
    read_counts(statement, 15, &out->counts);
}

static enum err each(struct store *store, sqlite3_stmt *statement, store_batch_fn fn, void *context,
                     size_t *out_count, struct fault *out_fault)
{
    size_t count = 0;
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        struct store_batch batch;
        read_batch(statement, &batch);
        fn(context, &batch);
        count++;
        result = sqlite3_step(statement);
    }
    enum err e = result == SQLITE_DONE ? ERR_NONE : store_fail(store, out_fault, "cannot be read");
    sqlite3_finalize(statement);
    *out_count = count;
    return e;
}

enum err store_batch_find(struct store *store, struct slice id, store_batch_fn fn, void *context,
                          struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    enum err e =
        store_prepare(store, BATCH_COLUMNS "WHERE id=?1 AND state<>6", &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, id);
    e = each(store, statement, fn, context, &count, out_fault);
    if (e == ERR_NONE && count == 0) {
        return fault_set(out_fault, ERR_CLOSED, 0, "there is no batch of this id");
    }
    return e;
}

enum err store_batch_each(struct store *store, const struct store_batch_page *page,
                          store_batch_fn fn, void *context, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    size_t count;
    enum err e =
        store_prepare(store,
                      BATCH_COLUMNS "WHERE state<>6 AND number<?1 AND (?2 IS NULL OR owner=?2)"
                                    " ORDER BY number DESC LIMIT ?3",
                      &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, page->before > 0 ? page->before : INT64_MAX);
    if (page->owner != NULL) {
        store_bind(statement, 2, *page->owner);
    }
    (void)sqlite3_bind_int64(statement, 3, (int64_t)page->limit);
    return each(store, statement, fn, context, &count, out_fault);
}

enum err store_batch_each_open(struct store *store, store_batch_fn fn, void *context,
                               struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    size_t count;
    enum err e = store_prepare(store, BATCH_COLUMNS "WHERE state IN (0,1,2,6) ORDER BY number",
                               &statement, out_fault);
    return e != ERR_NONE ? e : each(store, statement, fn, context, &count, out_fault);
}

bool store_batch_has_file(struct store *store, struct slice file)
{
    sqlite3_stmt *statement = NULL;
    if (store_prepare(store, "SELECT 1 FROM batch WHERE file=?1", &statement, NULL) != ERR_NONE) {
        return true; /* who asks would remove it */
    }
    store_bind(statement, 1, file);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result != SQLITE_DONE;
}
