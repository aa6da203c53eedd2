/* engine/watches: stored lists that are checked again on a schedule. A run is a batch over the same list that takes stored
 * answers no older than the interval, so that only stale addresses are asked; when it is done, its results are compared with
 * those of the run before, what changed is stored, and the URL of the list is told (watch.changed). The batch is then what
 * the next run is compared with.
 *
 *     a batch -> watches_add ... due: a run ... compared, stored, told ... -> store_watch_change_each
 *
 * What is to be done next stands in the store before it is done, and each step may be repeated: the next watches_new goes
 * on after a kill, and tells nothing twice under two ids.
 *
 * All calls belong to the desk, the thread of door and store.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WATCHES_H
#define ENGINE_WATCHES_H

#include "engine/batches.h"
#include "store/watches.h"

struct watches;
struct webhooks;

#define WATCHES_RUN_PREFIX \
    "r_" /* of the ids of runs, which the watch deletes when they are of no use */

/* All must outlive it; webhooks NULL: nobody is told. folder: that of batches, which is there. Goes on with what is open.
 * ERR_SYSTEM, ERR_NOMEM. */
struct watches_config {
    struct door *door;
    struct store *store;
    struct batches *batches;
    struct webhooks *webhooks;
    const char *folder; /* borrowed during the call */
};
enum err watches_new(const struct watches_config *config, struct watches **out,
                     struct fault *out_fault) MUST_USE;
void watches_free(struct watches *watches); /* safe on NULL. Before its batches */

struct watches_wish {
    struct slice batch; /* done or running; it stays as long as the list is watched from it */
    struct slice owner, label, webhook;
    int64_t every_ms; /* WATCH_EVERY_MS_MIN to WATCH_EVERY_MS_MAX: the caller has looked */
};
/* The first run is due in every_ms. ERR_CLOSED: there is no such batch. ERR_STATE: it was cancelled or failed. */
enum err watches_add(struct watches *watches, const struct watches_wish *wish,
                     char out_id[STORE_BATCH_ID_BYTES], struct fault *out_fault) MUST_USE;

enum watches_order {
    WATCHES_RUN,    /* now; the schedule stays. Nothing where it runs already */
    WATCHES_PAUSE,  /* no run begins; one that runs goes on */
    WATCHES_RESUME, /* what was due meanwhile is not made up for */
    WATCHES_DELETE, /* with its runs and what changed; the batch it was made from stays */
};
/* Safe on return. ERR_CLOSED: there is no such list. */
enum err watches_order(struct watches *watches, struct slice id, enum watches_order order,
                       struct fault *out_fault) MUST_USE;

#endif
