/* net/timers: the running timers of a door: a binary min-heap over their due times. Timers live in their
 * owners' storage; each knows its place, so that it is moved or removed in logarithmic time. Both kinds of
 * door use it. Owns only its array.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TIMERS_H
#define NET_TIMERS_H

#include "net/door.h"

struct timers {
    struct timer **at;
    size_t count, cap;
};

void timers_done(
    struct timers *timers); /* safe on a zeroed one; timers are forgotten, not touched */

/* Starts, or moves a running one. ERR_NONE or ERR_NOMEM. */
enum err timers_put(struct timers *timers, struct timer *timer, uint64_t due_ms) MUST_USE;
void timers_remove(struct timers *timers, struct timer *timer); /* fine on a stopped one */

/* The one that is due first, or NULL. */
struct timer *timers_first(const struct timers *timers);

#endif
