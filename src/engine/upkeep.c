/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/upkeep.h"

#include <string.h>

#include "base/slice.h"
#include "store/signals.h"

enum {
    ROUND_EVERY_MS = 24 * 3600 * 1000,
    STEPS = 4,         /* of the sweep, a turn */
    BATCHES_PAGE = 20, /* looked at, a turn; one of them goes */
    SIGNALS = 500,     /* that go, a turn */
};

struct look {
    int64_t finished_before_ms;
    int64_t last; /* number of the last one that was looked at */
    size_t count;
    char id[STORE_BATCH_ID_BYTES]; /* of the first one that is too old; empty: none */
};

static bool is_over(enum store_batch_state state)
{
    return state == STORE_BATCH_DONE || state == STORE_BATCH_CANCELLED ||
           state == STORE_BATCH_FAILED;
}

/* Behind the first one that goes nothing is looked at: the next turn begins there. */
static void look_at(void *context, const struct store_batch *batch)
{
    struct look *look = context;
    look->count++;
    if (look->id[0] != '\0') {
        return;
    }
    look->last = batch->number;
    bool is_old = is_over(batch->state) && batch->finished_at_ms > 0 &&
                  batch->finished_at_ms < look->finished_before_ms;
    if (is_old && batch->id.len < sizeof look->id) {
        memcpy(look->id, batch->id.at, batch->id.len);
        look->id[batch->id.len] = '\0';
    }
}

static void turn_batches(struct upkeep *upkeep, struct desk *desk)
{
    struct look look = {.finished_before_ms = upkeep->retention.jobs_before_ms};
    const struct store_page page = {.before = upkeep->batches_before, .limit = BATCHES_PAGE};
    enum err e = store_batch_each(desk->store, &page, look_at, &look, &upkeep->fault);
    if (e == ERR_NONE && look.id[0] != '\0') {
        e = batches_order(desk->batches, slice_of(look.id), BATCHES_DELETE, &upkeep->fault);
    }
    if (e == ERR_NONE || e == ERR_STATE) { /* a watched list needs it: it stays */
        upkeep->fault.err = ERR_NONE;
    }
    upkeep->batches_before = look.last;
    upkeep->are_batches_done = look.count < BATCHES_PAGE && look.id[0] == '\0';
}

static void turn_signals(struct upkeep *upkeep, struct desk *desk, int64_t now_ms)
{
    size_t count = 0;
    enum err e = store_signal_prune(desk->store, now_ms, SIGNALS, &count);
    if (e != ERR_NONE) {
        (void)store_why(desk->store, &upkeep->fault);
    } else { /* others may be waiting to write, and nobody else here may have anything to flush */
        e = store_flush(desk->store, &upkeep->fault);
    }
    upkeep->are_signals_done = e == ERR_NONE && count < SIGNALS;
}

static void begin_round(struct upkeep *upkeep, int64_t now_ms,
                        const struct store_retention *retention)
{
    upkeep->began_at_ms = now_ms;
    upkeep->retention = *retention;
    upkeep->batches_before = 0;
    upkeep->are_signals_done = false;
    upkeep->are_batches_done = retention->jobs_before_ms == INT64_MIN;
    store_sweep_begin(&upkeep->sweep, retention);
}

void upkeep_turn(struct upkeep *upkeep, struct desk *desk, int64_t now_ms,
                 const struct store_retention *retention)
{
    bool is_due = upkeep->began_at_ms == 0 || now_ms - upkeep->began_at_ms >= ROUND_EVERY_MS ||
                  now_ms < upkeep->began_at_ms; /* the clock went back */
    upkeep->fault.err = ERR_NONE;
    if (is_due) {
        begin_round(upkeep, now_ms, retention);
    }
    for (int i = 0; i < STEPS && !upkeep->sweep.is_done; i++) {
        if (store_sweep_step(desk->store, &upkeep->sweep, &upkeep->fault) != ERR_NONE) {
            return; /* the next turn tries the same rows */
        }
    }
    if (!upkeep->are_signals_done) {
        turn_signals(upkeep, desk, now_ms);
    }
    if (!upkeep->are_batches_done && desk->batches != NULL) {
        turn_batches(upkeep, desk);
    }
}
