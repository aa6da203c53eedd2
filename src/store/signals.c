/* SPDX-License-Identifier: Apache-2.0 */
#include "store/signals.h"

#include "store/store_private.h"

bool store_signal_find(struct store *store, int64_t now_ms, struct store_signal *signal)
{
    sqlite3_stmt *statement = store_prepare_read(
        store, "SELECT result,number,at,expires_at FROM signal WHERE place=?1 AND key=?2"
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
    sqlite3_stmt *statement =
        store_prepare_write(store, "INSERT OR REPLACE INTO signal VALUES(?1,?2,?3,?4,?5,?6,?7)");
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, signal->key);
    store_bind(statement, 3, signal->service);
    (void)sqlite3_bind_int64(statement, 4, signal->result);
    (void)sqlite3_bind_int64(statement, 5, signal->number);
    (void)sqlite3_bind_int64(statement, 6, signal->at_ms);
    (void)sqlite3_bind_int64(statement, 7, signal->expires_at_ms);
    return store_run_write(store, statement, NULL);
}

enum err store_signal_erase(struct store *store, struct slice key, size_t *out_count)
{
    sqlite3_stmt *statement =
        store_prepare_write(store, "DELETE FROM signal WHERE place=?1 AND key=?2");
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, key);
    return store_run_write(store, statement, out_count);
}

enum err store_signal_prune(struct store *store, int64_t now_ms, size_t limit, size_t *out_count)
{
    sqlite3_stmt *statement =
        store_prepare_write(store, "DELETE FROM signal WHERE (place,key,service) IN"
                                   " (SELECT place,key,service FROM signal WHERE expires_at<=?1"
                                   " LIMIT ?2)");
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, now_ms);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)limit);
    return store_run_write(store, statement, out_count);
}
