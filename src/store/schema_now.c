/* store/schema_now: the tables of a new file, at once: to make the oldest ones and bring them up to date takes several times
 * as long, which a short run would wait for. A test holds it to what the migrations of store/schema come to.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/store_private.h"

const char *const store_schema_now[] = {
    "CREATE TABLE domain(domain TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, at"
    " INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY(domain, name)) WITHOUT ROWID",
    "CREATE TABLE job(id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, label TEXT"
    " NOT NULL, created_at INTEGER NOT NULL, loaded INTEGER NOT NULL DEFAULT 0, state INTEGER"
    " NOT NULL DEFAULT 0, output TEXT NOT NULL DEFAULT '', folder TEXT NOT NULL DEFAULT '',"
    " command TEXT NOT NULL DEFAULT '', items INTEGER NOT NULL DEFAULT 0, done INTEGER NOT"
    " NULL DEFAULT 0, changed_at INTEGER NOT NULL DEFAULT 0, turn_first INTEGER NOT NULL"
    " DEFAULT 0, turn_end INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE holder(id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER NOT NULL, at"
    " INTEGER NOT NULL)",
    "CREATE TABLE verdict(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, key TEXT NOT NULL,"
    " domain TEXT NOT NULL, status TEXT NOT NULL, sub_status TEXT NOT NULL, checked_at INTEGER"
    " NOT NULL, expires_at INTEGER NOT NULL, json TEXT NOT NULL)",
    "CREATE INDEX verdict_place ON verdict(place)",
    "CREATE TABLE fact(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, key TEXT NOT NULL,"
    " domain TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, detail TEXT NOT NULL, at"
    " INTEGER NOT NULL)",
    "CREATE INDEX fact_place ON fact(place, at)",
    "CREATE TABLE claim(place INTEGER NOT NULL, key TEXT NOT NULL, holder INTEGER NOT NULL,"
    " at INTEGER NOT NULL, PRIMARY KEY(place, key)) WITHOUT ROWID",
    "CREATE TABLE job_item(id INTEGER PRIMARY KEY, job INTEGER NOT NULL, place INTEGER NOT"
    " NULL, address TEXT NOT NULL, key TEXT, domain TEXT)",
    "CREATE TABLE job_turn(id INTEGER PRIMARY KEY, item INTEGER NOT NULL, result INTEGER NOT"
    " NULL DEFAULT 0)",
    "CREATE TABLE job_place(place INTEGER NOT NULL, job INTEGER NOT NULL, turn INTEGER NOT"
    " NULL, PRIMARY KEY(place, job, turn)) WITHOUT ROWID",
    "CREATE TABLE job_result(id INTEGER PRIMARY KEY, status TEXT NOT NULL, result TEXT NOT"
    " NULL)",
    "CREATE TABLE batch(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " owner TEXT NOT NULL, client_token TEXT NOT NULL, label TEXT NOT NULL, file TEXT NOT"
    " NULL, file_name TEXT NOT NULL, column_name TEXT NOT NULL, webhook TEXT NOT NULL, state"
    " INTEGER NOT NULL DEFAULT 0, cause TEXT NOT NULL DEFAULT '', loaded INTEGER NOT NULL"
    " DEFAULT 0, bytes INTEGER NOT NULL, job INTEGER NOT NULL DEFAULT 0, rows INTEGER NOT NULL"
    " DEFAULT 0, bad_rows INTEGER NOT NULL DEFAULT 0, invalid_rows INTEGER NOT NULL DEFAULT 0,"
    " items INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, deliverable INTEGER"
    " NOT NULL DEFAULT 0, undeliverable INTEGER NOT NULL DEFAULT 0, risky INTEGER NOT NULL"
    " DEFAULT 0, unknown INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, changed_at"
    " INTEGER NOT NULL, finished_at INTEGER NOT NULL DEFAULT 0, max_age INTEGER NOT NULL"
    " DEFAULT 0, tells_results INTEGER NOT NULL DEFAULT 0, webhook_headers TEXT NOT NULL"
    " DEFAULT '', webhook_extra TEXT NOT NULL DEFAULT '')",
    "CREATE TABLE api_key(id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL, prefix"
    " TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, scopes INTEGER NOT NULL, created_at INTEGER"
    " NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL DEFAULT 0, used_at"
    " INTEGER NOT NULL DEFAULT 0, rate_per_minute INTEGER NOT NULL, quota_per_day INTEGER NOT"
    " NULL, usage_day INTEGER NOT NULL DEFAULT 0, usage INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE api_key_generation(value INTEGER NOT NULL)",
    "CREATE TABLE idempotency(owner INTEGER NOT NULL, key TEXT NOT NULL, request BLOB NOT"
    " NULL, holder INTEGER NOT NULL, status INTEGER NOT NULL DEFAULT 0, reference TEXT NOT"
    " NULL DEFAULT '', at INTEGER NOT NULL, PRIMARY KEY(owner, key)) WITHOUT ROWID",
    "CREATE INDEX idempotency_at ON idempotency(at)",
    "CREATE TABLE verdict_variant(variant TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE webhook_endpoint(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, url TEXT NOT"
    " NULL, origin TEXT NOT NULL, secret TEXT NOT NULL, created_at INTEGER NOT NULL,"
    " UNIQUE(owner, url))",
    "CREATE TABLE webhook(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " endpoint INTEGER NOT NULL, kind TEXT NOT NULL, batch TEXT NOT NULL, about TEXT NOT NULL,"
    " once TEXT NOT NULL, body TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, tries INTEGER"
    " NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, next_at"
    " INTEGER NOT NULL, last_status INTEGER NOT NULL DEFAULT 0, last_error TEXT NOT NULL"
    " DEFAULT '', headers TEXT NOT NULL DEFAULT '')",
    "CREATE UNIQUE INDEX webhook_once ON webhook(endpoint, once) WHERE once<>''",
    "CREATE INDEX webhook_waiting ON webhook(endpoint, next_at) WHERE state=0",
    "CREATE INDEX webhook_next ON webhook(next_at) WHERE state=0",
    "CREATE INDEX webhook_over ON webhook(changed_at) WHERE state<>0",
    "CREATE INDEX webhook_batch ON webhook(batch) WHERE batch<>''",
    "CREATE INDEX webhook_about ON webhook(about) WHERE about<>''",
    "CREATE TABLE signal(place INTEGER NOT NULL, key TEXT NOT NULL, service TEXT NOT NULL,"
    " result INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, expires_at"
    " INTEGER NOT NULL, PRIMARY KEY(place, key, service)) WITHOUT ROWID",
    "CREATE INDEX signal_expiry ON signal(expires_at)",
    "CREATE TABLE watch(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " owner TEXT NOT NULL, label TEXT NOT NULL, webhook TEXT NOT NULL, every INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, batch TEXT NOT NULL, run TEXT NOT NULL DEFAULT '', old"
    " TEXT NOT NULL DEFAULT '', cause TEXT NOT NULL DEFAULT '', addresses INTEGER NOT NULL,"
    " asked INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0, created_at INTEGER"
    " NOT NULL, last_at INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL)",
    "CREATE TABLE watch_change(number INTEGER PRIMARY KEY AUTOINCREMENT, watch INTEGER NOT"
    " NULL, run TEXT NOT NULL, place INTEGER NOT NULL, key TEXT NOT NULL, address TEXT NOT"
    " NULL, status_before TEXT NOT NULL, sub_before TEXT NOT NULL, status_after TEXT NOT NULL,"
    " sub_after TEXT NOT NULL, at INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX watch_change_once ON watch_change(place, key, watch, run)",
    "CREATE INDEX watch_change_watch ON watch_change(watch, number)",
    "CREATE TABLE batch_provider(batch TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT"
    " NULL, deliverable INTEGER NOT NULL, undeliverable INTEGER NOT NULL, risky INTEGER NOT"
    " NULL, unknown INTEGER NOT NULL, PRIMARY KEY(batch, name)) WITHOUT ROWID",
    "CREATE TABLE outcome(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, key TEXT NOT NULL,"
    " domain TEXT NOT NULL, provider TEXT NOT NULL, was_alive INTEGER NOT NULL, said REAL NOT"
    " NULL, at INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX outcome_place ON outcome(place, key)",
    "CREATE INDEX outcome_provider ON outcome(provider, at)",
    "INSERT INTO api_key_generation VALUES(0)",
    NULL,
};
