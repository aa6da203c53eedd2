/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/warmup.h"

enum {
    DAY_MS = 86400000,
    HEAD_START_DAYS = 7, /* of age for each stage of it */
    FALL = 2,            /* stages */
    HOLD_PERMILLE = 10,  /* complaints among the answers of a day that does not count */
    FALL_PERMILLE = 50,
};

void traffic_warmup_init(struct traffic_warmup *warmup, const struct traffic_ramp *ramp,
                         uint64_t now_ms)
{
    *warmup = (struct traffic_warmup){.asked.slot_ms = TRAFFIC_DAY_SLOT_MS};
    if (ramp->since_ms == 0) {
        return;
    }
    uint64_t used_ms = now_ms > ramp->since_ms ? now_ms - ramp->since_ms : 0;
    uint64_t age_days = used_ms / DAY_MS + ramp->age_ms / DAY_MS;
    uint64_t ahead = age_days / HEAD_START_DAYS;
    warmup->is_on = true;
    warmup->first = ramp->first == 0 ? TRAFFIC_WARMUP_FIRST : ramp->first;
    warmup->growth_percent =
        ramp->growth_percent == 0 ? TRAFFIC_WARMUP_GROWTH_PERCENT : ramp->growth_percent;
    warmup->stage =
        (uint8_t)(ahead < TRAFFIC_WARMUP_HEAD_START ? ahead : TRAFFIC_WARMUP_HEAD_START);
}

static void fall(struct traffic_warmup *warmup)
{
    warmup->stage = warmup->stage > FALL ? (uint8_t)(warmup->stage - FALL) : 0;
}

uint32_t traffic_warmup_allowance(const struct traffic_warmup *warmup)
{
    if (!warmup->is_on || warmup->stage >= TRAFFIC_WARMUP_STAGES) {
        return TRAFFIC_NO_BOUND;
    }
    uint64_t allowance = warmup->first;
    for (unsigned i = 0; i < warmup->stage && allowance < TRAFFIC_WARMUP_WARM; i++) {
        allowance += (allowance * warmup->growth_percent + 99) / 100;
    }
    return allowance < TRAFFIC_WARMUP_WARM ? (uint32_t)allowance : TRAFFIC_NO_BOUND;
}

static void judge_day(struct traffic_warmup *warmup)
{
    uint64_t answers = (uint64_t)warmup->good + warmup->bad;
    uint64_t complaints = (uint64_t)warmup->bad * 1000;
    if (complaints >= answers * FALL_PERMILLE && warmup->bad > 0) {
        if (!warmup->has_fallen) {
            fall(warmup);
        }
        return;
    }
    bool is_clean = complaints < answers * HOLD_PERMILLE && !warmup->has_fallen;
    uint32_t allowance = traffic_warmup_allowance(warmup);
    bool is_used = allowance != TRAFFIC_NO_BOUND && answers * 2 >= allowance;
    if (is_clean && is_used) {
        warmup->stage++;
    }
}

void traffic_warmup_turn(struct traffic_warmup *warmup, uint64_t now_ms)
{
    uint64_t day = now_ms / DAY_MS;
    if (!warmup->is_on || day <= warmup->day) {
        return;
    }
    if (warmup->day != 0) {
        judge_day(warmup);
        if (day - warmup->day > TRAFFIC_WARMUP_IDLE_DAYS) {
            warmup->stage /= 2;
        }
    }
    warmup->day = day;
    warmup->good = warmup->bad = 0;
    warmup->has_fallen = false;
}

uint64_t traffic_warmup_ask_at(const struct traffic_warmup *warmup, uint64_t now_ms)
{
    uint32_t allowance = traffic_warmup_allowance(warmup);
    return allowance == TRAFFIC_NO_BOUND
               ? now_ms
               : traffic_window_room_at(&warmup->asked, allowance, now_ms);
}

void traffic_warmup_asked(struct traffic_warmup *warmup, uint64_t now_ms)
{
    traffic_warmup_turn(warmup, now_ms);
    if (warmup->is_on) {
        traffic_window_add(&warmup->asked, 1, now_ms);
    }
}

void traffic_warmup_good(struct traffic_warmup *warmup, uint64_t now_ms)
{
    traffic_warmup_turn(warmup, now_ms);
    warmup->good++;
}

void traffic_warmup_bad(struct traffic_warmup *warmup, bool is_block, uint64_t now_ms)
{
    traffic_warmup_turn(warmup, now_ms);
    warmup->bad++;
    if (is_block && !warmup->has_fallen) {
        fall(warmup);
        warmup->has_fallen = true;
    }
}
