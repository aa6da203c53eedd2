/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/pool.h"

#include <stdlib.h>

enum err traffic_pool_init(struct traffic_pool *pool, const struct traffic_egress *egresses,
                           size_t count)
{
    *pool = (struct traffic_pool){.count = count};
    pool->egresses = calloc(count, sizeof *pool->egresses);
    if (pool->egresses == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        pool->egresses[i] = (struct traffic_pool_egress){
            .egress = egresses[i],
            .day.slot_ms = TRAFFIC_DAY_SLOT_MS,
        };
    }
    return ERR_NONE;
}

void traffic_pool_done(struct traffic_pool *pool)
{
    free(pool->egresses);
    pool->egresses = NULL;
    pool->count = 0;
}

/* Memory for one more. NULL: there is none. */
static struct traffic_path *new_path(struct traffic_site *site)
{
    if (site->room == NULL || site->is_room_taken) {
        return malloc(sizeof *site->room);
    }
    site->is_room_taken = true;
    return site->room;
}

struct traffic_path *traffic_pool_path(struct traffic_pool *pool, struct traffic_site *site,
                                       size_t egress, uint64_t now_ms)
{
    if (site->paths == NULL) {
        site->paths =
            pool->count == 1 ? &site->only : calloc(pool->count, sizeof(struct traffic_path *));
        if (site->paths == NULL) {
            return NULL;
        }
        site->path_count = pool->count;
    }
    if (site->paths[egress] == NULL) {
        struct traffic_path *path = new_path(site);
        if (path == NULL) {
            return NULL;
        }
        traffic_path_init(path, site, &pool->egresses[egress], now_ms);
        site->paths[egress] = path;
    }
    return site->paths[egress];
}

/* Looks at every egress for one choice. */
struct survey {
    uint64_t wait_ms, trial_ms; /* the earliest */
    uint64_t best_turn;
    size_t best, first;
    bool has_best, has_family, can_wait;
};

static bool reaches(const struct traffic_egress *egress, const struct traffic_wish *wish)
{
    return (wish->has_ipv4 && !egress->no_ipv4) || (wish->has_ipv6 && !egress->no_ipv6);
}

static bool is_blocked(const struct traffic_path *path, uint64_t now_ms)
{
    return path->health.state == TRAFFIC_BLOCKED && path->health.try_at_ms > now_ms;
}

static void look_at(struct survey *survey, const struct traffic_path *path, size_t index,
                    uint64_t now_ms)
{
    if (is_blocked(path, now_ms)) {
        if (path->health.try_at_ms < survey->trial_ms) {
            survey->trial_ms = path->health.try_at_ms;
        }
        return;
    }
    uint64_t at_ms = traffic_path_connect_at(path, now_ms);
    if (at_ms != TRAFFIC_NEVER) {
        uint64_t ask_ms = traffic_path_ask_at(path, now_ms);
        at_ms = at_ms > ask_ms ? at_ms : ask_ms;
    }
    if (!survey->can_wait || at_ms < survey->wait_ms) {
        survey->can_wait = true;
        survey->wait_ms = at_ms;
        survey->first = index;
    }
    if (at_ms > now_ms) {
        return;
    }
    uint64_t turn = path->turn > path->site->turn ? path->turn : path->site->turn;
    if (!survey->has_best || turn < survey->best_turn) {
        survey->has_best = true;
        survey->best = index;
        survey->best_turn = turn;
    }
}

/* One that was never used is looked at as it would begin; the only one is made at once, where there is room for it. */
static struct traffic_path *path_or_new(struct traffic_pool *pool, struct traffic_site *site,
                                        size_t index, struct traffic_path *fresh, uint64_t now_ms)
{
    struct traffic_path *path = site->paths == NULL ? NULL : site->paths[index];
    if (path == NULL && pool->count == 1 && site->room != NULL) {
        path = traffic_pool_path(pool, site, index, now_ms);
    }
    if (path == NULL) {
        path = fresh;
        traffic_path_init(path, site, &pool->egresses[index], now_ms);
    }
    traffic_warmup_turn(&path->warmup, now_ms);
    return path;
}

static bool keeps_egress(struct traffic_pool *pool, struct traffic_site *site,
                         const struct traffic_wish *wish, uint64_t now_ms)
{
    if (wish->keep == TRAFFIC_ANY || (wish->shun >> wish->keep & 1) != 0 ||
        !reaches(&pool->egresses[wish->keep].egress, wish)) {
        return false;
    }
    UNFILLED struct traffic_path fresh;
    return !is_blocked(path_or_new(pool, site, (size_t)wish->keep, &fresh, now_ms), now_ms);
}

void traffic_pool_choose(struct traffic_pool *pool, struct traffic_site *site,
                         const struct traffic_wish *wish, uint64_t now_ms,
                         struct traffic_choice *out)
{
    struct survey survey = {.wait_ms = TRAFFIC_NEVER, .trial_ms = TRAFFIC_NEVER};
    bool keeps = keeps_egress(pool, site, wish, now_ms);
    for (size_t i = 0; i < pool->count; i++) {
        if (!reaches(&pool->egresses[i].egress, wish)) {
            continue;
        }
        survey.has_family = true;
        UNFILLED struct traffic_path fresh;
        bool is_wished = keeps ? i == (size_t)wish->keep : (wish->shun >> i & 1) == 0;
        if (is_wished) {
            look_at(&survey, path_or_new(pool, site, i, &fresh, now_ms), i, now_ms);
        }
    }
    if (survey.has_best) {
        *out = (struct traffic_choice){.kind = TRAFFIC_GO, .egress = survey.best};
    } else if (survey.can_wait) {
        *out = (struct traffic_choice){
            .kind = TRAFFIC_WAIT, .egress = survey.first, .at_ms = survey.wait_ms};
    } else {
        *out = (struct traffic_choice){
            .kind = TRAFFIC_NOBODY,
            .at_ms = survey.trial_ms,
            .why = survey.has_family ? TRAFFIC_ALL_BLOCKED : TRAFFIC_NO_FAMILY,
        };
    }
}

bool traffic_pool_has_well(struct traffic_pool *pool, struct traffic_site *site,
                           const struct traffic_wish *wish, uint64_t now_ms)
{
    for (size_t i = 0; i < pool->count; i++) {
        UNFILLED struct traffic_path fresh;
        if ((wish->shun >> i & 1) == 0 && reaches(&pool->egresses[i].egress, wish) &&
            path_or_new(pool, site, i, &fresh, now_ms)->health.state == TRAFFIC_WELL) {
            return true;
        }
    }
    return false;
}
