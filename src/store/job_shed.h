/* store/job_shed: taking a job away in small parts: a million rows at once would keep everybody else waiting for seconds.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_JOB_SHED_H
#define STORE_JOB_SHED_H

#include "store/store.h"

/* Of a job that nobody runs: about limit of its rows; committed now and then. The last call takes
 * the job itself. A job that is half gone is shed further by who calls next, also after a death. *cursor begins as 0 and is
 * kept between calls. */
enum err store_job_shed(struct store *store, int64_t id, size_t limit, int64_t *cursor,
                        bool *out_is_done, struct fault *out_fault) MUST_USE;

#endif
