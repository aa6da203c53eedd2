/* engine/batch_hooks: tells the URL that came with a batch how it ended: batch.done, batch.failed, batch.paused, put into
 * the outbox of webhooks before the state is stored, under a name of its own, so that each end is told once.
 * Where the upload asked for it each result is told too, as batch.result, put with the result. One that came through
 * Reacher's endpoint is told of its results only, in their form: reacher.result.
 * Cancelled and deleted ones end in silence: whoever did it knows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BATCH_HOOKS_H
#define ENGINE_BATCH_HOOKS_H

#include "engine/batches.h"
#include "engine/webhooks.h"

struct batch_hooks {
    struct batches_listener listener;
    struct batches *batches;
    struct webhooks *webhooks;
    uint64_t lost; /* events that could not be put; the batch ends all the same */
};

/* All three live until batch_hooks_stop. */
void batch_hooks_start(struct batch_hooks *hooks, struct batches *batches,
                       struct webhooks *webhooks);
void batch_hooks_stop(struct batch_hooks *hooks); /* safe on a zeroed one */

#endif
