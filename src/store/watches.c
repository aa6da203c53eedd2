/* SPDX-License-Identifier: Apache-2.0 */
#include "store/watches.h"

#include "base/slice.h"
#include "store/place.h"
#include "store/store_private.h"

#define WATCH_COLUMNS                                                                       \
    "SELECT number,id,owner,label,webhook,every,state,batch,run,old,cause,addresses,asked," \
    "changed,created_at,last_at,next_at FROM watch "

static enum err insert(struct store *store, const struct store_watch *watch,
                       struct fault *out_fault)
{
    const struct slice texts[] = {watch->id, watch->owner, watch->label, watch->webhook,
                                  watch->batch};
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store,
                               "INSERT INTO watch(id,owner,label,webhook,batch,every,addresses,"
                               "created_at,next_at) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
                               &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        store_bind(statement, (int)i + 1, texts[i]);
    }
    (void)sqlite3_bind_int64(statement, 6, watch->every_ms);
    (void)sqlite3_bind_int64(statement, 7, (int64_t)watch->addresses);
    (void)sqlite3_bind_int64(statement, 8, watch->created_at_ms);
    (void)sqlite3_bind_int64(statement, 9, watch->next_at_ms);
    return store_step_once(store, statement, out_fault);
}

enum err store_watch_add(struct store *store, const struct store_watch *watch,
                         struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    return e != ERR_NONE ? e : store_change_end(store, insert(store, watch, out_fault), out_fault);
}

static enum err update(struct store *store, const struct store_watch *watch,
                       struct fault *out_fault)
{
    const struct slice texts[] = {watch->batch, watch->run, watch->old, watch->cause};
    const int64_t numbers[] = {(int64_t)watch->state, (int64_t)watch->addresses,
                               (int64_t)watch->asked, (int64_t)watch->changed,
                               watch->last_at_ms,     watch->next_at_ms};
    sqlite3_stmt *statement = NULL;
    enum err e =
        store_prepare(store,
                      "UPDATE watch SET batch=?2,run=?3,old=?4,cause=?5,state=?6,addresses=?7,"
                      "asked=?8,changed=?9,last_at=?10,next_at=?11 WHERE number=?1",
                      &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, watch->number);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        store_bind(statement, (int)i + 2, texts[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        (void)sqlite3_bind_int64(statement, (int)i + 6, numbers[i]);
    }
    return store_step_once(store, statement, out_fault);
}

enum err store_watch_settle(struct store *store, const struct store_watch *watch,
                            const struct store_beside *beside, struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = store_put_beside(beside, out_fault);
    e = e != ERR_NONE ? e : update(store, watch, out_fault);
    return store_change_end(store, e, out_fault);
}

static enum err shed(struct store *store, int64_t number, size_t limit, bool *out_is_gone,
                     struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store,
                               "DELETE FROM watch_change WHERE number IN (SELECT number FROM"
                               " watch_change WHERE watch=?1 ORDER BY number LIMIT ?2)",
                               &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, number);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)limit);
    e = store_step_once(store, statement, out_fault);
    *out_is_gone = e == ERR_NONE && (size_t)sqlite3_changes(store->db) < limit;
    if (e != ERR_NONE || !*out_is_gone) {
        return e;
    }
    e = store_prepare(store, "DELETE FROM watch WHERE number=?1", &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, number);
    return store_step_once(store, statement, out_fault);
}

enum err store_watch_shed(struct store *store, int64_t number, size_t limit, bool *out_is_gone,
                          struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    *out_is_gone = false;
    return e != ERR_NONE
               ? e
               : store_change_end(store, shed(store, number, limit, out_is_gone, out_fault),
                                  out_fault);
}

/* Reading. */

static void read_watch(sqlite3_stmt *statement, struct store_watch *out)
{
    *out = (struct store_watch){
        .number = sqlite3_column_int64(statement, 0),
        .id = store_column(statement, 1),
        .owner = store_column(statement, 2),
        .label = store_column(statement, 3),
        .webhook = store_column(statement, 4),
        .every_ms = sqlite3_column_int64(statement, 5),
        .state = sqlite3_column_int(statement, 6) == STORE_WATCH_WAITING  ? STORE_WATCH_WAITING
                 : sqlite3_column_int(statement, 6) == STORE_WATCH_PAUSED ? STORE_WATCH_PAUSED
                                                                          : STORE_WATCH_DELETED,
        .batch = store_column(statement, 7),
        .run = store_column(statement, 8),
        .old = store_column(statement, 9),
        .cause = store_column(statement, 10),
        .addresses = (uint64_t)sqlite3_column_int64(statement, 11),
        .asked = (uint64_t)sqlite3_column_int64(statement, 12),
        .changed = (uint64_t)sqlite3_column_int64(statement, 13),
        .created_at_ms = sqlite3_column_int64(statement, 14),
        .last_at_ms = sqlite3_column_int64(statement, 15),
        .next_at_ms = sqlite3_column_int64(statement, 16),
    };
}

/* Finalizes the statement. */
static enum err each(struct store *store, sqlite3_stmt *statement, store_watch_fn fn, void *context,
                     size_t *out_count, struct fault *out_fault)
{
    int result = sqlite3_step(statement);
    *out_count = 0;
    while (result == SQLITE_ROW) {
        struct store_watch watch;
        read_watch(statement, &watch);
        fn(context, &watch);
        ++*out_count;
        result = sqlite3_step(statement);
    }
    enum err e = result == SQLITE_DONE ? ERR_NONE : store_fail(store, out_fault, "cannot be read");
    sqlite3_finalize(statement);
    return e;
}

