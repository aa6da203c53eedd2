/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/saved.h"

#include <inttypes.h>

#include "base/reader.h"
#include "base/slice.h"

enum {
    NUMBERS_MAX = TRAFFIC_WINDOW_SLOTS + 1,
    WORTH_SHARE = 4, /* of the hour's refusals: fewer at somebody's own server are forgotten */
    DAY_MS = 86400000,
    SINGLE_DAYS = 30, /* after that, several at once are tried again */
};

/* Writing. */

static enum err item(struct buf *out, struct slice egress, const char *name)
{
    const char *space = out->len == 0 ? "" : " ";
    return egress.len == 0 ? buf_printf(out, "%s%s=", space, name)
                           : buf_printf(out, "%s%.*s:%s=", space, SLICE_ARG(egress), name);
}

static enum err write_numbers(struct buf *out, const uint64_t *numbers, size_t count)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = buf_printf(out, "%s%" PRIu64, i == 0 ? "" : ",", numbers[i]);
    }
    return e;
}

static enum err write_item(struct buf *out, struct slice egress, const char *name,
                           const uint64_t *numbers, size_t count)
{
    enum err e = item(out, egress, name);
    return e == ERR_NONE ? write_numbers(out, numbers, count) : e;
}

/* The number of the newest slot, then counts from there backwards as far as there are any. */
static enum err write_window(struct buf *out, struct slice egress, const char *name,
                             const struct traffic_window *window, uint64_t now_ms)
{
    if (traffic_window_sum(window, now_ms) == 0) {
        return ERR_NONE;
    }
    uint64_t numbers[NUMBERS_MAX] = {window->newest};
    size_t count = 1;
    for (size_t i = 0; i < TRAFFIC_WINDOW_SLOTS && i <= window->newest; i++) {
        numbers[i + 1] = window->counts[(window->newest - i) % TRAFFIC_WINDOW_SLOTS];
        count = numbers[i + 1] != 0 ? i + 2 : count;
    }
    return write_item(out, egress, name, numbers, count);
}

static enum err write_adapt(struct buf *out, struct slice egress, const struct traffic_adapt *adapt)
{
    if (!traffic_adapt_has_learned(adapt)) {
        return ERR_NONE;
    }
    const uint64_t numbers[] = {adapt->ceiling,   adapt->connections, adapt->pause_ms,
                                adapt->is_tarpit, adapt->patience,    adapt->baseline_us};
    return write_item(out, egress, "adapt", numbers, sizeof numbers / sizeof numbers[0]);
}

static enum err write_health(struct buf *out, struct slice egress,
                             const struct traffic_health *health)
{
    if (health->state == TRAFFIC_WELL && health->share == 0) {
        return ERR_NONE;
    }
    /* A trial that nobody lives to see is a trial to be made. */
    uint64_t state = health->state == TRAFFIC_WELL ? TRAFFIC_WELL : TRAFFIC_BLOCKED;
    const uint64_t numbers[] = {state, health->strikes, health->share, health->good,
                                health->try_at_ms};
    return write_item(out, egress, "health", numbers, sizeof numbers / sizeof numbers[0]);
}

static enum err write_warmup(struct buf *out, struct slice egress,
                             const struct traffic_warmup *warmup, uint64_t now_ms)
{
    if (!warmup->is_on || warmup->day == 0) {
        return ERR_NONE;
    }
    const uint64_t numbers[] = {warmup->stage, warmup->day, warmup->good, warmup->bad,
                                warmup->has_fallen};
    enum err e = write_item(out, egress, "warm", numbers, sizeof numbers / sizeof numbers[0]);
    return e == ERR_NONE ? write_window(out, egress, "asked", &warmup->asked, now_ms) : e;
}

/* A provider's limit is kept to the last one. Of a million small servers, most of which refuse a name or two, nearly
 * none comes near its own: those are not worth a write each. */
static bool has_refusals(const struct traffic_path *path, uint64_t now_ms)
{
    uint64_t refused = traffic_window_sum(&path->invalids, now_ms);
    return path->site->is_shared_system ||
           refused * WORTH_SHARE >= path->site->limits.invalids_per_hour;
}

static enum err write_path(struct buf *out, const struct traffic_path *path, uint64_t now_ms)
{
    struct slice name = path->egress->egress.name;
    enum err e = ERR_NONE;
    if (path->site->is_shared_system) {
        e = write_adapt(out, name, &path->adapt);
    }
    if (e == ERR_NONE) {
        e = write_health(out, name, &path->health);
    }
    if (e == ERR_NONE) {
        e = write_warmup(out, name, &path->warmup, now_ms);
    }
    if (e == ERR_NONE && has_refusals(path, now_ms)) {
        e = write_window(out, name, "refused", &path->invalids, now_ms);
    }
    return e;
}

