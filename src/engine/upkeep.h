/* engine/upkeep: what a service's store does not keep for good goes about once a day, in small steps between other work:
 * verdicts, facts, jobs and batches that are older than the configuration wants (config_retention), and what
 * external services said once its life is over.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_UPKEEP_H
#define ENGINE_UPKEEP_H

#include "engine/service.h"
#include "store/retention.h"

/* Zeroed: nothing was done yet. */
struct upkeep {
    int64_t began_at_ms; /* the last round; 0: none */
    struct store_retention retention;
    struct store_sweep sweep;
    int64_t
        batches_before; /* the number down to which batches were looked at; 0: from the newest on */
    bool are_batches_done, are_signals_done;
    struct fault fault; /* of the last call; err NONE: it went well */
};

/* About once a second, on the desk's thread: at most some ten milliseconds of work. retention: what is too old now. */
void upkeep_turn(struct upkeep *upkeep, struct desk *desk, int64_t now_ms,
                 const struct store_retention *retention);

#endif