enum err store_watch_find(struct store *store, struct slice id, store_watch_fn fn, void *context,
                          struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    size_t count;
    enum err e =
        store_prepare(store, WATCH_COLUMNS "WHERE id=?1 AND state<>2", &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, id);
    e = each(store, statement, fn, context, &count, out_fault);
    return e == ERR_NONE && count == 0
               ? fault_set(out_fault, ERR_CLOSED, 0, "there is no watched list of this id")
               : e;
}

enum err store_watch_each(struct store *store, const struct store_page *page, store_watch_fn fn,
                          void *context, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    size_t count;
    enum err e =
        store_prepare(store,
                      WATCH_COLUMNS "WHERE state<>2 AND number<?1 AND (?2 IS NULL OR owner=?2)"
                                    " ORDER BY number DESC LIMIT ?3",
                      &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind_page(statement, page);
    return each(store, statement, fn, context, &count, out_fault);
}

enum err store_watch_next(struct store *store, int64_t after, int64_t now_ms, store_watch_fn fn,
                          void *context, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    size_t count;
    enum err e =
        store_prepare(store,
                      WATCH_COLUMNS "WHERE number>?1 AND (state=2 OR run<>'' OR old<>''"
                                    " OR (state=0 AND next_at<=?2)) ORDER BY number LIMIT 1",
                      &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, after);
    (void)sqlite3_bind_int64(statement, 2, now_ms);
    e = each(store, statement, fn, context, &count, out_fault);
    return e == ERR_NONE && count == 0 ? ERR_CLOSED : e;
}

int64_t store_watch_next_at(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    int64_t at_ms = INT64_MAX;
    if (store_prepare(store, "SELECT min(next_at) FROM watch WHERE state=0 AND run=''", &statement,
                      NULL) == ERR_NONE &&
        sqlite3_step(statement) == SQLITE_ROW &&
        sqlite3_column_type(statement, 0) == SQLITE_INTEGER) {
        at_ms = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return at_ms;
}

bool store_watch_uses_batch(struct store *store, struct slice batch)
{
    sqlite3_stmt *statement = NULL;
    if (store_prepare(store, "SELECT 1 FROM watch WHERE state<>2 AND (batch=?1 OR run=?1)",
                      &statement, NULL) != ERR_NONE) {
        return true; /* who asks would delete it */
    }
    store_bind(statement, 1, batch);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result != SQLITE_DONE;
}

/* Results and changes. */

enum err store_watch_result_next(struct store *store, int64_t job, int64_t *cursor,
                                 store_watch_result_fn fn, void *context)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_WATCH_RESULT_NEXT);
    if (statement == NULL || store_results_write(store) != ERR_NONE) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, job);
    (void)sqlite3_bind_int64(statement, 2, *cursor);
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW) {
        (void)sqlite3_reset(statement);
        return result == SQLITE_DONE ? ERR_CLOSED : ERR_STORE;
    }
    *cursor = sqlite3_column_int64(statement, 0);
    const struct store_watch_result found = {.key = store_column(statement, 1),
                                             .address = store_column(statement, 2),
                                             .json = store_column(statement, 3)};
    fn(context, &found);
    (void)sqlite3_reset(statement);
    return ERR_NONE;
}

enum err store_watch_change_put(struct store *store, const struct store_watch_change *change)
{
    const struct slice texts[] = {change->run,        change->address,      change->status_before,
                                  change->sub_before, change->status_after, change->sub_after};
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement = store_statement(store, STATEMENT_WATCH_CHANGE_PUT);
    if (e != ERR_NONE || statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, change->key);
    (void)sqlite3_bind_int64(statement, 3, change->watch);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        store_bind(statement, (int)i + 4, texts[i]);
    }
    (void)sqlite3_bind_int64(statement, 10, change->at_ms);
    e = store_run(statement);
    return e != ERR_NONE ? e : store_end_write(store);
}

enum err store_watch_change_count(struct store *store, int64_t watch, struct slice run,
                                  uint64_t *out, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, "SELECT count(*) FROM watch_change WHERE watch=?1 AND run=?2",
                               &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, watch);
    store_bind(statement, 2, run);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        *out = (uint64_t)sqlite3_column_int64(statement, 0);
    } else {
        e = store_fail(store, out_fault, "cannot be read");
    }
    sqlite3_finalize(statement);
    return e;
}

enum err store_watch_change_each(struct store *store, const struct store_watch_change_page *page,
                                 store_watch_change_fn fn, void *context, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store,
                               "SELECT number,run,address,status_before,sub_before,status_after,"
                               "sub_after,at FROM watch_change WHERE watch=?1 AND number<?2"
                               " ORDER BY number DESC LIMIT ?3",
                               &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, page->watch);
    (void)sqlite3_bind_int64(statement, 2, page->before > 0 ? page->before : INT64_MAX);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)page->limit);
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        const struct store_watch_change change = {
            .number = sqlite3_column_int64(statement, 0),
            .watch = page->watch,
            .run = store_column(statement, 1),
            .address = store_column(statement, 2),
            .status_before = store_column(statement, 3),
            .sub_before = store_column(statement, 4),
            .status_after = store_column(statement, 5),
            .sub_after = store_column(statement, 6),
            .at_ms = sqlite3_column_int64(statement, 7),
        };
        fn(context, &change);
        result = sqlite3_step(statement);
    }
    e = result == SQLITE_DONE ? ERR_NONE : store_fail(store, out_fault, "cannot be read");
    sqlite3_finalize(statement);
    return e;
}
