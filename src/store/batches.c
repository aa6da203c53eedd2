/* SPDX-License-Identifier: Apache-2.0 */
#include "store/batches.h"

#include "base/slice.h"
#include "store/store_private.h"

#define BATCH_COLUMNS                                                                         \
    "SELECT number,id,owner,client_token,label,file,file_name,column_name,"                   \
    "webhook,state,cause,loaded,bytes,job,rows,bad_rows,invalid_rows,items,done,deliverable," \
    "undeliverable,risky,unknown,created_at,changed_at,finished_at,max_age,tells_results,"    \
    "webhook_headers,webhook_extra FROM batch "

static enum err insert(struct store *store, const struct store_batch *batch,
                       struct fault *out_fault)
{
    static const char sql[] =
        "INSERT INTO batch(id,owner,client_token,label,file,file_name,column_name,webhook,"
        "webhook_headers,webhook_extra,bytes,created_at,changed_at,max_age,tells_results)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?12,?13,?14)";
    const struct slice texts[] = {batch->id,           batch->owner,   batch->client_token,
                                  batch->label,        batch->file,    batch->file_name,
                                  batch->column,       batch->webhook, batch->webhook_headers,
                                  batch->webhook_extra};
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        store_bind(statement, (int)i + 1, texts[i]);
    }
    (void)sqlite3_bind_int64(statement, 11, (int64_t)batch->bytes);
    (void)sqlite3_bind_int64(statement, 12, batch->created_at_ms);
    (void)sqlite3_bind_int64(statement, 13, batch->max_age_ms);
    (void)sqlite3_bind_int64(statement, 14, batch->tells_results ? 1 : 0);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (result == SQLITE_CONSTRAINT) {
        return fault_set(out_fault, ERR_STATE, 0, "there is a batch of this id already");
    }
    return result == SQLITE_DONE ? ERR_NONE : store_fail(store, out_fault, "cannot be written");
}

enum err store_batch_copy(struct arena *texts, const struct store_batch *from,
                          struct store_batch *out)
{
    struct store_batch copy = *from;
    struct slice *const all[] = {&copy.id,
                                 &copy.owner,
                                 &copy.client_token,
                                 &copy.label,
                                 &copy.file,
                                 &copy.file_name,
                                 &copy.column,
                                 &copy.webhook,
                                 &copy.webhook_headers,
                                 &copy.webhook_extra,
                                 &copy.cause,
                                 NULL};
    for (size_t i = 0; all[i] != NULL; i++) {
        enum err e = arena_copy(texts, *all[i], all[i]);
        if (e != ERR_NONE) {
            return e;
        }
    }
    *out = copy;
    return ERR_NONE;
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

static enum err update_state(struct store *store, const struct store_batch_settling *settling,
                             struct fault *out_fault)
{
    enum store_batch_state state = settling->state;
    static const char sql[] =
        "UPDATE batch SET state=?2,cause=?3,changed_at=?4,finished_at=?5 WHERE id=?1";
    bool is_over =
        state != STORE_BATCH_LOADING && state != STORE_BATCH_RUNNING && state != STORE_BATCH_PAUSED;
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, settling->id);
    (void)sqlite3_bind_int(statement, 2, (int)state);
    store_bind(statement, 3, settling->cause);
    (void)sqlite3_bind_int64(statement, 4, settling->now_ms);
    (void)sqlite3_bind_int64(statement, 5, is_over ? settling->now_ms : 0);
    return store_step_once(store, statement, out_fault);
}

enum err store_batch_settle(struct store *store, const struct store_batch_settling *settling,
                            struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = store_put_beside(settling->beside, out_fault);
    e = e != ERR_NONE ? e : update_state(store, settling, out_fault);
    return store_change_end(store, e, out_fault);
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

enum err store_batch_provider_add(struct store *store, struct slice id, struct slice name,
                                  struct slice label, unsigned status)
{
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement = store_statement(store, STATEMENT_BATCH_PROVIDER_ADD);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    store_bind(statement, 1, id);
    store_bind(statement, 2, name);
    store_bind(statement, 3, label);
    (void)sqlite3_bind_int(statement, 4, (int)status);
    return store_run(statement); /* the group is not ended before the result is in it */
}

static enum err delete_from(struct store *store, const char *sql, struct slice id,
                            struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, out_fault);
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
    e = delete_from(store, "DELETE FROM batch WHERE id=?1", id, out_fault);
    e = e != ERR_NONE
            ? e
            : delete_from(store, "DELETE FROM batch_provider WHERE batch=?1", id, out_fault);
    return store_change_end(store, e, out_fault);
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
    int state = sqlite3_column_int(statement, 9);
    *out = (struct store_batch){
        .number = sqlite3_column_int64(statement, 0),
        .id = store_column(statement, 1),
        .owner = store_column(statement, 2),
        .client_token = store_column(statement, 3),
        .label = store_column(statement, 4),
        .file = store_column(statement, 5),
        .file_name = store_column(statement, 6),
        .column = store_column(statement, 7),
        .webhook = store_column(statement, 8),
        .state = state >= 0 && state < (int)STORE_BATCH_STATE_COUNT ? (enum store_batch_state)state
                                                                    : STORE_BATCH_FAILED,
        .cause = store_column(statement, 10),
        .is_loaded = sqlite3_column_int(statement, 11) != 0,
        .bytes = (uint64_t)sqlite3_column_int64(statement, 12),
        .job = sqlite3_column_int64(statement, 13),
        .created_at_ms = sqlite3_column_int64(statement, 23),
        .changed_at_ms = sqlite3_column_int64(statement, 24),
        .finished_at_ms = sqlite3_column_int64(statement, 25),
        .max_age_ms = sqlite3_column_int64(statement, 26),
        .tells_results = sqlite3_column_int(statement, 27) != 0,
        .webhook_headers = store_column(statement, 28),
        .webhook_extra = store_column(statement, 29),
    };
    read_counts(statement, 14, &out->counts);
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

enum err store_batch_each(struct store *store, const struct store_page *page, store_batch_fn fn,
                          void *context, struct fault *out_fault)
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
    store_bind_page(statement, page);
    return each(store, statement, fn, context, &count, out_fault);
}

enum err store_batch_provider_each(struct store *store, struct slice id, size_t limit,
                                   store_batch_provider_fn fn, void *context,
                                   struct fault *out_fault)
{
    static const char sql[] =
        "SELECT name,label,deliverable,undeliverable,risky,unknown FROM batch_provider"
        " WHERE batch=?1 ORDER BY deliverable+undeliverable+risky+unknown DESC,name LIMIT ?2";
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, id);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)limit);
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        struct store_batch_provider provider = {
            .name = store_column(statement, 0),
            .label = store_column(statement, 1),
        };
        for (int i = 0; i < STORE_BATCH_STATUSES; i++) {
            provider.by_status[i] = (uint64_t)sqlite3_column_int64(statement, i + 2);
        }
        fn(context, &provider);
        result = sqlite3_step(statement);
    }
    e = result == SQLITE_DONE ? ERR_NONE : store_fail(store, out_fault, "cannot be read");
    sqlite3_finalize(statement);
    return e;
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
