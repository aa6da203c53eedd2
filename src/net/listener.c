/* net/listener: accepting on the loop.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/listener.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "net/uv_private.h"

enum {
    LISTEN_BACKLOG = 4096,
    DATAGRAM_BYTES_MAX = 65535, /* RFC 768 */
};

struct listener {
    union {
        uv_handle_t any;
        uv_tcp_t tcp;
        uv_udp_t udp;
    } handle;
    struct uv_door *door;
    void (*accepted)(void *context, struct link *link);
    udp_received_fn received;
    void *context;
    uint16_t port;
    bool is_udp;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void listener_close(struct listener *listener)
{
    if (listener != NULL) {
        uv_close(&listener->handle.any, on_closed);
    }
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    }
    return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

static enum err refuse(struct listener *listener, const struct net_place *place, int error,
                       struct fault *out_fault)
{
    char text[IP_TEXT_BYTES];
    ip_format(&place->ip, text);
    listener_close(listener);
    return fault_set(out_fault, error == UV_ENOMEM ? ERR_NOMEM : ERR_SYSTEM, -error,
                     "cannot listen on %s port %u: %s", text, (unsigned)place->port,
                     uv_strerror(error));
}

static struct listener *listener_new(struct door *door, void *context)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener != NULL) {
        listener->door = (struct uv_door *)(void *)door;
        listener->context = context;
    }
    return listener;
}

/* TCP. */

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = stream->data;
    struct uv_link *link = status == 0 ? uv_link_new(listener->door) : NULL;
    if (link == NULL) {
        return; /* the connection waits in the backlog or is gone */
    }
    if (uv_accept(stream, (uv_stream_t *)&link->tcp) != 0) {
        uv_link_close(&link->link);
        return;
    }
    (void)uv_tcp_nodelay(&link->tcp, 1); /* pipelined commands are answered one by one */
    uv_link_accepted(link);
    listener->accepted(listener->context, &link->link);
}

enum err net_listen(struct door *door, const struct net_place *place,
                    void (*accepted)(void *context, struct link *link), void *context,
                    struct listener **out, struct fault *out_fault)
{
    struct listener *listener = listener_new(door, context);
    if (listener == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    listener->accepted = accepted;
    int error = uv_tcp_init(&listener->door->loop, &listener->handle.tcp);
    if (error != 0) {
        free(listener);
        return fault_set(out_fault, ERR_SYSTEM, -error, "cannot listen: %s", uv_strerror(error));
    }
    listener->handle.tcp.data = listener;
    struct sockaddr_storage address;
    uv_link_sockaddr(&place->ip, place->port, &address);
    int len = sizeof address;
    error = uv_tcp_bind(&listener->handle.tcp, (const struct sockaddr *)&address, 0);
    if (error == 0) {
        error = uv_listen((uv_stream_t *)&listener->handle.tcp, LISTEN_BACKLOG, on_connection);
    }
    if (error == 0) {
        error = uv_tcp_getsockname(&listener->handle.tcp, (struct sockaddr *)&address, &len);
    }
    if (error != 0) {
        return refuse(listener, place, error, out_fault);
    }
    listener->port = port_of(&address);
    *out = listener;
    return ERR_NONE;
}

void link_set_handler(struct link *link, const struct link_handler *handler, void *context)
{
    struct uv_link *own = (struct uv_link *)(void *)link;
    own->handler = handler;
    own->context = context;
}

bool link_peer(struct link *link, struct ip *out)
{
    struct uv_link *own = (struct uv_link *)(void *)link;
    struct sockaddr_storage address;
    int len = sizeof address;
    if (uv_tcp_getpeername(&own->tcp, (struct sockaddr *)&address, &len) != 0) {
        return false;
    }
    return uv_link_ip(&address, out);
}

void link_accept_tls(struct link *link, struct tls_server *server)
{
    struct uv_link *own = (struct uv_link *)(void *)link;
    if (own->state == UV_LINK_OPEN && tls_session_server(server, &own->tls) != ERR_NONE) {
        own->late_error = UV_ENOMEM;
        door_timer_start(link->door, &own->linger, door_now_ms(link->door));
    }
}

/* UDP. */

static void on_datagram_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    (void)wanted;
    const struct listener *listener = handle->data;
    out->base = listener->door->read_buffer;
    out->len = sizeof listener->door->read_buffer;
}

static void on_datagram(uv_udp_t *udp, ssize_t len, const uv_buf_t *block,
                        const struct sockaddr *from, unsigned flags)
{
    const struct listener *listener = udp->data;
    if (len <= 0 || from == NULL || (flags & UV_UDP_PARTIAL) != 0) {
        return;
    }
    struct sockaddr_storage address = {0};
    memcpy(&address, from,
           from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    struct net_place peer = {.port = port_of(&address)};
    if (uv_link_ip(&address, &peer.ip)) {
        listener->received(listener->context, &peer, slice_make(block->base, (size_t)len));
    }
}

enum err net_listen_udp(struct door *door, const struct net_place *place, udp_received_fn received,
                        void *context, struct listener **out, struct fault *out_fault)
{
    struct listener *listener = listener_new(door, context);
    if (listener == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    listener->received = received;
    listener->is_udp = true;
    int error = uv_udp_init(&listener->door->loop, &listener->handle.udp);
    if (error != 0) {
        free(listener);
        return fault_set(out_fault, ERR_SYSTEM, -error, "cannot listen: %s", uv_strerror(error));
    }
    listener->handle.udp.data = listener;
    struct sockaddr_storage address;
    uv_link_sockaddr(&place->ip, place->port, &address);
    int len = sizeof address;
    error = uv_udp_bind(&listener->handle.udp, (const struct sockaddr *)&address, 0);
    if (error == 0) {
        error = uv_udp_recv_start(&listener->handle.udp, on_datagram_room, on_datagram);
    }
    if (error == 0) {
        error = uv_udp_getsockname(&listener->handle.udp, (struct sockaddr *)&address, &len);
    }
    if (error != 0) {
        return refuse(listener, place, error, out_fault);
    }
    listener->port = port_of(&address);
    *out = listener;
    return ERR_NONE;
}

enum err listener_reply(struct listener *listener, const struct net_place *to,
                        struct slice datagram)
{
    must(listener->is_udp && datagram.len <= DATAGRAM_BYTES_MAX);
    struct sockaddr_storage address;
    uv_link_sockaddr(&to->ip, to->port, &address);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): uv_buf_t knows no const; it is only read */
    uv_buf_t out = {.base = (char *)(uintptr_t)datagram.at, .len = datagram.len};
    int sent = uv_udp_try_send(&listener->handle.udp, &out, 1, (const struct sockaddr *)&address);
    if (sent == UV_EAGAIN) {
        return ERR_LIMIT;
    }
    return sent < 0 ? ERR_SYSTEM : ERR_NONE;
}
