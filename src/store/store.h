/* store/store: what is remembered between runs, in one SQLite file (WAL, synchronous=FULL): verdicts
 * with their life, what was learned of domains, facts, and the state of jobs. SQL stays in here.
 * Writes are gathered and committed in groups: a put is safe once store_flush returned, which also
 * happens by itself every STORE_GROUP_ROWS rows; callers flush on a timer and before they say "done".
 * One connection per struct store; several processes may share a file (busy timeout), but only one
 * may run a given job (store_job_open takes a lock that dies with the process).
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
    STORE_SCHEMA_VERSION = 13,
    STORE_GROUP_ROWS = 32768,
    STORE_LOAD_ROWS = 16384, /* the same for store_job_add */
    STORE_CLAIM_LIFE_MS = 6 * 60 * 60 * 1000,
};

/* What opening a store would otherwise begin with, on any thread: SQLite is loaded and set up. */
void store_warm_up(void);

/* Of a list, the newest first. */
struct store_page {
    const struct slice *owner; /* NULL: of all */
    int64_t before;            /* older than this number; 0: from the newest on */
    size_t limit;              /* at most so many */
};

/* path: a file (created with mode 0600, folder with 0700 where missing) or ":memory:". A file of a newer
 * schema, or one that is not ours, is refused with a fault that says so; older ones are migrated
 * inside a transaction. */
enum err store_open(const char *path, struct store **out, struct fault *out_fault) MUST_USE;
/* A connection to a file that store_open has opened, for whoever only reads: sees what is committed, at each call. What
 * writes fails. ERR_STORE, ERR_NOMEM. */
enum err store_open_to_read(const char *path, struct store **out, struct fault *out_fault) MUST_USE;
void store_close(struct store *store); /* flushes */
enum err store_flush(struct store *store, struct fault *out_fault) MUST_USE;
/* How many groups were lost, as a full disk brings about: what was put since the flush before is not in the file, and what is
 * put next begins a group of its own. Whose puts wait for a flush that another may call compares before he says "done". */
uint64_t store_losses(const struct store *store);
/* All that was put since the flush before is lost, on purpose: where half of what belongs together could be put. */
void store_take_back(struct store *store);
/* ERR_STORE: one was lost since there were so many. */
enum err store_kept_since(const struct store *store, uint64_t losses, struct fault *out_fault)
    MUST_USE;
/* After a call that failed without a fault of its own: why, and what to do. Returns ERR_STORE. */
enum err store_why(const struct store *store, struct fault *out_fault);

/* What goes into the same commit as a change, or not at all: put is called in the change, and puts into that store and
 * nothing else. Where it fails nothing is changed. */
struct store_beside {
    enum err (*put)(void *context, struct fault *out_fault);
    void *context;
};

/* Verdict cache. key: address_key, and whatever else changes the answer.
 * find appends the record's JSON to out_json and says when it was checked; false: nothing that
 * is still alive at now_ms and not older than age_ms_max (0: no bound), or that was checked more than a day
 * after now_ms: the clock was wrong then. */
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
/* When the oldest was seen; INT64_MAX: there is none. */
int64_t store_fact_oldest(struct store *store);
/* Calls fn for at most limit rows, newest first. */
typedef void (*store_fact_fn)(void *context, const struct store_fact *fact);
enum err store_fact_each(struct store *store, struct slice key, size_t limit, store_fact_fn fn,
                         void *context) MUST_USE;

/* The same for the addresses of a domain (lower-case A-labels), seen before then, in the order of their places. */
enum err store_fact_each_of_domain(struct store *store, struct slice domain, int64_t before_ms,
                                   size_t limit, store_fact_fn fn, void *context) MUST_USE;

/* Claims: asked for by two processes at the same time, an address is probed once. Who gets the claim probes,
 * puts the verdict, then releases, in this order and so in one group; who does not waits, looks for
 * the verdict and tries again. A claim ends with store_claim_release, store_close, the death of its process,
 * or STORE_CLAIM_LIFE_MS after it was last tried for by its holder, who may always have it again.
 * Between the users of one struct store it does not decide. In memory there are no others: all is ours.
 * Claims are writes like others: until store_flush nobody else can write, so nobody can take the key (and one that is
 * released by then costs no row); flush soon, for they wait. ERR_STORE, ERR_SYSTEM, ERR_NOMEM: nothing is known; probe
 * without. */
