/* store/job_list: the jobs of a store as others than their runner see them: what there is, who runs it, and what
 * may be done about it. The runner's side is in store/store.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_JOB_LIST_H
#define STORE_JOB_LIST_H

#include "store/store.h"

struct store_job_holder {
    long pid; /* 0: it has not said yet */
    int64_t since_ms;
};

struct store_job_entry {
    int64_t id;
    enum store_job_state state; /* while it runs: STORE_JOB_OPEN */
    struct store_job_name name;
    bool is_loaded;
    uint64_t items, done; /* as last committed */
    int64_t created_at_ms, changed_at_ms;
    bool is_running;
    struct store_job_holder holder; /* where it runs */
};

/* Entries are lent for the call, oldest first. */
typedef void (*store_job_entry_fn)(void *context, const struct store_job_entry *entry);
enum err store_job_each(struct store *store, store_job_entry_fn fn, void *context,
                        struct fault *out_fault) MUST_USE;
/* One of them. ERR_CLOSED: there is none of that number. */
enum err store_job_find(struct store *store, int64_t id, store_job_entry_fn fn, void *context,
                        struct fault *out_fault) MUST_USE;

/* Asks the process that runs it to stop; it does so within about a second, politely, and then keeps the state.
 * ERR_CLOSED: nobody runs it. */
enum err store_job_ask(struct store *store, int64_t id, enum store_job_wish wish,
                       struct fault *out_fault) MUST_USE;

/* For a job that nobody runs: gives it that state; items and results of a cancelled one go. ERR_STATE: it runs, and
 * the fault says where. ERR_CLOSED: there is none. */
enum err store_job_settle(struct store *store, int64_t id, enum store_job_state state,
                          int64_t now_ms, struct fault *out_fault) MUST_USE;
/* The same, and nothing of it stays. */
enum err store_job_forget(struct store *store, int64_t id, int64_t now_ms, struct fault *out_fault)
    MUST_USE;

#endif
