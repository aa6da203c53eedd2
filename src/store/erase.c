/* SPDX-License-Identifier: Apache-2.0 */
#include "store/erase.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "store/place.h"
#include "store/signals.h"
#include "store/store_private.h"
#include "store/webhooks.h"

enum {
    IDS_FIRST = 64,
    SQL_BYTES = 64,
    VARIANT_KEY_BYTES_MAX = 4096,
};

/* Numbers of rows. */
struct ids {
    int64_t *at;
    size_t count, cap;
};

struct erasure {
    struct store *store;
    struct slice key;
    struct store_erased erased;
    struct ids items;
};

static enum err add_id(struct ids *ids, int64_t id)
{
    if (ids->count == ids->cap) {
        size_t cap = ids->cap == 0 ? IDS_FIRST : ids->cap * 2;
        int64_t *at = realloc(ids->at, cap * sizeof *at);
        if (at == NULL) {
            return ERR_NOMEM;
        }
        ids->at = at;
        ids->cap = cap;
    }
    ids->at[ids->count++] = id;
    return ERR_NONE;
}

/* Doubles and those of a list that is being read have no index entry, so all items are looked at. */
static enum err find_items(struct erasure *erasure)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(
        erasure->store, "SELECT id FROM job_item WHERE place=?1 AND coalesce(key,address)=?2",
        &statement, NULL);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind_key(statement, 1, erasure->key);
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW && e == ERR_NONE) {
        e = add_id(&erasure->items, sqlite3_column_int64(statement, 0));
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return e == ERR_NONE && result != SQLITE_DONE ? ERR_STORE : e;
}

/* With the key in ?1 and ?2; adds the rows that it changed to *out_count. */
static enum err run_with_key(struct store *store, const char *sql, struct slice key,
                             uint64_t *out_count)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, NULL);
    if (e != ERR_NONE) {
        return e;
    }
    store_bind_key(statement, 1, key);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (result != SQLITE_DONE) {
        return ERR_STORE;
    }
    *out_count += (uint64_t)sqlite3_changes(store->db);
    return ERR_NONE;
}

static enum err erase_under(struct erasure *erasure, struct slice key)
{
    uint64_t claims = 0;
    enum err e = run_with_key(erasure->store, "DELETE FROM verdict WHERE place=?1 AND key=?2", key,
                              &erasure->erased.verdicts);
    return e != ERR_NONE
               ? e
               : run_with_key(erasure->store, "DELETE FROM claim WHERE place=?1 AND key=?2", key,
                              &claims);
}

