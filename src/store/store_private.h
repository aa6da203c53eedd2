/* store/store_private: what the files of the store share: store.c (opening, groups), schema.c, schema_now.c, place.c, verdicts.c,
 * claims.c, jobs.c, job_order.c, job_output.c, job_shed.c, job_list.c, job_lock.c, results.c, courier.c, batches.c, keys.c,
 * idempotency.c, outcomes.c, pack.c, backup.c, erase.c, retention.c, signals.c, statement.c, watches.c, webhooks.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include <sqlite3.h>

#include "base/map.h"
#include "store/pack.h"
#include "store/results.h"
#include "store/store.h"

enum store_statement {
    STATEMENT_VERDICT_FIND,
    STATEMENT_VERDICT_ROW,
    STATEMENT_VERDICT_ADD,
    STATEMENT_VERDICT_CHANGE,
    STATEMENT_VARIANT_PUT,
    STATEMENT_DOMAIN_FIND,
    STATEMENT_DOMAIN_PUT,
    STATEMENT_FACT_PUT,
    STATEMENT_FACT_OLDEST,
    STATEMENT_FACT_EACH,
    STATEMENT_FACT_OF_DOMAIN,
    STATEMENT_OUTCOME_PUT,
    STATEMENT_OUTCOME_EACH,
    STATEMENT_OUTCOME_SUM,
    STATEMENT_JOB_ADD,
    STATEMENT_JOB_NEXT,
    STATEMENT_JOB_ITEM_EACH,
    STATEMENT_JOB_TURN_FIND,
    STATEMENT_JOB_TURN_ANSWERED,
    STATEMENT_JOB_RESULT_ADD,
    STATEMENT_JOB_RESULT_CHANGE,
    STATEMENT_JOB_RESULT_READ,
    STATEMENT_JOB_RESULT_FIND,
    STATEMENT_JOB_RESULT_FIND_KEY,
    STATEMENT_JOB_PROGRESS,
    STATEMENT_CLAIM_FIND,
    STATEMENT_CLAIM_PUT,
    STATEMENT_CLAIM_DELETE,
    STATEMENT_BATCH_PROGRESS,
    STATEMENT_BATCH_PROVIDER_ADD,
    STATEMENT_KEY_GENERATION,
    STATEMENT_KEY_USE,
    STATEMENT_WATCH_RESULT_NEXT,
    STATEMENT_WATCH_CHANGE_PUT,
    STATEMENT_COUNT,
};

enum {
    STORE_BUSY_MS = 10000, /* for another process to end its group */
    STORE_VARIANT_BYTES = 128,
};

