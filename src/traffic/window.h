/* traffic/window: how often something happened within the last hour, or day, in any position of that span.
 * Counts are kept by slots: twelve cover the span and the running one is on top, so never too few are counted.
 * A clock that goes back is taken to stand still. Zeroed but for slot_ms is empty.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_WINDOW_H
#define TRAFFIC_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum {
    TRAFFIC_WINDOW_SLOTS = 13,
    TRAFFIC_HOUR_SLOT_MS = 300000,
    TRAFFIC_DAY_SLOT_MS = 7200000,
};

#define TRAFFIC_NEVER UINT64_MAX /* not before something else happens */

struct traffic_window {
    uint64_t newest; /* number of the newest slot: its time / slot_ms */
    uint64_t total;  /* of all counts */
    uint32_t slot_ms;
    uint32_t counts[TRAFFIC_WINDOW_SLOTS]; /* by number of the slot, modulo */
};

/* What was counted before, put back into the slot of that number: the newest or one of the span behind it. */
void traffic_window_restore(struct traffic_window *window, uint64_t slot, uint32_t count);
void traffic_window_add(struct traffic_window *window, uint32_t count, uint64_t now_ms);
uint32_t traffic_window_sum(const struct traffic_window *window, uint64_t now_ms);

/* When fewer than max are counted: now_ms where that is so; TRAFFIC_NEVER for a max of 0. */
uint64_t traffic_window_room_at(const struct traffic_window *window, uint32_t max, uint64_t now_ms);

#endif
