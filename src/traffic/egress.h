/* traffic/egress: one way out: where conversations leave from, under which names, and how much of the traffic it
 * takes. As configured; what it meets on the way is kept by site (traffic/path).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_EGRESS_H
#define TRAFFIC_EGRESS_H

#include "base/err.h"
#include "base/ip.h"
#include "traffic/warmup.h"

enum {
    TRAFFIC_EGRESSES_MAX = 64,
    TRAFFIC_EGRESS_NAME_MAX = 63, /* characters */
    TRAFFIC_WEIGHT_MAX = 1000,
};

struct proxy;

struct traffic_egress {
    struct slice name;              /* letters, digits, ".", "-", "_"; its label in records */
    struct ip source_v4, source_v6; /* family IP_NONE: the kernel chooses */
    const struct proxy *proxy;      /* NULL: none; whoever connects looks inside; borrowed */
    bool no_ipv4, no_ipv6;          /* what it does not reach */
    struct slice helo_name;
    struct slice mail_from; /* empty: only the null sender */
    unsigned weight; /* its share beside others of the same capacity, 1 to TRAFFIC_WEIGHT_MAX */
    uint32_t rcpts_per_day; /* in any 24 hours, over all sites; 0: any number */
    struct traffic_ramp warm_up;
};

#define TRAFFIC_SINCE_FIRST_USE \
    UINT64_MAX /* warm_up.since_ms in a configuration: its reader knows when */

/* ERR_SYNTAX and words for the user where these cannot be the egresses of a pool: none or too many, a name that
 * is empty, too long, holds other characters or stands twice, a weight out of bounds, no family at all. */
enum err traffic_egresses_check(const struct traffic_egress *egresses, size_t count,
                                struct fault *out_fault) MUST_USE;

#endif
