/* SPDX-License-Identifier: Apache-2.0 */
#include "store/webhooks.h"

#include "base/must.h"
#include "base/slice.h"
#include "store/store_private.h"

#define EVENT_COLUMNS                                                                         \
    "SELECT w.number,w.id,w.kind,w.batch,w.about,w.once,w.body,w.state,w.tries,w.created_at," \
    "w.changed_at,w.next_at,w.last_status,w.last_error,e.id,e.owner,e.url,e.origin,e.secret," \
    "w.headers"                                                                               \
    " FROM webhook w JOIN webhook_endpoint e ON e.id=w.endpoint "

/* The first column of the first row; otherwise where there is none. */
static int64_t read_number(sqlite3_stmt *statement, int64_t otherwise)
{
    bool is_there = statement != NULL && sqlite3_step(statement) == SQLITE_ROW &&
                    sqlite3_column_type(statement, 0) != SQLITE_NULL;
    int64_t number = is_there ? sqlite3_column_int64(statement, 0) : otherwise;
    sqlite3_finalize(statement);
    return number;
}

/* Endpoints. */

static int64_t find_endpoint(struct store *store, const struct store_webhook_endpoint *endpoint)
{
    sqlite3_stmt *statement =
        store_prepare_read(store, "SELECT id FROM webhook_endpoint WHERE owner=?1 AND url=?2");
    if (statement != NULL) {
        store_bind(statement, 1, endpoint->owner);
        store_bind(statement, 2, endpoint->url);
    }
    return read_number(statement, 0);
}

static enum err add_endpoint(struct store *store, const struct store_webhook_endpoint *endpoint,
                             int64_t now_ms)
{
    sqlite3_stmt *statement = store_prepare_write(
        store, "INSERT INTO webhook_endpoint(owner,url,origin,secret,created_at)"
               " VALUES(?1,?2,?3,?4,?5)");
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind(statement, 1, endpoint->owner);
    store_bind(statement, 2, endpoint->url);
    store_bind(statement, 3, endpoint->origin);
    store_bind(statement, 4, endpoint->secret);
    (void)sqlite3_bind_int64(statement, 5, now_ms);
    return store_run_write(store, statement, NULL);
}

enum err store_webhook_endpoint_open(struct store *store,
                                     const struct store_webhook_endpoint *endpoint, int64_t now_ms,
                                     int64_t *out_id)
{
    int64_t id = find_endpoint(store, endpoint);
    if (id == 0) {
        enum err e = add_endpoint(store, endpoint, now_ms);
        id = e == ERR_NONE ? find_endpoint(store, endpoint) : 0;
    }
    if (id == 0) {
        return ERR_STORE;
    }
    *out_id = id;
    return ERR_NONE;
}

enum err store_webhook_endpoint_secret(struct store *store, int64_t id, struct buf *out_secret)
{
    sqlite3_stmt *statement =
        store_prepare_read(store, "SELECT secret FROM webhook_endpoint WHERE id=?1");
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    int result = sqlite3_step(statement);
    enum err e = result == SQLITE_ROW    ? buf_append(out_secret, store_column(statement, 0))
                 : result == SQLITE_DONE ? ERR_CLOSED
                                         : ERR_STORE;
    sqlite3_finalize(statement);
    return e;
}

enum err store_webhook_endpoint_set_secret(struct store *store, int64_t id, struct slice secret)
{
    sqlite3_stmt *statement =
        store_prepare_write(store, "UPDATE webhook_endpoint SET secret=?2 WHERE id=?1");
    if (statement == NULL) {
        return ERR_STORE;
    }
    size_t count;
    (void)sqlite3_bind_int64(statement, 1, id);
    store_bind(statement, 2, secret);
    enum err e = store_run_write(store, statement, &count);
    return e == ERR_NONE && count == 0 ? ERR_CLOSED : e;
}

/* The outbox. */

