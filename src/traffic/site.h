/* traffic/site: one far end: how much it may be asked and what it taught us, whichever way we come. A site is
 * the shared far end of many domains (all Google-hosted domains are one), owned by one loop. What holds between
 * it and one egress is a path (traffic/path); which egress serves it next is the pool's choice (traffic/pool).
 *
 * Connections and pace are counted for each egress at a provider's shared system, which counts its clients so
 * too; at somebody's own server for all egresses together, since it is the server that would suffer.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_SITE_H
#define TRAFFIC_SITE_H

#include "dns/route.h"
#include "providers/provider.h"
#include "traffic/adapt.h"

enum {
    TRAFFIC_KEY_BYTES = 600,
    TRAFFIC_QUEUE_PER_CONNECTION = 8, /* one more connection for each so many waiting RCPTs */
};

struct traffic_limits {
    unsigned connections;
    unsigned connections_first; /* to begin with; 0: all of them */
    unsigned rcpts_per_connection;
    unsigned transactions_per_connection;
    unsigned rcpts_per_transaction;
    unsigned pipelined_rcpts; /* of one connection, not answered yet */
    unsigned invalids_per_session;
    unsigned invalids_per_hour;
    unsigned connection_gap_ms;
    unsigned rcpt_gap_ms; /* between two RCPTs of the site, on whatever connection */
    unsigned cooldown_ms; /* the least pause after a complaint */
};

struct traffic_path;

struct traffic_site {
    struct traffic_limits limits; /* as configured, lowered by what was learned */
    struct traffic_limits configured;
    bool is_shared_system;      /* connections and pace: of each path; else of all together, here */
    struct traffic_adapt adapt; /* where they are of all together */
    struct traffic_path **paths; /* by egress; NULL: not used yet */
    struct traffic_path *only;   /* what paths points to where there is one egress */
    size_t path_count;
    struct traffic_path *room; /* of the owner's, for the path that is made first; NULL: none */
    bool is_room_taken;
    uint64_t
        broke_ms; /* when it last did not bear several RCPTs at once; 0: never that we know of */
    uint64_t
        turn; /* of the path that opened a conversation last: its paths take turns by the lowest */
};

/* What the user says for all sites; 0: nothing. per_site lowers the provider's limit, the others replace it,
 * but never raise that of a provider who forbids probing: only the user's own provider file does. */
struct traffic_ceilings {
    unsigned per_site, rcpts_per_connection, pipelined_rcpts, invalids_per_hour;
};
struct traffic_limits traffic_limits_of(const struct provider *provider,
                                        const struct traffic_ceilings *ceilings);

/* The name of the site that a route leads to: the provider where its hosts are a shared system, else
 * the sorted set of exchangers. NUL-terminated, at most TRAFFIC_KEY_BYTES. */
void traffic_site_key(const struct route *route, const struct provider *provider,
                      char out_key[TRAFFIC_KEY_BYTES]);

/* No path yet. limits.connections, .rcpts_per_connection and .pipelined_rcpts are at least 1. */
void traffic_site_init(struct traffic_site *site, const struct traffic_limits *limits,
                       bool is_shared_system);
/* The path that is made first will be there: most sites have no other. It lives as long as the site. */
void traffic_site_lend_room(struct traffic_site *site, struct traffic_path *room);
/* It turned out to be somebody's whose limits are these: the stricter of each holds from now on. */
void traffic_site_tighten(struct traffic_site *site, const struct traffic_limits *limits);
/* How it is asked, as configured: for what adapts to it. */
struct traffic_pace traffic_site_pace(const struct traffic_site *site);
void traffic_site_done(struct traffic_site *site); /* and its paths */

/* Whether a session that asked rcpts and was refused invalids may ask once more. */
bool traffic_site_may_ask(const struct traffic_site *site, unsigned rcpts, unsigned invalids);

/* The session was cut after rcpts answers, or a transaction after rcpts recipients: learned as caps. */
void traffic_site_session_cut(struct traffic_site *site, unsigned rcpts);
void traffic_site_transaction_cut(struct traffic_site *site, unsigned rcpts);
/* Several RCPTs at once were not borne, or the line was lost with several unanswered, for all we know because of that:
 * one by one from now on. */
void traffic_site_pipeline_broke(struct traffic_site *site, uint64_t now_ms);

#endif
