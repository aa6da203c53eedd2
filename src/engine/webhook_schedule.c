/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhook_schedule.h"

enum {
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_S = 24 * 60 * 60,
    HTTP_GONE = 410, /* RFC 9110 15.5.11 */
};

/* After the first try, the second, and so on: 23 hours and 43 minutes together. */
static const int64_t delays_ms[WEBHOOK_TRIES_MAX - 1] = {
    10 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS, 1 * HOUR_MS,
    2 * HOUR_MS,    4 * HOUR_MS,    4 * HOUR_MS,   6 * HOUR_MS,    6 * HOUR_MS,
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
    int64_t wait_ms = moved(delays_ms[done->tries == 0 ? 0 : done->tries - 1], done->chance);
    uint32_t asked_s = done->retry_after_s < DAY_S ? done->retry_after_s : DAY_S;
    int64_t asked_ms = (int64_t)asked_s * SECOND_MS;
    return (struct webhook_next){STORE_WEBHOOK_WAITING,
                                 done->now_ms + (asked_ms > wait_ms ? asked_ms : wait_ms)};
}
