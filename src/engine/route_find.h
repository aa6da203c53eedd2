/* engine/route_find: questions to the DNS while the caller waits: the loop of the door runs until the answer is there;
 * the limits in time are the door's. For whoever does one thing at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ROUTE_FIND_H
#define ENGINE_ROUTE_FIND_H

#include "dns/lookup.h"
#include "net/door.h"

/* The route of one domain; A-labels. options: NULL for both families and public addresses only. The route is the
 * caller's. ERR_NOMEM; ERR_CLOSED: somebody stopped the loop before. */
enum err route_find(struct door *door, struct slice domain,
                    const struct dns_lookup_options *options, struct route **out) MUST_USE;

/* One question; what came back goes to bytes, which out points into. ERR_NOMEM; ERR_CLOSED as above. */
enum err route_ask(struct door *door, struct slice name, uint16_t type, struct buf *bytes,
                   struct dns_answer *out) MUST_USE;

#endif