enum err store_webhook_put(struct store *store, const struct store_webhook *event, bool *out_is_new)
{
    sqlite3_stmt *statement = store_prepare_write(
        store, "INSERT INTO webhook(id,endpoint,kind,batch,about,once,body,headers,created_at,"
               "changed_at,next_at) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?9,?10)"
               " ON CONFLICT(endpoint,once) WHERE once<>'' DO NOTHING");
    if (statement == NULL) {
        return ERR_STORE;
    }
    size_t count;
    store_bind(statement, 1, event->id);
    (void)sqlite3_bind_int64(statement, 2, event->endpoint.id);
    const struct slice texts[] = {event->kind, event->batch, event->about,
                                  event->once, event->body,  event->headers};
    for (int i = 0; i < 6; i++) {
        store_bind(statement, 3 + i, texts[i]);
    }
    (void)sqlite3_bind_int64(statement, 9, event->created_at_ms);
    (void)sqlite3_bind_int64(statement, 10, event->next_at_ms);
    enum err e = store_run_write(store, statement, &count);
    if (e == ERR_NONE) {
        *out_is_new = count > 0;
    }
    return e;
}

int64_t store_webhook_endpoint_after(struct store *store, int64_t endpoint)
{
    sqlite3_stmt *statement = store_prepare_read(
        store, "SELECT min(endpoint) FROM webhook WHERE state=0 AND endpoint>?1");
    if (statement != NULL) {
        (void)sqlite3_bind_int64(statement, 1, endpoint);
    }
    return read_number(statement, 0);
}

size_t store_webhook_due(struct store *store, int64_t endpoint, int64_t now_ms, size_t limit,
                         int64_t *out_numbers)
{
    size_t count = 0;
    sqlite3_stmt *statement = store_prepare_read(
        store, "SELECT number FROM webhook WHERE state=0 AND endpoint=?1 AND next_at<=?2"
               " ORDER BY next_at,number LIMIT ?3");
    must(limit <= STORE_WEBHOOK_DUE_MAX);
    if (statement == NULL) {
        return 0;
    }
    (void)sqlite3_bind_int64(statement, 1, endpoint);
    (void)sqlite3_bind_int64(statement, 2, now_ms);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)limit);
    while (count < limit && sqlite3_step(statement) == SQLITE_ROW) {
        out_numbers[count++] = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return count;
}

int64_t store_webhook_next_at(struct store *store, int64_t now_ms)
{
    sqlite3_stmt *statement =
        store_prepare_read(store, "SELECT min(next_at) FROM webhook WHERE state=0 AND next_at>?1");
    if (statement != NULL) {
        (void)sqlite3_bind_int64(statement, 1, now_ms);
    }
    return read_number(statement, INT64_MAX);
}

enum err store_webhook_tried(struct store *store, int64_t number, const struct store_webhook *after)
{
    sqlite3_stmt *statement =
        store_prepare_write(store, "UPDATE webhook SET state=?2,tries=?3,next_at=?4,changed_at=?5,"
                                   "last_status=?6,last_error=?7 WHERE number=?1");
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, number);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)after->state);
    (void)sqlite3_bind_int64(statement, 3, after->tries);
    (void)sqlite3_bind_int64(statement, 4, after->next_at_ms);
    (void)sqlite3_bind_int64(statement, 5, after->changed_at_ms);
    (void)sqlite3_bind_int64(statement, 6, after->last_status);
    store_bind(statement, 7, after->last_error);
    return store_run_write(store, statement, NULL);
}

enum err store_webhook_replay(struct store *store, struct slice id, int64_t now_ms)
{
    sqlite3_stmt *statement =
        store_prepare_write(store, "UPDATE webhook SET state=0,tries=0,next_at=?2,changed_at=?2,"
                                   "last_status=0,last_error='' WHERE id=?1");
    if (statement == NULL) {
        return ERR_STORE;
    }
    size_t count;
    store_bind(statement, 1, id);
    (void)sqlite3_bind_int64(statement, 2, now_ms);
    enum err e = store_run_write(store, statement, &count);
    return e == ERR_NONE && count == 0 ? ERR_CLOSED : e;
}

/* Reading. */

static enum store_webhook_state state_of(int64_t number)
{
    return number == STORE_WEBHOOK_DELIVERED || number == STORE_WEBHOOK_FAILED
               ? (enum store_webhook_state)number
               : STORE_WEBHOOK_WAITING;
}

