/* sim/world: the clock, hosts and names; lines are sim/world_line.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/world_private.h"

enum {
    DNS_LATENCY_MS = 20,
    DNS_TIMEOUT_MS = 5000,
    MESSAGE_BYTES_MAX = 65535,
};
#define RUN_MS_MAX       (40ull * 24 * 3600 * 1000)
#define EVENTS_MAX       50000000ull
#define WALL_START_MS    1790000000000ll /* a day in 2026 */
#define FIRST_INSTANT_MS 1000

static struct world *of(struct door *door)
{
    return (struct world *)(void *)door;
}

/* Time. */

static uint64_t op_now(struct door *door)
{
    return of(door)->now_ms;
}

static int64_t op_wall(struct door *door)
{
    const struct world *world = of(door);
    return world->config.wall_start_ms + (int64_t)(world->now_ms - FIRST_INSTANT_MS);
}

static void op_random(struct door *door, void *at, size_t len)
{
    char *bytes = at;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)(random_next(&of(door)->random) >> 32);
    }
}

static void op_timer_start(struct door *door, struct timer *timer, uint64_t due_ms)
{
    must(timers_put(&of(door)->timers, timer, due_ms) == ERR_NONE);
}

static void op_timer_stop(struct door *door, struct timer *timer)
{
    timers_remove(&of(door)->timers, timer);
}

static void happen(struct world *world, struct timer *event)
{
    world->counts.events++;
    if (event->due_ms > world->now_ms) {
        world->now_ms = event->due_ms;
    }
    timers_remove(&world->timers, event);
    event->fired(event->context);
    if (world->watcher != NULL && world->watcher->moved != NULL) {
        world->watcher->moved(world->watcher->context, world->now_ms);
    }
}

static void run(struct world *world, uint64_t until_ms)
{
    world->is_stopped = false;
    world->is_cut = false;
    uint64_t end_ms = FIRST_INSTANT_MS + world->config.run_ms_max;
    struct timer *first;
    while (!world->is_stopped && (first = timers_first(&world->timers)) != NULL &&
           first->due_ms <= until_ms) {
        if (first->due_ms > end_ms || world->counts.events >= world->config.events_max) {
            world->is_cut = true;
            return;
        }
        happen(world, first);
    }
}

static void op_run(struct door *door)
{
    run(of(door), UINT64_MAX);
}

void world_run_until(struct world *world, uint64_t until_ms)
{
    run(world, until_ms);
    if (!world->is_stopped && !world->is_cut && until_ms > world->now_ms) {
        world->now_ms = until_ms;
    }
}

void world_cut_off(struct world *world, const struct ip *client, enum link_end why)
{
    world->cut_off = *client;
    world->cut_off_why = why;
}

void world_mute(struct world *world, bool is_mute)
{
    world->is_mute = is_mute;
}

/* Work takes no time here, so nothing can be due. */
static void op_turn(struct door *door)
{
    (void)door;
}

static void op_stop(struct door *door)
{
    of(door)->is_stopped = true;
}

/* Names. */

struct world_query {
    struct world_query *next, **place;
    struct world *world;
    struct timer timer;
    query_fn fn;
    void *context;
    uint16_t type;
    bool is_too_long; /* the name: no question can carry it */
    char name[DNS_NAME_BYTES];
};

static void query_free(struct world_query *query)
{
    *query->place = query->next;
    if (query->next != NULL) {
        query->next->place = query->place;
    }
    free(query);
}

