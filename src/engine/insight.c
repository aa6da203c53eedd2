/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/insight.h"

#include <stdio.h>
#include <string.h>

#include "address/lists.h"
#include "address/normal.h"
#include "base/date.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/knocker_private.h"

/* ---- an address' past ---- */

static void on_fact(void *context, const struct store_fact *fact)
{
    struct json_writer *w = context;
    char time[DATE_TIME_BYTES];
    struct slice rest = fact->detail;
    struct slice sub = slice_cut(&rest, ' ');
    json_open(w, NULL, '{');
    json_string(w, "at", slice_of(date_time_text(fact->at_ms, time)));
    json_string(w, "kind", fact->kind);
    enum verdict_sub parsed;
    if (verdict_sub_parse(sub, &parsed)) {
        json_string(w, "status", slice_of(verdict_status_name(verdict_status_of(parsed))));
    } else {
        json_null(w, "status");
    }
    json_string(w, "sub_status", sub);
    if (rest.at != NULL && rest.len > 0) {
        json_string(w, "server", rest);
    } else {
        json_null(w, "server");
    }
    json_string(w, "egress", fact->source);
    json_close(w, '}');
}

enum err insight_write_history(struct store *store, struct slice address, size_t limit,
                               struct buf *out)
{
    struct hel_address parsed;
    struct hel_address_error error;
    char key[HEL_WIRE_BYTES];
    struct json_writer w;
    if (hel_address_parse(address, HEL_ADDRESS_PRACTICAL, &parsed, &error) != ERR_NONE) {
        return ERR_SYNTAX;
    }
    address_key(&parsed, key);
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "email", address);
    json_open(&w, "history", '[');
    enum err e = store_fact_each(store, slice_of(key), limit, on_fact, &w);
    json_close(&w, ']');
    json_close(&w, '}');
    return e != ERR_NONE ? e : w.err;
}

/* ---- a domain ---- */

static void write_provider(struct json_writer *w, const struct provider *provider)
{
    json_open(w, "provider", '{');
    json_string(w, "name", provider->name);
    json_string(w, "label", provider->label);
    json_string(w, "class", slice_of(provider_class_name(provider->class)));
    json_close(w, '}');
}

