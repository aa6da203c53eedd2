/* store/store: opening, schema and migrations, groups of writes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "store/store_private.h"

enum {
    STORE_APPLICATION_ID = 0x48656c6f, /* "Helo": PRAGMA application_id of our files */
    STORE_BUSY_MS = 10000,
    STORE_BUSY_STEP_MS = 10,
    STORE_PATH_BYTES = 4096,
};

/* One entry takes the schema from its index to the next version. Entries are never changed, only added. */
static const char *const migrations[STORE_SCHEMA_VERSION] = {
    "CREATE TABLE verdict(key TEXT PRIMARY KEY, domain TEXT NOT NULL, status TEXT NOT NULL,"
    " sub_status TEXT NOT NULL, checked_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " json TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE domain(domain TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY(domain, name)) WITHOUT ROWID;"
    "CREATE TABLE fact(id INTEGER PRIMARY KEY, key TEXT NOT NULL, domain TEXT NOT NULL,"
    " kind TEXT NOT NULL, source TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL);"
    "CREATE INDEX fact_key ON fact(key, at);"
    "CREATE TABLE job(id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE,"
    " label TEXT NOT NULL, created_at INTEGER NOT NULL, loaded INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE job_item(id INTEGER PRIMARY KEY, job INTEGER NOT NULL, key TEXT NOT NULL,"
    " address TEXT NOT NULL, domain TEXT NOT NULL, turn INTEGER, status TEXT, json TEXT);"
    "CREATE UNIQUE INDEX job_item_key ON job_item(job, key);"
    "CREATE INDEX job_item_turn ON job_item(job, turn) WHERE status IS NULL;",
    "CREATE TABLE holder(id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER NOT NULL,"
    " at INTEGER NOT NULL);"
    "CREATE TABLE claim(key TEXT PRIMARY KEY, holder INTEGER NOT NULL, at INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX claim_holder ON claim(holder);",
    /* Long rows are appended, only short index entries are written in places: a list of 100,000 writes a
     * quarter of the pages. Results of a job no longer make its rows grow. */
    "DROP INDEX claim_holder;"
    "CREATE TABLE verdict_row(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, domain TEXT NOT "
    "NULL,"
    " status TEXT NOT NULL, sub_status TEXT NOT NULL, checked_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL, json TEXT NOT NULL);"
    "INSERT INTO verdict_row(key,domain,status,sub_status,checked_at,expires_at,json)"
    " SELECT * FROM verdict;"
    "DROP TABLE verdict;"
    "ALTER TABLE verdict_row RENAME TO verdict;"
    "CREATE TABLE job_result(item INTEGER PRIMARY KEY, job INTEGER NOT NULL, status TEXT NOT NULL,"
    " result TEXT NOT NULL);"
    "INSERT INTO job_result SELECT id,job,status,json FROM job_item WHERE status IS NOT NULL;"
    "DROP INDEX job_item_turn;"
    "ALTER TABLE job_item DROP COLUMN status;"
    "ALTER TABLE job_item DROP COLUMN json;"
    "CREATE INDEX job_item_turn ON job_item(job, turn);",
    "ALTER TABLE job ADD COLUMN state INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN output TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE job ADD COLUMN folder TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE job ADD COLUMN command TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE job ADD COLUMN items INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN done INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;"
    "UPDATE job SET changed_at=created_at,"
    " items=(SELECT count(*) FROM job_item WHERE job_item.job=job.id),"
    " done=(SELECT count(*) FROM job_result WHERE job_result.job=job.id);",
    /* The order is appended beside the items instead of written into each of them. */
    "CREATE TABLE job_turn(job INTEGER NOT NULL, turn INTEGER NOT NULL, item INTEGER NOT NULL,"
    " PRIMARY KEY(job, turn)) WITHOUT ROWID;"
    "INSERT INTO job_turn SELECT job,turn,id FROM job_item WHERE turn IS NOT NULL ORDER BY "
    "job,turn;"
    "DROP INDEX job_item_turn;"
    "ALTER TABLE job_item DROP COLUMN turn;",
};

/* What was written while the clock was more than a day ahead is not believed once it is right: it would seem to live for
 * as long as the clock was ahead. */
