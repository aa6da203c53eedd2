/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/health.h"

#include "traffic/window.h"

enum {
    WEIGHT_MAX = 24,         /* closes the path */
    GOOD_PER_CONNECTION = 4, /* answers before the share doubles, for each connection of it */
};

static const uint8_t weights[] = {
    [TRAFFIC_WORD_NONE] = 0,         [TRAFFIC_WORD_GOOD] = 0,
    [TRAFFIC_WORD_BUSY] = 0,         [TRAFFIC_WORD_RATE] = 3,
    [TRAFFIC_WORD_NO_WAY] = 8,       [TRAFFIC_WORD_BLOCK_VAGUE] = 3,
    [TRAFFIC_WORD_BLOCK_LIKELY] = 8, [TRAFFIC_WORD_BLOCK_CERTAIN] = WEIGHT_MAX,
};

uint64_t traffic_health_open_at(const struct traffic_health *health, uint64_t now_ms)
{
    switch ((enum traffic_health_state)health->state) {
    case TRAFFIC_WELL: return now_ms;
    case TRAFFIC_BLOCKED: return health->try_at_ms > now_ms ? health->try_at_ms : now_ms;
    case TRAFFIC_TRYING: break;
    }
    return TRAFFIC_NEVER;
}

unsigned traffic_health_connections(const struct traffic_health *health, unsigned limit)
{
    if (health->state != TRAFFIC_WELL) {
        return limit; /* open_at lets nothing through but the trial */
    }
    return health->share != 0 && health->share < limit ? health->share : limit;
}

bool traffic_health_is_sound(const struct traffic_health *health)
{
    return health->state == TRAFFIC_WELL && health->weight == 0 && health->share == 0;
}

bool traffic_health_opened(struct traffic_health *health)
{
    if (health->state != TRAFFIC_BLOCKED) {
        return false;
    }
    health->state = TRAFFIC_TRYING;
    return true;
}

void traffic_health_trial_over(struct traffic_health *health, uint64_t now_ms)
{
    if (health->state == TRAFFIC_TRYING) {
        health->state = TRAFFIC_BLOCKED;
        health->try_at_ms = now_ms + TRAFFIC_TRY_AGAIN_MS;
    }
}

static void close_path(struct traffic_health *health, struct traffic_rest rest, uint64_t now_ms)
{
    uint64_t pause_ms = rest.first_ms == 0 ? TRAFFIC_TRY_MS_FIRST : rest.first_ms;
    for (unsigned i = 0; i < health->strikes && pause_ms < TRAFFIC_TRY_MS_MAX; i++) {
        pause_ms *= 2;
    }
    uint64_t hint_ms = (uint64_t)rest.hint_s * 1000;
    pause_ms = hint_ms > pause_ms ? hint_ms : pause_ms;
    pause_ms = pause_ms < TRAFFIC_TRY_MS_MAX ? pause_ms : TRAFFIC_TRY_MS_MAX;
    if (health->strikes < TRAFFIC_STRIKES_MAX) {
        health->strikes++;
    }
    health->state = TRAFFIC_BLOCKED;
    health->weight = 0;
    health->share = 1;
    health->good = 0;
    health->try_at_ms = now_ms + pause_ms;
}

static void recover(struct traffic_health *health)
{
    health->weight = 0;
    if (health->share == 0) {
        return;
    }
    health->good++;
    if (health->good < health->share * GOOD_PER_CONNECTION) {
        return;
    }
    health->good = 0;
    if (health->strikes > 0) {
        health->strikes--;
    }
    health->share = (uint8_t)(health->share * 2);
    if (health->share >= TRAFFIC_SHARE_FULL) {
        health->share = 0;
        health->strikes = 0;
    }
}

bool traffic_health_heard(struct traffic_health *health, enum traffic_word word, bool is_trial,
                          struct traffic_rest rest, uint64_t now_ms)
{
    bool is_closed = health->state != TRAFFIC_WELL;
    if (word == TRAFFIC_WORD_NONE || word == TRAFFIC_WORD_BUSY || (is_closed && !is_trial)) {
        return false;
    }
    if (word == TRAFFIC_WORD_GOOD) {
        health->state = TRAFFIC_WELL;
        recover(health);
        return false;
    }
    unsigned weight = is_closed ? WEIGHT_MAX : (unsigned)health->weight + weights[word];
    if (weight >= WEIGHT_MAX) {
        close_path(health, rest, now_ms);
        return true;
    }
    health->weight = (uint8_t)weight;
    return false;
}
