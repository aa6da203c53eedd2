/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhook_schedule.h"

enum {
    MINUTE_S = 60,
    HOUR_S = 60 * MINUTE_S,
    DAY_S = 24 * HOUR_S,
    HTTP_GONE = 410, /* RFC 9110 15.5.11 */
};

/* After the first try, the second, and so on: 23 hours and 43 minutes together. */
static const int delays_s[WEBHOOK_TRIES_MAX - 1] = {
    10,         30,         2 * MINUTE_S, 10 * MINUTE_S, 30 * MINUTE_S, 1 * HOUR_S,
    2 * HOUR_S, 4 * HOUR_S, 4 * HOUR_S,   6 * HOUR_S,    6 * HOUR_S,
};

/* From nine to eleven tenths. */
static int64_t moved(int64_t delay_ms, uint32_t chance)
{
    int64_t tenth = delay_ms / 10;
    return delay_ms - tenth + (int64_t)(chance % (uint32_t)(2 * tenth + 1));
}

struct webhook_next webhook_schedule(const struct webhook_try *done)
{
    bool is_answered = done->end == HTTP_CLIENT_END_ANSWERED;
    if (is_answered && done->status / 100 == 2) {
        return (struct webhook_next){STORE_WEBHOOK_DELIVERED, done->now_ms};
    }
    if ((is_answered && done->status == HTTP_GONE) || done->tries >= WEBHOOK_TRIES_MAX) {
        return (struct webhook_next){STORE_WEBHOOK_FAILED, done->now_ms};
    }
    int64_t wait_ms =
        moved((int64_t)delays_s[done->tries == 0 ? 0 : done->tries - 1] * 1000, done->chance);
    uint32_t asked_s = done->retry_after_s < DAY_S ? done->retry_after_s : DAY_S;
    int64_t asked_ms = (int64_t)asked_s * 1000;
    return (struct webhook_next){STORE_WEBHOOK_WAITING,
                                 done->now_ms + (asked_ms > wait_ms ? asked_ms : wait_ms)};
}
