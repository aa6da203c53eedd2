/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"
#include "store/store_private.h"

enum err store_prepare(struct store *store, const char *sql, sqlite3_stmt **out,
                       struct fault *out_fault)
{
    if (sqlite3_prepare_v2(store->db, sql, -1, out, NULL) != SQLITE_OK) {
        return store_fail(store, out_fault, "cannot be used");
    }
    return ERR_NONE;
}

enum err store_step_once(struct store *store, sqlite3_stmt *statement, struct fault *out_fault)
{
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? ERR_NONE : store_fail(store, out_fault, "cannot be written");
}

enum err store_read_number(struct store *store, const char *sql, int64_t *out,
                           struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    bool is_there = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
                    sqlite3_step(statement) == SQLITE_ROW;
    enum err e = is_there ? ERR_NONE : store_fail(store, out_fault, "cannot be read");
    if (is_there) {
        *out = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return e;
}

sqlite3_stmt *store_prepare_read(struct store *store, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    must(store->outbox == NULL);
    return sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK ? statement : NULL;
}

sqlite3_stmt *store_prepare_write(struct store *store, const char *sql)
{
    return store_begin_write(store) == ERR_NONE ? store_prepare_read(store, sql) : NULL;
}

enum err store_run_write(struct store *store, sqlite3_stmt *statement, size_t *out_count)
{
    enum err e = store_run(statement);
    if (out_count != NULL) {
        *out_count = (size_t)sqlite3_changes(store->db);
    }
    sqlite3_finalize(statement);
    return e != ERR_NONE ? e : store_end_write(store);
}
