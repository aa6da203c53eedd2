/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/path.h"

enum {
    TIMEOUT_MS_MAX = 300000, /* RFC 5321 4.5.3.2: five minutes for MAIL and RCPT */
    CAPACITY_FULL = 16,      /* of a path with nothing in its way */
    TURN_COST = 1 << 30,     /* of one turn at weight and capacity 1 */
};

void traffic_path_init(struct traffic_path *path, struct traffic_site *site,
                       struct traffic_pool_egress *egress, uint64_t now_ms)
{
    *path = (struct traffic_path){
        .site = site,
        .egress = egress,
        .invalids.slot_ms = TRAFFIC_HOUR_SLOT_MS,
    };
    struct traffic_pace pace = traffic_site_pace(site);
    traffic_adapt_init(&path->adapt, &pace);
    traffic_warmup_init(&path->warmup, &egress->egress.warm_up, now_ms);
}

/* Where connections and pace are counted. */
static struct traffic_adapt *adapt_of(struct traffic_path *path)
{
    return path->site->is_shared_system ? &path->adapt : &path->site->adapt;
}

static const struct traffic_adapt *adapt_seen(const struct traffic_path *path)
{
    return path->site->is_shared_system ? &path->adapt : &path->site->adapt;
}

uint64_t traffic_path_connect_at(const struct traffic_path *path, uint64_t now_ms)
{
    unsigned most = traffic_health_connections(&path->health, path->site->limits.connections);
    if (path->open >= most) {
        return TRAFFIC_NEVER;
    }
    uint64_t healthy_ms = traffic_health_open_at(&path->health, now_ms);
    uint64_t free_ms = traffic_adapt_connect_at(adapt_seen(path), now_ms);
    return healthy_ms > free_ms ? healthy_ms : free_ms;
}

