/* store/store: opening, statements, groups of writes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "store/place.h"
#include "store/store_private.h"

enum {
    STORE_BUSY_STEP_MS = 10,
    STORE_PATH_BYTES = 4096,
    STORE_PACKED_BYTES_MAX = 2 << 20, /* a record that is longer stays as it is */
    STORE_READS_MAX =
        1024, /* in one look at the file: others' logs cannot be shortened meanwhile */
};

#define LOST_TEXT "store %.100s: what was gathered could not be written; make room for it"

/* What was written while the clock was more than a day ahead is not believed once it is right: it would seem to live for
 * as long as the clock was ahead. */
static const char *const statement_texts[STATEMENT_COUNT] = {
    [STATEMENT_VERDICT_FIND] =
        "SELECT json FROM verdict WHERE place=?1 AND key=?2 AND expires_at>?3 AND checked_at>=?4"
        " AND checked_at-86400000<=?3",
    /* One that may replace is taken back by itself where it fails: SQLite copies each page that it changes. */
    [STATEMENT_VERDICT_ROW] = "SELECT id FROM verdict WHERE place=?1 AND key=?2",
    [STATEMENT_VERDICT_ADD] =
        "INSERT INTO verdict(place,key,domain,status,sub_status,checked_at,expires_at,json)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    [STATEMENT_VERDICT_CHANGE] = "UPDATE verdict SET domain=?3,status=?4,sub_status=?5,"
                                 "checked_at=?6,expires_at=?7,json=?8 WHERE id=?1",
    [STATEMENT_VARIANT_PUT] = "INSERT OR IGNORE INTO verdict_variant VALUES(?1)",
    [STATEMENT_DOMAIN_FIND] =
        "SELECT value FROM domain WHERE domain=?1 AND name=?2 AND expires_at>?3"
        " AND at-86400000<=?3",
    [STATEMENT_DOMAIN_PUT] = "INSERT OR REPLACE INTO domain VALUES(?1,?2,?3,?4,?5)",
    [STATEMENT_FACT_PUT] =
        "INSERT INTO fact(place,key,domain,kind,source,detail,at) VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [STATEMENT_FACT_OLDEST] = "SELECT at FROM fact ORDER BY id LIMIT 1",
    [STATEMENT_FACT_EACH] = "SELECT key,domain,kind,source,detail,at FROM fact"
                            " WHERE place=?1 AND key=?2 ORDER BY at DESC,id DESC LIMIT ?3",
    [STATEMENT_FACT_OF_DOMAIN] =
        "SELECT key,domain,kind,source,detail,at FROM fact"
        " WHERE place>=?1 AND place<=?2 AND at<?3 AND domain=?4 ORDER BY place,at LIMIT ?5",
    [STATEMENT_OUTCOME_PUT] =
        "INSERT OR REPLACE INTO outcome(place,key,domain,provider,was_alive,said,at)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [STATEMENT_OUTCOME_EACH] =
        "SELECT key,domain,provider,was_alive,said,at FROM outcome"
        " WHERE place>=?1 AND place<=?2 AND at<?3 AND domain=?4 ORDER BY place,key LIMIT ?5",
    [STATEMENT_OUTCOME_SUM] =
        "SELECT count(*),total(said),total(was_alive) FROM (SELECT said,was_alive FROM outcome"
        " WHERE provider=?1 AND at<?2 ORDER BY at DESC LIMIT ?3)",
    [STATEMENT_JOB_ADD] =
        "INSERT INTO job_item(job,place,address,key,domain) VALUES(?1,?2,?3,?4,?5)",
    [STATEMENT_JOB_NEXT] =
        "SELECT t.id,key,address,domain FROM job_turn t JOIN job_item ON job_item.id=t.item"
        " WHERE t.id>=?1 AND t.id<?2 AND t.result=0"
        " ORDER BY t.id LIMIT ?3",
    [STATEMENT_JOB_ITEM_EACH] = "SELECT id,coalesce(key,address) FROM job_item"
                                " WHERE job=?1 AND id>=?2 AND id<?3 AND address<>'' ORDER BY id",
    [STATEMENT_JOB_TURN_FIND] = "SELECT item,result FROM job_turn WHERE id=?1",
    [STATEMENT_JOB_TURN_ANSWERED] = "UPDATE job_turn SET result=?2 WHERE id=?1",
    [STATEMENT_JOB_RESULT_ADD] = "INSERT INTO job_result(status,result) VALUES(?1,?2)",
    [STATEMENT_JOB_RESULT_CHANGE] = "UPDATE job_result SET status=?2,result=?3 WHERE id=?1",
    [STATEMENT_JOB_RESULT_READ] = "SELECT result FROM job_result WHERE id=?1",
    [STATEMENT_JOB_PROGRESS] = "UPDATE job SET items=?2, done=?3, changed_at=?4 WHERE id=?1",
    /* Where a place has one item only, that is the one: the keys of a list are asked for, and no item need be read. */
    [STATEMENT_JOB_RESULT_FIND] =
        "SELECT r.result FROM job_turn t JOIN job_result r ON r.id=t.result WHERE t.id="
        "(SELECT iif(count(*)=1,min(turn),NULL) FROM job_place WHERE job=?1 AND place=?2)",
    [STATEMENT_JOB_RESULT_FIND_KEY] =
        "SELECT r.result FROM job_place p JOIN job_turn t ON t.id=p.turn JOIN job_item i ON "
        "i.id=t.item"
        " JOIN job_result r ON r.id=t.result"
        " WHERE p.job=?1 AND p.place=?2 AND coalesce(i.key,i.address)=?3",
    [STATEMENT_CLAIM_FIND] = "SELECT holder,at FROM claim WHERE place=?1 AND key=?2",
    [STATEMENT_CLAIM_PUT] = "INSERT OR REPLACE INTO claim VALUES(?1,?2,?3,?4)",
    [STATEMENT_BATCH_PROGRESS] =
        "UPDATE batch SET job=?2,loaded=?3,changed_at=?4,rows=?5,bad_rows=?6,invalid_rows=?7,"
        "items=?8,done=?9,deliverable=?10,undeliverable=?11,risky=?12,unknown=?13 WHERE id=?1",
    [STATEMENT_BATCH_PROVIDER_ADD] =
        "INSERT INTO batch_provider VALUES(?1,?2,?3,?4=0,?4=1,?4=2,?4=3) ON CONFLICT(batch,name)"
        " DO UPDATE SET deliverable=deliverable+excluded.deliverable,"
        "undeliverable=undeliverable+excluded.undeliverable,risky=risky+excluded.risky,"
        "unknown=unknown+excluded.unknown",
    [STATEMENT_CLAIM_DELETE] = "DELETE FROM claim WHERE place=?1 AND key=?2 AND holder=?3",
    [STATEMENT_KEY_GENERATION] = "SELECT value FROM api_key_generation",
    [STATEMENT_KEY_USE] = "UPDATE api_key SET usage=iif(usage_day=?2,usage+?3,?3),usage_day=?2,"
                          "used_at=max(used_at,?4) WHERE id=?1",
    [STATEMENT_WATCH_RESULT_NEXT] =
        "SELECT t.id,coalesce(i.key,i.address),i.address,r.result FROM job j"
        " CROSS JOIN job_turn t CROSS JOIN job_item i CROSS JOIN job_result r WHERE j.id=?1"
        " AND t.id>=j.turn_first AND t.id<j.turn_end AND t.id>?2 AND i.id=t.item AND r.id=t.result"
        " ORDER BY t.id LIMIT 1",
    [STATEMENT_WATCH_CHANGE_PUT] =
        "INSERT OR IGNORE INTO watch_change(place,key,watch,run,address,status_before,sub_before,"
        "status_after,sub_after,at) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
};

