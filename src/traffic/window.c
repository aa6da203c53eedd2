/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/window.h"

static uint64_t slot_at(const struct traffic_window *window, uint64_t now_ms)
{
    uint64_t slot = now_ms / window->slot_ms;
    return slot > window->newest ? slot : window->newest;
}

/* The oldest slot that still counts. */
static uint64_t oldest_slot(uint64_t slot)
{
    return slot < TRAFFIC_WINDOW_SLOTS ? 0 : slot - TRAFFIC_WINDOW_SLOTS + 1;
}

static void set_count(struct traffic_window *window, uint64_t slot, uint32_t count)
{
    uint32_t *here = &window->counts[slot % TRAFFIC_WINDOW_SLOTS];
    window->total = window->total - *here + count;
    *here = count;
}

void traffic_window_restore(struct traffic_window *window, uint64_t slot, uint32_t count)
{
    set_count(window, slot, count);
}

void traffic_window_add(struct traffic_window *window, uint32_t count, uint64_t now_ms)
{
    uint64_t slot = slot_at(window, now_ms);
    uint64_t fresh = window->total == 0 ? 0 : slot - window->newest;
    for (uint64_t i = 0; i < fresh && i < TRAFFIC_WINDOW_SLOTS; i++) {
        set_count(window, slot - i, 0);
    }
    window->newest = slot;
    uint32_t before = window->counts[slot % TRAFFIC_WINDOW_SLOTS];
    set_count(window, slot, count < UINT32_MAX - before ? before + count : UINT32_MAX);
}

uint32_t traffic_window_sum(const struct traffic_window *window, uint64_t now_ms)
{
    if (window->total == 0) {
        return 0;
    }
    uint64_t slot = slot_at(window, now_ms);
    uint64_t sum = 0;
    if (slot == window->newest) { /* as a rule: all that is there counts */
        sum = window->total;
    } else {
        for (uint64_t at = oldest_slot(slot); at <= window->newest; at++) {
            sum += window->counts[at % TRAFFIC_WINDOW_SLOTS];
        }
    }
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

uint64_t traffic_window_room_at(const struct traffic_window *window, uint32_t max, uint64_t now_ms)
{
    if (max == 0) {
        return TRAFFIC_NEVER;
    }
    uint64_t left = traffic_window_sum(window, now_ms);
    uint64_t at = oldest_slot(slot_at(window, now_ms));
    uint64_t room_ms = now_ms;
    for (; left >= max && at <= window->newest; at++) {
        left -= window->counts[at % TRAFFIC_WINDOW_SLOTS];
        room_ms = (at + TRAFFIC_WINDOW_SLOTS) * window->slot_ms;
    }
    return room_ms > now_ms ? room_ms : now_ms;
}