/* How much of max is left, in CAPACITY_FULL parts. */
static unsigned part_left(uint64_t used, uint64_t max)
{
    return used >= max ? 0 : (unsigned)((max - used) * CAPACITY_FULL / max);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned capacity_of(const struct traffic_path *path, uint64_t now_ms)
{
    const struct traffic_limits *limits = &path->site->limits;
    unsigned capacity = part_left(path->open, limits->connections);
    unsigned healthy = traffic_health_connections(&path->health, limits->connections);
    capacity = least(capacity, part_left(limits->connections - healthy, limits->connections));
    uint64_t refused = traffic_window_sum(&path->invalids, now_ms) + (uint64_t)path->asking;
    capacity = least(capacity, part_left(refused, limits->invalids_per_hour));
    uint32_t allowance = traffic_warmup_allowance(&path->warmup);
    if (allowance != TRAFFIC_NO_BOUND) {
        uint32_t asked = traffic_window_sum(&path->warmup.asked, now_ms);
        capacity = least(capacity, part_left(asked, allowance));
    }
    uint32_t per_day = path->egress->egress.rcpts_per_day;
    if (per_day != 0) {
        uint32_t asked = traffic_window_sum(&path->egress->day, now_ms);
        capacity = least(capacity, part_left(asked, per_day));
    }
    return capacity > 0 ? capacity : 1;
}

/* Whom a turn costs less has more of them; one alone needs none. */
static void take_turn(struct traffic_path *path, uint64_t now_ms)
{
    if (path->site->path_count <= 1) {
        return;
    }
    uint64_t worth = (uint64_t)path->egress->egress.weight * capacity_of(path, now_ms);
    path->turn += TURN_COST / worth;
}

bool traffic_path_opened(struct traffic_path *path, uint64_t now_ms)
{
    struct traffic_site *site = path->site;
    if (path->turn < site->turn) {
        path->turn = site->turn; /* who did not take part meanwhile is owed nothing */
    }
    site->turn = path->turn;
    take_turn(path, now_ms);
    path->open++;
    traffic_adapt_opened(adapt_of(path), now_ms);
    return traffic_health_opened(&path->health);
}

void traffic_path_closed(struct traffic_path *path, bool is_trial, uint64_t now_ms)
{
    path->open--;
    traffic_adapt_closed(adapt_of(path));
    if (is_trial) {
        traffic_health_trial_over(&path->health, now_ms);
    }
}

/* What is asked now may be refused, so it has its place in the hour already. */
static uint64_t invalid_at(const struct traffic_path *path, uint64_t now_ms)
{
    uint32_t max = path->site->limits.invalids_per_hour;
    uint32_t recent = traffic_window_sum(&path->invalids, now_ms);
    if (recent >= max) {
        return traffic_window_room_at(&path->invalids, max, now_ms);
    }
    return path->asking < max - recent ? now_ms : TRAFFIC_NEVER;
}

uint64_t traffic_path_ask_at(const struct traffic_path *path, uint64_t now_ms)
{
    uint64_t at_ms = traffic_adapt_ask_at(adapt_seen(path), now_ms);
    uint64_t room_ms = invalid_at(path, now_ms);
    at_ms = room_ms > at_ms ? room_ms : at_ms;
    uint64_t warm_ms = traffic_warmup_ask_at(&path->warmup, now_ms);
    at_ms = warm_ms > at_ms ? warm_ms : at_ms;
    uint32_t per_day = path->egress->egress.rcpts_per_day;
    if (per_day != 0) {
        uint64_t day_ms = traffic_window_room_at(&path->egress->day, per_day, now_ms);
        at_ms = day_ms > at_ms ? day_ms : at_ms;
    }
    return at_ms;
}

bool traffic_path_may_ask(const struct traffic_path *path, bool is_trial, unsigned rcpts,
                          unsigned invalids)
{
    if (path->health.state != TRAFFIC_WELL && (!is_trial || rcpts > 0)) {
        return false;
    }
    return traffic_site_may_ask(path->site, rcpts, invalids);
}

bool traffic_path_may_pipeline(const struct traffic_path *path, bool is_trial, uint64_t now_ms)
{
    const struct traffic_health *health = &path->health;
    const struct traffic_adapt *adapt = adapt_seen(path);
    bool is_in_doubt = is_trial || !traffic_health_is_sound(health) || adapt->is_tarpit ||
                       adapt->held_back > 0 || adapt->pause_ms > 0;
    if (is_in_doubt || traffic_path_ask_at(path, now_ms) > now_ms) {
        return false;
    }
    uint64_t refused = traffic_window_sum(&path->invalids, now_ms) + (uint64_t)path->asking;
    return refused + path->open < path->site->limits.invalids_per_hour;
}

void traffic_path_asked(struct traffic_path *path, uint64_t now_ms)
{
    take_turn(path, now_ms);
    traffic_adapt_asked(adapt_of(path), now_ms);
    path->asking++;
    traffic_warmup_asked(&path->warmup, now_ms);
    traffic_window_add(&path->egress->day, 1, now_ms); /* told also where no budget counts it */
}

bool traffic_path_failed(struct traffic_path *path, const struct traffic_answer *answer,
                         uint64_t now_ms)
{
    /* Too much for one egress, or a broken way, is for the others to take over; one alone goes on trying. */
    bool is_alone = path->site->path_count <= 1 &&
                    (answer->word == TRAFFIC_WORD_RATE || answer->word == TRAFFIC_WORD_NO_WAY);
    struct traffic_rest rest = {path->site->limits.cooldown_ms, answer->hint_s};
    bool is_closing = !is_alone && traffic_health_heard(&path->health, answer->word,
                                                        answer->is_trial, rest, now_ms);
    switch (answer->word) {
    case TRAFFIC_WORD_NONE:
    case TRAFFIC_WORD_NO_WAY: break;
    case TRAFFIC_WORD_BUSY: traffic_adapt_slowed(adapt_of(path), answer->hint_s, now_ms); break;
    case TRAFFIC_WORD_GOOD:
        if (answer->is_behind) {
            traffic_adapt_followed(adapt_of(path), answer->latency_ms, answer->usual_ms);
        } else {
            traffic_adapt_answered(adapt_of(path), answer->latency_ms, answer->usual_ms);
        }
        traffic_warmup_good(&path->warmup, now_ms);
        break;
    case TRAFFIC_WORD_RATE:
        traffic_adapt_slowed(adapt_of(path), answer->hint_s, now_ms);
        traffic_warmup_bad(&path->warmup, is_closing, now_ms);
        break;
    case TRAFFIC_WORD_BLOCK_VAGUE:
    case TRAFFIC_WORD_BLOCK_LIKELY:
    case TRAFFIC_WORD_BLOCK_CERTAIN:
        traffic_warmup_bad(&path->warmup, is_closing, now_ms);
        if (!is_closing && answer->is_later) {
            traffic_adapt_slowed(adapt_of(path), answer->hint_s, now_ms);
        }
        break;
    }
    if (answer->is_timeout) {
        traffic_adapt_timed_out(adapt_of(path));
    }
    return is_closing;
}

bool traffic_path_answered(struct traffic_path *path, const struct traffic_answer *answer,
                           uint64_t now_ms)
{
    path->asking--;
    if (answer->is_invalid) {
        traffic_window_add(&path->invalids, 1, now_ms);
    }
    return traffic_path_failed(path, answer, now_ms);
}

void traffic_path_crowded(struct traffic_path *path)
{
    traffic_adapt_crowded(adapt_of(path));
}

uint32_t traffic_path_timeout_ms(const struct traffic_path *path, uint32_t usual_ms)
{
    return traffic_adapt_timeout_ms(adapt_seen(path), usual_ms, TIMEOUT_MS_MAX);
}