static void read_event(sqlite3_stmt *row, struct store_webhook *out)
{
    *out = (struct store_webhook){
        .number = sqlite3_column_int64(row, 0),
        .id = store_column(row, 1),
        .kind = store_column(row, 2),
        .batch = store_column(row, 3),
        .about = store_column(row, 4),
        .once = store_column(row, 5),
        .body = store_column(row, 6),
        .state = state_of(sqlite3_column_int64(row, 7)),
        .tries = (unsigned)sqlite3_column_int64(row, 8),
        .created_at_ms = sqlite3_column_int64(row, 9),
        .changed_at_ms = sqlite3_column_int64(row, 10),
        .next_at_ms = sqlite3_column_int64(row, 11),
        .last_status = (unsigned)sqlite3_column_int64(row, 12),
        .last_error = store_column(row, 13),
        .endpoint = {.id = sqlite3_column_int64(row, 14),
                     .owner = store_column(row, 15),
                     .url = store_column(row, 16),
                     .origin = store_column(row, 17),
                     .secret = store_column(row, 18)},
        .headers = store_column(row, 19),
    };
}

/* Finalises the statement. */
static enum err each(sqlite3_stmt *statement, store_webhook_fn fn, void *context, size_t *out_count)
{
    int result = sqlite3_step(statement);
    *out_count = 0;
    while (result == SQLITE_ROW) {
        struct store_webhook event;
        read_event(statement, &event);
        fn(context, &event);
        (*out_count)++;
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? ERR_NONE : ERR_STORE;
}

static enum err one(sqlite3_stmt *statement, store_webhook_fn fn, void *context)
{
    size_t count;
    enum err e = each(statement, fn, context, &count);
    return e == ERR_NONE && count == 0 ? ERR_CLOSED : e;
}

enum err store_webhook_read(struct store *store, int64_t number, store_webhook_fn fn, void *context)
{
    sqlite3_stmt *statement = store_prepare_read(store, EVENT_COLUMNS "WHERE w.number=?1");
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, number);
    return one(statement, fn, context);
}

enum err store_webhook_find(struct store *store, struct slice id, store_webhook_fn fn,
                            void *context)
{
    sqlite3_stmt *statement = store_prepare_read(store, EVENT_COLUMNS "WHERE w.id=?1");
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind(statement, 1, id);
    return one(statement, fn, context);
}

enum err store_webhook_each(struct store *store, const struct store_webhook_page *page,
                            store_webhook_fn fn, void *context)
{
    size_t count;
    sqlite3_stmt *statement = store_prepare_read(
        store, EVENT_COLUMNS "WHERE w.number<?1 AND (?2 IS NULL OR e.owner=?2)"
                             " AND (?3 IS NULL OR w.batch=?3) AND (?4 IS NULL OR w.state=?4)"
                             " ORDER BY w.number DESC LIMIT ?5");
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, page->before == 0 ? INT64_MAX : page->before);
    if (page->owner != NULL) {
        store_bind(statement, 2, *page->owner);
    }
    if (page->batch != NULL) {
        store_bind(statement, 3, *page->batch);
    }
    if (page->state != NULL) {
        (void)sqlite3_bind_int64(statement, 4, (int64_t)*page->state);
    }
    (void)sqlite3_bind_int64(statement, 5, (int64_t)page->limit);
    return each(statement, fn, context, &count);
}

/* Leaving. */

enum err store_webhook_prune(struct store *store, int64_t before_ms, size_t limit,
                             size_t *out_count)
{
    sqlite3_stmt *statement =
        store_prepare_write(store, "DELETE FROM webhook WHERE number IN (SELECT number FROM webhook"
                                   " WHERE state<>0 AND changed_at<?1 LIMIT ?2)");
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, before_ms);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)limit);
    return store_run_write(store, statement, out_count);
}

enum err store_webhook_erase(struct store *store, struct slice about, size_t *out_count)
{
    sqlite3_stmt *statement = store_prepare_write(store, "DELETE FROM webhook WHERE about=?1");
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind(statement, 1, about);
    return store_run_write(store, statement, out_count);
}