enum err store_claim_try(struct store *store, struct slice key, int64_t now_ms, bool *out_is_mine)
    MUST_USE;
enum err store_claim_release(struct store *store, struct slice key)
    MUST_USE; /* of another: nothing */

/* Jobs: a bulk run. The same fingerprint goes on where it stopped; one that was completed or cancelled begins
 * anew. Those are listed for a month. What others see and want of a job is in store/job_list. */
struct store_job;
enum store_job_state {
    STORE_JOB_OPEN, /* it runs, or was stopped or killed */
    STORE_JOB_PAUSED,
    STORE_JOB_CANCELLED, /* items and results are gone */
    STORE_JOB_DONE,      /* the same; the output is written */
};
enum store_job_wish { STORE_WISH_NONE, STORE_WISH_PAUSE, STORE_WISH_CANCEL };
struct store_job_name {
    struct slice fingerprint; /* input and options */
    struct slice label;       /* the input, for people */
    struct slice output;      /* for people; may be empty */
    struct slice folder;      /* with command: how it is run again; may be empty */
    struct slice command;     /* words, a NUL after each */
};
struct store_job_info {
    int64_t id;
    bool is_resumed;
    bool is_loaded; /* all items were put in (store_job_loaded was called) */
    uint64_t item_count, done_count;
    int64_t begun_ms; /* when it was first opened */
};
/* ERR_STATE: another live process runs it (which and since when is in the fault). */
enum err store_job_open(struct store *store, const struct store_job_name *name, int64_t now_ms,
                        struct store_job **out, struct fault *out_fault) MUST_USE;
/* To look at its results while somebody runs it or nobody does, also through a store of its own: only
 * store_job_info, store_job_count_statuses, store_job_result_find and store_job_close may follow. */
enum err store_job_look(struct store *store, int64_t id, struct store_job **out,
                        struct fault *out_fault) MUST_USE;
/* When the job that would go on was first opened; now_ms where none would: it was never opened, or is over. */
int64_t store_job_begun(struct store *store, struct slice fingerprint, int64_t now_ms);
struct store_job_info store_job_info(const struct store_job *job); /* as it was opened */
void store_job_close(struct store_job *job); /* gives the lock back; keeps the job */
/* Gives it the state and closes it, also where it fails. */
enum err store_job_end(struct store_job *job, enum store_job_state state, int64_t now_ms,
                       struct fault *out_fault) MUST_USE;
enum err store_job_delete(struct store_job *job, struct fault *out_fault)
    MUST_USE; /* and its items; frees job */

/* For those who look: how far it is, committed with the results. */
enum err store_job_progress(struct store_job *job, uint64_t items, uint64_t done, int64_t now_ms)
    MUST_USE;
/* What another process wants of its runner; cheap. */
enum store_job_wish store_job_wished(const struct store_job *job);

/* Adds an item. Of those with the same key only the first one counts. Items of a job that was closed before it was
 * loaded are gone when it is opened again. */
enum err store_job_add(struct store_job *job, struct slice key, struct slice address,
                       struct slice domain) MUST_USE;
/* All items are in: they are given their order: short runs of a domain, domains taking turns. Needs some 50 bytes of
 * memory for an item meanwhile. */
enum err store_job_loaded(struct store_job *job, uint64_t *out_items, struct fault *out_fault)
    MUST_USE;

/* The same in many calls, each about limit lines of the work: until *out_is_done. Between them the store may be used and
 * flushed; who dies begins to load again. */
enum err store_job_order_some(struct store_job *job, size_t limit, bool *out_is_done,
                              uint64_t *out_items, struct fault *out_fault) MUST_USE;

/* Up to limit unfinished items after the cursor in job order (cursor 0 starts; it is moved on). */
struct store_item {
    uint64_t id;                       /* its turn: it grows in job order */
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
/* From now on results are asked for in the order of the list, from its beginning: they are found as they would be anyway, in
 * less time. Takes 8 bytes for each item until the job is closed, or this is called again. */
void store_job_read_in_order(struct store_job *job);
/* False where there is no result yet, or no such item. */
bool store_job_result_find(struct store_job *job, struct slice key, struct buf *out_json);

#endif
