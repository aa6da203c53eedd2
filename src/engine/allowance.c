/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/allowance.h"

enum { MINUTE_MS = 60000 };
#define DAY_MS INT64_C(86400000)

int64_t allowance_day(int64_t now_ms)
{
    return now_ms / DAY_MS - (now_ms % DAY_MS < 0 ? 1 : 0);
}

static int64_t full(const struct allowance_limits *limits)
{
    return (int64_t)limits->rate_per_minute * MINUTE_MS;
}

void allowance_init(struct allowance *out, const struct allowance_limits *limits, int64_t day,
                    uint64_t used, int64_t now_ms)
{
    *out = (struct allowance){.level = full(limits), .filled_ms = now_ms, .day = day, .used = used};
}

/* To now: the bucket and the day. */
static void advance(struct allowance *allowance, const struct allowance_limits *limits,
                    int64_t now_ms)
{
    int64_t passed_ms = now_ms - allowance->filled_ms;
    int64_t missing = full(limits) - allowance->level;
    int64_t rate = limits->rate_per_minute;
    if (passed_ms > 0 && rate > 0) { /* divided first: a long time must not overflow */
        allowance->level += passed_ms > missing / rate ? missing : passed_ms * rate;
    }
    allowance->filled_ms = now_ms;
    int64_t day = allowance_day(now_ms);
    if (allowance->day != day) {
        allowance->day = day;
        allowance->used = 0;
    }
}

static enum allowance_answer look_at_day(const struct allowance *allowance,
                                         const struct allowance_limits *limits, uint64_t cost,
                                         int64_t now_ms, int64_t *out_wait_ms)
{
    uint64_t quota = limits->quota_per_day;
    if (quota == 0 || (allowance->used <= quota && cost <= quota - allowance->used)) {
        return ALLOWANCE_GIVEN;
    }
    *out_wait_ms = (allowance->day + 1) * DAY_MS - now_ms;
    return ALLOWANCE_USED_UP;
}

static enum allowance_answer look_at_bucket(const struct allowance *allowance,
                                            const struct allowance_limits *limits, uint32_t cost,
                                            int64_t *out_wait_ms)
{
    int64_t rate = limits->rate_per_minute;
    int64_t wanted = cost > limits->rate_per_minute ? full(limits) : (int64_t)cost * MINUTE_MS;
    if (rate == 0 || allowance->level >= wanted) {
        return ALLOWANCE_GIVEN;
    }
    *out_wait_ms = (wanted - allowance->level + rate - 1) / rate;
    return ALLOWANCE_TOO_FAST;
}

enum allowance_answer allowance_take(struct allowance *allowance,
                                     const struct allowance_limits *limits, uint32_t cost,
                                     int64_t now_ms, int64_t *out_wait_ms)
{
    advance(allowance, limits, now_ms);
    enum allowance_answer answer = look_at_day(allowance, limits, cost, now_ms, out_wait_ms);
    if (answer == ALLOWANCE_GIVEN) {
        answer = look_at_bucket(allowance, limits, cost, out_wait_ms);
    }
    if (answer == ALLOWANCE_GIVEN) {
        allowance->used += cost;
        allowance->level -= limits->rate_per_minute > 0 ? (int64_t)cost * MINUTE_MS : 0;
    }
    return answer;
}

enum allowance_answer allowance_charge(struct allowance *allowance,
                                       const struct allowance_limits *limits, uint64_t cost,
                                       int64_t now_ms, int64_t *out_wait_ms)
{
    advance(allowance, limits, now_ms);
    enum allowance_answer answer = look_at_day(allowance, limits, cost, now_ms, out_wait_ms);
    if (answer == ALLOWANCE_GIVEN) {
        allowance->used += cost;
    }
    return answer;
}
