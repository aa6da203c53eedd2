/* engine/allowance: how much somebody may still ask: so many in a minute (a token bucket that is full at first and fills
 * evenly) and so many in a day (UTC). Whole numbers only, so that nothing is lost to rounding; time is an argument, in
 * Unix milliseconds.
 *
 * A request that costs more than a whole minute's rate is let in when the bucket is full, and leaves a debt that must
 * fill up first: large requests are possible at any rate, and the rate holds all the same.
 * A clock that goes back takes nothing away and gives nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ALLOWANCE_H
#define ENGINE_ALLOWANCE_H

#include <stdint.h>

struct allowance_limits {
    uint32_t rate_per_minute; /* 0: no limit */
    uint64_t quota_per_day;   /* the same */
};

struct allowance {
    int64_t
        level; /* of the bucket, in 60000ths: what a rate of one a minute fills in a millisecond; debt is below 0 */
    int64_t filled_ms; /* when that was so */
    int64_t day;       /* days since 1970-01-01 */
    uint64_t used;     /* of that day */
};

enum allowance_answer {
    ALLOWANCE_GIVEN,
    ALLOWANCE_TOO_FAST, /* the bucket has not enough */
    ALLOWANCE_USED_UP,  /* the day has not enough */
};

/* A full bucket, and what was used on the day that is given: of another day it does not count. */
void allowance_init(struct allowance *out, const struct allowance_limits *limits, int64_t day,
                    uint64_t used, int64_t now_ms);

/* Takes cost from both, or from neither. *out_wait_ms: where it is not given, after how long it may be: above 0. */
enum allowance_answer allowance_take(struct allowance *allowance,
                                     const struct allowance_limits *limits, uint32_t cost,
                                     int64_t now_ms, int64_t *out_wait_ms);

/* Takes cost from the day alone: work whose size is known only when its request was let in. */
enum allowance_answer allowance_charge(struct allowance *allowance,
                                       const struct allowance_limits *limits, uint64_t cost,
                                       int64_t now_ms, int64_t *out_wait_ms);

/* Days since 1970-01-01, UTC. */
int64_t allowance_day(int64_t now_ms);

#endif
