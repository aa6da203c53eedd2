/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned most(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static void ask_for_rcpts(struct traffic_limits *limits, unsigned rcpts, bool is_shy)
{
    if (is_shy) {
        limits->rcpts_per_connection = least(limits->rcpts_per_connection, rcpts);
        return;
    }
    /* Asked for by name: the user knows the sites, and may go above the provider's limit. The shape of a
     * transaction stays where the provider wants one of its own. */
    limits->rcpts_per_connection = rcpts;
    limits->transactions_per_connection = most(limits->transactions_per_connection, rcpts);
    limits->rcpts_per_transaction = limits->rcpts_per_transaction == 1 ? 1 : rcpts;
    limits->invalids_per_session = rcpts;
}

struct traffic_limits traffic_limits_of(const struct provider *provider,
                                        const struct traffic_ceilings *ceilings)
{
    const unsigned *of = provider->limits;
    struct traffic_limits limits = {
        .connections = of[PROVIDER_CONNECTIONS],
        .rcpts_per_connection = of[PROVIDER_RCPTS_PER_CONNECTION],
        .transactions_per_connection = of[PROVIDER_TRANSACTIONS_PER_CONNECTION],
        .rcpts_per_transaction = of[PROVIDER_RCPTS_PER_TRANSACTION],
        .invalids_per_session = of[PROVIDER_INVALIDS_PER_SESSION],
        .invalids_per_hour = of[PROVIDER_INVALIDS_PER_HOUR],
        .connection_gap_ms = of[PROVIDER_CONNECTION_GAP_MS],
        .rcpt_gap_ms = of[PROVIDER_RCPT_GAP_MS],
        .cooldown_ms = of[PROVIDER_COOLDOWN_S] * 1000,
    };
    bool is_shy = (provider->traits & PROVIDER_FORBIDS_PROBING) != 0;
    if (ceilings->per_site != 0) {
        limits.connections = least(limits.connections, ceilings->per_site);
    }
    if (ceilings->rcpts_per_connection != 0) {
        ask_for_rcpts(&limits, ceilings->rcpts_per_connection, is_shy);
    }
    if (ceilings->invalids_per_hour != 0) {
        limits.invalids_per_hour =
            is_shy ? least(limits.invalids_per_hour, ceilings->invalids_per_hour)
                   : ceilings->invalids_per_hour;
    }
    return limits;
}

static int compare_hosts(const void *a, const void *b)
{
    const struct exchanger *const *left = a;
    const struct exchanger *const *right = b;
    return strcmp((*left)->host, (*right)->host);
}

void traffic_site_key(const struct route *route, const struct provider *provider,
                      char out_key[TRAFFIC_KEY_BYTES])
{
    size_t used = 0;
    out_key[0] = '\0';
    if (provider->class != PROVIDER_SELFHOSTED) {
        size_t len =
            provider->name.len < TRAFFIC_KEY_BYTES - 2 ? provider->name.len : TRAFFIC_KEY_BYTES - 2;
        out_key[0] = '@'; /* no host name starts with it */
        memcpy(out_key + 1, provider->name.at, len);
        out_key[len + 1] = '\0';
        return;
    }
    const struct exchanger *sorted[ROUTE_EXCHANGERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < route->exchanger_count; i++) {
        sorted[count++] = &route->exchangers[i];
    }
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted, and that is the size of one */
    qsort(sorted, count, sizeof sorted[0], compare_hosts);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(sorted[i]->host);
        if (used + len + 2 > TRAFFIC_KEY_BYTES) {
            break; /* sixteen very long names: the first ones tell sites apart well enough */
        }
        memcpy(out_key + used, sorted[i]->host, len);
        used += len;
        out_key[used++] = ' ';
        out_key[used] = '\0';
    }
}

void traffic_site_init(struct traffic_site *site, const struct traffic_limits *limits)
{
    *site = (struct traffic_site){.limits = *limits};
}

void traffic_site_tighten(struct traffic_site *site, const struct traffic_limits *limits)
{
    struct traffic_limits *own = &site->limits;
    own->connections = least(own->connections, limits->connections);
    own->rcpts_per_connection = least(own->rcpts_per_connection, limits->rcpts_per_connection);
    own->transactions_per_connection =
        least(own->transactions_per_connection, limits->transactions_per_connection);
    own->rcpts_per_transaction = least(own->rcpts_per_transaction, limits->rcpts_per_transaction);
    own->invalids_per_session = least(own->invalids_per_session, limits->invalids_per_session);
    own->invalids_per_hour = least(own->invalids_per_hour, limits->invalids_per_hour);
    own->connection_gap_ms = most(own->connection_gap_ms, limits->connection_gap_ms);
    own->rcpt_gap_ms = most(own->rcpt_gap_ms, limits->rcpt_gap_ms);
    own->cooldown_ms = most(own->cooldown_ms, limits->cooldown_ms);
}

