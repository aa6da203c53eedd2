/* net/door: the one door to time and network. Everything above it (engine, sim, village) reaches
 * clocks, random bytes, timers, TCP, TLS and DNS transport through a struct door, so that the same
 * engine runs on real sockets (net/uv_door) and on a virtual clock and network (sim/world).
 * One door belongs to one thread. Callbacks never come from inside the call that asked for them, but
 * always from the loop (door_run); a callback may call anything here, link_close of itself included.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DOOR_H
#define NET_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

struct door;
struct link;
struct proxy;

/* A timer lives in its owner's storage; zeroed means stopped. */
struct timer {
    uint64_t due_ms;
    void (*fired)(void *context);
    void *context;
    size_t place; /* the door's: 1-based place in its heap, 0 when stopped */
};

enum link_end {
    LINK_END_CLOSED,      /* the peer closed the line (EOF) */
    LINK_END_RESET,       /* broken: reset, timeout of the kernel */
    LINK_END_REFUSED,     /* connect: ECONNREFUSED */
    LINK_END_UNREACHABLE, /* connect: no route, host or network unreachable, kernel timeout */
    LINK_END_TLS,         /* the handshake or the TLS layer failed */
    LINK_END_LOCAL, /* our own trouble: descriptors, memory, source address not ours; a proxy that
                             does not connect to this destination and does not blame it */
    LINK_END_PROXY, /* our own trouble with any destination: no way through the proxy */
};

struct tls_info {
    char version[16]; /* "TLSv1.3" */
    char cipher[64];
    bool is_cert_trusted;  /* chain to the system's roots */
    bool is_cert_for_host; /* names the server name */
    bool is_cert_expired;
    char cert_result[96]; /* OpenSSL's words for the verification result */
};

/* Of a link's owner. After ended() nothing more is called, but link_close is still owed. */
struct link_handler {
    void (*connected)(void *context);
    void (*received)(void *context, struct slice bytes); /* decrypted once TLS is up */
    void (*secured)(void *context, const struct tls_info *info);
    void (*ended)(void *context, enum link_end why, const char *detail);
};

struct link_request {
    struct ip ip;
    uint16_t port;
    struct ip
        source; /* family IP_NONE: the kernel chooses. Only a proxy of kind PROXY_V2 can be told */
    /* NULL: none. Borrowed until connected(), ended() or link_close. */
    const struct proxy *proxy;
    uint32_t
        proxy_limit_ms; /* to reach the proxy and to be let in, then LINK_END_PROXY; 0: none. The
                                time it needs for the destination is the caller's to limit */
};

/* The outcome of one DNS question as the transport saw it; what the answer says is dns/message's. */
enum query_status {
    QUERY_ANSWERED, /* a DNS message came; its header has the rcode */
    QUERY_TIMEOUT,
    QUERY_REFUSED, /* no resolver could be reached, or none is configured */
    QUERY_FAILED,  /* broken answers, memory, cancelled */
};
typedef void (*query_fn)(void *context, enum query_status status, struct slice message);

/* What a kind of door does; see the functions of the same names below. */
struct door_ops {
    uint64_t (*now_ms)(struct door *door);
    int64_t (*wall_ms)(struct door *door);
    void (*random_bytes)(struct door *door, void *at, size_t len);
    void (*timer_start)(struct door *door, struct timer *timer, uint64_t due_ms);
    void (*timer_stop)(struct door *door, struct timer *timer);
    struct link *(*connect)(struct door *door, const struct link_request *request,
                            const struct link_handler *handler, void *context);
    enum err (*link_send)(struct link *link, struct slice bytes);
    void (*expect_tls)(struct door *door); /* NULL: there is nothing to prepare */
    void (*link_start_tls)(struct link *link, struct slice server_name);
    void (*link_close)(struct link *link);
    void (*query)(struct door *door, struct slice name, uint16_t type, query_fn fn, void *context);
    bool (*has_ipv6)(struct door *door);
    struct ip (*own_address)(struct door *door, enum ip_family family);
    void (*run)(struct door *door);
    void (*turn)(struct door *door);
    void (*stop)(struct door *door);
};

/* First member of every kind of door, and of every kind of link. */
struct door {
    const struct door_ops *ops;
};
struct link {
    struct door *door;
};

/* Milliseconds that never go back; only differences mean anything. */
static inline uint64_t door_now_ms(struct door *door)
{
    return door->ops->now_ms(door);
}
/* Milliseconds since 1970, UTC, as people and stores count. May jump. */
static inline int64_t door_wall_ms(struct door *door)
{
    return door->ops->wall_ms(door);
}
static inline void door_random_bytes(struct door *door, void *at, size_t len)
{
    door->ops->random_bytes(door, at, len);
}
/* Calls timer->fired once at due_ms (of now_ms) or soon after. Starting a running timer moves it. */
static inline void door_timer_start(struct door *door, struct timer *timer, uint64_t due_ms)
{
    door->ops->timer_start(door, timer, due_ms);
}
static inline void door_timer_stop(struct door *door, struct timer *timer)
{
    door->ops->timer_stop(door, timer);
}
/* NULL: no memory. Otherwise connected() or ended() follows. The caller sets the time limit. */
static inline struct link *door_connect(struct door *door, const struct link_request *request,
                                        const struct link_handler *handler, void *context)
{
    return door->ops->connect(door, request, handler, context);
}
/* Queues bytes (copied) to be written in order. ERR_NOMEM, ERR_LIMIT (1 MB unsent), ERR_CLOSED. */
static inline enum err link_send(struct link *link, struct slice bytes)
{
    return link->door->ops->link_send(link, bytes);
}
/* There will be a handshake, on some link: what it needs is prepared in the time in which the peer is awaited. */
static inline void door_expect_tls(struct door *door)
{
    if (door->ops->expect_tls != NULL) {
        door->ops->expect_tls(door);
    }
}
/* Client side of a TLS handshake, after all that was sent. Bytes received before and not yet delivered are
 * dropped. secured() or ended(LINK_END_TLS) follows. server_name goes into SNI unless it is an address. */
static inline void link_start_tls(struct link *link, struct slice server_name)
{
    link->door->ops->link_start_tls(link, server_name);
}
/* Writes what is queued (for at most two seconds), closes and frees. No callback comes any more. NULL is fine. */
static inline void link_close(struct link *link)
{
    if (link != NULL) {
        link->door->ops->link_close(link);
    }
}
/* Asks the resolvers; name without trailing dot, type as in DNS (1 A, 15 MX, 28 AAAA). fn is called
 * exactly once, also when the door is torn down (QUERY_FAILED). */
static inline void door_query(struct door *door, struct slice name, uint16_t type, query_fn fn,
                              void *context)
{
    door->ops->query(door, name, type, fn, context);
}
/* Whether this machine has a way to the IPv6 internet; connecting there fails at once where not. */
static inline bool door_has_ipv6(struct door *door)
{
    return door->ops->has_ipv6(door);
}
/* The address that the kernel chooses for connections into the world; family IP_NONE: there is no way. What is
 * seen of it behind a translating router is another one. */
static inline struct ip door_own_address(struct door *door, enum ip_family family)
{
    return door->ops->own_address(door, family);
}
/* Runs until door_stop, or until there is nothing left to wait for. */
static inline void door_run(struct door *door)
{
    door->ops->run(door);
}
/* Does what is due now, signals included, without waiting: for long work outside door_run. Not from a callback. */
static inline void door_turn(struct door *door)
{
    door->ops->turn(door);
}
static inline void door_stop(struct door *door)
{
    door->ops->stop(door);
}

#endif