/* Under the key alone, and under each variant that was ever written. */
static enum err erase_verdicts(struct erasure *erasure)
{
    sqlite3_stmt *statement = NULL;
    enum err e = erase_under(erasure, erasure->key);
    e = e != ERR_NONE ? e
                      : store_prepare(erasure->store, "SELECT variant FROM verdict_variant",
                                      &statement, NULL);
    int result = e == ERR_NONE ? sqlite3_step(statement) : SQLITE_DONE;
    while (e == ERR_NONE && result == SQLITE_ROW) {
        char room[VARIANT_KEY_BYTES_MAX];
        struct slice variant = store_column(statement, 0);
        int len =
            snprintf(room, sizeof room, "%.*s%.*s", SLICE_ARG(erasure->key), SLICE_ARG(variant));
        if (len > 0 && (size_t)len < sizeof room) {
            e = erase_under(erasure, slice_make(room, (size_t)len));
        }
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return e == ERR_NONE && result != SQLITE_DONE ? ERR_STORE : e;
}

static enum err run_with_id(struct store *store, const char *sql, int64_t id, uint64_t *out_count)
{
    sqlite3_stmt *statement = NULL;
    enum err e = store_prepare(store, sql, &statement, NULL);
    if (e != ERR_NONE) {
        return e;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    int result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (result != SQLITE_DONE) {
        return ERR_STORE;
    }
    *out_count += (uint64_t)sqlite3_changes(store->db);
    return ERR_NONE;
}

/* Its row and its turn keep their numbers, which must not be given to others: a job is a range of them. */
static enum err erase_item(struct erasure *erasure, int64_t id)
{
    static const char count_down[] =
        "UPDATE job SET done=max(done-1,0) WHERE id IN (SELECT p.job FROM job_item i"
        " JOIN job_place p ON p.place=i.place AND p.job=i.job JOIN job_turn t ON t.id=p.turn"
        " WHERE i.id=?1 AND t.item=?1 AND t.result<>0)";
    static const char result[] =
        "DELETE FROM job_result WHERE id IN (SELECT t.result FROM job_item i"
        " JOIN job_place p ON p.place=i.place AND p.job=i.job JOIN job_turn t ON t.id=p.turn"
        " WHERE i.id=?1 AND t.item=?1)";
    static const char turn[] =
        "UPDATE job_turn SET item=0,result=0 WHERE id IN (SELECT p.turn FROM job_item i"
        " JOIN job_place p ON p.place=i.place AND p.job=i.job WHERE i.id=?1) AND item=?1";
    static const char place[] =
        "DELETE FROM job_place WHERE (place,job,turn) IN (SELECT p.place,p.job,p.turn"
        " FROM job_item i JOIN job_place p ON p.place=i.place AND p.job=i.job"
        " JOIN job_turn t ON t.id=p.turn WHERE i.id=?1 AND t.item=0)";
    static const char item[] =
        "UPDATE job_item SET place=0,address='',key=NULL,domain=NULL WHERE id=?1";
    const struct {
        const char *sql;
        uint64_t *count;
    } steps[] = {
        {count_down, &(uint64_t){0}}, {result, &erasure->erased.results}, {turn, &(uint64_t){0}},
        {place, &(uint64_t){0}},      {item, &erasure->erased.items},
    };
    enum err e = ERR_NONE;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && e == ERR_NONE; i++) {
        e = run_with_id(erasure->store, steps[i].sql, id, steps[i].count);
    }
    return e;
}

static enum err erase_outside(struct erasure *erasure)
{
    struct store_erased *erased = &erasure->erased;
    enum err e = store_signal_erase(erasure->store, erasure->key, &erased->signals);
    return e != ERR_NONE ? e : store_webhook_erase(erasure->store, erasure->key, &erased->webhooks);
}

static enum err erase_all(struct erasure *erasure)
{
    enum err e = erase_verdicts(erasure);
    e = e != ERR_NONE ? e
                      : run_with_key(erasure->store, "DELETE FROM fact WHERE place=?1 AND key=?2",
                                     erasure->key, &erasure->erased.facts);
    e = e != ERR_NONE ? e : erase_outside(erasure);
    uint64_t changes = 0;
    e = e != ERR_NONE
            ? e
            : run_with_key(erasure->store, "DELETE FROM outcome WHERE place=?1 AND key=?2",
                           erasure->key, &changes);
    e = e != ERR_NONE
            ? e
            : run_with_key(erasure->store, "DELETE FROM watch_change WHERE place=?1 AND key=?2",
                           erasure->key, &changes);
    for (size_t i = 0; i < erasure->items.count && e == ERR_NONE; i++) {
        e = erase_item(erasure, erasure->items.at[i]);
    }
    return e;
}

static enum err change(struct erasure *erasure, struct fault *out_fault)
{
    struct store *store = erasure->store;
    enum err e = find_items(erasure);
    if (e != ERR_NONE) {
        return e == ERR_NOMEM ? fault_set(out_fault, e, 0, "out of memory")
                              : store_fail(store, out_fault, "cannot be read");
    }
    e = store_change_begin(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = erase_all(erasure);
    if (e != ERR_NONE) {
        e = store_fail(store, out_fault, "cannot be written");
    }
    return store_change_end(store, e, out_fault);
}

/* -1: it cannot be told. */
static int overwrites_deleted(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    int answer = -1;
    if (store_prepare(store, "PRAGMA secure_delete", &statement, NULL) == ERR_NONE &&
        sqlite3_step(statement) == SQLITE_ROW) {
        answer = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return answer;
}

/* The log holds pages as they were before; it is emptied where nobody reads it. */
static bool empty_log(struct store *store)
{
    (void)sqlite3_busy_timeout(store->db, 0);
    int result = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    return result == SQLITE_OK;
}

enum err store_erase(struct store *store, struct slice key, struct store_erased *out,
                     struct fault *out_fault)
{
    struct erasure erasure = {.store = store, .key = key};
    char sql[SQL_BYTES];
    int before = overwrites_deleted(store);
    enum err e = store_exec(store, "PRAGMA secure_delete=ON", out_fault);
    e = e != ERR_NONE ? e : change(&erasure, out_fault);
    free(erasure.items.at);
    (void)snprintf(sql, sizeof sql, "PRAGMA secure_delete=%d", before);
    if (before >= 0) { /* where it fails, it goes on overwriting, which costs time only */
        (void)sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    }
    if (e == ERR_NONE) {
        erasure.erased.is_log_clean = empty_log(store);
        *out = erasure.erased;
    }
    return e;
}