static void write_route(struct json_writer *w, const struct route *route)
{
    json_string(w, "route", slice_of(route_status_name(route->status)));
    json_bool(w, "implicit_mx", route->is_implicit_mx);
    json_open(w, "mx", '[');
    for (size_t i = 0; i < route->exchanger_count; i++) {
        json_open(w, NULL, '{');
        json_string(w, "host", slice_of(route->exchangers[i].host));
        json_int(w, "preference", route->exchangers[i].preference);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_flags(struct json_writer *w, struct knocker *knocker, struct slice name)
{
    struct domain_flags flags;
    (void)list_reader_renew(&knocker->lists); /* they are there since the start */
    domain_flags(list_reader_lists(&knocker->lists), name, NULL, 0, &flags);
    json_open(w, "flags", '{');
    json_bool(w, "is_disposable", flags.is_disposable);
    json_bool(w, "is_free", flags.is_free);
    json_bool(w, "is_gov", flags.is_gov);
    json_bool(w, "is_edu", flags.is_edu);
    json_close(w, '}');
}

/* What controls taught: true where the last one was accepted; null where none was asked. */
static void write_catch_all(struct json_writer *w, const struct verify_domain *memory)
{
    bool was_refused = false;
    bool was_accepted = false;
    for (size_t i = 0; i < VERIFY_SHAPES_MAX; i++) {
        was_refused = was_refused || memory->controls[i].state == CONTROL_REFUSED;
        was_accepted = was_accepted || memory->controls[i].state == CONTROL_ACCEPTED;
    }
    if (was_accepted || was_refused) {
        json_bool(w, "catch_all", was_accepted);
    } else {
        json_null(w, "catch_all");
    }
}

/* The ASCII form of a domain, lower case, as an address of it has it. */
static bool name_of(struct slice text, char out[HEL_WIRE_BYTES], struct slice *out_name)
{
    struct hel_address address;
    struct hel_address_error error;
    char probe[HEL_WIRE_BYTES];
    int len =
        snprintf(probe, sizeof probe, "a@%.*s", SLICE_ARG(slice_sub(text, 0, HEL_WIRE_BYTES)));
    if (len >= HEL_WIRE_BYTES ||
        hel_address_parse(slice_make(probe, (size_t)len), HEL_ADDRESS_STRICT, &address, &error) !=
            ERR_NONE) {
        return false;
    }
    struct slice wire = hel_address_wire(&address);
    size_t at = slice_find_last_byte(wire, '@');
    struct slice name = slice_sub(wire, at + 1, wire.len);
    memcpy(out, name.at, name.len);
    for (size_t i = 0; i < name.len; i++) {
        out[i] = ascii_lower(out[i]);
    }
    *out_name = slice_make(out, name.len);
    return at < wire.len;
}

enum err insight_write_domain(struct knocker *knocker, struct slice text, struct buf *out)
{
    char room[HEL_WIRE_BYTES];
    struct slice name;
    struct json_writer w;
    if (!name_of(text, room, &name)) {
        return ERR_SYNTAX;
    }
    const struct domain *domain = map_find(&knocker->domains, name);
    bool is_known = domain != NULL && domain->route != NULL;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "domain", name);
    json_bool(&w, "known", is_known);
    write_flags(&w, knocker, name);
    if (is_known) {
        write_route(&w, domain->route);
        write_catch_all(&w, &domain->memory);
        if (domain->provider != NULL) {
            write_provider(&w, domain->provider);
        }
        json_string(&w, "site", slice_of(domain->site == NULL ? "" : domain->site->key));
    }
    json_close(&w, '}');
    return w.err;
}

/* ---- ways out and far ends ---- */

static const char *health_name(const struct traffic_health *health)
{
    switch ((enum traffic_health_state)health->state) {
    case TRAFFIC_WELL: return traffic_health_is_sound(health) ? "well" : "recovering";
    case TRAFFIC_BLOCKED: return "blocked";
    case TRAFFIC_TRYING: break;
    }
    return "trying";
}

/* At how many sites this way out is not well. */
static unsigned count_blocked(const struct knocker *knocker, size_t egress)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    unsigned count = 0;
    while (map_next(&knocker->sites, &cursor, &key, &value)) {
        const struct traffic_site *site = &((const struct site *)value)->traffic;
        const struct traffic_path *path = egress < site->path_count ? site->paths[egress] : NULL;
        count += path != NULL && path->health.state != TRAFFIC_WELL ? 1 : 0;
    }
    return count;
}

