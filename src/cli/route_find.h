/* cli/route_find: the route of one domain, looked up while the caller waits.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ROUTE_FIND_H
#define CLI_ROUTE_FIND_H

#include "dns/route.h"
#include "net/door.h"

/* domain: A-labels. Runs the door's loop until the answer is there; the limits in time are the door's. The
 * route is the caller's. ERR_NOMEM. */
enum err route_find(struct door *door, struct slice domain, struct route **out) MUST_USE;

#endif