enum err traffic_site_save(const struct traffic_site *site, const struct traffic_pool *pool,
                           uint64_t now_ms, struct buf *out)
{
    const struct traffic_limits *now = &site->limits;
    const struct traffic_limits *before = &site->configured;
    enum err e = ERR_NONE;
    if (now->rcpts_per_connection < before->rcpts_per_connection ||
        now->rcpts_per_transaction < before->rcpts_per_transaction) {
        const uint64_t numbers[] = {now->rcpts_per_connection, now->rcpts_per_transaction};
        e = write_item(out, SLICE_NONE, "rcpts", numbers, 2);
    }
    if (e == ERR_NONE && !site->is_shared_system) {
        e = write_adapt(out, SLICE_NONE, &site->adapt);
    }
    /* A provider has many machines, and its entry says what they bear: one lost line is not for the next run. */
    if (e == ERR_NONE && !site->is_shared_system && site->broke_ms != 0) {
        e = write_item(out, SLICE_NONE, "single", &site->broke_ms, 1);
    }
    for (size_t i = 0; e == ERR_NONE && i < pool->count && i < site->path_count; i++) {
        if (site->paths[i] != NULL) {
            e = write_path(out, site->paths[i], now_ms);
        }
    }
    return e;
}

enum err traffic_egress_save(const struct traffic_pool_egress *egress, uint64_t now_ms,
                             struct buf *out)
{
    return write_window(out, SLICE_NONE, "day", &egress->day, now_ms);
}

/* Reading. */

struct numbers {
    uint64_t at[NUMBERS_MAX];
    size_t count;
};

static bool read_numbers(struct slice text, struct numbers *out)
{
    *out = (struct numbers){.count = 0};
    while (text.at != NULL) {
        struct reader r = reader_over(slice_cut(&text, ','));
        if (out->count == NUMBERS_MAX || !reader_number(&r, UINT64_MAX, &out->at[out->count]) ||
            !reader_is_done(&r)) {
            return false;
        }
        out->count++;
    }
    return true;
}

/* All at most their bound, and as many as there are bounds. */
static bool fits(const struct numbers *numbers, const uint64_t *bounds, size_t count)
{
    if (numbers->count != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (numbers->at[i] > bounds[i]) {
            return false;
        }
    }
    return true;
}

static unsigned lower(unsigned configured, uint64_t learned)
{
    return learned != 0 && learned < configured ? (unsigned)learned : configured;
}

/* A clock that was ahead when it was written would hold us up until then. */
static void read_window(const struct numbers *n, struct traffic_window *window, uint64_t now_ms)
{
    if (n->count < 2 || n->at[0] > now_ms / window->slot_ms + 1) {
        return;
    }
    window->newest = n->at[0];
    for (size_t i = 1; i < n->count && i <= window->newest + 1; i++) {
        uint64_t count = n->at[i] < UINT32_MAX ? n->at[i] : UINT32_MAX;
        traffic_window_restore(window, window->newest - (i - 1), (uint32_t)count);
    }
}

static void read_adapt(const struct numbers *n, struct traffic_adapt *adapt)
{
    static const uint64_t bounds[] = {UINT32_MAX, UINT32_MAX,           TRAFFIC_PAUSE_MS_MAX,
                                      1,          TRAFFIC_PATIENCE_MAX, 600000000};
    if (!fits(n, bounds, sizeof bounds / sizeof bounds[0])) {
        return;
    }
    adapt->ceiling = lower(adapt->pace.connections, n->at[0]);
    adapt->connections = lower(adapt->ceiling, n->at[1]);
    adapt->pause_ms = (uint32_t)n->at[2];
    adapt->is_tarpit = n->at[3] != 0;
    adapt->patience = (uint8_t)n->at[4];
    adapt->baseline_us = adapt->recent_us = (uint32_t)n->at[5];
}

static void read_health(const struct numbers *n, struct traffic_health *health, uint64_t now_ms)
{
    const uint64_t bounds[] = {TRAFFIC_BLOCKED, TRAFFIC_STRIKES_MAX, TRAFFIC_SHARE_FULL, UINT16_MAX,
                               now_ms + TRAFFIC_TRY_MS_MAX};
    if (!fits(n, bounds, sizeof bounds / sizeof bounds[0])) {
        return;
    }
    *health = (struct traffic_health){
        .state = (uint8_t)n->at[0],
        .strikes = (uint8_t)n->at[1],
        .share = (uint8_t)n->at[2],
        .good = (uint16_t)n->at[3],
        .try_at_ms = n->at[4],
    };
}

