/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "sim/world.h"

enum {
    NAME_TTL_S = 3600,
    EVENTS_BASE = 10000000,
    EVENTS_PER_ADDRESS = 4000,
};
#define RUN_MS_MAX \
    (4000ull * 24 * 3600 * 1000) /* a large far end at three refusals an hour takes its time */

struct shower {
    struct campaign_world *world;
    const struct campaign_weather *weather;
    struct timer begin, end;
};

struct campaign_world {
    const struct campaign_plan *plan;
    struct world *net;
    struct shower showers[CAMPAIGN_WEATHER_MAX];
};

/* Hosts. */

static struct world_host host_of(const struct campaign_site *site, unsigned n, bool is_v6)
{
    const struct campaign_host *host = &site->hosts[n];
    return (struct world_host){.ip = is_v6 ? host->ip6 : host->ip,
                               .behaviour = is_v6 ? host->behaviour6 : host->behaviour,
                               .script = &site->script,
                               .latency_ms = host->latency_ms,
                               .jitter_ms = site->jitter_ms,
                               .split_bytes = site->split_bytes,
                               .tls = site->tls};
}

static enum err add_hosts(struct campaign_world *world, const struct campaign_site *site)
{
    enum err e = ERR_NONE;
    for (unsigned i = 0; i < site->host_count && e == ERR_NONE; i++) {
        struct world_host host = host_of(site, i, false);
        e = world_host_add(world->net, &host);
        if (e == ERR_NONE && site->hosts[i].ip6[0] != '\0') {
            host = host_of(site, i, true);
            e = world_host_add(world->net, &host);
        }
    }
    return e;
}

/* Names. */

static enum err add_address(struct campaign_world *world, const char *name,
                            const struct campaign_host *host)
{
    struct zone *zone = world_zone(world->net);
    enum err e = zone_add(zone, name, DNS_A, host->ip, NAME_TTL_S);
    if (e == ERR_NONE && host->ip6[0] != '\0') {
        e = zone_add(zone, name, DNS_AAAA, host->ip6, NAME_TTL_S);
    }
    return e;
}

/* Exchangers of several domains of a site have one name, which gets its addresses with the first of them. */
static bool is_named(const struct campaign_world *world, const char *name)
{
    struct dns_message *answer = malloc(sizeof *answer);
    must(answer != NULL);
    (void)zone_ask(world_zone(world->net), slice_of(name), DNS_A, 1, answer);
    bool has_address = answer->answer_count > 0;
    free(answer);
    return has_address;
}

static enum err add_exchangers(struct campaign_world *world, uint32_t number, const char *owner)
{
    const struct campaign_site *site = &world->plan->sites[world->plan->domains[number].site];
    enum err e = ERR_NONE;
    for (unsigned i = 0; i < site->host_count && e == ERR_NONE; i++) {
        char name[CAMPAIGN_NAME_BYTES], value[CAMPAIGN_NAME_BYTES + 8];
        campaign_exchanger(world->plan, number, i, name);
        (void)snprintf(value, sizeof value, "%u %s", i == 0 ? 10u : 20u, name);
        e = zone_add(world_zone(world->net), owner, DNS_MX, value, NAME_TTL_S);
        if (e == ERR_NONE && !is_named(world, name)) {
            e = add_address(world, name, &site->hosts[i]);
        }
    }
    return e;
}

