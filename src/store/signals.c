/* SPDX-License-Identifier: Apache-2.0 */
#include "store/signals.h"

#include "base/must.h"
#include "store/store_private.h"

/* Prepared each time: beside a request over the network it is nothing. NULL: the database said no. */
static sqlite3_stmt *prepare(struct store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    must(store->outbox == NULL);
    return sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK ? statement : NULL;
}

static enum err run(struct store *store, sqlite3_stmt *statement)
{
    enum err e = store_run(statement);
    sqlite3_finalize(statement);
    return e != ERR_NONE ? e : store_end_write(store);
}

/* The same, and how many rows it changed. */
static enum err run_change(struct store *store, sqlite3_stmt *statement, size_t *out_count)
{
    enum err e = store_run(statement);
    *out_count = (size_t)sqlite3_changes(store->db);
    sqlite3_finalize(statement);
    return e != ERR_NONE ? e : store_end_write(store);
}

bool store_signal_find(struct store *store, int64_t now_ms, struct store_signal *signal)
{
    sqlite3_stmt *statement =
        prepare(store, "SELECT result,number,at,expires_at FROM signal WHERE place=?1 AND key=?2"
                       " AND service=?3 AND expires_at>?4 AND at-86400000<=?4");
    if (statement == NULL) {
        return false;
    }
    store_bind_key(statement, 1, signal->key);
    store_bind(statement, 3, signal->service);
    (void)sqlite3_bind_int64(statement, 4, now_ms);
    bool is_found = sqlite3_step(statement) == SQLITE_ROW;
    if (is_found) {
        signal->result = sqlite3_column_int64(statement, 0);
        signal->number = sqlite3_column_int64(statement, 1);
        signal->at_ms = sqlite3_column_int64(statement, 2);
        signal->expires_at_ms = sqlite3_column_int64(statement, 3);
    }
    sqlite3_finalize(statement);
    return is_found;
}

enum err store_signal_put(struct store *store, const struct store_signal *signal)
{
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement =
        e == ERR_NONE ? prepare(store, "INSERT OR REPLACE INTO signal VALUES(?1,?2,?3,?4,?5,?6,?7)")
                      : NULL;
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, signal->key);
    store_bind(statement, 3, signal->service);
    (void)sqlite3_bind_int64(statement, 4, signal->result);
    (void)sqlite3_bind_int64(statement, 5, signal->number);
    (void)sqlite3_bind_int64(statement, 6, signal->at_ms);
    (void)sqlite3_bind_int64(statement, 7, signal->expires_at_ms);
    return run(store, statement);
}

enum err store_signal_erase(struct store *store, struct slice key, size_t *out_count)
{
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement =
        e == ERR_NONE ? prepare(store, "DELETE FROM signal WHERE place=?1 AND key=?2") : NULL;
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, key);
    return run_change(store, statement, out_count);
}

enum err store_signal_prune(struct store *store, int64_t now_ms, size_t limit, size_t *out_count)
{
    enum err e = store_begin_write(store);
    sqlite3_stmt *statement =
        e == ERR_NONE ? prepare(store, "DELETE FROM signal WHERE (place,key,service) IN"
                                       " (SELECT place,key,service FROM signal WHERE expires_at<=?1"
                                       " LIMIT ?2)")
                      : NULL;
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, now_ms);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)limit);
    return run_change(store, statement, out_count);
}
