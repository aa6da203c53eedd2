/* store/store: what is remembered between runs, in one SQLite file (WAL, synchronous=FULL): verdicts
 * with their life, what was learned of domains, facts, and the state of jobs. SQL stays in here.
 * Writes are gathered and committed in groups: a put is safe once store_flush returned, which also
 * happens by itself every STORE_GROUP_ROWS rows; callers flush on a timer and before they say "done".
 * One connection per struct store; several processes may share a file (busy timeout), but only one
 * may run a given job (store_job_open takes a lock row that dies with the process).
 * Times are Unix milliseconds. Texts are UTF-8 JSON or keys; the store never looks inside.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store;

enum {
    STORE_SCHEMA_VERSION = 3,
    STORE_GROUP_ROWS = 32768,
    STORE_LOAD_ROWS = 16384, /* the same for store_job_add */
    STORE_CLAIM_LIFE_MS = 6 * 60 * 60 * 1000,
};

/* path: a file (created with mode 0600, folder with 0700 where missing) or ":memory:". A file of a newer
 * schema, or one that is not ours, is refused with a fault that says so; older ones are migrated
 * inside a transaction. */
enum err store_open(const char *path, struct store **out, struct fault *out_fault) MUST_USE;
void store_close(struct store *store); /* flushes */
enum err store_flush(struct store *store, struct fault *out_fault) MUST_USE;

/* Verdict cache. key: address_key, and whatever else changes the answer.
 * find appends the record's JSON to out_json and says when it was checked; false: nothing that
 * is still alive at now_ms and not older than age_ms_max (0: no bound). */
struct store_verdict {
    struct slice key;
    struct slice domain;
    struct slice status, sub_status;
    int64_t checked_at_ms, expires_at_ms;
    struct slice json;
};
bool store_verdict_find(struct store *store, struct slice key, int64_t now_ms, int64_t age_ms_max,
                        struct buf *out_json);
enum err store_verdict_put(struct store *store, const struct store_verdict *verdict) MUST_USE;

/* Learned facts of a domain or site: small values under a name, with a life. */
bool store_domain_find(struct store *store, struct slice domain, struct slice name, int64_t now_ms,
                       struct buf *out_value);
enum err store_domain_put(struct store *store, struct slice domain, struct slice name,
                          struct slice value, int64_t at_ms, int64_t expires_at_ms) MUST_USE;

/* History: one row for each thing seen. */
struct store_fact {
    struct slice key, domain, kind, source; /* kind "probe"; source: egress label */
    struct slice detail;                    /* JSON or text */
    int64_t at_ms;
};
enum err store_fact_put(struct store *store, const struct store_fact *fact) MUST_USE;
/* Calls fn for at most limit rows, newest first. */
typedef void (*store_fact_fn)(void *context, const struct store_fact *fact);
enum err store_fact_each(struct store *store, struct slice key, size_t limit, store_fact_fn fn,
                         void *context) MUST_USE;

/* Claims: asked for by two processes at the same time, an address is probed once. Who gets the claim probes,
 * puts the verdict, then releases, in this order and so in one group; who does not waits, looks for
 * the verdict and tries again. A claim ends with store_claim_release, store_close, the death of its process,
 * or STORE_CLAIM_LIFE_MS after it was last tried for by its holder, who may always have it again.
 * Between the users of one struct store it does not decide. In memory there are no others: all is ours.
 * Claims are writes like others: until store_flush nobody else can write, so nobody can take the key; flush
 * soon, for they wait. ERR_STORE, ERR_SYSTEM: nothing is known; probe without. */
enum err store_claim_try(struct store *store, struct slice key, int64_t now_ms, bool *out_is_mine)
    MUST_USE;
enum err store_claim_release(struct store *store, struct slice key)
    MUST_USE; /* of another: nothing */

/* Jobs: a bulk run. fingerprint names input and options; the same fingerprint goes on where it stopped.
 * ERR_STATE: another live process runs it (pid in the fault). */
struct store_job;
struct store_job_info {
    bool is_resumed;
    bool is_loaded; /* all items were put in (store_job_loaded was called) */
    uint64_t item_count, done_count;
};
enum err store_job_open(struct store *store, struct slice fingerprint, struct slice label,
                        int64_t now_ms, struct store_job **out, struct fault *out_fault) MUST_USE;
struct store_job_info store_job_info(const struct store_job *job); /* as it was opened */
void store_job_close(struct store_job *job); /* gives the lock back; keeps the job */
enum err store_job_delete(struct store_job *job, struct fault *out_fault)
    MUST_USE; /* and its items; frees job */

/* Adds an item unless its key is there already; *out_is_new says which. */
enum err store_job_add(struct store_job *job, struct slice key, struct slice address,
                       struct slice domain, bool *out_is_new) MUST_USE;
/* All items are in: they are given their order (domains interleaved in short runs). */
enum err store_job_loaded(struct store_job *job, struct fault *out_fault) MUST_USE;

/* Up to limit unfinished items after the cursor in job order (cursor 0 starts; it is moved on). */
struct store_item {
    uint64_t id;
    struct slice key, address, domain; /* valid during the callback */
};
typedef void (*store_item_fn)(void *context, const struct store_item *item);
enum err store_job_next(struct store_job *job, uint64_t *cursor, size_t limit, store_item_fn fn,
                        void *context, size_t *out_count) MUST_USE;
enum err store_job_result_put(struct store_job *job, uint64_t item_id, struct slice status,
                              struct slice json) MUST_USE;
/* How many results there are of each status there is. */
typedef void (*store_status_fn)(void *context, struct slice status, uint64_t count);
enum err store_job_count_statuses(struct store_job *job, store_status_fn fn, void *context)
    MUST_USE;
/* False where there is no result yet. */
bool store_job_result_find(struct store_job *job, struct slice key, struct buf *out_json);

#endif
