/* engine/batch_hooks: tells the URL that came with a batch how it ended: batch.done, batch.failed, batch.paused, put into
 * the outbox of webhooks in the commit of the state, so that there is neither without the other. Where the upload asked
 * for it each result is told too, as batch.result, put before the result under a name of its own, so that one that is
 * asked again is told once. One that came through Reacher's endpoint is told of its results only, in their form:
 * reacher.result.
 * Cancelled and deleted ones end in silence: whoever did it knows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BATCH_HOOKS_H
#define ENGINE_BATCH_HOOKS_H

#include "engine/batches.h"
#include "engine/webhooks.h"

struct batch_hooks {
    struct batches_keeper keeper;
    struct batches *batches;
    struct webhooks *webhooks;
};

/* All three live until batch_hooks_stop. */
void batch_hooks_start(struct batch_hooks *hooks, struct batches *batches,
                       struct webhooks *webhooks);
void batch_hooks_stop(struct batch_hooks *hooks); /* safe on a zeroed one */

#endif