enum err store_fail(const struct store *store, struct fault *out_fault, const char *doing)
{
    int code = sqlite3_errcode(store->db);
    const char *help = code == SQLITE_FULL       ? "; make room and run the same command again"
                       : code == SQLITE_READONLY ? "; check who owns the file and its folder"
                       : code == SQLITE_BUSY     ? "; another process holds it, try again"
                       : code == SQLITE_NOTADB || code == SQLITE_CORRUPT
                           ? "; move the file away and a new one is made"
                           : "";
    return fault_set(out_fault, ERR_STORE, 0, "store %.100s: %s: %.60s%s", store->path, doing,
                     sqlite3_errmsg(store->db), help);
}

enum err store_why(const struct store *store, struct fault *out_fault)
{
    return store_fail(store, out_fault, "cannot be used");
}

enum err store_exec(struct store *store, const char *sql, struct fault *out_fault)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return store_fail(store, out_fault, "cannot be changed");
    }
    return ERR_NONE;
}

/* The folders on the way, private to the user. */
static enum err make_folders(const char *path, struct fault *out_fault)
{
    char part[STORE_PATH_BYTES];
    size_t len = strlen(path);
    if (len >= sizeof part) {
        return fault_set(out_fault, ERR_LIMIT, 0, "store: the path is too long");
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (part[i] != '/') {
            continue;
        }
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return fault_set(out_fault, ERR_SYSTEM, errno, "store: cannot make the folder %.180s",
                             part);
        }
        part[i] = '/';
    }
    /* Made first, so that its mode is ours and not the umask's. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "store: cannot open %.180s for writing",
                         path);
    }
    (void)close(fd);
    return ERR_NONE;
}

/* SQLite's own waiting does not cover this change, which two that make a new file both ask for. */
static enum err use_log(struct store *store, struct fault *out_fault)
{
    int result = SQLITE_BUSY;
    (void)sqlite3_busy_timeout(store->db, 0);
    for (int waited_ms = 0; result == SQLITE_BUSY && waited_ms < STORE_BUSY_MS;
         waited_ms += STORE_BUSY_STEP_MS) {
        result = sqlite3_exec(store->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if (result == SQLITE_BUSY) {
            (void)sqlite3_sleep(STORE_BUSY_STEP_MS);
        }
    }
    enum err e = result == SQLITE_OK ? ERR_NONE : store_fail(store, out_fault, "cannot be changed");
    (void)sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    return e;
}

static enum err open_database(struct store *store, struct fault *out_fault)
{
    if (sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        return store_fail(store, out_fault, "cannot be opened");
    }
    (void)sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    (void)sqlite3_extended_result_codes(store->db, 0);
    int version = 0;
    enum err e = store_schema_check(store, &version, out_fault);
    if (e == ERR_NONE) { /* of new files: a record fills half a page of the usual size */
        e = store_exec(store, "PRAGMA page_size=8192", out_fault);
    }
    if (e == ERR_NONE) {
        e = use_log(store, out_fault);
    }
    if (e == ERR_NONE) {
        e = store_exec(
            store,
            /* Pages that a list changes again and again go to the file once in 32 MB of log. */
            "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
            "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4096;",
            out_fault);
    }
    return e == ERR_NONE && version < STORE_SCHEMA_VERSION ? store_schema_migrate(store, out_fault)
                                                           : e;
}

/* Who opens would do it, too, and would say what is wrong. */
void store_warm_up(void)
{
    (void)sqlite3_initialize();
}

enum err store_open(const char *path, struct store **out, struct fault *out_fault)
{
    bool is_file = strcmp(path, ":memory:") != 0;
    enum err e = is_file ? make_folders(path, out_fault) : ERR_NONE;
    if (e != ERR_NONE) {
        return e;
    }
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "store: no memory");
    }
    store->holder_lock = -1;
    uint64_t seed = 0; /* strangers choose the keys */
    (void)!getrandom(&seed, sizeof seed, 0);
    map_init(&store->claims, seed);
    results_init(&store->results);
    buf_init(&store->packed, STORE_PACKED_BYTES_MAX);
    /* One name for one file: the locks lie beside it. */
    store->path = is_file ? realpath(path, NULL) : strdup(path);
    if (store->path == NULL) {
        free(store);
        return fault_set(out_fault, ERR_SYSTEM, errno, "store: cannot find the place of %.180s",
                         path);
    }
    e = open_database(store, out_fault);
    if (e != ERR_NONE) {
        store_close(store);
        return e;
    }
    *out = store;
    return ERR_NONE;
}