static enum err add_domain(struct campaign_world *world, uint32_t number)
{
    struct zone *zone = world_zone(world->net);
    const struct campaign_domain *domain = &world->plan->domains[number];
    char name[CAMPAIGN_NAME_BYTES], other[CAMPAIGN_NAME_BYTES];
    (void)snprintf(name, sizeof name, "d%u.test", number);
    (void)snprintf(other, sizeof other, "alias%u.test", number);
    enum err e = ERR_NONE;
    switch (domain->way) {
    case CAMPAIGN_WAY_MX: return add_exchangers(world, number, name);
    case CAMPAIGN_WAY_IMPLICIT:
        return add_address(world, name, &world->plan->sites[domain->site].hosts[0]);
    case CAMPAIGN_WAY_ALIAS:
        e = zone_add(zone, name, DNS_CNAME, other, NAME_TTL_S);
        return e == ERR_NONE ? add_exchangers(world, number, other) : e;
    case CAMPAIGN_WAY_NXDOMAIN: return ERR_NONE;
    case CAMPAIGN_WAY_NULL_MX: return zone_add(zone, name, DNS_MX, "0 .", NAME_TTL_S);
    case CAMPAIGN_WAY_NO_HOST: return zone_add(zone, name, DNS_MX, "10 nowhere.test", NAME_TTL_S);
    case CAMPAIGN_WAY_UNROUTABLE:
        e = zone_add(zone, name, DNS_MX, "10 private.test", NAME_TTL_S);
        return e == ERR_NONE && !is_named(world, "private.test")
                   ? zone_add(zone, "private.test", DNS_A, "10.1.2.3", NAME_TTL_S)
                   : e;
    case CAMPAIGN_WAY_SERVFAIL: return zone_fail(zone, name, ZONE_SERVFAIL);
    case CAMPAIGN_WAY_TIMEOUT: return zone_fail(zone, name, ZONE_TIMEOUT);
    case CAMPAIGN_WAY_REFUSED: return zone_fail(zone, name, ZONE_REFUSED);
    case CAMPAIGN_WAY_BROKEN: return zone_fail(zone, name, ZONE_BROKEN);
    }
    return e;
}

/* Weather. */

static void change(const struct shower *shower, bool is_over)
{
    struct campaign_world *world = shower->world;
    const struct campaign_weather *weather = shower->weather;
    if (weather->is_dns) {
        char name[CAMPAIGN_NAME_BYTES];
        (void)snprintf(name, sizeof name, "d%u.test", weather->domain);
        must(zone_fail(world_zone(world->net), name, is_over ? ZONE_WELL : weather->failure) ==
             ERR_NONE);
        return;
    }
    const struct campaign_site *site = &world->plan->sites[weather->site];
    for (unsigned i = 0; i < site->host_count; i++) {
        struct world_host host = host_of(site, i, false);
        host.behaviour = is_over ? host.behaviour : weather->behaviour;
        must(world_host_change(world->net, &host) == ERR_NONE);
    }
}

static void on_begin(void *context)
{
    change(context, false);
}

static void on_end(void *context)
{
    change(context, true);
}

static void forecast(struct campaign_world *world)
{
    struct door *door = world_door(world->net);
    uint64_t now_ms = door_now_ms(door);
    for (unsigned i = 0; i < world->plan->weather_count; i++) {
        const struct campaign_weather *weather = &world->plan->weather[i];
        struct shower *shower = &world->showers[i];
        shower->world = world;
        shower->weather = weather;
        shower->begin = (struct timer){.fired = on_begin, .context = shower};
        shower->end = (struct timer){.fired = on_end, .context = shower};
        door_timer_start(door, &shower->begin, now_ms + weather->from_ms);
        door_timer_start(door, &shower->end, now_ms + weather->to_ms);
    }
}

enum err campaign_world_new(const struct campaign_plan *plan, struct campaign_world **out)
{
    struct campaign_world *world = calloc(1, sizeof *world);
    if (world == NULL) {
        return ERR_NOMEM;
    }
    const struct world_config config = {
        .seed = plan->options.seed,
        .run_ms_max = RUN_MS_MAX,
        .events_max = EVENTS_BASE + (uint64_t)plan->options.addresses * EVENTS_PER_ADDRESS};
    world->plan = plan;
    enum err e = world_new(&config, &world->net);
    for (uint32_t i = 0; i < plan->site_count && e == ERR_NONE; i++) {
        e = add_hosts(world, &plan->sites[i]);
    }
    for (uint32_t i = 0; i < plan->domain_count && e == ERR_NONE; i++) {
        e = add_domain(world, i);
    }
    if (e != ERR_NONE) {
        campaign_world_free(world);
        return e;
    }
    forecast(world);
    *out = world;
    return ERR_NONE;
}

void campaign_world_free(struct campaign_world *world)
{
    if (world != NULL) {
        world_free(world->net);
        free(world);
    }
}

struct world *campaign_world_net(struct campaign_world *world)
{
    return world->net;
}
