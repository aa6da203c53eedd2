/* store/watches: watched lists: whose, how often, what is to be done next, and what changed from one run to the next. A
 * run is a batch (store/batches) over the same list; the watch names the batch it compares with, the one that runs, and one
 * that is of no use any more, so that whoever opens the store after a crash knows what to do.
 *
 * A change of a watch is committed when the call returns; store_watch_change_put goes with the group that is open.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_WATCHES_H
#define STORE_WATCHES_H

#include "store/store.h"

/* Numbers are kept in the store: they are not changed, only added to. */
enum store_watch_state {
    STORE_WATCH_WAITING,
    STORE_WATCH_PAUSED,  /* no run begins; one that runs goes on */
    STORE_WATCH_DELETED, /* on its way out: nobody sees it any more */
};

/* Slices are lent: by the caller, or for the call of a store_watch_fn. */
struct store_watch {
    int64_t number; /* grows. Chosen by the store */
    struct slice id;
    struct slice owner; /* as of struct store_batch */
    struct slice label;
    struct slice webhook; /* a URL; empty: none */
    int64_t every_ms;
    enum store_watch_state state;
    struct slice batch; /* whose results are compared with */
    struct slice run;   /* the batch that runs; empty: none. It may not be made yet */
    struct slice old;   /* a run that is to be deleted; empty: none */
    struct slice cause; /* why the last run came to nothing; empty: it did not */
    uint64_t addresses, asked, changed;            /* of the last run */
    int64_t created_at_ms, last_at_ms, next_at_ms; /* last: when a run was over; 0: not yet */
};

/* state, run, old, cause, asked, changed and last_at are not looked at. */
enum err store_watch_add(struct store *store, const struct store_watch *watch,
                         struct fault *out_fault) MUST_USE;
/* All that may change: state, batch, run, old, cause, numbers, last_at, next_at. beside NULL: nothing. */
enum err store_watch_settle(struct store *store, const struct store_watch *watch,
                            const struct store_beside *beside, struct fault *out_fault) MUST_USE;
/* Of a deleted one, with at most limit of its changes; *out_is_gone: that was all. */
enum err store_watch_shed(struct store *store, int64_t number, size_t limit, bool *out_is_gone,
                          struct fault *out_fault) MUST_USE;

typedef void (*store_watch_fn)(void *context, const struct store_watch *watch);

/* ERR_CLOSED: there is none. */
enum err store_watch_find(struct store *store, struct slice id, store_watch_fn fn, void *context,
                          struct fault *out_fault) MUST_USE;
enum err store_watch_each(struct store *store, const struct store_page *page, store_watch_fn fn,
                          void *context, struct fault *out_fault) MUST_USE;
/* The next one after that number that is due, runs, or has something to be deleted. ERR_CLOSED: there is none. */
enum err store_watch_next(struct store *store, int64_t after, int64_t now_ms, store_watch_fn fn,
                          void *context, struct fault *out_fault) MUST_USE;
/* When the next one is due; INT64_MAX: none will be. */
int64_t store_watch_next_at(struct store *store);
/* Whether a watch compares with that batch, or runs it. */
bool store_watch_uses_batch(struct store *store, struct slice batch);

/* Results of a job in its order. */
struct store_watch_result {
    struct slice key, address, json;
};
/* Calls fn with the first one after the cursor (0: of all), which is moved on. ERR_CLOSED: there is none. */
typedef void (*store_watch_result_fn)(void *context, const struct store_watch_result *result);
enum err store_watch_result_next(struct store *store, int64_t job, int64_t *cursor,
                                 store_watch_result_fn fn, void *context) MUST_USE;

struct store_watch_change {
    int64_t number;
    int64_t watch;
    struct slice run;          /* that saw it */
    struct slice key, address; /* key: empty where it is read */
    struct slice status_before, sub_before, status_after, sub_after;
    int64_t at_ms;
};
/* One that is there already for this watch, run and key is left as it is. */
enum err store_watch_change_put(struct store *store, const struct store_watch_change *change)
    MUST_USE;
enum err store_watch_change_count(struct store *store, int64_t watch, struct slice run,
                                  uint64_t *out, struct fault *out_fault) MUST_USE;
/* Newest first, at most limit older than number before (0: from the newest on). */
struct store_watch_change_page {
    int64_t watch, before;
    size_t limit;
};
typedef void (*store_watch_change_fn)(void *context, const struct store_watch_change *change);
enum err store_watch_change_each(struct store *store, const struct store_watch_change_page *page,
                                 store_watch_change_fn fn, void *context, struct fault *out_fault)
    MUST_USE;

#endif
