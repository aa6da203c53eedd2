/* store/batches: lists that were handed to the service: what they are called, where they stand, whom they belong to. The
 * list itself is a file of engine/batch_upload's, its addresses and results are those of a job (store/store), which is
 * known as the batch is: BATCH_FINGERPRINT and the id. A batch that is done keeps its job until it is deleted.
 *
 * Reading may be done through any connection; the changes belong to the one that works the batches off. A change is
 * committed when the call returns, but for store_batch_progress, which goes with the group that is open.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_BATCHES_H
#define STORE_BATCHES_H

#include "base/arena.h"
#include "store/idempotency.h"

#define BATCH_FINGERPRINT "batch "

enum {
    STORE_BATCH_ID_BYTES = 32, /* NUL included */
    STORE_BATCH_STATUSES = 4,
};

/* Numbers are kept in the store: they are not changed, only added to. */
enum store_batch_state {
    STORE_BATCH_LOADING, /* safe, its rows are not all read yet */
    STORE_BATCH_RUNNING,
    STORE_BATCH_PAUSED,
    STORE_BATCH_CANCELLED, /* what was found out stays readable */
    STORE_BATCH_DONE,
    STORE_BATCH_FAILED,
    STORE_BATCH_DELETED, /* on its way out: nobody sees it any more */
    STORE_BATCH_STATE_COUNT,
};

struct store_batch_counts {
    uint64_t rows, bad_rows, invalid_rows; /* of the list; not usable as rows; no addresses */
    uint64_t items, done;                  /* distinct addresses; with a result */
    uint64_t by_status[STORE_BATCH_STATUSES];
};

/* Slices are lent: by the caller, or for the call of a store_batch_fn. */
struct store_batch {
    int64_t number; /* grows: newer ones have higher ones. Chosen by the store */
    struct slice id;
    struct slice owner;           /* the key it was uploaded with; empty: none */
    struct slice client_token;    /* of the uploader, to know it again; empty: none */
    struct slice label;           /* for people, such as the name of the file */
    struct slice file;            /* its name in the folder of batches */
    struct slice file_name;       /* as uploaded: its ending tells the kind; may be empty */
    struct slice column;          /* as in struct table_reader_config */
    struct slice webhook;         /* a URL; empty: none */
    struct slice webhook_headers; /* of its requests, as engine/webhook_headers has them */
    struct slice webhook_extra;   /* JSON; where it is given, the webhook hears of results only, in
                                     Reacher's form with that beside each */
    enum store_batch_state state;
    struct slice cause; /* of FAILED */
    bool is_loaded;
    uint64_t bytes;     /* of the list */
    bool tells_results; /* the webhook hears of each result */
    int64_t max_age_ms; /* of stored answers that are taken; 0: as for all others */
    int64_t job;        /* 0: it was not begun */
    struct store_batch_counts counts;
    int64_t created_at_ms, changed_at_ms, finished_at_ms; /* the last one 0: not yet */
};

/* state, number, job, counts and the later times are not looked at. end: of the request that brought it, in the same
 * commit; NULL: none is to be remembered. ERR_STATE: the id is taken. */
enum err store_batch_add(struct store *store, const struct store_batch *batch,
                         const struct store_request_end *end, struct fault *out_fault) MUST_USE;
struct store_batch_settling {
    struct slice id;
    enum store_batch_state state;
    struct slice cause;
    int64_t now_ms;
    const struct store_beside *beside; /* NULL: nothing */
};
enum err store_batch_settle(struct store *store, const struct store_batch_settling *settling,
                            struct fault *out_fault) MUST_USE;
/* Where its job is, how far it is. */
enum err store_batch_progress(struct store *store, struct slice id, int64_t job, bool is_loaded,
                              const struct store_batch_counts *counts, int64_t now_ms) MUST_USE;
/* One more result with that status, of an address that this provider serves (name empty: none is known). It is committed
 * together with the result, which the caller puts next (store_job_result_put). */
enum err store_batch_provider_add(struct store *store, struct slice id, struct slice name,
                                  struct slice label, unsigned status) MUST_USE;
enum err store_batch_delete(struct store *store, struct slice id, struct fault *out_fault) MUST_USE;

/* With texts of its own, in the arena. ERR_NOMEM, ERR_LIMIT. */
enum err store_batch_copy(struct arena *texts, const struct store_batch *from,
                          struct store_batch *out) MUST_USE;

typedef void (*store_batch_fn)(void *context, const struct store_batch *batch);

/* ERR_CLOSED: there is none, or it is being deleted. */
enum err store_batch_find(struct store *store, struct slice id, store_batch_fn fn, void *context,
                          struct fault *out_fault) MUST_USE;
/* Deleted ones are not among them. */
enum err store_batch_each(struct store *store, const struct store_page *page, store_batch_fn fn,
                          void *context, struct fault *out_fault) MUST_USE;
/* The providers of a batch's results, those with the most first, at most limit of them. */
struct store_batch_provider {
    struct slice name, label;
    uint64_t by_status[STORE_BATCH_STATUSES];
};
typedef void (*store_batch_provider_fn)(void *context, const struct store_batch_provider *provider);
enum err store_batch_provider_each(struct store *store, struct slice id, size_t limit,
                                   store_batch_provider_fn fn, void *context,
                                   struct fault *out_fault) MUST_USE;
/* Oldest first, all that are not over and those being deleted: what a service goes on with. */
enum err store_batch_each_open(struct store *store, store_batch_fn fn, void *context,
                               struct fault *out_fault) MUST_USE;
/* Whether a batch has that file. */
bool store_batch_has_file(struct store *store, struct slice file);

#endif
