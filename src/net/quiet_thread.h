/* net/quiet_thread: a thread that takes no signals: they are for the one that watches for them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_QUIET_THREAD_H
#define NET_QUIET_THREAD_H

#include <pthread.h>

#include "base/err.h"

/* pthread_join is owed. ERR_SYSTEM: there is none to be had. */
enum err quiet_thread_start(pthread_t *out, void *(*run)(void *context), void *context) MUST_USE;

#endif
