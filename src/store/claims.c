/* store/claims: who is at work on a key. A holder is one open store; it has a row, whose number its claims
 * carry, and a file beside the store that it keeps locked: the system takes the lock back when the
 * process dies, whatever its number is used for afterwards. Numbers are never given twice. Rows of
 * holders are written and committed while the lock is held, so a row without a lock is a dead one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/slice.h"
#include "store/store_private.h"

/* Of the open group, by its key. */
struct claim {
    int64_t at_ms;
    bool has_row; /* from an earlier group */
    char key[];
};

enum { CLAIM_PATH_BYTES = 4200, CLAIM_SQL_BYTES = 128, CLAIM_SWEEP_MAX = 64 };

static void lock_path(const struct store *store, int64_t holder, char out[CLAIM_PATH_BYTES])
{
    (void)snprintf(out, CLAIM_PATH_BYTES, "%s.holder-%lld.lock", store->path, (long long)holder);
}

/* Removes the file of a dead one. Where it cannot be told, the holder lives. */
static bool is_dead(const struct store *store, int64_t holder)
{
    char path[CLAIM_PATH_BYTES];
    lock_path(store, holder, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT;
    }
    bool has_lock = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (has_lock) {
        (void)unlink(path);
    }
    (void)close(fd);
    return has_lock;
}

static enum err forget_holder(struct store *store, int64_t holder)
{
    char sql[CLAIM_SQL_BYTES];
    (void)snprintf(sql, sizeof sql,
                   "DELETE FROM claim WHERE holder=%lld;DELETE FROM holder WHERE id=%lld",
                   (long long)holder, (long long)holder);
    return store_exec(store, sql, NULL);
}

/* What the dead have left. */
static enum err sweep(struct store *store)
{
    int64_t holders[CLAIM_SWEEP_MAX];
    size_t count = 0;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->db, "SELECT id FROM holder ORDER BY id LIMIT 64", -1, &statement,
                           NULL) != SQLITE_OK) {
        return ERR_STORE;
    }
    while (count < CLAIM_SWEEP_MAX && sqlite3_step(statement) == SQLITE_ROW) {
        holders[count++] = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = is_dead(store, holders[i]) ? forget_holder(store, holders[i]) : ERR_NONE;
    }
    return e;
}

static enum err take_lock(struct store *store)
{
    char path[CLAIM_PATH_BYTES];
    lock_path(store, store->holder, path);
    store->holder_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool is_locked = store->holder_lock >= 0 && flock(store->holder_lock, LOCK_EX | LOCK_NB) == 0;
    return is_locked ? ERR_NONE : ERR_SYSTEM;
}

static void leave_lock(struct store *store, bool is_forgotten)
{
    char path[CLAIM_PATH_BYTES];
    if (store->holder_lock >= 0) {
        lock_path(store, store->holder, path);
        if (is_forgotten) {
            (void)unlink(path);
        }
        (void)close(store->holder_lock);
    }
    store->holder_lock = -1;
    store->holder = 0;
    store->is_holder_new = false;
}

/* In the group of its first claim: nobody sees the one without the other, and nobody waits for a disk. */
static enum err become_holder(struct store *store, int64_t now_ms)
{
    char sql[CLAIM_SQL_BYTES];
    enum err e = store_begin_write(store);
    if (e != ERR_NONE) {
        return e;
    }
    (void)snprintf(sql, sizeof sql, "INSERT INTO holder(pid,at) VALUES(%ld,%lld)", (long)getpid(),
                   (long long)now_ms);
    e = sweep(store);
    e = e != ERR_NONE ? e : store_exec(store, sql, NULL);
    if (e != ERR_NONE) {
        return e;
    }
    store->holder = sqlite3_last_insert_rowid(store->db);
    store->is_holder_new = true;
    e = take_lock(store);
    if (e != ERR_NONE) {
        bool is_forgotten = forget_holder(store, store->holder) == ERR_NONE;
        leave_lock(store, is_forgotten);
    }
    return e;
}

static bool is_in_memory(const struct store *store)
{
    return strcmp(store->path, ":memory:") == 0;
}

enum err store_holder_become(struct store *store, int64_t now_ms)
{
    return store->holder != 0 || is_in_memory(store) ? ERR_NONE : become_holder(store, now_ms);
}

bool store_holder_is_alive(const struct store *store, int64_t holder)
{
    return is_in_memory(store) || !is_dead(store, holder);
}

/* What stands in the file about a key. */
struct standing {
    bool is_free; /* nobody's, ours, or that of a holder that is gone or has kept it too long */
    bool has_row; /* ours */
};