static void on_query_due(void *context)
{
    struct world_query *query = context;
    struct world *world = query->world;
    query_fn fn = query->fn;
    void *asker = query->context;
    struct dns_message *answer = malloc(sizeof *answer);
    must(answer != NULL);
    enum zone_failure failure =
        zone_ask(world->zone, slice_of(query->name), query->type, 1, answer);
    struct buf bytes;
    buf_init(&bytes, MESSAGE_BYTES_MAX);
    enum query_status status = query->is_too_long             ? QUERY_FAILED
                               : failure == ZONE_TIMEOUT      ? QUERY_TIMEOUT
                               : failure == ZONE_NONE_REACHED ? QUERY_REFUSED
                                                              : QUERY_ANSWERED;
    if (failure == ZONE_BROKEN && status == QUERY_ANSWERED) {
        must(buf_append(&bytes, SLICE("bytes")) == ERR_NONE);
    } else if (status == QUERY_ANSWERED && dns_message_write(answer, &bytes) != ERR_NONE) {
        status = QUERY_FAILED;
    }
    free(answer);
    query_free(query);
    fn(asker, status, buf_view(&bytes));
    buf_done(&bytes);
}

static void op_query(struct door *door, struct slice name, uint16_t type, query_fn fn,
                     void *context)
{
    struct world *world = of(door);
    struct world_query *query = calloc(1, sizeof *query);
    must(query != NULL);
    bool is_too_long = name.len >= sizeof query->name;
    name = is_too_long ? SLICE_NONE : name;
    *query = (struct world_query){.world = world,
                                  .timer = {.fired = on_query_due, .context = query},
                                  .fn = fn,
                                  .context = context,
                                  .type = type,
                                  .is_too_long = is_too_long};
    memcpy(query->name, name.at, name.len);
    query->place = &world->queries;
    query->next = world->queries;
    if (query->next != NULL) {
        query->next->place = &query->next;
    }
    world->queries = query;
    world->counts.queries++;
    struct dns_message *probe = malloc(sizeof *probe);
    must(probe != NULL);
    bool is_silent = zone_ask(world->zone, name, type, 1, probe) == ZONE_TIMEOUT;
    free(probe);
    op_timer_start(door, &query->timer,
                   world->now_ms +
                       (is_silent ? world->config.dns_timeout_ms : world->config.dns_latency_ms));
}

static bool op_has_ipv6(struct door *door)
{
    return !of(door)->config.no_ipv6;
}

static struct ip op_own_address(struct door *door, enum ip_family family)
{
    const struct world_config *config = &of(door)->config;
    if (family == IP_V6 ? config->no_ipv6 : config->no_ipv4) {
        return (struct ip){0};
    }
    return family == IP_V6 ? config->own_v6 : config->own_v4;
}

/* The world. */

static const struct door_ops world_ops = {
    .now_ms = op_now,
    .wall_ms = op_wall,
    .random_bytes = op_random,
    .timer_start = op_timer_start,
    .timer_stop = op_timer_stop,
    .connect = world_line_connect,
    .link_send = world_line_send,
    .link_start_tls = world_line_start_tls,
    .link_close = world_line_close,
    .query = op_query,
    .has_ipv6 = op_has_ipv6,
    .own_address = op_own_address,
    .run = op_run,
    .turn = op_turn,
    .stop = op_stop,
};

static void settle_config(struct world_config *config)
{
    config->dns_latency_ms = config->dns_latency_ms == 0 ? DNS_LATENCY_MS : config->dns_latency_ms;
    config->dns_timeout_ms = config->dns_timeout_ms == 0 ? DNS_TIMEOUT_MS : config->dns_timeout_ms;
    config->run_ms_max = config->run_ms_max == 0 ? RUN_MS_MAX : config->run_ms_max;
    config->events_max = config->events_max == 0 ? EVENTS_MAX : config->events_max;
    config->wall_start_ms = config->wall_start_ms == 0 ? WALL_START_MS : config->wall_start_ms;
    if (config->own_v4.family == IP_NONE) {
        must(ip_parse(SLICE("198.51.100.7"), &config->own_v4));
    }
    if (config->own_v6.family == IP_NONE) {
        must(ip_parse(SLICE("2001:db8:7::7"), &config->own_v6));
    }
}

enum err world_new(const struct world_config *config, struct world **out)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL || zone_new(&world->zone) != ERR_NONE) {
        free(world);
        return ERR_NOMEM;
    }
    world->door.ops = &world_ops;
    world->config = *config;
    settle_config(&world->config);
    world->now_ms = FIRST_INSTANT_MS;
    world->random.state = config->seed;
    map_init(&world->hosts, config->seed);
    *out = world;
    return ERR_NONE;
}

