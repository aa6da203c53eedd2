/* engine/batch_results: the rows of a batch with their results beside them, as they are handed out: piece by piece, from any
 * thread, in little memory however long the list is, also while the batch runs. Each piece is read from the store as it
 * is by then.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BATCH_RESULTS_H
#define ENGINE_BATCH_RESULTS_H

#include "engine/knocker.h"
#include "engine/table.h"
#include "store/batches.h"

enum {
    BATCH_RESULTS_PIECE = 16384, /* bytes at least, */
    BATCH_RESULTS_ROWS = 4096,   /* or so many rows looked at */
};

struct batch_results_query {
    const char *folder; /* of the batches */
    struct slice id;
    const struct knowledge
        *knowledge; /* its rules are named in rows that are no addresses; may be NULL */
    enum hel_address_mode address_mode; /* of the knocker that asked */
    enum table_format format;           /* TABLE_CSV or TABLE_NDJSON */
    /* Rows of these only. Nothing set: all of them. */
    unsigned statuses;     /* bits by enum verdict_status */
    uint64_t sub_statuses; /* bits by enum verdict_sub */
    bool only_with_result; /* else rows that have none yet are handed out without */
};

struct batch_results;

/* store: a connection of the calling thread, which must outlive it, and is not to be used for anything else meanwhile.
 * Slices are borrowed. ERR_CLOSED: there is no such batch, or its list is gone. ERR_SYSTEM, ERR_STORE, ERR_NOMEM. */
enum err batch_results_open(struct store *store, const struct batch_results_query *query,
                            struct batch_results **out, struct fault *out_fault) MUST_USE;
/* Appends the next piece; nothing where none of many rows is wanted: call again. ERR_CLOSED: that was all, and nothing was appended. ERR_STATE: the batch was deleted
 * meanwhile. */
enum err batch_results_read(struct batch_results *results, struct buf *out, struct fault *out_fault)
    MUST_USE;
void batch_results_close(struct batch_results *results); /* safe on NULL */

#endif
