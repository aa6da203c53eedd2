/* net/uv_private: what the files of the real door share: uv_door.c (loop, timers, signals), uv_link.c (TCP
 * connections over uv_sockets.c), uv_tunnel.c (through a proxy), uv_address.c (socket addresses), tls.c (the TLS filter), uv_resolver.c (DNS transport), listener.c (accepting, for the village and tests).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_UV_PRIVATE_H
#define NET_UV_PRIVATE_H

#include <uv.h>

#include "net/proxy.h"
#include "net/timers.h"
#include "net/tls.h"
#include "net/uv_door.h"
#include "net/uv_sockets.h"

enum {
    UV_READ_BYTES = 65536, /* one buffer a door: a read is handled before the next one begins */
    UV_UNSENT_BYTES = 1 << 20,
    UV_LINGER_MS = 2000, /* for what is queued when a link is closed */
    UV_SIGNALS_MAX = 4,
};

struct uv_resolver;

struct uv_signal_watch {
    uv_signal_t handle;
    void (*fn)(void *context);
    void *context;
    bool is_open;
};

struct uv_door {
    struct door door; /* first */
    uv_loop_t loop;
    uv_timer_t alarm;
    struct timers timers;
    struct tls_client *
        tls; /* made when the first handshake is expected: to load OpenSSL and find the roots takes time */
    struct uv_resolver *resolver;
    struct uv_signal_watch signals[UV_SIGNALS_MAX];
    bool is_running, is_stopped;
    bool was_stopped_before; /* the next run: it ends at once */
    bool has_ipv6;           /* at the time of opening */
    struct uv_sockets sockets;
    char read_buffer[UV_READ_BYTES]; /* not cleared, nor are those of the sockets before it */
};

enum uv_link_state {
    UV_LINK_CONNECTING,
    UV_LINK_TUNNELLING, /* the proxy is reached, the destination not yet */
    UV_LINK_OPEN,
    UV_LINK_ENDED,
    UV_LINK_CLOSING,
};

/* What a link needs until its proxy has connected it. */
struct uv_tunnel {
    struct proxy_dialogue dialogue;
    const struct proxy *proxy; /* the request's */
    struct proxy_target target;
    struct timer limit; /* of the proxy's own part */
};

struct uv_link {
    struct link link; /* first */
    struct uv_socket socket;
    const struct link_handler *handler;
    void *context;
    enum uv_link_state state;
    struct uv_tunnel *tunnel; /* NULL: none, or up */
    struct tls_session *tls;  /* NULL: plain */
    bool is_secured;
    struct timer linger; /* also carries a late bad word about a connect */
    int late_error;
    char peer_name[256]; /* with tls: for SNI and the certificate check; last, and not cleared */
};

struct uv_link *uv_link_new(struct uv_door *door);
/* A connection that was accepted; the descriptor is the link's. NULL: no memory, or it cannot be watched. */
struct uv_link *uv_link_accepted(struct uv_door *door, int fd);
extern const struct link_handler uv_link_silent;
socklen_t uv_link_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *out);
bool uv_link_ip(const struct sockaddr_storage *address, struct ip *out); /* false: neither IP */

struct link *uv_link_connect(struct door *door, const struct link_request *request,
                             const struct link_handler *handler, void *context);
enum err uv_link_send(struct link *base, struct slice bytes);
void uv_link_expect_tls(struct door *base);
void uv_link_start_tls(struct link *base, struct slice server_name);
void uv_link_close(struct link *base);
/* For uv_tunnel.c. The link ends, its owner is told; detail is lent. */
void uv_link_end(struct uv_link *link, enum link_end why, const char *detail);
enum link_end uv_link_end_of(int uv_error);
enum err uv_link_write(struct uv_link *link, struct slice bytes) MUST_USE;
void uv_link_up(struct uv_link *link); /* to the destination: its owner is told */

enum err uv_tunnel_new(struct uv_link *link, const struct link_request *request) MUST_USE;
void uv_tunnel_free(struct uv_link *link);  /* the link goes on without; none is fine */
void uv_tunnel_begin(struct uv_link *link); /* the proxy was reached */
void uv_tunnel_received(struct uv_link *link, struct slice bytes);
void uv_tunnel_broke(struct uv_link *link, int uv_error);

enum err uv_resolver_open(struct uv_door *door, const struct uv_door_config *config,
                          struct uv_resolver **out, struct fault *out_fault) MUST_USE;
void uv_resolver_close(struct uv_resolver *resolver);
void uv_resolver_query(struct door *base, struct slice name, uint16_t type, query_fn fn,
                       void *context);

#endif
