/* engine/errand: addresses and routes between the knockers of a crew. The scout of a domain, found by its name, is the
 * only one that looks it up; the owner of a site, found by its key, is the only one that talks to it. An address
 * comes to the scout first and is sent to the owner, with the route where that was not told yet; an owner that has
 * forgotten the route sends the address back for it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "engine/knocker_private.h"

enum {
    ROUTE_GRACE_MS = 60000
}; /* the owner believes a route for longer than the scout: addresses that are
                                    sent for a good route do not come back */

static unsigned share_of(struct slice name, unsigned count)
{
    return count <= 1 ? 0 : (unsigned)(slice_hash(name, 0) % count);
}

unsigned knocker_scout(struct slice domain, unsigned count)
{
    return share_of(domain, count);
}

/* A domain without a way there has no site: its scout says so. */
unsigned errand_owner(const struct knocker *knocker, const struct route *route,
                      const struct provider *provider)
{
    const struct knocker_crew *crew = &knocker->config.crew;
    if (crew->count == 1 || route->status != ROUTE_OK) {
        return crew->index;
    }
    char key[TRAFFIC_KEY_BYTES];
    traffic_site_key(route, provider, key);
    return share_of(slice_of(key), crew->count);
}

static void send(struct ask *ask, const struct knocker_errand *errand)
{
    const struct knocker_crew *crew = &ask->knocker->config.crew;
    struct knocker_errand one = *errand;
    for (const struct caller *caller = ask->callers; caller != NULL; caller = caller->next) {
        one.text = caller->text;
        one.context = caller->context;
        crew->send(crew->context, &one);
        one.route = NULL;
    }
    knocker_drop(ask);
}

bool errand_leaves(struct ask *ask)
{
    const struct knocker_crew *crew = &ask->knocker->config.crew;
    struct domain *domain = ask->domain;
    if (crew->count == 1) {
        return false;
    }
    unsigned scout = knocker_scout(slice_of(domain->name), crew->count);
    bool is_ready = domain_is_ready(domain);
    struct knocker_errand errand = {.domain = slice_of(domain->name)};
    if (!is_ready && scout != crew->index) {
        errand.to = scout;
        errand.wants_route = true;
        send(ask, &errand);
        return true;
    }
    if (!is_ready || domain->owner == crew->index) {
        return false;
    }
    errand.to = domain->owner;
    if (!domain->is_owner_told) {
        domain->is_owner_told = true;
        uint64_t now = door_now_ms(ask->knocker->door);
        uint64_t until = domain->route_until_ms > now ? domain->route_until_ms : now;
        errand.route = domain->route;
        errand.route_until_ms = until + ROUTE_GRACE_MS;
        errand.dns_ms = domain->dns_ms;
    }
    send(ask, &errand);
    return true;
}

void knocker_learn_route(struct knocker *knocker, struct slice domain, struct route *route,
                         uint64_t until_ms, uint32_t dns_ms)
{
    struct domain *known;
    if (domain_get(knocker, domain, &known) != ERR_NONE) {
        route_free(route);
        return;
    }
    bool is_in_use = known->route != NULL && known->ask_count > 1;
    if (is_in_use) { /* the cases of the domain hold on to theirs */
        known->route_until_ms = until_ms;
        route_free(route);
    } else {
        domain_settle(known, route, until_ms);
        known->dns_ms = dns_ms;
    }
    domain_release(known);
}
