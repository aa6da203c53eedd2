/* store/job_order: the order in which a job's items are asked: runs of at most JOB_RUN items of one domain, domains taking
 * turns, so that lines are shared and no giant holds up the rest. Domains, and within a run its items, follow their
 * places (store/place), so that what is written for them lies together.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_JOB_ORDER_H
#define STORE_JOB_ORDER_H

#include "store/store.h"

enum { JOB_RUN = 64 };

/* For all items of a job, in the group that is open: writes their turns, which follow each other, and where each key's
 * turn is found. Of items with the same key the first one has a turn. */
enum err job_order_write(struct store *store, int64_t job, int64_t *out_turn_first,
                         int64_t *out_turn_end, struct fault *out_fault) MUST_USE;

#endif
