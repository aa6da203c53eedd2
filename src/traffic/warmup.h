/* traffic/warmup: how many recipients a young egress may ask for at one provider in a day. The allowance begins
 * small and grows after each day that went well; a day with complaints holds it, a bad day or a block takes it
 * back. Days are measured by answers, not by the calendar alone: who did not use half of the allowance learned
 * too little to go on. Times are Unix milliseconds; a day is that of UTC, the allowance holds in any 24 hours.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_WARMUP_H
#define TRAFFIC_WARMUP_H

#include <stdbool.h>

#include "traffic/window.h"

enum {
    TRAFFIC_WARMUP_FIRST = 50,           /* recipients on the first day, where nobody says */
    TRAFFIC_WARMUP_GROWTH_PERCENT = 100, /* from one good day to the next, the same */
    TRAFFIC_WARMUP_WARM = 50000, /* recipients a day: then it is warm, and no allowance binds */
    TRAFFIC_WARMUP_STAGES = 200, /* at most, however slow the growth */
    TRAFFIC_WARMUP_HEAD_START =
        3, /* stages at most for an egress that is not new, at a provider that is */
    TRAFFIC_WARMUP_IDLE_DAYS = 30, /* without a word: half of what was reached is forgotten */
};

#define TRAFFIC_NO_BOUND UINT32_MAX

/* How an egress becomes known. */
struct traffic_ramp {
    uint64_t since_ms;       /* when it was first used, Unix; 0: long ago, no warm-up */
    uint64_t age_ms;         /* that it had then */
    uint32_t first;          /* recipients on the first day; 0: the usual number */
    uint32_t growth_percent; /* from one good day to the next; 0: as usual */
};

struct traffic_warmup {
    bool is_on;
    bool has_fallen; /* today, for a block */
    uint8_t stage;   /* good days, as it were */
    uint32_t first, growth_percent;
    uint32_t good, bad; /* answers of the day */
    uint64_t day;       /* that is being measured; 0: none yet */
    struct traffic_window asked;
};

void traffic_warmup_init(struct traffic_warmup *warmup, const struct traffic_ramp *ramp,
                         uint64_t now_ms);

/* Judges the days that are over. The other calls do so by themselves, but for those that take it const. */
void traffic_warmup_turn(struct traffic_warmup *warmup, uint64_t now_ms);

/* Recipients in any 24 hours; TRAFFIC_NO_BOUND: any number. */
uint32_t traffic_warmup_allowance(const struct traffic_warmup *warmup);
/* When one more may be asked for. */
uint64_t traffic_warmup_ask_at(const struct traffic_warmup *warmup, uint64_t now_ms);

void traffic_warmup_asked(struct traffic_warmup *warmup, uint64_t now_ms);
void traffic_warmup_good(struct traffic_warmup *warmup, uint64_t now_ms);
/* A complaint; is_block: the path was closed for it. */
void traffic_warmup_bad(struct traffic_warmup *warmup, bool is_block, uint64_t now_ms);

#endif
