/* net/proxy: our side of what is said to a proxy until it is a tunnel, without I/O: SOCKS5 (RFC 1928) with
 * or without user and password (RFC 1929), HTTP CONNECT (RFC 9110 9.3.6) with Basic authentication
 * (RFC 7617), and the header of HAProxy's PROXY protocol, version 2, which tells a relay where to connect
 * to and is not answered. Destinations are IP addresses; no name is ever left to a proxy.
 * A dialogue holds a copy of what it sends, credentials too, until proxy_done.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

enum proxy_kind {
    PROXY_NONE,   /* the way out is direct */
    PROXY_SOCKS5, /* RFC 1928, 1929 */
    PROXY_HTTP,   /* CONNECT, RFC 9110 9.3.6 */
    PROXY_V2,     /* a relay that takes HAProxy's PROXY protocol, version 2 */
};

enum {
    PROXY_WORD_BYTES = 255,    /* a user or a password at most (RFC 1929 2) */
    PROXY_NAME_BYTES = 80,     /* of proxy_describe */
    PROXY_HEAD_BYTES = 16384,  /* of all HTTP heads before the tunnel; real ones are below 1000 */
    PROXY_UNSENT_BYTES = 1024, /* the largest is a CONNECT with the longest user and password */
    PROXY_REPLY_BYTES = 262,   /* RFC 1928 6: a reply with the longest name */
};

/* One that is configured. */
struct proxy {
    enum proxy_kind kind;
    struct ip ip; /* of the proxy */
    uint16_t port;
    struct slice user, password; /* borrowed; an empty user: no authentication */
};

/* Where the tunnel is to lead. */
struct proxy_target {
    struct ip ip;
    uint16_t port;
    struct ip source; /* PROXY_V2: what the relay is to connect from; family IP_NONE or another than
                         ip's: its choice. The other kinds cannot say it */
};

enum proxy_failure {
    /* Of the proxy, whatever the destination. */
    PROXY_FAILURE_PROTOCOL,    /* it is not a proxy of this kind, or says more than it may */
    PROXY_FAILURE_AUTH_WANTED, /* it wants a user and a password, and there are none */
    PROXY_FAILURE_AUTH,        /* it refuses them, or takes none */
    /* Of the proxy, about this destination: another may fare better. */
    PROXY_FAILURE_DENIED,      /* its rules forbid it */
    PROXY_FAILURE_UNSUPPORTED, /* it does not connect to such addresses */
    PROXY_FAILURE_GENERAL,     /* it did not, and gives no reason */
    /* Of the destination. */
    PROXY_FAILURE_REFUSED,
    PROXY_FAILURE_UNREACHABLE,
    PROXY_FAILURE_TIMEOUT,
};

enum proxy_status {
    PROXY_MORE, /* the proxy has something to say yet */
    PROXY_DONE, /* from here on all bytes, both ways, are the destination's */
    PROXY_FAILED,
};

struct proxy_step {
    enum proxy_status status;
    struct slice send; /* now, also with PROXY_DONE; valid until the next call */
    size_t
        consumed; /* of the bytes received; with PROXY_DONE what follows them is the destination's */
    enum proxy_failure failure; /* with PROXY_FAILED */
    uint16_t code;              /* with PROXY_FAILED: the SOCKS reply or HTTP status; 0: none */
};

/* The caller's storage; its fields belong to the files of net/proxy, but for has_asked. */
struct proxy_dialogue {
    const struct proxy *proxy; /* borrowed */
    struct proxy_target target;
    bool
        has_asked; /* the proxy knows the destination: what takes time now may be the destination's */
    uint8_t stage;
    char in[PROXY_REPLY_BYTES]; /* SOCKS: the message so far; HTTP: the begin of the status line */
    size_t in_len;
    size_t head_len, line_len; /* HTTP */
    char out[PROXY_UNSENT_BYTES];
    size_t out_len;
};

/* What to send first. proxy must live until proxy_done. */
struct proxy_step proxy_begin(struct proxy_dialogue *dialogue, const struct proxy *proxy,
                              const struct proxy_target *target);
/* After PROXY_MORE only. */
struct proxy_step proxy_received(struct proxy_dialogue *dialogue, struct slice bytes);
/* Overwrites what it held; safe at any time and twice. */
void proxy_done(struct proxy_dialogue *dialogue);

/* "SOCKS5 proxy 192.0.2.1:1080", without user and password. Returns out. */
const char *proxy_describe(const struct proxy *proxy, char out[PROXY_NAME_BYTES]);
/* In a few words whose subject is the proxy: "refuses the user or the password". */
const char *proxy_failure_text(enum proxy_failure failure);

#endif