enum err store_open_plain(const char *path, int flags, struct store **out, struct fault *out_fault)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "store: no memory");
    }
    store->holder_lock = -1;
    buf_init(&store->packed, STORE_PACKED_BYTES_MAX);
    store->path = strdup(path);
    if (store->path == NULL) {
        free(store);
        return fault_set(out_fault, ERR_NOMEM, 0, "store: no memory");
    }
    if (sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        enum err e = store_fail(store, out_fault, "cannot be opened");
        store_close(store);
        return e;
    }
    (void)sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    *out = store;
    return ERR_NONE;
}

enum err store_open_to_read(const char *path, struct store **out, struct fault *out_fault)
{
    return store_open_plain(path, SQLITE_OPEN_READONLY, out, out_fault);
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    store_claims_close(store);
    if (store->is_in_group && store_results_write(store) == ERR_NONE) {
        (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    }
    results_done(&store->results);
    buf_done(&store->packed);
    store_pack_done(&store->pack);
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
    }
    sqlite3_close(store->db);
    free(store->path);
    free(store);
}

/* Statements. */

sqlite3_stmt *store_statement(struct store *store, enum store_statement which)
{
    sqlite3_stmt **statement = &store->statements[which];
    if (*statement == NULL &&
        sqlite3_prepare_v3(store->db, statement_texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                           statement, NULL) != SQLITE_OK) {
        return NULL;
    }
    return *statement;
}