enum err insight_write_egresses(struct knocker *knocker, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_open(&w, "egresses", '[');
    for (size_t i = 0; i < knocker->pool.count; i++) {
        const struct traffic_pool_egress *egress = &knocker->pool.egresses[i];
        json_open(&w, NULL, '{');
        json_string(&w, "name", egress->egress.name);
        json_ip(&w, "source_v4", &egress->egress.source_v4);
        json_ip(&w, "source_v6", &egress->egress.source_v6);
        json_bool(&w, "proxy", egress->egress.proxy != NULL);
        json_string(&w, "helo", egress->egress.helo_name);
        json_int(&w, "weight", egress->egress.weight);
        json_int(&w, "budget", egress->egress.rcpts_per_day);
        json_int(&w, "asked_24h", traffic_window_sum(&egress->day, knocker_traffic_ms(knocker)));
        json_int(&w, "blocked_sites", count_blocked(knocker, i));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return w.err;
}

static void write_path(struct json_writer *w, const struct traffic_path *path, uint64_t now_ms)
{
    json_open(w, NULL, '{');
    json_string(w, "egress", path->egress->egress.name);
    json_string(w, "health", slice_of(health_name(&path->health)));
    json_int(w, "open", path->open);
    json_int(w, "refused_last_hour", traffic_window_sum(&path->invalids, now_ms));
    if (path->health.state == TRAFFIC_BLOCKED && path->health.try_at_ms > now_ms) {
        json_int(w, "again_in", (int64_t)((path->health.try_at_ms - now_ms) / 1000));
    } else {
        json_null(w, "again_in");
    }
    json_close(w, '}');
}

static void write_site(struct json_writer *w, const struct site *site, uint64_t now_ms)
{
    const struct traffic_limits *limits = &site->traffic.limits;
    json_open(w, NULL, '{');
    json_string(w, "site", slice_of(site->key));
    write_provider(w, site->provider);
    json_int(w, "domains", site->domain_count);
    json_int(w, "open", site->open);
    json_open(w, "limits", '{');
    json_int(w, "connections", limits->connections);
    json_int(w, "rcpts_per_connection", limits->rcpts_per_connection);
    json_int(w, "invalids_per_hour", limits->invalids_per_hour);
    json_close(w, '}');
    json_open(w, "paths", '[');
    for (size_t i = 0; i < site->traffic.path_count; i++) {
        if (site->traffic.paths[i] != NULL) {
            write_path(w, site->traffic.paths[i], now_ms);
        }
    }
    json_close(w, ']');
    json_close(w, '}');
}

static bool has_health(const struct site *site, struct slice health)
{
    for (size_t i = 0; i < site->traffic.path_count; i++) {
        const struct traffic_path *path = site->traffic.paths[i];
        if (path != NULL && slice_equal(health, slice_of(health_name(&path->health)))) {
            return true;
        }
    }
    return health.len == 0;
}

static bool is_wanted(const struct insight_sites *wanted, const struct site *site)
{
    return (wanted->after.len == 0 || slice_compare(slice_of(site->key), wanted->after) > 0) &&
           (wanted->provider.len == 0 || slice_equal(wanted->provider, site->provider->name)) &&
           has_health(site, wanted->health);
}

/* The first of them by name, in order. */
struct first_sites {
    const struct site *at[INSIGHT_SITES_MAX];
    size_t count, limit;
    bool has_more;
};

static size_t place_of(const struct first_sites *first, const struct site *site)
{
    size_t low = 0;
    size_t high = first->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(first->at[middle]->key, site->key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Most of many lie behind the last one and cost a comparison: the map knows no order that would make it worse. */
static void keep_if_first(struct first_sites *first, const struct site *site)
{
    bool is_full = first->count == first->limit;
    first->has_more = first->has_more || is_full;
    if (is_full && strcmp(first->at[first->count - 1]->key, site->key) < 0) {
        return;
    }
    size_t place = place_of(first, site);
    for (size_t i = first->count - (is_full ? 1 : 0); i > place; i--) {
        first->at[i] = first->at[i - 1];
    }
    first->at[place] = site;
    first->count += is_full ? 0 : 1;
}

bool insight_is_health(struct slice name)
{
    static const char *const names[] = {"well", "recovering", "trying", "blocked"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_equal(name, slice_of(names[i]))) {
            return true;
        }
    }
    return false;
}

enum err insight_write_sites(struct knocker *knocker, const struct insight_sites *wanted,
                             struct buf *out)
{
    struct json_writer w;
    struct first_sites first = {.limit = wanted->limit};
    size_t cursor = 0;
    struct slice key;
    void *value;
    must(wanted->limit >= 1 && wanted->limit <= INSIGHT_SITES_MAX);
    while (map_next(&knocker->sites, &cursor, &key, &value)) {
        if (is_wanted(wanted, value)) {
            keep_if_first(&first, value);
        }
    }
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_open(&w, "sites", '[');
    for (size_t i = 0; i < first.count; i++) {
        write_site(&w, first.at[i], knocker_traffic_ms(knocker));
    }
    json_close(&w, ']');
    json_text(&w, "next", first.has_more ? slice_of(first.at[first.count - 1]->key) : SLICE_NONE);
    json_close(&w, '}');
    return w.err;
}
