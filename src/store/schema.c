/* store/schema: what a file must look like, and how an older one becomes so.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "store/store_private.h"

enum { STORE_APPLICATION_ID = 0x48656c6f }; /* "Helo": PRAGMA application_id of our files */

/* One entry takes the schema from its index to the next version. Entries are never changed, only added; what they come to
 * stands in store/schema_now. */
static const char *const migrations[STORE_SCHEMA_VERSION] = {
    NULL, /* a file without tables gets them as they are now */
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
    /* What is looked up by key lies by its place (store_place), a short number in which the keys of a domain are
     * neighbours: a list is worked off domain by domain, so indexes are written in few places. A job's order is rows
     * of its own, so that its results are appended too. */
    "CREATE TABLE verdict_row(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, key TEXT NOT NULL,"
    " domain TEXT NOT NULL, status TEXT NOT NULL, sub_status TEXT NOT NULL,"
    " checked_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, json TEXT NOT NULL);"
    "INSERT INTO verdict_row SELECT"
    " id,place(key),key,domain,status,sub_status,checked_at,expires_at,json FROM verdict;"
    "DROP TABLE verdict;"
    "ALTER TABLE verdict_row RENAME TO verdict;"
    "CREATE INDEX verdict_place ON verdict(place);"
    "CREATE TABLE fact_row(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, key TEXT NOT NULL,"
    " domain TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, detail TEXT NOT NULL,"
    " at INTEGER NOT NULL);"
    "INSERT INTO fact_row SELECT id,place(key),key,domain,kind,source,detail,at FROM fact;"
    "DROP TABLE fact;"
    "ALTER TABLE fact_row RENAME TO fact;"
    "CREATE INDEX fact_place ON fact(place, at);"
    "CREATE TABLE claim_row(place INTEGER NOT NULL, key TEXT NOT NULL, holder INTEGER NOT NULL,"
    " at INTEGER NOT NULL, PRIMARY KEY(place, key)) WITHOUT ROWID;"
    "INSERT INTO claim_row SELECT place(key),key,holder,at FROM claim;"
    "DROP TABLE claim;"
    "ALTER TABLE claim_row RENAME TO claim;"
    "ALTER TABLE job ADD COLUMN turn_first INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN turn_end INTEGER NOT NULL DEFAULT 0;"
    /* NULL: the key is the address, the domain what follows its last '@'. */
    "CREATE TABLE item_row(id INTEGER PRIMARY KEY, job INTEGER NOT NULL, place INTEGER NOT NULL,"
    " address TEXT NOT NULL, key TEXT, domain TEXT);"
    "INSERT INTO item_row SELECT id,job,place(key),address,nullif(key,address),domain FROM "
    "job_item;"
    "CREATE TABLE turn_row(id INTEGER PRIMARY KEY, item INTEGER NOT NULL);"
    "INSERT INTO turn_row(item) SELECT item FROM job_turn ORDER BY job,turn;"
    "CREATE TABLE job_place(place INTEGER NOT NULL, job INTEGER NOT NULL, turn INTEGER NOT NULL,"
    " PRIMARY KEY(place, job, turn)) WITHOUT ROWID;"
    "INSERT INTO job_place SELECT place,job,turn_row.id FROM turn_row JOIN item_row"
    " ON item_row.id=turn_row.item ORDER BY 1,2,3;"
    "UPDATE job SET"
    " turn_first=coalesce((SELECT min(turn) FROM job_place WHERE job_place.job=job.id),0),"
    " turn_end=coalesce((SELECT max(turn)+1 FROM job_place WHERE job_place.job=job.id),0);"
    "CREATE TABLE result_row(turn INTEGER PRIMARY KEY, status TEXT NOT NULL, result TEXT NOT NULL);"
    "INSERT INTO result_row SELECT turn_row.id,status,result FROM turn_row JOIN job_result"
    " ON job_result.item=turn_row.item ORDER BY 1;"
    "DROP TABLE job_item; DROP TABLE job_turn; DROP TABLE job_result;"
    "ALTER TABLE item_row RENAME TO job_item;"
    "ALTER TABLE turn_row RENAME TO job_turn;"
    "ALTER TABLE result_row RENAME TO job_result;",
    /* What the service needs: batches, keys, requests that must not be done twice, erasure. */
    "CREATE TABLE batch(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " owner TEXT NOT NULL, client_token TEXT NOT NULL, label TEXT NOT NULL, file TEXT NOT NULL,"
    " file_name TEXT NOT NULL, column_name TEXT NOT NULL, output_columns TEXT NOT NULL,"
    " webhook TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, cause TEXT NOT NULL DEFAULT '',"
    " loaded INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL, job INTEGER NOT NULL DEFAULT 0,"
    " rows INTEGER NOT NULL DEFAULT 0, bad_rows INTEGER NOT NULL DEFAULT 0,"
    " invalid_rows INTEGER NOT NULL DEFAULT 0, items INTEGER NOT NULL DEFAULT 0,"
    " done INTEGER NOT NULL DEFAULT 0, deliverable INTEGER NOT NULL DEFAULT 0,"
    " undeliverable INTEGER NOT NULL DEFAULT 0, risky INTEGER NOT NULL DEFAULT 0,"
    " unknown INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,"
    " changed_at INTEGER NOT NULL, finished_at INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE api_key(id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL,"
    " prefix TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, scopes INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " revoked_at INTEGER NOT NULL DEFAULT 0, used_at INTEGER NOT NULL DEFAULT 0,"
    " rate_per_minute INTEGER NOT NULL, quota_per_day INTEGER NOT NULL,"
    " usage_day INTEGER NOT NULL DEFAULT 0, usage INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE api_key_generation(value INTEGER NOT NULL);"
    "INSERT INTO api_key_generation VALUES(0);"
    "CREATE TABLE idempotency(owner INTEGER NOT NULL, key TEXT NOT NULL, request BLOB NOT NULL,"
    " holder INTEGER NOT NULL, status INTEGER NOT NULL DEFAULT 0,"
    " reference TEXT NOT NULL DEFAULT '',"
    " at INTEGER NOT NULL, PRIMARY KEY(owner, key)) WITHOUT ROWID;"
    "CREATE INDEX idempotency_at ON idempotency(at);"
    /* What follows addresses in keys of verdicts, so that all verdicts of an address are found. */
    "CREATE TABLE verdict_variant(variant TEXT PRIMARY KEY) WITHOUT ROWID;"
    "INSERT INTO verdict_variant SELECT DISTINCT variant(key) FROM verdict WHERE variant(key)<>'';"
    /* The outbox of webhooks; what waits is found by its endpoint or its time, whatever else there is. */
    "CREATE TABLE webhook_endpoint(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, url TEXT NOT NULL,"
    " origin TEXT NOT NULL, secret TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE(owner, url));"
    "CREATE TABLE webhook(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " endpoint INTEGER NOT NULL, kind TEXT NOT NULL, batch TEXT NOT NULL, about TEXT NOT NULL,"
    " once TEXT NOT NULL, body TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
    " tries INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,"
    " next_at INTEGER NOT NULL, last_status INTEGER NOT NULL DEFAULT 0,"
    " last_error TEXT NOT NULL DEFAULT '');"
    "CREATE UNIQUE INDEX webhook_once ON webhook(endpoint, once) WHERE once<>'';"
    "CREATE INDEX webhook_waiting ON webhook(endpoint, next_at) WHERE state=0;"
    "CREATE INDEX webhook_next ON webhook(next_at) WHERE state=0;"
    "CREATE INDEX webhook_over ON webhook(changed_at) WHERE state<>0;"
    "CREATE INDEX webhook_batch ON webhook(batch) WHERE batch<>'';"
    "CREATE INDEX webhook_about ON webhook(about) WHERE about<>'';"
    /* What external services said. */
    "CREATE TABLE signal(place INTEGER NOT NULL, key TEXT NOT NULL, service TEXT NOT NULL,"
    " result INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL, PRIMARY KEY(place, key, service)) WITHOUT ROWID;"
    "CREATE INDEX signal_expiry ON signal(expires_at);",
    /* Watched lists; what changed is found by its list, and by its address for erasure. */
    "ALTER TABLE batch ADD COLUMN max_age INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE batch ADD COLUMN tells_results INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE watch(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " owner TEXT NOT NULL, label TEXT NOT NULL, webhook TEXT NOT NULL, every INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, batch TEXT NOT NULL, run TEXT NOT NULL DEFAULT '',"
    " old TEXT NOT NULL DEFAULT '', cause TEXT NOT NULL DEFAULT '', addresses INTEGER NOT NULL,"
    " asked INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0,"
    " created_at INTEGER NOT NULL, last_at INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL);"
    "CREATE TABLE watch_change(number INTEGER PRIMARY KEY AUTOINCREMENT, watch INTEGER NOT NULL,"
    " run TEXT NOT NULL, place INTEGER NOT NULL, key TEXT NOT NULL, address TEXT NOT NULL,"
    " status_before TEXT NOT NULL, sub_before TEXT NOT NULL, status_after TEXT NOT NULL,"
    " sub_after TEXT NOT NULL, at INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX watch_change_once ON watch_change(place, key, watch, run);"
    "CREATE INDEX watch_change_watch ON watch_change(watch, number);",
    /* A batch's results by the provider that serves the address; the empty name is none known. */
    "CREATE TABLE batch_provider(batch TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL,"
    " deliverable INTEGER NOT NULL, undeliverable INTEGER NOT NULL, risky INTEGER NOT NULL,"
    " unknown INTEGER NOT NULL, PRIMARY KEY(batch, name)) WITHOUT ROWID;"
    "ALTER TABLE batch DROP COLUMN output_columns;"
    /* What became of addresses whose likelihood was said. */
    "CREATE TABLE outcome(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, key TEXT NOT NULL,"
    " domain TEXT NOT NULL, provider TEXT NOT NULL, was_alive INTEGER NOT NULL,"
    " said REAL NOT NULL, at INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX outcome_place ON outcome(place, key);"
    "CREATE INDEX outcome_provider ON outcome(provider, at);",
    /* Webhooks in the form of another service: its uploader's headers, and what goes with each result. */
    "ALTER TABLE batch ADD COLUMN webhook_headers TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE batch ADD COLUMN webhook_extra TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE webhook ADD COLUMN headers TEXT NOT NULL DEFAULT '';",
    /* Results are appended as they are written; a turn says which one is its own (0: none yet). */
    "ALTER TABLE job_turn ADD COLUMN result INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job_result RENAME COLUMN turn TO id;"
    "UPDATE job_turn SET result=id WHERE id IN (SELECT id FROM job_result);",
    /* Records of verdicts are packed from here on, those that are there stay as they are: a program that cannot unpack
     * them refuses the file. */
    "",
    /* A variant does not move its address to another place, so that verdicts lie in the order in which lists ask them. */
    "UPDATE verdict SET place=place(key) WHERE place<>place(key);"
    "UPDATE claim SET place=place(key) WHERE place<>place(key);",
};

