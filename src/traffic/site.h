/* traffic/site: how much one far end may be asked: the limits of a site and what it taught us, as plain
 * decisions over time. A site is the shared far end of many domains (all Google-hosted domains are one),
 * owned by one loop. It never opens anything: it answers "when", and is told what happened.
 * A limit is never exceeded: what is under way counts as if it will be refused.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_SITE_H
#define TRAFFIC_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/route.h"
#include "providers/provider.h"

enum {
    TRAFFIC_SLOTS = 13, /* five-minute slots that cover an hour, the running one included */
    TRAFFIC_SLOT_MS = 300000,
    TRAFFIC_PAUSE_MS_MIN = 1000, /* after a first word about rate; doubled each time */
    TRAFFIC_PAUSE_MS_MAX = 60000,
    TRAFFIC_KEY_BYTES = 600,
};

#define TRAFFIC_NEVER UINT64_MAX /* not before something closes or is answered */

struct traffic_limits {
    unsigned connections;
    unsigned rcpts_per_connection;
    unsigned transactions_per_connection;
    unsigned rcpts_per_transaction;
    unsigned invalids_per_session;
    unsigned invalids_per_hour;
    unsigned connection_gap_ms;
    unsigned rcpt_gap_ms; /* between two RCPTs of the site, on whatever connection */
    unsigned cooldown_ms; /* the least pause after a complaint */
};

struct traffic_site {
    struct traffic_limits limits; /* as configured, lowered by what was learned */
    unsigned open;
    unsigned asking; /* RCPTs sent and not answered */
    uint64_t connect_not_before_ms;
    uint64_t ask_not_before_ms;
    uint32_t pause_ms; /* the last pause; grows while the site complains */
    uint64_t slot_number[TRAFFIC_SLOTS];
    uint32_t slot_invalids[TRAFFIC_SLOTS];
};

/* What the user says for all sites; 0: nothing. per_site lowers the provider's limit, the others replace it,
 * but never raise that of a provider who forbids probing: only the user's own provider file does. */
struct traffic_ceilings {
    unsigned per_site, rcpts_per_connection, invalids_per_hour;
};
struct traffic_limits traffic_limits_of(const struct provider *provider,
                                        const struct traffic_ceilings *ceilings);

/* The name of the site that a route leads to: the provider where its hosts are a shared system, else
 * the sorted set of exchangers. NUL-terminated, at most TRAFFIC_KEY_BYTES. */
void traffic_site_key(const struct route *route, const struct provider *provider,
                      char out_key[TRAFFIC_KEY_BYTES]);

void traffic_site_init(struct traffic_site *site, const struct traffic_limits *limits);

/* It turned out to be somebody's whose limits are these: the stricter of each holds from now on. */
void traffic_site_tighten(struct traffic_site *site, const struct traffic_limits *limits);

/* When one more connection may be opened: a time that is not above now_ms means at once. */
uint64_t traffic_site_connect_at(const struct traffic_site *site, uint64_t now_ms);
void traffic_site_opened(struct traffic_site *site, uint64_t now_ms);
void traffic_site_closed(struct traffic_site *site);

/* When one more RCPT may be asked. */
uint64_t traffic_site_ask_at(const struct traffic_site *site, uint64_t now_ms);
void traffic_site_asked(struct traffic_site *site, uint64_t now_ms);
void traffic_site_answered(struct traffic_site *site, bool is_invalid, uint64_t now_ms);

/* Whether a session that asked rcpts and was refused invalids may ask once more. */
bool traffic_session_may_ask(const struct traffic_site *site, unsigned rcpts, unsigned invalids);

/* The site complained about rate, volume or where we come from: fewer connections, and a growing pause before
 * the next, at least the limits' cooldown. */
void traffic_site_slowed(struct traffic_site *site, uint64_t now_ms, uint32_t hint_s);
/* A good answer: the pause is forgotten step by step. */
void traffic_site_went_well(struct traffic_site *site);
/* A connection, still counted as open, was turned away while others were served: no more than those
 * from now on. */
void traffic_site_crowded(struct traffic_site *site);
/* The session was cut after rcpts answers, or a transaction after rcpts recipients: learned as caps. */
void traffic_site_session_cut(struct traffic_site *site, unsigned rcpts);
void traffic_site_transaction_cut(struct traffic_site *site, unsigned rcpts);

#endif
