/* traffic/forecast: how long a site will take through the ways out of a pool, and which limit is to blame, before
 * anything is asked. An estimate by rates, not a rehearsal: of each way out it asks how many RCPTs can have gone out
 * by a time, and looks for the time by which all of them can.
 *
 * Within an hour a way out asks as fast as its connections, the gaps between them and the pace allow. Then come
 * the limits that are counted over time: refused RCPTs of an hour, warm-up and budget of a day. When one of
 * these is used up, the next share comes when the window has passed: 65 minutes, 26 hours, as traffic/window counts.
 *
 *     traffic_forecast_site for each site, forecast_total_add -> forecast_total_finish
 *
 * What it leaves out: the name service, what servers will say about us, how a self-hosted site's connections rise,
 * what was used up in the hour and day before, that RCPTs go out together within a domain only, and that a site may
 * have to share the budget of an egress with others (but forecast_total_finish looks at the budgets for all of them).
 * Times are milliseconds.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAFFIC_FORECAST_H
#define TRAFFIC_FORECAST_H

#include "traffic/pool.h"

enum {
    FORECAST_STEPS =
        4, /* round trips of a conversation without RCPTs: connect, banner, EHLO, QUIT */
    FORECAST_TLS_STEPS = 3, /* STARTTLS, handshake, EHLO again */
    FORECAST_HOUR_MS = TRAFFIC_WINDOW_SLOTS * TRAFFIC_HOUR_SLOT_MS,
    FORECAST_DAY_MS = TRAFFIC_WINDOW_SLOTS * TRAFFIC_DAY_SLOT_MS,
};
#define FORECAST_FOREVER_MS UINT64_C(315360000000) /* ten years: nothing is looked for behind it */

enum forecast_limit {
    FORECAST_NOTHING,     /* nothing is asked */
    FORECAST_ROUND_TRIPS, /* more connections would be allowed than there is work for */
    FORECAST_CONNECTIONS, /* how many at once, and RCPTs on each */
    FORECAST_GAP,         /* between two new connections */
    FORECAST_PACE,        /* between two RCPTs */
    FORECAST_REFUSALS,    /* in an hour */
    FORECAST_WARM_UP,
    FORECAST_BUDGET, /* of a day, of egresses */
    FORECAST_NO_WAY, /* every way out is blocked there, or of the wrong family */
    FORECAST_ALL_CONNECTIONS,
    FORECAST_GREYLISTING, /* its wait is longer than all the rest; both of the whole list only */
    FORECAST_LIMIT_COUNT,
};
const char *forecast_limit_name(enum forecast_limit limit); /* "refusals": for programs */

struct forecast_assumptions {
    double invalid_share;  /* of the addresses, 0 to 1: refused as unknown */
    double greylist_share; /* of the addresses of sites that may greylist: asked twice */
    uint32_t rtt_ms;       /* from a command to its answer; at least 1 */
    uint32_t greylist_wait_ms;
    uint64_t queue_wait_ms;   /* a share that comes later than that is not waited for */
    unsigned connections_max; /* over all sites; at least 1 */
    bool has_tls;
};

/* What a site is to be asked. */
struct forecast_demand {
    uint64_t addresses;
    uint64_t controls;       /* made-up addresses that will be asked beside them, and refused */
    bool has_ipv4, has_ipv6; /* addresses of its hosts */
    bool may_greylist;
};

struct forecast_outlook {
    double probes;          /* RCPTs for all of it */
    double asked;           /* those that are asked without a wait longer than queue_wait_ms */
    uint64_t skipped;       /* addresses that are not, at most */
    unsigned connections;   /* at once */
    double conversations;   /* for those that are asked */
    double conversation_ms; /* of one */
    uint64_t time_ms;       /* for those that are asked */
    uint64_t whole_ms; /* for all, if every wait were waited out; FORECAST_FOREVER_MS: longer */
    uint64_t wait_ms;  /* the longest of these waits; 0: there is none */
    enum forecast_limit limit; /* the one that makes whole_ms what it is */
};

/* site: with its learned limits and paths, if there are any; is only read. limits.invalids_per_session and the others
 * are at least 1. */
void traffic_forecast_site(const struct traffic_pool *pool, const struct traffic_site *site,
                           const struct forecast_demand *demand,
                           const struct forecast_assumptions *assumed, uint64_t now_ms,
                           struct forecast_outlook *out);

/* The whole list. Begin with a zeroed one. */
struct forecast_total {
    uint64_t addresses, skipped;
    double probes, asked, conversations;
    double talk_ms; /* of all conversations, one after the other */
    uint64_t slowest_ms, slowest_whole_ms;
    uint64_t wait_ms;
    bool may_greylist;
    enum forecast_limit slowest_limit;
    uint64_t time_ms, whole_ms; /* the result, as of a site */
    enum forecast_limit limit;
};
void forecast_total_add(struct forecast_total *total, const struct forecast_demand *demand,
                        const struct forecast_outlook *outlook);
void forecast_total_finish(struct forecast_total *total, const struct traffic_pool *pool,
                           const struct forecast_assumptions *assumed);

#endif