static enum err make_tables(struct store *store, struct fault *out_fault)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; e == ERR_NONE && store_schema_now[i] != NULL; i++) {
        e = store_exec(store, store_schema_now[i], out_fault);
    }
    return e;
}

enum err store_schema_migrate(struct store *store, struct fault *out_fault)
{
    char sql[64];
    int64_t version = 0;
    enum err e = store_place_teach(store, out_fault);
    e = e != ERR_NONE ? e : store_exec(store, "BEGIN IMMEDIATE", out_fault);
    if (e == ERR_NONE) { /* another process may have done it meanwhile */
        e = store_read_number(store, "PRAGMA user_version", &version, out_fault);
    }
    if (e == ERR_NONE && version == 0) {
        e = make_tables(store, out_fault);
        version = STORE_SCHEMA_VERSION;
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
    int64_t version, application, tables;
};

/* At one moment: another process may be making the file just now. */
static enum err read_schema(struct store *store, struct schema *out, struct fault *out_fault)
{
    enum err e = store_exec(store, "BEGIN", out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = store_read_number(store, "PRAGMA user_version", &out->version, out_fault);
    if (e == ERR_NONE) {
        e = store_read_number(store, "PRAGMA application_id", &out->application, out_fault);
    }
    if (e == ERR_NONE) {
        e = store_read_number(store, "SELECT count(*) FROM sqlite_master", &out->tables, out_fault);
    }
    (void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    return e;
}

enum err store_schema_check(struct store *store, int *out_version, struct fault *out_fault)
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
            "store %.120s: was written by a newer heloise (schema %lld, this one knows %d)",
            store->path, (long long)schema.version, STORE_SCHEMA_VERSION);
    }
    *out_version = (int)schema.version;
    return ERR_NONE;
}