static enum err look(struct store *store, struct slice key, int64_t now_ms, struct standing *out)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_CLAIM_FIND);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, key);
    int result = sqlite3_step(statement);
    int64_t holder = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : store->holder;
    int64_t at_ms = result == SQLITE_ROW ? sqlite3_column_int64(statement, 1) : now_ms;
    (void)sqlite3_reset(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        return ERR_STORE;
    }
    out->has_row = result == SQLITE_ROW;
    out->is_free =
        holder == store->holder || now_ms - at_ms >= STORE_CLAIM_LIFE_MS || is_dead(store, holder);
    return ERR_NONE;
}

/* In the group that is open: nobody else can write, so that no row is needed until it is committed. */
static enum err note(struct store *store, struct slice key, int64_t now_ms, bool has_row)
{
    struct claim *claim = malloc(sizeof *claim + key.len);
    if (claim == NULL) {
        return ERR_NOMEM;
    }
    *claim = (struct claim){.at_ms = now_ms, .has_row = has_row};
    memcpy(claim->key, key.at, key.len);
    enum err e = map_put(&store->claims, slice_make(claim->key, key.len), claim);
    if (e != ERR_NONE) {
        free(claim);
    }
    return e;
}

static enum err try_new(struct store *store, struct slice key, int64_t now_ms, bool *out_is_free)
{
    /* Looked at before it is written, so that one who waits does not queue for the write lock. */
    struct standing standing = {0};
    enum err e = look(store, key, now_ms, &standing);
    if (e == ERR_NONE && standing.is_free) {
        bool was_in_group = store->is_in_group;
        e = store_begin_write(store);
        if (e == ERR_NONE && !was_in_group) { /* others may have been faster */
            e = look(store, key, now_ms, &standing);
        }
        e = e == ERR_NONE && standing.is_free ? note(store, key, now_ms, standing.has_row) : e;
        e = e == ERR_NONE ? store_end_write(store) : e;
    }
    *out_is_free = standing.is_free;
    return e;
}

enum err store_claim_try(struct store *store, struct slice key, int64_t now_ms, bool *out_is_mine)
{
    struct claim *claim = map_find(&store->claims, key);
    bool is_free = true;
    if (claim != NULL) {
        claim->at_ms = now_ms;
    } else if (store->outbox == NULL && !is_in_memory(store)) {
        enum err e = store_holder_become(store, now_ms);
        e = e != ERR_NONE ? e : try_new(store, key, now_ms, &is_free);
        if (e != ERR_NONE) {
            return e;
        }
    }
    *out_is_mine = is_free;
    return ERR_NONE;
}

static enum err delete_row(struct store *store, struct slice key)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_CLAIM_DELETE);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, key);
    (void)sqlite3_bind_int64(statement, 3, store->holder);
    return store_run(statement);
}

enum err store_claim_release(struct store *store, struct slice key)
{
    if (store->outbox != NULL) {
        return courier_claim_release(store, key);
    }
    if (store->holder == 0) {
        return ERR_NONE;
    }
    struct claim *claim = map_remove(&store->claims, key);
    bool may_have_row = claim == NULL || claim->has_row;
    free(claim);
    if (!may_have_row) {
        return ERR_NONE;
    }
    enum err e = store_begin_write(store);
    e = e != ERR_NONE ? e : delete_row(store, key);
    return e != ERR_NONE ? e : store_end_write(store);
}

static enum err write_row(struct store *store, struct slice key, const struct claim *claim)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_CLAIM_PUT);
    if (statement == NULL) {
        return ERR_STORE;
    }
    store_bind_key(statement, 1, key);
    (void)sqlite3_bind_int64(statement, 3, store->holder);
    (void)sqlite3_bind_int64(statement, 4, claim->at_ms);
    return store_run(statement);
}

enum err store_claims_write(struct store *store)
{
    enum err e = ERR_NONE;
    size_t cursor = 0;
    struct slice key;
    void *claim;
    while (e == ERR_NONE && map_next(&store->claims, &cursor, &key, &claim)) {
        e = write_row(store, key, claim);
    }
    return e;
}

void store_claims_forget(struct store *store)
{
    size_t cursor = 0;
    struct slice key;
    void *claim;
    while (map_next(&store->claims, &cursor, &key, &claim)) {
        free(claim);
    }
    map_done(&store->claims);
}

/* Without waiting: with the lock gone the rows mean nothing. */
void store_claims_close(struct store *store)
{
    store_claims_forget(store);
    if (store->holder == 0) {
        return;
    }
    (void)sqlite3_busy_timeout(store->db, 0);
    bool is_forgotten = forget_holder(store, store->holder) == ERR_NONE;
    (void)sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    leave_lock(store, is_forgotten);
}

void store_claims_taken_back(struct store *store)
{
    if (store->is_holder_new) {
        leave_lock(store, true);
    }
}
