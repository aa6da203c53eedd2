/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "traffic/path.h"

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

/* With what the user says, where anything is said. */
static void replace(unsigned *limit, unsigned said, bool is_shy)
{
    if (said != 0) {
        *limit = is_shy ? least(*limit, said) : said;
    }
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
        .pipelined_rcpts = of[PROVIDER_PIPELINED_RCPTS],
        .invalids_per_session = of[PROVIDER_INVALIDS_PER_SESSION],
        .invalids_per_hour = of[PROVIDER_INVALIDS_PER_HOUR],
        .connection_gap_ms = of[PROVIDER_CONNECTION_GAP_MS],
        .rcpt_gap_ms = of[PROVIDER_RCPT_GAP_MS],
        .cooldown_ms = of[PROVIDER_COOLDOWN_S] * 1000,
    };
    bool is_shy = (provider->traits & PROVIDER_FORBIDS_PROBING) != 0;
    if (ceilings->per_site != 0) {
        limits.connections = least(limits.connections, ceilings->per_site);
    } else if (provider->class == PROVIDER_SELFHOSTED) {
        limits.connections_first = (limits.connections + 1) / 2; /* nobody knows what it bears */
    }
    if (ceilings->rcpts_per_connection != 0) {
        ask_for_rcpts(&limits, ceilings->rcpts_per_connection, is_shy);
    }
    replace(&limits.pipelined_rcpts, ceilings->pipelined_rcpts, is_shy);
    replace(&limits.invalids_per_hour, ceilings->invalids_per_hour, is_shy);
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
    UNFILLED const struct exchanger *sorted[ROUTE_EXCHANGERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < route->exchanger_count; i++) {
        sorted[count++] = &route->exchangers[i];
    }
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted, and that is the size of one */
    qsort(sorted, count > 1 ? count : 0, sizeof sorted[0], compare_hosts);
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

struct traffic_pace traffic_site_pace(const struct traffic_site *site)
{
    const struct traffic_limits *limits = &site->configured;
    return (struct traffic_pace){
        .connections = limits->connections,
        .connections_first = limits->connections_first,
        .connection_gap_ms = limits->connection_gap_ms,
        .rcpt_gap_ms = limits->rcpt_gap_ms,
        .cooldown_ms = limits->cooldown_ms,
    };
}

void traffic_site_init(struct traffic_site *site, const struct traffic_limits *limits,
                       bool is_shared_system)
{
    *site = (struct traffic_site){
        .limits = *limits,
        .configured = *limits,
        .is_shared_system = is_shared_system,
    };
    struct traffic_pace pace = traffic_site_pace(site);
    traffic_adapt_init(&site->adapt, &pace);
}

void traffic_site_lend_room(struct traffic_site *site, struct traffic_path *room)
{
    site->room = room;
}

static void tighten(struct traffic_limits *own, const struct traffic_limits *limits)
{
    own->connections = least(own->connections, limits->connections);
    own->rcpts_per_connection = least(own->rcpts_per_connection, limits->rcpts_per_connection);
    own->transactions_per_connection =
        least(own->transactions_per_connection, limits->transactions_per_connection);
    own->rcpts_per_transaction = least(own->rcpts_per_transaction, limits->rcpts_per_transaction);
    own->pipelined_rcpts = least(own->pipelined_rcpts, limits->pipelined_rcpts);
    own->invalids_per_session = least(own->invalids_per_session, limits->invalids_per_session);
    own->invalids_per_hour = least(own->invalids_per_hour, limits->invalids_per_hour);
    own->connection_gap_ms = most(own->connection_gap_ms, limits->connection_gap_ms);
    own->rcpt_gap_ms = most(own->rcpt_gap_ms, limits->rcpt_gap_ms);
    own->cooldown_ms = most(own->cooldown_ms, limits->cooldown_ms);
}

void traffic_site_tighten(struct traffic_site *site, const struct traffic_limits *limits)
{
    tighten(&site->limits, limits);
    tighten(&site->configured, limits);
    struct traffic_pace pace = traffic_site_pace(site);
    traffic_adapt_tighten(&site->adapt, &pace);
    for (size_t i = 0; i < site->path_count; i++) {
        if (site->paths[i] != NULL) {
            traffic_adapt_tighten(&site->paths[i]->adapt, &pace);
        }
    }
}

void traffic_site_done(struct traffic_site *site)
{
    for (size_t i = 0; i < site->path_count; i++) {
        if (site->paths[i] != site->room) {
            free(site->paths[i]);
        }
    }
    if (site->paths != &site->only) {
        free(site->paths);
    }
}

bool traffic_site_may_ask(const struct traffic_site *site, unsigned rcpts, unsigned invalids)
{
    return rcpts < site->limits.rcpts_per_connection &&
           invalids < site->limits.invalids_per_session;
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

void traffic_site_pipeline_broke(struct traffic_site *site, uint64_t now_ms)
{
    site->limits.pipelined_rcpts = 1;
    site->broke_ms = now_ms;
}
