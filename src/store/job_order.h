/* store/job_order: the order in which a job's items are asked: runs of at most JOB_RUN items of one domain, domains taking
 * turns, so that lines are shared and no giant holds up the rest. Domains, and within a run its items, follow their
 * places (store/place), so that what is written for them lies together.
 *
 * It is worked out step by step, so that who has other things to do is not kept from them for seconds: what is written
 * meanwhile counts once the job says that it is loaded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_JOB_ORDER_H
#define STORE_JOB_ORDER_H

#include "store/store.h"

enum { JOB_RUN = 64 };

struct job_order;

/* For all items of a job, the first of which is first_item. ERR_NOMEM. */
enum err job_order_new(struct store *store, int64_t job, int64_t first_item, struct job_order **out)
    MUST_USE;
void job_order_free(struct job_order *order); /* safe on NULL */

/* About limit lines further, or as much work as it is to write them, in the group that is open or in one that it begins: writes the turns, which follow each
 * other, and where each key's turn is found. Of items with the same key the first one has a turn. After an error only
 * job_order_free may follow. */
enum err job_order_step(struct job_order *order, size_t limit, bool *out_is_done,
                        struct fault *out_fault) MUST_USE;
/* Once it is done. */
int64_t job_order_turn_first(const struct job_order *order);
int64_t job_order_turn_end(const struct job_order *order);

#endif