static const char *const statement_texts[STATEMENT_COUNT] = {
    [STATEMENT_VERDICT_FIND] =
        "SELECT json FROM verdict WHERE key=?1 AND expires_at>?2 AND checked_at>=?3"
        " AND checked_at-86400000<=?2",
    [STATEMENT_VERDICT_PUT] = "INSERT OR REPLACE INTO "
                              "verdict(key,domain,status,sub_status,checked_at,expires_at,json)"
                              " VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [STATEMENT_DOMAIN_FIND] =
        "SELECT value FROM domain WHERE domain=?1 AND name=?2 AND expires_at>?3"
        " AND at-86400000<=?3",
    [STATEMENT_DOMAIN_PUT] = "INSERT OR REPLACE INTO domain VALUES(?1,?2,?3,?4,?5)",
    [STATEMENT_FACT_PUT] =
        "INSERT INTO fact(key,domain,kind,source,detail,at) VALUES(?1,?2,?3,?4,?5,?6)",
    [STATEMENT_FACT_EACH] = "SELECT key,domain,kind,source,detail,at FROM fact WHERE key=?1 ORDER "
                            "BY at DESC,id DESC LIMIT ?2",
    [STATEMENT_JOB_ADD] =
        "INSERT OR IGNORE INTO job_item(job,key,address,domain) VALUES(?1,?2,?3,?4)",
    [STATEMENT_JOB_NEXT] =
        "SELECT id,key,address,domain,turn FROM job_turn JOIN job_item ON id=job_turn.item"
        " WHERE job_turn.job=?1 AND turn>?2"
        " AND NOT EXISTS(SELECT 1 FROM job_result WHERE item=job_turn.item) ORDER BY turn LIMIT ?3",
    [STATEMENT_JOB_RESULT_PUT] =
        "INSERT OR REPLACE INTO job_result(item,job,status,result) VALUES(?1,?4,?2,?3)",
    [STATEMENT_JOB_PROGRESS] = "UPDATE job SET items=?2, done=?3, changed_at=?4 WHERE id=?1",
    [STATEMENT_JOB_RESULT_FIND] = "SELECT result FROM job_result WHERE item="
                                  "(SELECT id FROM job_item WHERE job=?1 AND key=?2)",
    [STATEMENT_CLAIM_FIND] = "SELECT holder,at FROM claim WHERE key=?1",
    [STATEMENT_CLAIM_PUT] = "INSERT OR REPLACE INTO claim VALUES(?1,?2,?3)",
    [STATEMENT_CLAIM_DELETE] = "DELETE FROM claim WHERE key=?1 AND holder=?2",
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

static enum err read_number(struct store *store, const char *sql, int *out, struct fault *out_fault)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return store_fail(store, out_fault, "cannot be read");
    }
    *out = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return ERR_NONE;
}

static enum err migrate(struct store *store, struct fault *out_fault)
{
    char sql[64];
    int version = 0;
    enum err e = store_exec(store, "BEGIN IMMEDIATE", out_fault);
    if (e == ERR_NONE) { /* another process may have done it meanwhile */
        e = read_number(store, "PRAGMA user_version", &version, out_fault);
    }
    for (; e == ERR_NONE && version < STORE_SCHEMA_VERSION; version++) {
        e = store_exec(store, migrations[version], out_fault);
    }
    if (e == ERR_NONE) {
        (void)snprintf(sql, sizeof sql, "PRAGMA user_version=%d; PRAGMA application_id=%d",
                       STORE_SCHEMA_VERSION, STORE_APPLICATION_ID);
        e = store_exec(store, sql, out_fault);
    }
    if (e == ERR_NONE) {
        e = store_exec(store, "COMMIT", out_fault);
    }
    if (e != ERR_NONE) {
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return e;
}

struct schema {
    int version, application, tables;
};

/* At one moment: another process may be making the file just now. */
static enum err read_schema(struct store *store, struct schema *out, struct fault *out_fault)
{
    enum err e = store_exec(store, "BEGIN", out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = read_number(store, "PRAGMA user_version", &out->version, out_fault);
    if (e == ERR_NONE) {
        e = read_number(store, "PRAGMA application_id", &out->application, out_fault);
    }
    if (e == ERR_NONE) {
        e = read_number(store, "SELECT count(*) FROM sqlite_master", &out->tables, out_fault);
    }
    (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    return e;
}

/* Changes nothing, so that a file that is not ours stays as it is. */
static enum err check_schema(struct store *store, int *out_version, struct fault *out_fault)
{
    struct schema schema = {0};
    enum err e = read_schema(store, &schema, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (schema.application != STORE_APPLICATION_ID &&
        (schema.application != 0 || schema.tables > 0)) {
        return fault_set(out_fault, ERR_STORE, 0,
                         "store %.120s: is another program's database; give another --store FILE",
                         store->path);
    }
    if (schema.version > STORE_SCHEMA_VERSION) {
        return fault_set(
            out_fault, ERR_STORE, 0,
            "store %.120s: was written by a newer heloise (schema %d, this one knows %d)",
            store->path, schema.version, STORE_SCHEMA_VERSION);
    }
    *out_version = schema.version;
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
    enum err e = check_schema(store, &version, out_fault);
    if (e == ERR_NONE) {
        e = use_log(store, out_fault);
    }
    if (e == ERR_NONE) {
        e = store_exec(
            store,
            /* Pages that a list changes again and again go to the file once in 32 MB of log. */
            "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
            "PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=8192;",
            out_fault);
    }
    return e == ERR_NONE && version < STORE_SCHEMA_VERSION ? migrate(store, out_fault) : e;
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

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->is_in_group) {
        (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    }
    store_claims_close(store);
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

enum err store_begin_write(struct store *store)
{
    if (store->is_in_group) {
        return ERR_NONE;
    }
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

enum err store_flush(struct store *store, struct fault *out_fault)
{
    if (!store->is_in_group) {
        return ERR_NONE;
    }
    if (sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        enum err e = store_fail(store, out_fault, "cannot be written");
        if (sqlite3_get_autocommit(store->db) != 0) {
            store->is_in_group = false;
        }
        return e;
    }
    store->is_in_group = false;
    return ERR_NONE;
}

static void take_back(struct store *store)
{
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    store->is_in_group = false;
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
    e = e != ERR_NONE ? e : store_flush(store, out_fault);
    if (e != ERR_NONE) {
        take_back(store);
    }
    return e;
}