void store_bind(sqlite3_stmt *statement, int place, struct slice text)
{
    (void)sqlite3_bind_text(statement, place, text.len == 0 ? "" : text.at, (int)text.len,
                            SQLITE_STATIC);
}

void store_bind_bytes(sqlite3_stmt *statement, int place, struct slice bytes)
{
    (void)sqlite3_bind_blob(statement, place, bytes.len == 0 ? "" : bytes.at, (int)bytes.len,
                            SQLITE_STATIC);
}

void store_bind_page(sqlite3_stmt *statement, const struct store_page *page)
{
    (void)sqlite3_bind_int64(statement, 1, page->before > 0 ? page->before : INT64_MAX);
    if (page->owner != NULL) {
        store_bind(statement, 2, *page->owner);
    }
    (void)sqlite3_bind_int64(statement, 3, (int64_t)page->limit);
}

void store_bind_key(sqlite3_stmt *statement, int place, struct slice key)
{
    (void)sqlite3_bind_int64(statement, place, store_place(key));
    store_bind(statement, place + 1, key);
}

void store_bind_domain(sqlite3_stmt *statement, struct slice domain, int64_t before_ms,
                       size_t limit)
{
    int64_t first;
    int64_t last;
    store_place_range(domain, &first, &last);
    (void)sqlite3_bind_int64(statement, 1, first);
    (void)sqlite3_bind_int64(statement, 2, last);
    (void)sqlite3_bind_int64(statement, 3, before_ms);
    store_bind(statement, 4, domain);
    (void)sqlite3_bind_int64(statement, 5, (int64_t)limit);
}

struct slice store_column(sqlite3_stmt *statement, int place)
{
    const char *at = (const char *)sqlite3_column_text(statement, place);
    return at == NULL ? SLICE_NONE : slice_make(at, (size_t)sqlite3_column_bytes(statement, place));
}

