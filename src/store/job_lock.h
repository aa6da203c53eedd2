/* store/job_lock: who runs a job: a file beside the store that the runner keeps locked and that the system takes
 * back when its process dies, however it dies. Its first line names the holder; what others want of it (pause,
 * cancel) they append as lines of their own, because a busy runner holds the database's write lock nearly always.
 * A new holder begins with an empty file: a wish dies with the process it was meant for.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_JOB_LOCK_H
#define STORE_JOB_LOCK_H

#include "store/job_list.h"

enum { JOB_LOCK_PATH_BYTES = 4200 };

struct job_lock {
    int fd; /* -1: not held; a store in memory needs none */
    char path[JOB_LOCK_PATH_BYTES];
};

/* ERR_STATE: another process has it, and the fault says which and since when. ERR_SYSTEM. */
enum err job_lock_take(const struct store *store, int64_t job, int64_t now_ms, struct job_lock *out,
                       struct fault *out_fault) MUST_USE;
/* False: whoever held it before has removed the file, and the job with it. */
bool job_lock_is_there(const struct job_lock *lock);
void job_lock_release(struct job_lock *lock);
void job_lock_remove(struct job_lock *lock); /* file and lock */

/* What others asked of us meanwhile. */
enum store_job_wish job_lock_wish(const struct job_lock *lock);

/* Of another process. False: nobody holds it. */
bool job_lock_holder(const struct store *store, int64_t job, struct store_job_holder *out);
/* ERR_CLOSED: nobody holds it. ERR_SYSTEM. */
enum err job_lock_ask(const struct store *store, int64_t job, enum store_job_wish wish,
                      struct fault *out_fault) MUST_USE;

#endif
