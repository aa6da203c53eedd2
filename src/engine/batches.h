/* engine/batches: lists that were uploaded to the running service, worked off beside its single questions on the one
 * knocker that it has: read in small steps, then asked by as many at a time as leaves room for the others, each result
 * committed. What was acknowledged survives a kill: the next batches_new goes on with it.
 *
 *     batch_upload_* (any thread) -> batches_add (the desk) ... events ... -> batch_results_* (any thread)
 *
 * All calls belong to the desk, the thread of door, knocker and store, but for batches_live, which any thread may make.
 * What is stored of batches anybody reads through a store of his own (store/batches).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BATCHES_H
#define ENGINE_BATCHES_H

#include "engine/knocker.h"
#include "store/batches.h"

struct batches;

enum {
    BATCHES_RUNNING_MAX = 8, /* the others wait, oldest first */
};

/* door, knocker, store and folder must outlive it. Makes the folder, removes what a killed upload left there, and goes on
 * with what is not over. ERR_STATE: another service uses the folder. ERR_SYSTEM, ERR_STORE, ERR_NOMEM. */
enum err batches_new(struct door *door, struct knocker *knocker, struct store *store,
                     const char *folder, struct batches **out, struct fault *out_fault) MUST_USE;
/* All batches are left as they are, to be gone on with. Answers that are on their way are not waited for, so the
 * knocker's questions of batches are over on return. */
void batches_free(struct batches *batches); /* safe on NULL */

/* An upload that was committed: id, file, bytes and what the uploader said; the texts are copied. created_at_ms 0: now.
 * On success it is safe, and so is the end of the request that brought it, where one is given (NULL: none).
 * ERR_STATE, ERR_STORE, ERR_NOMEM. */
enum err batches_add(struct batches *batches, const struct store_batch *batch,
                     const struct store_request_end *end, struct fault *out_fault) MUST_USE;

const char *batches_state_name(enum store_batch_state state); /* "loading" */

enum batches_order {
    BATCHES_PAUSE,
    BATCHES_RESUME, /* also one that failed */
    BATCHES_CANCEL, /* no more is asked; results stay readable */
    BATCHES_DELETE, /* the list, addresses and results go */
};
/* Safe on return; what is being asked comes to its end in the background. ERR_CLOSED: there is no such batch. ERR_STATE: it
 * is over, and the fault says how. */
enum err batches_order(struct batches *batches, struct slice id, enum batches_order order,
                       struct fault *out_fault) MUST_USE;

/* How a batch runs just now. */
struct batches_live {
    enum store_batch_state state;
    struct store_batch_counts counts;
    double per_second;     /* results, lately */
    uint64_t seconds_left; /* UINT64_MAX: nobody knows */
};

/* What is going on, for who subscribes, and what is about to be, for the keeper: called on the desk, must not wait, may not
 * call back. */
enum batches_event {
    BATCHES_CHANGED, /* its state, or how far it is; about once a second while it runs */
    BATCHES_OVER,    /* done, cancelled or failed; may come more than once */
    /* The keeper's. */
    BATCHES_RESULT,     /* one more result, which is put next */
    BATCHES_NO_ADDRESS, /* a row has none, as its record says; again where reading begins again */
    BATCHES_SETTLING,   /* it gets the state that is told, in the commit that is open */
};
struct batches_news {
    enum batches_event event;
    struct slice id, owner, webhook;
    enum store_batch_state state;
    const struct store_batch *batch; /* as it is now */
    const struct batches_live *live; /* how it runs */
    const struct record *record;     /* of BATCHES_RESULT and BATCHES_NO_ADDRESS, else NULL */
};
struct batches_listener {
    struct batches_listener *next; /* theirs */
    void (*told)(void *context, const struct batches_news *news);
    void *context;
};
void batches_subscribe(struct batches *batches, struct batches_listener *listener); /* lent */
void batches_unsubscribe(struct batches *batches, struct batches_listener *listener);

/* Who puts into the store what is to be kept with a result or a state. Where it fails neither is stored: an order answers
 * with its fault, a run does that part again later. */
struct batches_keeper {
    enum err (*keep)(void *context, const struct batches_news *news, struct fault *out_fault);
    void *context;
};
void batches_keep(struct batches *batches,
                  const struct batches_keeper *keeper); /* lent; NULL: nobody */

/* From any thread. False: it does not run; what there is of it is stored. */
bool batches_live(struct batches *batches, struct slice id, struct batches_live *out);

#endif
