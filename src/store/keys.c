/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keys.h"

#include "base/slice.h"
#include "store/store_private.h"

static const char each_sql[] =
    "SELECT id,label,prefix,digest,scopes,created_at,expires_at,revoked_at,used_at,"
    "rate_per_minute,quota_per_day,usage_day,usage FROM api_key ORDER BY id";

static const char add_sql[] =
    "INSERT INTO api_key(label,prefix,digest,scopes,created_at,expires_at,rate_per_minute,"
    "quota_per_day) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)";

static enum err check_room(struct store *store, struct fault *out_fault)
{
    int64_t count = 0;
    enum err e = store_read_number(store, "SELECT count(*) FROM api_key", &count, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (count >= STORE_KEYS_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "there are %lld keys, and no room for more",
                         (long long)count);
    }
    return ERR_NONE;
}

static enum err note_change(struct store *store, struct fault *out_fault)
{
    return store_exec(store, "UPDATE api_key_generation SET value=value+1", out_fault);
}

static enum err insert(struct store *store, const struct store_key *key, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, add_sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind(statement, 1, key->label);
    store_bind(statement, 2, key->prefix);
    (void)sqlite3_bind_blob(statement, 3, key->digest.at, (int)key->digest.len, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 4, (int64_t)key->scopes);
    (void)sqlite3_bind_int64(statement, 5, key->created_at_ms);
    (void)sqlite3_bind_int64(statement, 6, key->expires_at_ms);
    (void)sqlite3_bind_int64(statement, 7, key->rate_per_minute);
    (void)sqlite3_bind_int64(statement, 8, (int64_t)key->quota_per_day);
    return store_step_once(store, statement, out_fault);
}

enum err store_key_add(struct store *store, const struct store_key *key, int64_t *out_id,
                       struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    int64_t id = 0;
    e = check_room(store, out_fault);
    e = e != ERR_NONE ? e : insert(store, key, out_fault);
    if (e == ERR_NONE) {
        id = sqlite3_last_insert_rowid(store->db);
        e = note_change(store, out_fault);
    }
    e = store_change_end(store, e, out_fault);
    if (e == ERR_NONE) {
        *out_id = id;
    }
    return e;
}

static enum err mark_revoked(struct store *store, int64_t id, int64_t now_ms,
                             struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(
        store, "UPDATE api_key SET revoked_at=iif(revoked_at=0,?2,revoked_at) WHERE id=?1",
        &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    (void)sqlite3_bind_int64(statement, 2, now_ms);
    e = store_step_once(store, statement, out_fault);
    if (e == ERR_NONE && sqlite3_changes(store->db) == 0) {
        e = fault_set(
            out_fault, ERR_CLOSED, 0,
            "there is no key %lld in this store; 'heloise key list' lists those there are",
            (long long)id);
    }
    return e;
}

enum err store_key_revoke(struct store *store, int64_t id, int64_t now_ms, struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = mark_revoked(store, id, now_ms, out_fault);
    e = e != ERR_NONE ? e : note_change(store, out_fault);
    return store_change_end(store, e, out_fault);
}

static struct slice blob_column(sqlite3_stmt *statement, int place)
{
    const char *at = sqlite3_column_blob(statement, place);
    return at == NULL ? SLICE_NONE : slice_make(at, (size_t)sqlite3_column_bytes(statement, place));
}

static struct store_key read_key(sqlite3_stmt *statement)
{
    return (struct store_key){
        .id = sqlite3_column_int64(statement, 0),
        .label = store_column(statement, 1),
        .prefix = store_column(statement, 2),
        .digest = blob_column(statement, 3),
        .scopes = (unsigned)sqlite3_column_int64(statement, 4),
        .created_at_ms = sqlite3_column_int64(statement, 5),
        .expires_at_ms = sqlite3_column_int64(statement, 6),
        .revoked_at_ms = sqlite3_column_int64(statement, 7),
        .used_at_ms = sqlite3_column_int64(statement, 8),
        .rate_per_minute = (uint32_t)sqlite3_column_int64(statement, 9),
        .quota_per_day = (uint64_t)sqlite3_column_int64(statement, 10),
        .usage_day = sqlite3_column_int64(statement, 11),
        .usage = (uint64_t)sqlite3_column_int64(statement, 12),
    };
}

enum err store_key_each(struct store *store, store_key_fn fn, void *context,
                        struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, each_sql, &statement, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) {
        struct store_key key = read_key(statement);
        fn(context, &key);
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? ERR_NONE : store_fail(store, out_fault, "cannot be read");
}

enum err store_key_generation(struct store *store, int64_t *out)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_KEY_GENERATION);
    if (statement == NULL) {
        return ERR_STORE;
    }
    bool is_there = sqlite3_step(statement) == SQLITE_ROW;
    if (is_there) {
        *out = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement);
    return is_there ? ERR_NONE : ERR_STORE;
}

static enum err write_use(struct store *store, const struct store_key_use *use)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_KEY_USE);
    if (statement == NULL) {
        return ERR_STORE;
    }
    (void)sqlite3_bind_int64(statement, 1, use->key);
    (void)sqlite3_bind_int64(statement, 2, use->day);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)use->count);
    (void)sqlite3_bind_int64(statement, 4, use->at_ms);
    return store_run(statement);
}

enum err store_key_use(struct store *store, const struct store_key_use *uses, size_t count,
                       struct fault *out_fault)
{
    enum err e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = write_use(store, &uses[i]);
    }
    if (e != ERR_NONE) {
        e = store_fail(store, out_fault, "cannot be written");
    }
    return store_change_end(store, e, out_fault);
}
