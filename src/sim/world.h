/* sim/world: a virtual clock and network behind a struct door, so that the whole engine runs without a
 * descriptor, without sleeping and exactly repeatably: the same seed and the same calls give the same
 * bytes at the same milliseconds (world_traffic_hash tells).
 *
 *     world_new -> world_host_add ..., zone_add(world_zone ...) -> engine on world_door -> door_run -> world_free
 *
 * Hosts are addresses with a port and a behaviour; those that accept speak through a scripted SMTP server
 * (sim/peer). Names are answered with real DNS messages. TLS is a pretence: the handshake takes a round
 * trip, fails or hangs as the host says, and plaintext goes on underneath. Time moves only in door_run and
 * world_run_until: the earliest event is taken, of several at one instant always the same; nothing ever waits.
 * The engine under test must be freed before the world.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "net/door.h"
#include "sim/zone.h"

struct world;
struct peer_script;
struct peer_server;

struct world_config {
    uint64_t seed;           /* of door_random_bytes and of the jitter of hosts */
    int64_t wall_start_ms;   /* Unix time at the first instant; 0: a day in 2026 */
    uint32_t dns_latency_ms; /* 0: 20 */
    uint32_t dns_timeout_ms; /* 0: 5000; what ZONE_TIMEOUT takes */
    uint64_t run_ms_max;     /* door_run returns before an event later than this; 0: 40 days */
    uint64_t events_max;     /* and after so many of them; 0: 50 million. See world_is_cut. */
    struct ip own_v4,
        own_v6; /* ours where a link names no source; IP_NONE: 198.51.100.7, 2001:db8:7::7 */
    bool no_ipv6, no_ipv4; /* connecting there is LINK_END_UNREACHABLE at once */
};

enum world_behaviour {
    WORLD_ACCEPT,      /* and speak as the script says */
    WORLD_REFUSE,      /* ECONNREFUSED after a round trip */
    WORLD_BLACKHOLE,   /* no answer ever */
    WORLD_UNREACHABLE, /* after a round trip */
    WORLD_RESET,       /* the line comes up and is reset at once */
};

enum world_tls {
    WORLD_TLS_OK,
    WORLD_TLS_FAIL,  /* garbage for an answer */
    WORLD_TLS_HANG,  /* no answer */
    WORLD_TLS_RESET, /* the line breaks during the handshake */
};

struct world_host {
    const char *ip;
    uint16_t port; /* 0: 25 */
    enum world_behaviour behaviour;
    const struct peer_script *script; /* WORLD_ACCEPT; borrowed while the world lives */
    uint32_t latency_ms;              /* one way; 0: 10 */
    uint32_t jitter_ms;               /* at most so much more for each packet; order is kept */
    size_t split_bytes; /* the peer's bytes arrive in pieces of so many; 0: as written */
    enum world_tls tls;
    bool is_cert_bad; /* expired, self-signed, for nobody */
};

/* ERR_NOMEM. */
enum err world_new(const struct world_config *config, struct world **out) MUST_USE;
void world_free(struct world *world); /* NULL is fine */
struct door *world_door(struct world *world);

/* The host is copied, the script borrowed. ERR_SYNTAX for no IP, ERR_STATE where there is one already. */
enum err world_host_add(struct world *world, const struct world_host *host) MUST_USE;
/* From now on; the peer's memory stays. ERR_STATE where there is none. */
enum err world_host_change(struct world *world, const struct world_host *host) MUST_USE;
/* The SMTP server behind a host, for its counters; NULL where there is none. */
struct peer_server *world_host_server(struct world *world, const char *ip, uint16_t port);

struct world_host_counts {
    unsigned open, peak, accepted; /* connections of those that accept: now, most at once, in all */
    unsigned tried;                /* connects of any outcome */
    uint64_t bytes_in, bytes_out;  /* as the host sees it */
};
void world_host_count(struct world *world, const char *ip, uint16_t port,
                      struct world_host_counts *out);

/* From now on every connection that servers would see come from this address ends so: a source address that is not
 * ours any more, a proxy that is down. The last call holds; family IP_NONE: none. */
void world_cut_off(struct world *world, const struct ip *client, enum link_end why);

/* The names of this world: add to it and let them fail at any time. */
struct zone *world_zone(struct world *world);

struct world_counts {
    uint64_t events;
    uint64_t connects, stray_connects; /* stray: to an address where no host stands */
    uint64_t queries;
    unsigned open, peak; /* lines that are up, over all hosts */
    unsigned lines;      /* not yet forgotten by both sides, those under way included */
};
void world_count(const struct world *world, struct world_counts *out);

/* Over everything that went over any line, with its time. */
uint64_t world_traffic_hash(const struct world *world);

/* Time goes on up to this instant, or until somebody stops it; what is due later stays. */
void world_run_until(struct world *world, uint64_t until_ms);

/* While it is mute, nothing our side says or asks reaches anybody; closing a line does. So an engine that is
 * taken apart leaves the servers what a killed process would: lines that end in the middle. */
void world_mute(struct world *world, bool is_mute);

/* People set the clock: door_wall_ms is so much later (or earlier) from now on; door_now_ms does not move. */
void world_set_wall(struct world *world, int64_t by_ms);

/* door_run came back because of run_ms_max or events_max, with events left. */
bool world_is_cut(const struct world *world);

/* Somebody who watches every line; any function may be NULL. Bytes are those of our side, as sent, before TLS would hide them. */
struct world_watcher {
    void (*connected)(void *context, uint32_t line, const struct ip *ip, const struct ip *client);
    void (*sent)(void *context, uint32_t line, struct slice bytes);     /* by our side */
    void (*received)(void *context, uint32_t line, struct slice bytes); /* by our side */
    /* Our side closed; is_up: the other side had not ended it, and no handshake was under way. */
    void (*closed)(void *context, uint32_t line, bool is_up);
    void (*moved)(void *context, uint64_t now_ms); /* one event is over */
    void *context;
};
void world_watch(struct world *world, const struct world_watcher *watcher); /* borrowed */

#endif
