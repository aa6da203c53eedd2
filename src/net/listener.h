/* net/listener: the accepting side of the real door, for the demo village, tests and later the daemon.
 * Accepted links are links like all others: link_send and link_close work on them, and the same rules
 * hold for callbacks. Does not work on a virtual door.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/err.h"
#include "net/door.h"

struct listener;
struct tls_server;

/* Where to listen, or the far end of a datagram; a plain value, to be kept as long as one likes. */
struct net_place {
    struct ip ip;
    uint16_t port;
};

/* Port 0: the system chooses one, see listener_port. accepted() is called for each connection; give
 * the link its handler there. ERR_SYSTEM or ERR_NOMEM, the fault says why. */
enum err net_listen(struct door *door, const struct net_place *place,
                    void (*accepted)(void *context, struct link *link), void *context,
                    struct listener **out, struct fault *out_fault) MUST_USE;

typedef void (*udp_received_fn)(void *context, const struct net_place *from, struct slice datagram);

/* The same for datagrams, for a small DNS responder. */
enum err net_listen_udp(struct door *door, const struct net_place *place, udp_received_fn received,
                        void *context, struct listener **out, struct fault *out_fault) MUST_USE;

/* Sends one datagram from the listener's own address, now or never. ERR_LIMIT: the socket is full;
 * ERR_SYSTEM. */
enum err listener_reply(struct listener *listener, const struct net_place *to,
                        struct slice datagram) MUST_USE;

uint16_t listener_port(const struct listener *listener);

/* Accepts no more and frees. Its links live on. Must come before uv_door_close. NULL is fine. */
void listener_close(struct listener *listener);

/* Who hears of an accepted link; until then it is silent, and an end that comes first is lost. */
void link_set_handler(struct link *link, const struct link_handler *handler, void *context);

/* The address of the other end; false when the line is gone already. */
bool link_peer(struct link *link, struct ip *out) MUST_USE;

/* The server's side of a TLS handshake. Bytes that came before are dropped; secured() or
 * ended(LINK_END_TLS) follows. The server must outlive the link. */
void link_accept_tls(struct link *link, struct tls_server *server);

#endif
