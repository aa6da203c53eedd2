/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/watch_schedule.h"

int64_t watch_next_ms(int64_t due_ms, int64_t every_ms, int64_t now_ms)
{
    if (due_ms > now_ms) {
        return due_ms - now_ms <= every_ms ? due_ms : now_ms + every_ms;
    }
    return due_ms + ((now_ms - due_ms) / every_ms + 1) * every_ms;
}

int64_t watch_age_ms_max(int64_t every_ms, int64_t took_ms)
{
    int64_t least_ms = every_ms / 2;
    if (took_ms < 0 || took_ms > every_ms - least_ms) {
        return least_ms;
    }
    return every_ms - took_ms;
}
