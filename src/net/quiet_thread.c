/* SPDX-License-Identifier: Apache-2.0 */
#include "net/quiet_thread.h"

#include <signal.h>

/* The mask of whoever makes a thread is the thread's. */
enum err quiet_thread_start(pthread_t *out, void *(*run)(void *context), void *context)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(out, NULL, run, context);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? ERR_NONE : ERR_SYSTEM;
}
