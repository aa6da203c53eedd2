/* traffic/pool: all ways out, and which of them serves a site next: the one with the best capacity there. Weight,
 * connections free under the limits, health, refused RCPTs left in the hour, warm-up allowance, day's budget and
 * family count; among those that can go at once they take turns in proportion to weight times capacity, so that
 * shares follow the weights and none starves. The same calls give the same choices.
 *
 *     traffic_pool_choose -> GO: traffic_pool_path, traffic_path_opened and the other calls of that path
 *                         -> WAIT: ask again at that time, or when something closed or was answered
 *                         -> NOBODY: no egress is left, and why
 *
 * A wish can hold on to one egress (a greylisted retry keeps its triplet; a block of that egress ends that) and
 * can shun some (those that were blocked when they asked for the same address).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_POOL_H
#define TRAFFIC_POOL_H

#include "traffic/path.h"

struct traffic_pool {
    size_t count;
    struct traffic_pool_egress *egresses;
};

/* egresses are copied, their slices borrowed; traffic_egresses_check holds for them. ERR_NOMEM. */
enum err traffic_pool_init(struct traffic_pool *pool, const struct traffic_egress *egresses,
                           size_t count) MUST_USE;
void traffic_pool_done(struct traffic_pool *pool);

enum { TRAFFIC_ANY = -1 };
struct traffic_wish {
    bool has_ipv4, has_ipv6; /* addresses of the host */
    int keep;                /* the egress to stay with, or TRAFFIC_ANY */
    uint64_t shun;           /* set of egresses, bit by index */
};

enum traffic_choice_kind { TRAFFIC_GO, TRAFFIC_WAIT, TRAFFIC_NOBODY };
enum traffic_nobody { TRAFFIC_ALL_BLOCKED, TRAFFIC_NO_FAMILY };
struct traffic_choice {
    enum traffic_choice_kind kind;
    size_t egress;  /* GO; WAIT: the one that can go first */
    uint64_t at_ms; /* WAIT: the earliest time, or TRAFFIC_NEVER; ALL_BLOCKED: the earliest trial */
    enum traffic_nobody why; /* NOBODY */
};
void traffic_pool_choose(struct traffic_pool *pool, struct traffic_site *site,
                         const struct traffic_wish *wish, uint64_t now_ms,
                         struct traffic_choice *out);

/* Whether some egress that is well there serves the wish, now or later. */
bool traffic_pool_has_well(struct traffic_pool *pool, struct traffic_site *site,
                           const struct traffic_wish *wish, uint64_t now_ms);

/* The path from an egress to a site, made where there is none yet; it lives as long as the site. NULL: no memory. */
struct traffic_path *traffic_pool_path(struct traffic_pool *pool, struct traffic_site *site,
                                       size_t egress, uint64_t now_ms) MUST_USE;

#endif
