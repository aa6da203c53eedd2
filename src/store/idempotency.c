/* SPDX-License-Identifier: Apache-2.0 */
#include "store/idempotency.h"

#include "base/slice.h"
#include "store/store_private.h"

static const char find_sql[] =
    "SELECT request,holder,status,reference FROM idempotency WHERE owner=?1 AND key=?2";
static const char put_sql[] = "INSERT OR REPLACE INTO idempotency(owner,key,request,holder,at)"
                              " VALUES(?1,?2,?3,?4,?5)";
/* Some at a time: nobody waits for those of a busy day. One of the future is from a clock that was wrong. */
static const char sweep_sql[] =
    "DELETE FROM idempotency WHERE (owner,key) IN (SELECT owner,key FROM idempotency"
    " WHERE at<=?1-?2 OR at>?1+?2 LIMIT 100)";
static const char expire_sql[] =
    "DELETE FROM idempotency WHERE owner=?3 AND key=?4 AND (at<=?1-?2 OR at>?1+?2)";
static const char finish_sql[] =
    "UPDATE idempotency SET holder=0,status=?3,reference=?4 WHERE owner=?1 AND key=?2";
static const char drop_sql[] = "DELETE FROM idempotency WHERE owner=?1 AND key=?2 AND status=0";

static void bind_request(sqlite3_stmt *statement, const struct store_request *request)
{
    (void)sqlite3_bind_int64(statement, 1, request->owner);
    store_bind(statement, 2, request->key);
}

static enum err forget_old(struct store *store, const struct store_request *request, int64_t now_ms)
{
    const char *const sqls[] = {sweep_sql, expire_sql};
    for (size_t i = 0; i < sizeof sqls / sizeof *sqls; i++) {
        sqlite3_stmt *statement = NULL;
        enum err e = store_prepare(store, sqls[i], &statement, NULL);
        if (e != ERR_NONE) {
            return e;
        }
        (void)sqlite3_bind_int64(statement, 1, now_ms);
        (void)sqlite3_bind_int64(statement, 2, STORE_IDEMPOTENCY_LIFE_MS);
        if (sqls[i] == expire_sql) {
            (void)sqlite3_bind_int64(statement, 3, request->owner);
            store_bind(statement, 4, request->key);
        }
        e = store_step_once(store, statement, NULL);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

static bool is_same(sqlite3_stmt *statement, const struct store_request *request)
{
    const char *at = sqlite3_column_blob(statement, 0);
    size_t len = (size_t)sqlite3_column_bytes(statement, 0);
    return slice_equal(at == NULL ? SLICE_NONE : slice_make(at, len), request->digest);
}

static enum err read_standing(struct store *store, sqlite3_stmt *statement,
                              const struct store_request *request,
                              struct store_request_standing *out)
{
    int64_t holder = sqlite3_column_int64(statement, 1);
    int status = sqlite3_column_int(statement, 2);
    if (status == 0 && !store_holder_is_alive(store, holder)) {
        out->state = STORE_REQUEST_NEW;
        return ERR_NONE;
    }
    if (!is_same(statement, request)) {
        out->state = STORE_REQUEST_MISMATCH;
        return ERR_NONE;
    }
    out->state = status == 0 ? STORE_REQUEST_RUNNING : STORE_REQUEST_FINISHED;
    out->status = status;
    return status != 0 && out->reference != NULL
               ? buf_append(out->reference, store_column(statement, 3))
               : ERR_NONE;
}

static enum err look(struct store *store, const struct store_request *request,
                     struct store_request_standing *out)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, find_sql, &statement, NULL);
    if (e != ERR_NONE) {
        return e;
    }
    bind_request(statement, request);
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        e = read_standing(store, statement, request, out);
    } else if (result == SQLITE_DONE) {
        out->state = STORE_REQUEST_NEW;
    } else {
        e = ERR_STORE;
    }
    sqlite3_finalize(statement);
    return e;
}

static enum err put(struct store *store, const struct store_request *request, int64_t now_ms)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, put_sql, &statement, NULL);
    if (e != ERR_NONE) {
        return e;
    }
    bind_request(statement, request);
    (void)sqlite3_bind_blob(statement, 3, request->digest.at, (int)request->digest.len,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 4, store->holder);
    (void)sqlite3_bind_int64(statement, 5, now_ms);
    return store_step_once(store, statement, NULL);
}

static enum err begin(struct store *store, const struct store_request *request, int64_t now_ms,
                      struct store_request_standing *out)
{
    enum err e = store_holder_become(store, now_ms);
    e = e != ERR_NONE ? e : forget_old(store, request, now_ms);
    e = e != ERR_NONE ? e : look(store, request, out);
    return e == ERR_NONE && out->state == STORE_REQUEST_NEW ? put(store, request, now_ms) : e;
}

enum err store_request_begin(struct store *store, const struct store_request *request,
                             int64_t now_ms, struct store_request_standing *inout_standing,
                             struct fault *out_fault)
{
    struct store_request_standing standing = *inout_standing;
    if (request->key.len == 0 || request->key.len > STORE_IDEMPOTENCY_KEY_BYTES_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "an idempotency key has 1 to %d bytes",
                         (int)STORE_IDEMPOTENCY_KEY_BYTES_MAX);
    }
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    standing.status = 0;
    e = begin(store, request, now_ms, &standing);
    if (e != ERR_NONE) {
        (void)store_fail(store, out_fault, "cannot be used");
    }
    e = store_change_end(store, e, out_fault);
    if (e == ERR_NONE) {
        *inout_standing = standing;
    }
    return e;
}

enum err store_request_finish(struct store *store, const struct store_request *request, int status,
                              struct slice reference)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_begin_write(store);
    e = e != ERR_NONE ? e : store_prepare(store, finish_sql, &statement, NULL);
    if (e != ERR_NONE) {
        return e;
    }
    bind_request(statement, request);
    (void)sqlite3_bind_int(statement, 3, status);
    store_bind(statement, 4, reference);
    e = store_step_once(store, statement, NULL);
    return e != ERR_NONE ? e : store_end_write(store);
}

enum err store_request_drop(struct store *store, const struct store_request *request)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_begin_write(store);
    e = e != ERR_NONE ? e : store_prepare(store, drop_sql, &statement, NULL);
    if (e != ERR_NONE) {
        return e;
    }
    bind_request(statement, request);
    e = store_step_once(store, statement, NULL);
    return e != ERR_NONE ? e : store_end_write(store);
}
