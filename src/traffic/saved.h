/* traffic/saved: what was learned of a site and of its paths, and what an egress asked for within the day, as a
 * line of text to be kept between runs. Times in it are Unix milliseconds.
 *
 *     rcpts=5,1 adapt=2,2,0,0,0,41000 single=1763719200000 north:health=1,1,1,0,1763719200000 north:refused=5879063,3,0,1
 *
 * Items are separated by spaces, in any order; those of an egress stand behind its name. Items that are unknown,
 * broken, of an egress that is no longer there, or out of bounds are left out: what was configured holds then, and
 * a limit that was learned only ever lowers a configured one. "single" is since when RCPTs go one by one; it holds for
 * thirty days.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_SAVED_H
#define TRAFFIC_SAVED_H

#include "base/buf.h"
#include "traffic/pool.h"

enum {
    TRAFFIC_SAVED_BYTES_MAX = 64 * 1024, /* 64 egresses with everything to tell about each */
};

/* Appends nothing where nothing is worth keeping. ERR_LIMIT, ERR_NOMEM. */
enum err traffic_site_save(const struct traffic_site *site, const struct traffic_pool *pool,
                           uint64_t now_ms, struct buf *out) MUST_USE;
/* Of a site that was just made. ERR_NOMEM: some of it may be there. */
enum err traffic_site_load(struct traffic_site *site, struct traffic_pool *pool, struct slice text,
                           uint64_t now_ms) MUST_USE;

enum err traffic_egress_save(const struct traffic_pool_egress *egress, uint64_t now_ms,
                             struct buf *out) MUST_USE;
void traffic_egress_load(struct traffic_pool_egress *egress, struct slice text, uint64_t now_ms);

#endif