uint64_t traffic_site_connect_at(const struct traffic_site *site, uint64_t now_ms)
{
    if (site->open >= site->limits.connections) {
        return TRAFFIC_NEVER;
    }
    return site->connect_not_before_ms > now_ms ? site->connect_not_before_ms : now_ms;
}

void traffic_site_opened(struct traffic_site *site, uint64_t now_ms)
{
    site->open++;
    uint64_t next = now_ms + site->limits.connection_gap_ms;
    if (next > site->connect_not_before_ms) {
        site->connect_not_before_ms = next;
    }
}

void traffic_site_closed(struct traffic_site *site)
{
    site->open--;
}

static bool is_recent(uint64_t slot, uint64_t now_slot)
{
    return slot + TRAFFIC_SLOTS > now_slot;
}

/* Invalid RCPTs of the last hour at least: whole slots are counted, so never too few. */
static unsigned invalids_recent(const struct traffic_site *site, uint64_t now_ms)
{
    unsigned sum = 0;
    for (size_t i = 0; i < TRAFFIC_SLOTS; i++) {
        if (is_recent(site->slot_number[i], now_ms / TRAFFIC_SLOT_MS)) {
            sum += site->slot_invalids[i];
        }
    }
    return sum;
}

uint64_t traffic_site_ask_at(const struct traffic_site *site, uint64_t now_ms)
{
    unsigned recent = invalids_recent(site, now_ms);
    if (recent + site->asking < site->limits.invalids_per_hour) {
        return site->ask_not_before_ms > now_ms ? site->ask_not_before_ms : now_ms;
    }
    if (recent < site->limits.invalids_per_hour) {
        return TRAFFIC_NEVER; /* an answer under way may make room */
    }
    uint64_t oldest = UINT64_MAX;
    for (size_t i = 0; i < TRAFFIC_SLOTS; i++) {
        if (site->slot_invalids[i] != 0 && site->slot_number[i] < oldest &&
            is_recent(site->slot_number[i], now_ms / TRAFFIC_SLOT_MS)) {
            oldest = site->slot_number[i];
        }
    }
    return (oldest + TRAFFIC_SLOTS) * TRAFFIC_SLOT_MS;
}

void traffic_site_asked(struct traffic_site *site, uint64_t now_ms)
{
    site->asking++;
    site->ask_not_before_ms = now_ms + site->limits.rcpt_gap_ms;
}

void traffic_site_answered(struct traffic_site *site, bool is_invalid, uint64_t now_ms)
{
    site->asking--;
    if (!is_invalid) {
        return;
    }
    uint64_t slot = now_ms / TRAFFIC_SLOT_MS;
    size_t place = (size_t)(slot % TRAFFIC_SLOTS);
    if (site->slot_number[place] != slot) {
        site->slot_number[place] = slot;
        site->slot_invalids[place] = 0;
    }
    site->slot_invalids[place]++;
}

bool traffic_session_may_ask(const struct traffic_site *site, unsigned rcpts, unsigned invalids)
{
    return rcpts < site->limits.rcpts_per_connection &&
           invalids < site->limits.invalids_per_session;
}

void traffic_site_slowed(struct traffic_site *site, uint64_t now_ms, uint32_t hint_s)
{
    if (site->limits.connections > 1) {
        site->limits.connections = (site->limits.connections + 1) / 2;
    }
    site->pause_ms = site->pause_ms == 0 ? TRAFFIC_PAUSE_MS_MIN : site->pause_ms * 2;
    uint32_t hint_ms = hint_s > TRAFFIC_PAUSE_MS_MAX / 1000 ? TRAFFIC_PAUSE_MS_MAX : hint_s * 1000;
    if (site->pause_ms < hint_ms) {
        site->pause_ms = hint_ms;
    }
    if (site->pause_ms > TRAFFIC_PAUSE_MS_MAX) {
        site->pause_ms = TRAFFIC_PAUSE_MS_MAX;
    }
    uint64_t rest_ms = most(site->pause_ms, site->limits.cooldown_ms);
    if (site->connect_not_before_ms < now_ms + rest_ms) {
        site->connect_not_before_ms = now_ms + rest_ms;
    }
}

void traffic_site_went_well(struct traffic_site *site)
{
    site->pause_ms /= 2;
}

void traffic_site_crowded(struct traffic_site *site)
{
    if (site->open > 1 && site->open - 1 < site->limits.connections) {
        site->limits.connections = site->open - 1;
    }
}

void traffic_site_session_cut(struct traffic_site *site, unsigned rcpts)
{
    if (rcpts > 0 && rcpts < site->limits.rcpts_per_connection) {
        site->limits.rcpts_per_connection = rcpts;
    }
}

void traffic_site_transaction_cut(struct traffic_site *site, unsigned rcpts)
{
    if (rcpts > 0 && rcpts < site->limits.rcpts_per_transaction) {
        site->limits.rcpts_per_transaction = rcpts;
    }
}