enum err store_run(sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return result == SQLITE_DONE || result == SQLITE_ROW ? ERR_NONE : ERR_STORE;
}

static void end_read(struct store *store)
{
    if (store->reads > 0) {
        (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
        store->reads = 0;
    }
}

void store_begin_read(struct store *store)
{
    if (store->is_in_group) {
        return;
    }
    if (store->reads >= STORE_READS_MAX) {
        end_read(store);
    }
    if (store->reads++ == 0) { /* without it each read takes and leaves the lock itself */
        (void)sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL);
    }
}

static void end_group(struct store *store)
{
    store->is_in_group = false;
    store->has_variant = false;
    store_claims_forget(store);
    store_results_forget(store);
}

static void lose_group(struct store *store)
{
    end_group(store);
    store_claims_taken_back(store);
}

/* SQLite takes all of it back by itself where one write of it found no room. */
static bool is_group_gone(const struct store *store)
{
    return store->is_in_group && sqlite3_get_autocommit(store->db) != 0;
}

enum err store_begin_write(struct store *store)
{
    if (is_group_gone(store)) {
        lose_group(store);
        store->losses++;
    }
    if (store->is_in_group) {
        return ERR_NONE;
    }
    end_read(store);
    if (sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        return ERR_STORE;
    }
    store->is_in_group = true;
    store->pending = 0;
    return ERR_NONE;
}

enum err store_end_write(struct store *store)
{
    store->pending++;
    return store->pending < STORE_GROUP_ROWS ? ERR_NONE : store_flush(store, NULL);
}

static void take_back(struct store *store)
{
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    lose_group(store);
}

static enum err commit(struct store *store, struct fault *out_fault)
{
    end_read(store);
    if (!store->is_in_group) {
        return ERR_NONE;
    }
    if (is_group_gone(store)) {
        lose_group(store);
        return fault_set(out_fault, ERR_STORE, 0, LOST_TEXT, store->path);
    }
    if (store_results_write(store) != ERR_NONE) { /* with what was counted of them before */
        enum err e = store_fail(store, out_fault, "cannot be written");
        take_back(store);
        return e;
    }
    if (store_claims_write(store) != ERR_NONE ||
        sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        enum err e = store_fail(store, out_fault, "cannot be written");
        if (is_group_gone(store)) {
            lose_group(store);
        }
        return e;
    }
    end_group(store);
    store->is_holder_new = false;
    return ERR_NONE;
}

enum err store_flush(struct store *store, struct fault *out_fault)
{
    enum err e = commit(store, out_fault);
    store->losses += e != ERR_NONE && !store->is_in_group ? 1 : 0;
    return e;
}

uint64_t store_losses(const struct store *store)
{
    return store->losses + (is_group_gone(store) ? 1 : 0);
}

enum err store_kept_since(const struct store *store, uint64_t losses, struct fault *out_fault)
{
    return store_losses(store) == losses
               ? ERR_NONE
               : fault_set(out_fault, ERR_STORE, 0, LOST_TEXT, store->path);
}

void store_take_back(struct store *store)
{
    if (store->is_in_group) {
        take_back(store);
        store->losses++;
    }
}

enum err store_change_begin(struct store *store, struct fault *out_fault)
{
    enum err e = store_flush(store, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    return store_begin_write(store) == ERR_NONE ? ERR_NONE
                                                : store_fail(store, out_fault, "cannot be written");
}

enum err store_change_end(struct store *store, enum err e, struct fault *out_fault)
{
    e = e != ERR_NONE ? e : commit(store, out_fault); /* what is lost is the change alone */
    if (e != ERR_NONE) {
        take_back(store);
    }
    return e;
}

enum err store_put_beside(const struct store_beside *beside, struct fault *out_fault)
{
    return beside != NULL ? beside->put(beside->context, out_fault) : ERR_NONE;
}
