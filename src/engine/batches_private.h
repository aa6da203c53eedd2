/* engine/batches_private: what the files of engine/batches share: batches.c (the list of them, orders), batches_run.c (one at
 * work: loading, asking, ending), batches_live.c (what others see of it).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BATCHES_PRIVATE_H
#define ENGINE_BATCHES_PRIVATE_H

#include <pthread.h>
#include <sys/queue.h>

#include "engine/batches.h"
#include "engine/bulk.h"

enum {
    BATCH_PATH_BYTES = 4400,
    BATCH_LOAD_ROWS = 512, /* at a time: a millisecond or two */
    BATCH_SHED_ROWS = 128,
    BATCH_OPEN_MIN = 1024,     /* questions of one batch, however many run */
    BATCH_LEAVE_AGAIN_MS = 10, /* where not all questions could be left at once */
    BATCH_REST_MS_MIN = 1000,  /* after trouble with the store; doubled each time */
    BATCH_REST_MS_MAX = 60 * 1000,
};

/* One that is not over. */
struct batch {
    TAILQ_ENTRY(batch) link;
    struct batches *batches;
    struct arena texts; /* of what is stored of it */
    struct store_batch stored;
    char *path;
    enum store_batch_state state;
    struct bulk *bulk; /* NULL: it waits for its turn, is paused, or being deleted */
    struct bulk_config config;
    bool is_loaded, is_asking;
    size_t open;        /* questions */
    struct timer leave; /* its questions, in a turn of their own */
    struct timer end;   /* of the run, behind the last answer */
    char cause[sizeof((struct fault *)NULL)
                   ->text]; /* what stored.cause shows, where it was settled here */
    unsigned rests;         /* since the store took something of it */
    uint64_t rest_until_ms; /* of door_now_ms: nothing is loaded or deleted before */
    int64_t shed_cursor;
    uint64_t shed_losses;        /* of the store, when the cursor was at 0 */
    uint64_t seen_done, seen_ms; /* when the rate was last looked at */
    struct batches_live live;    /* under the lock */
};
TAILQ_HEAD(batch_list, batch);

struct batches {
    struct door *door;
    struct knocker *knocker;
    struct store *store;
    const char *folder;
    int folder_fd; /* locked */
    struct batch_list list;
    struct batches_listener *listeners;
    const struct batches_keeper *keeper; /* NULL: none */
    struct timer work;                   /* the next step of loading or deleting */
    size_t open;                         /* questions of all */
    pthread_mutex_t lock;                /* of the list's links, of each batch's live */
};

/* batches.c */
void batch_free(struct batch *batch);
void batches_work_on(struct batches *batches); /* begins what may begin, sees to the next step */
/* The new state is committed, with what the keeper puts; then it is to be told. Where it fails nothing has changed. */
enum err batch_commit(struct batch *batch, enum store_batch_state state, const char *cause,
                      struct fault *out_fault) MUST_USE;
void batch_tell_state(struct batch *batch);
/* Both. */
enum err batch_settle(struct batch *batch, enum store_batch_state state, const char *cause,
                      struct fault *out_fault) MUST_USE;
/* When, of door_now_ms, the store is to be tried again: later each time. Others may write meanwhile. */
uint64_t batch_rest(struct batch *batch);

/* batches_run.c */
enum err batch_begin(struct batch *batch, struct fault *out_fault) MUST_USE;
void batch_load_some(struct batch *batch);
void batch_share(struct batches *batches); /* the room for questions, among those that ask */
void batch_stop(struct batch *batch);      /* asking; the run ends by itself */
void batch_close(struct batch *batch);     /* the run, of which no question is open */
void batch_leave_now(struct batch *batch); /* all its questions, for good */

/* batches_live.c */
void batches_show(struct batch *batch);                           /* how far it is */
void batches_tell(struct batch *batch, enum batches_event event); /* who subscribed */
/* For the keeper. record NULL: of a state. */
enum err batches_keep_now(struct batch *batch, enum batches_event event,
                          enum store_batch_state state, const struct record *record,
                          struct fault *out_fault) MUST_USE;

#endif