struct store {
    sqlite3 *db;
    char *path;
    struct buf *outbox; /* store/courier: where its writes go; NULL: this is the store itself */
    unsigned pending;   /* rows written since the last commit */
    unsigned reads;     /* in one look at the file; 0: none is open */
    bool is_in_group;
    uint64_t losses;  /* groups that were lost */
    bool has_variant; /* in the open group: the one below is written */
    char variant[STORE_VARIANT_BYTES];
    int64_t holder;         /* our number as a holder of claims; 0: none yet */
    int holder_lock;        /* its descriptor, or -1 */
    bool is_holder_new;     /* its row is not committed yet */
    struct map claims;      /* key -> struct claim: of the open group, without a row as yet */
    struct results results; /* of the open group, to be written at its end */
    struct pack pack;       /* for the records of verdicts */
    struct buf packed;      /* the one that is put */
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* A connection with SQLite's flags and nothing else done: the file is neither made nor looked at. */
enum err store_open_plain(const char *path, int flags, struct store **out, struct fault *out_fault)
    MUST_USE;

/* A prepared statement, reset and ready to be bound; NULL: the database said no. */
sqlite3_stmt *store_statement(struct store *store, enum store_statement which);

/* Begins the group if none is open; counts one written row, and commits when the group is full. */
enum err store_begin_write(struct store *store) MUST_USE;
enum err store_end_write(struct store *store) MUST_USE;

/* Many reads in a row look at the file as it is at one moment, until the next write or flush, or for so many of them. */
void store_begin_read(struct store *store);

/* A change of its own, wholly or not at all: begin commits what was gathered before; end takes the change back where
 * e or the commit says that it failed, and returns that. */
enum err store_change_begin(struct store *store, struct fault *out_fault) MUST_USE;
enum err store_change_end(struct store *store, enum err e, struct fault *out_fault) MUST_USE;
/* In a change; NULL: nothing. */
enum err store_put_beside(const struct store_beside *beside, struct fault *out_fault) MUST_USE;

/* Steps a statement that returns nothing, and resets it. */
enum err store_run(sqlite3_stmt *statement) MUST_USE;
enum err store_exec(struct store *store, const char *sql, struct fault *out_fault) MUST_USE;
enum err store_fail(const struct store *store, struct fault *out_fault, const char *doing);

/* statement.c: statements that are prepared each time, where that is nothing beside what they do. Faults may be NULL. */
enum err store_prepare(struct store *store, const char *sql, sqlite3_stmt **out,
                       struct fault *out_fault) MUST_USE;
/* Steps one that gives no rows; it is done with. */
enum err store_step_once(struct store *store, sqlite3_stmt *statement, struct fault *out_fault)
    MUST_USE;
enum err store_read_number(struct store *store, const char *sql, int64_t *out,
                           struct fault *out_fault) MUST_USE;
/* NULL: the database said no. A write is in the group that is open, or begins one. */
sqlite3_stmt *store_prepare_read(struct store *store, const char *sql);
sqlite3_stmt *store_prepare_write(struct store *store, const char *sql);
/* Runs a write, done with then, and ends it; out_count, where it is not NULL, is how many rows it changed. */
enum err store_run_write(struct store *store, sqlite3_stmt *statement, size_t *out_count) MUST_USE;

/* What the file says of itself. Changes nothing, so that one that is not ours stays as it is. */
enum err store_schema_check(struct store *store, int *out_version, struct fault *out_fault)
    MUST_USE;
enum err store_schema_migrate(struct store *store, struct fault *out_fault) MUST_USE;
/* Statements that give a file without tables those of STORE_SCHEMA_VERSION, until a NULL. */
extern const char *const store_schema_now[];
/* store_place and store_variant as functions of SQL, for migrations. */
enum err store_place_teach(struct store *store, struct fault *out_fault) MUST_USE;

/* Claims that no row stands for yet: written before the group is committed, and then forgotten; or forgotten where the
 * group is taken back. */
enum err store_claims_write(struct store *store) MUST_USE;
void store_claims_forget(struct store *store);
/* This store as one among others that may live or die: it has a number from then on, written in the group that is open. A
 * store in memory needs none. */
enum err store_holder_become(struct store *store, int64_t now_ms) MUST_USE;
/* Whether the store that has this number is open; one in memory is alone, and is. */
bool store_holder_is_alive(const struct store *store, int64_t holder);
/* Lets go of all claims, with the group that is open or at once. Does not wait for others. */
void store_claims_close(struct store *store);
/* The group that is open was taken back. */
void store_claims_taken_back(struct store *store);

/* is_packed: its record is what store_pack made of it. */
enum err store_verdict_write(struct store *store, const struct store_verdict *verdict,
                             bool is_packed) MUST_USE;

/* courier.c: the same calls of a store that has an outbox. */
enum err courier_verdict_put(struct store *store, const struct store_verdict *verdict,
                             bool is_packed) MUST_USE;
enum err courier_domain_put(struct store *store, struct slice domain, struct slice name,
                            struct slice value, int64_t at_ms, int64_t expires_at_ms) MUST_USE;
enum err courier_fact_put(struct store *store, const struct store_fact *fact) MUST_USE;
enum err courier_claim_release(struct store *store, struct slice key) MUST_USE;

/* The row of a job, in the group that is open or in one that it begins: its new state; items and results go with
 * one that is over. */
enum err store_job_row_settle(struct store *store, int64_t id, enum store_job_state state,
                              int64_t now_ms, struct fault *out_fault) MUST_USE;
enum err store_job_row_delete(struct store *store, int64_t id, struct fault *out_fault) MUST_USE;

void store_bind(sqlite3_stmt *statement, int place, struct slice text);
void store_bind_bytes(sqlite3_stmt *statement, int place, struct slice bytes); /* not text */
/* The first three places: before which number, the owner, a number of rows. */
void store_bind_page(sqlite3_stmt *statement, const struct store_page *page);
/* The place of the key, and after it the key. */
void store_bind_key(sqlite3_stmt *statement, int place, struct slice key);
/* The first and the last place of the domain's keys, a time, the domain, and a number of rows. */
void store_bind_domain(sqlite3_stmt *statement, struct slice domain, int64_t before_ms,
                       size_t limit);
struct slice store_column(sqlite3_stmt *statement,
                          int place); /* valid until the next step or reset */

#endif
