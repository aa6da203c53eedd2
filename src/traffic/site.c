/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

static unsigned least(unsigned value, unsigned ceiling)
{
    return ceiling != 0 && (value == 0 || ceiling < value) ? ceiling : value;
}

struct traffic_limits traffic_limits_of(const struct provider *provider,
                                        const struct traffic_ceilings *ceilings)
{
    /* What neither the provider data nor the user says; the "default" entry normally says all. */
    struct traffic_limits limits = {
        .connections = provider->connections_max == 0 ? 2 : provider->connections_max,
        .rcpts_per_connection =
            provider->rcpts_per_connection == 0 ? 20 : provider->rcpts_per_connection,
        .rcpts_per_transaction = (provider->traits & PROVIDER_ONE_RCPT) != 0 ? 1 : 20,
        .invalids_per_session =
            provider->invalids_per_session == 0 ? 5 : provider->invalids_per_session,
        .invalids_per_hour = provider->invalids_per_hour == 0 ? 100 : provider->invalids_per_hour,
        .connection_gap_ms = provider->connection_gap_ms,
    };
    limits.connections = least(limits.connections, ceilings->per_site);
    if (ceilings->rcpts_per_connection != 0) {
        /* Asked for by name: the user knows the site, and may go above the default. */
        limits.rcpts_per_connection = ceilings->rcpts_per_connection;
        limits.rcpts_per_transaction = ceilings->rcpts_per_connection;
        limits.invalids_per_session = ceilings->rcpts_per_connection;
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
        return now_ms;
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

void traffic_site_asked(struct traffic_site *site)
{
    site->asking++;
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
    if (site->slot_invalids[place] < UINT16_MAX) {
        site->slot_invalids[place]++;
    }
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
    if (site->connect_not_before_ms < now_ms + site->pause_ms) {
        site->connect_not_before_ms = now_ms + site->pause_ms;
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