static void read_warmup(const struct numbers *n, struct traffic_warmup *warmup, uint64_t now_ms)
{
    const uint64_t bounds[] = {TRAFFIC_WARMUP_STAGES, now_ms / DAY_MS + 1, UINT32_MAX, UINT32_MAX,
                               1};
    if (!warmup->is_on || !fits(n, bounds, sizeof bounds / sizeof bounds[0])) {
        return;
    }
    warmup->stage = (uint8_t)n->at[0];
    warmup->day = n->at[1];
    warmup->good = (uint32_t)n->at[2];
    warmup->bad = (uint32_t)n->at[3];
    warmup->has_fallen = n->at[4] != 0;
}

static void read_path(struct slice name, const struct numbers *n, struct traffic_path *path,
                      uint64_t now_ms)
{
    if (slice_equal(name, SLICE("adapt"))) {
        read_adapt(n, &path->adapt);
    } else if (slice_equal(name, SLICE("health"))) {
        read_health(n, &path->health, now_ms);
    } else if (slice_equal(name, SLICE("warm"))) {
        read_warmup(n, &path->warmup, now_ms);
    } else if (slice_equal(name, SLICE("asked"))) {
        read_window(n, &path->warmup.asked, now_ms);
    } else if (slice_equal(name, SLICE("refused"))) {
        read_window(n, &path->invalids, now_ms);
    }
}

/* One by one since then. A clock that was ahead when it was written would hold us up for longer. */
static void read_single(uint64_t since_ms, struct traffic_site *site, uint64_t now_ms)
{
    if (since_ms != 0 && since_ms <= now_ms && now_ms - since_ms < (uint64_t)SINGLE_DAYS * DAY_MS) {
        traffic_site_pipeline_broke(site, since_ms);
    }
}

static void read_site(struct slice name, const struct numbers *n, struct traffic_site *site,
                      uint64_t now_ms)
{
    if (slice_equal(name, SLICE("adapt"))) {
        read_adapt(n, &site->adapt);
    } else if (slice_equal(name, SLICE("single")) && n->count == 1) {
        read_single(n->at[0], site, now_ms);
    } else if (slice_equal(name, SLICE("rcpts")) && n->count == 2) {
        site->limits.rcpts_per_connection = lower(site->configured.rcpts_per_connection, n->at[0]);
        site->limits.rcpts_per_transaction =
            lower(site->configured.rcpts_per_transaction, n->at[1]);
    }
}

static bool find_egress(const struct traffic_pool *pool, struct slice name, size_t *out)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (slice_equal(pool->egresses[i].egress.name, name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static enum err read_item(struct traffic_site *site, struct traffic_pool *pool, struct slice text,
                          uint64_t now_ms)
{
    struct slice name = slice_cut(&text, '=');
    struct numbers numbers;
    if (text.at == NULL || !read_numbers(text, &numbers)) {
        return ERR_NONE;
    }
    size_t colon = slice_find_byte(name, ':', 0);
    if (colon == name.len) {
        read_site(name, &numbers, site, now_ms);
        return ERR_NONE;
    }
    size_t egress;
    if (!find_egress(pool, slice_sub(name, 0, colon), &egress)) {
        return ERR_NONE;
    }
    struct traffic_path *path = traffic_pool_path(pool, site, egress, now_ms);
    if (path == NULL) {
        return ERR_NOMEM;
    }
    read_path(slice_sub(name, colon + 1, name.len), &numbers, path, now_ms);
    return ERR_NONE;
}

enum err traffic_site_load(struct traffic_site *site, struct traffic_pool *pool, struct slice text,
                           uint64_t now_ms)
{
    enum err e = ERR_NONE;
    while (text.at != NULL && e == ERR_NONE) {
        e = read_item(site, pool, slice_cut(&text, ' '), now_ms);
    }
    return e;
}

void traffic_egress_load(struct traffic_pool_egress *egress, struct slice text, uint64_t now_ms)
{
    while (text.at != NULL) {
        struct slice value = slice_cut(&text, ' ');
        struct slice name = slice_cut(&value, '=');
        struct numbers numbers;
        if (value.at != NULL && slice_equal(name, SLICE("day")) && read_numbers(value, &numbers)) {
            read_window(&numbers, &egress->day, now_ms);
        }
    }
}