void world_free(struct world *world)
{
    if (world == NULL) {
        return;
    }
    while (world->queries != NULL) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the one before took itself out of the list, by its place */
        query_free(world->queries);
    }
    while (world->lines != NULL) {
        world_line_free(world->lines);
    }
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&world->hosts, &cursor, &key, &value)) {
        struct world_place *place = value;
        peer_server_free(place->server);
        free(place);
    }
    map_done(&world->hosts);
    timers_done(&world->timers);
    zone_free(world->zone);
    free(world);
}

struct door *world_door(struct world *world)
{
    return &world->door;
}

struct zone *world_zone(struct world *world)
{
    return world->zone;
}

/* Hosts. */

static bool place_key(const char *ip_text, uint16_t port, char out[WORLD_KEY_BYTES])
{
    struct ip ip;
    if (!ip_parse(slice_of(ip_text), &ip)) {
        return false;
    }
    world_place_key(&ip, port == 0 ? 25 : port, out);
    return true;
}

static struct world_place *place_at(struct world *world, const char *ip, uint16_t port)
{
    char key[WORLD_KEY_BYTES];
    return place_key(ip, port, key) ? map_find(&world->hosts, slice_of(key)) : NULL;
}

void world_place_key(const struct ip *ip, uint16_t port, char out[WORLD_KEY_BYTES])
{
    char text[IP_TEXT_BYTES];
    (void)snprintf(out, WORLD_KEY_BYTES, "%s|%u", ip_format(ip, text), (unsigned)port);
}

static enum err give_server(struct world *world, struct world_place *place)
{
    if (place->host.script == NULL) {
        return ERR_NONE;
    }
    if (place->server != NULL) {
        peer_server_change(place->server, place->host.script);
        return ERR_NONE;
    }
    return peer_server_new(place->host.script, random_next(&world->random), &place->server);
}

enum err world_host_add(struct world *world, const struct world_host *host)
{
    char key[WORLD_KEY_BYTES];
    if (!place_key(host->ip, host->port, key)) {
        return ERR_SYNTAX;
    }
    if (map_find(&world->hosts, slice_of(key)) != NULL) {
        return ERR_STATE;
    }
    struct world_place *place = calloc(1, sizeof *place);
    if (place == NULL) {
        return ERR_NOMEM;
    }
    place->host = *host;
    place->host.latency_ms = host->latency_ms == 0 ? 10 : host->latency_ms;
    memcpy(place->key, key, sizeof key);
    if (map_put(&world->hosts, slice_of(place->key), place) != ERR_NONE) {
        free(place);
        return ERR_NOMEM;
    }
    return give_server(world, place);
}

enum err world_host_change(struct world *world, const struct world_host *host)
{
    struct world_place *place = place_at(world, host->ip, host->port);
    if (place == NULL) {
        return ERR_STATE;
    }
    place->host = *host;
    place->host.latency_ms = host->latency_ms == 0 ? 10 : host->latency_ms;
    return give_server(world, place);
}

struct peer_server *world_host_server(struct world *world, const char *ip, uint16_t port)
{
    struct world_place *place = place_at(world, ip, port);
    return place == NULL ? NULL : place->server;
}

void world_host_count(struct world *world, const char *ip, uint16_t port,
                      struct world_host_counts *out)
{
    const struct world_place *place = place_at(world, ip, port);
    *out = place == NULL ? (struct world_host_counts){0} : place->counts;
}

void world_count(const struct world *world, struct world_counts *out)
{
    *out = world->counts;
}

uint64_t world_traffic_hash(const struct world *world)
{
    return world->hash;
}

void world_set_wall(struct world *world, int64_t by_ms)
{
    world->config.wall_start_ms += by_ms;
}

bool world_is_cut(const struct world *world)
{
    return world->is_cut;
}

void world_watch(struct world *world, const struct world_watcher *watcher)
{
    world->watcher = watcher;
}
