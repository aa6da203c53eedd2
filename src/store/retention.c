/* store/retention: a walk over the rows of each kind by their numbers, for numbers lie together in the file. Not by time:
 * a verdict that was written anew keeps its number, and a clock that was wrong once leaves rows out of their order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/retention.h"

#include "store/store_private.h"

enum { STEP_ROWS = 256, KINDS = 5 };

/* find: numbers and times of at most ?2 rows behind ?1. remove: the row ?1 if it is still older than ?2, for others may
 * have written it anew meanwhile. */
static const struct kind {
    const char *find, *remove;
} kinds[KINDS] = {
    {"SELECT id,checked_at FROM verdict WHERE id>?1 ORDER BY id LIMIT ?2",
     "DELETE FROM verdict WHERE id=?1 AND checked_at<?2"},
    {"SELECT id,at FROM fact WHERE id>?1 ORDER BY id LIMIT ?2",
     "DELETE FROM fact WHERE id=?1 AND at<?2"},
    {"SELECT id,changed_at FROM job WHERE id>?1 AND state>=2 ORDER BY id LIMIT ?2",
     "DELETE FROM job WHERE id=?1 AND changed_at<?2 AND state>=2"},
    {"SELECT number,at FROM watch_change WHERE number>?1 ORDER BY number LIMIT ?2",
     "DELETE FROM watch_change WHERE number=?1 AND at<?2"},
    {"SELECT id,at FROM outcome WHERE id>?1 ORDER BY id LIMIT ?2",
     "DELETE FROM outcome WHERE id=?1 AND at<?2"},
};

/* The rows of a step. */
struct batch {
    int64_t old[STEP_ROWS]; /* those that are too old */
    size_t count;
    int64_t last; /* of all that were looked at */
    bool is_end;  /* there are no more */
};

static int64_t limit_of(const struct store_sweep *sweep)
{
    const struct store_retention *retention = &sweep->retention;
    const int64_t limits[KINDS] = {retention->verdicts_before_ms, retention->facts_before_ms,
                                   retention->jobs_before_ms, retention->facts_before_ms,
                                   retention->facts_before_ms};
    return limits[sweep->kind];
}

static enum err look(struct store *store, const struct store_sweep *sweep, struct batch *out)
{
    sqlite3_stmt *statement = NULL;
    size_t rows = 0;
    if (sqlite3_prepare_v2(store->db, kinds[sweep->kind].find, -1, &statement, NULL) != SQLITE_OK) {
        return ERR_STORE;
    }
    out->count = 0;
    out->last = sweep->after;
    (void)sqlite3_bind_int64(statement, 1, sweep->after);
    (void)sqlite3_bind_int64(statement, 2, STEP_ROWS);
    int result = sqlite3_step(statement);
    for (; result == SQLITE_ROW && rows < STEP_ROWS; rows++) {
        out->last = sqlite3_column_int64(statement, 0);
        if (sqlite3_column_int64(statement, 1) < limit_of(sweep)) {
            out->old[out->count++] = out->last;
        }
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    out->is_end = rows < STEP_ROWS;
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

static enum err delete_rows(struct store *store, const struct store_sweep *sweep,
                            const struct batch *batch, uint64_t *out_deleted)
{
    sqlite3_stmt *statement = NULL;
    enum err e =
        sqlite3_prepare_v2(store->db, kinds[sweep->kind].remove, -1, &statement, NULL) == SQLITE_OK
            ? ERR_NONE
            : ERR_STORE;
    for (size_t i = 0; i < batch->count && e == ERR_NONE; i++) {
        (void)sqlite3_bind_int64(statement, 1, batch->old[i]);
        (void)sqlite3_bind_int64(statement, 2, limit_of(sweep));
        e = store_run(statement);
        *out_deleted += (uint64_t)sqlite3_changes(store->db);
    }
    sqlite3_finalize(statement);
    return e;
}

static enum err delete_old(struct store *store, struct store_sweep *sweep,
                           const struct batch *batch, struct fault *out_fault)
{
    uint64_t deleted = 0;
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = delete_rows(store, sweep, batch, &deleted);
    if (e != ERR_NONE) {
        e = store_fail(store, out_fault, "cannot be written");
    }
    e = store_change_end(store, e, out_fault);
    sweep->deleted += e == ERR_NONE ? deleted : 0;
    return e;
}

static void next_kind(struct store_sweep *sweep)
{
    sweep->kind++;
    sweep->after = 0;
    sweep->is_done = sweep->kind == KINDS;
}

void store_sweep_begin(struct store_sweep *out, const struct store_retention *retention)
{
    *out = (struct store_sweep){.retention = *retention};
}

enum err store_sweep_step(struct store *store, struct store_sweep *sweep, struct fault *out_fault)
{
    while (!sweep->is_done && limit_of(sweep) == INT64_MIN) {
        next_kind(sweep);
    }
    if (sweep->is_done) {
        return ERR_NONE;
    }
    struct batch batch;
    enum err e = look(store, sweep, &batch);
    if (e != ERR_NONE) {
        return store_fail(store, out_fault, "cannot be read");
    }
    e = batch.count > 0 ? delete_old(store, sweep, &batch, out_fault) : ERR_NONE;
    if (e != ERR_NONE) {
        return e;
    }
    sweep->after = batch.last;
    if (batch.is_end) {
        next_kind(sweep);
    }
    return ERR_NONE;
}
