/* store/retention: what was stored long ago goes: verdicts, facts, what changed in watched lists, and the rows of
 * jobs that are over. In small steps,
 * each a change of its own, so that nobody waits for the writer.
 *
 *     store_sweep_begin -> store_sweep_step, again and again, whenever there is time -> is_done
 *
 * A sweep looks at each row once; who keeps a store for long sweeps about once a day.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store/store.h"

/* What is older goes; INT64_MIN: nothing of that kind does. Unix milliseconds. */
struct store_retention {
    int64_t verdicts_before_ms; /* by when they were checked */
    int64_t facts_before_ms; /* by when they were seen; changes of watched lists and outcomes too */
    int64_t jobs_before_ms;  /* by when they were done or cancelled; those that can go on stay */
};

struct store_sweep {
    struct store_retention retention;
    unsigned kind;    /* of rows that is being looked at */
    int64_t after;    /* the last one that was */
    uint64_t deleted; /* rows, so far */
    bool is_done;
};

void store_sweep_begin(struct store_sweep *out, const struct store_retention *retention);

/* Looks at a few hundred rows and deletes what is too old; commits what was gathered before, where it deletes. Some
 * milliseconds. ERR_STORE: the next step tries the same rows again. */
enum err store_sweep_step(struct store *store, struct store_sweep *sweep, struct fault *out_fault)
    MUST_USE;

#endif
