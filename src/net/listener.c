/* net/listener: accepting on the loop.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "base/slice.h"
#include "net/listen_socket.h"
#include "net/uv_private.h"

enum {
    LISTEN_BACKLOG = 4096,
    DATAGRAM_BYTES_MAX = 65535, /* RFC 768 */
};

struct listener {
    struct uv_socket tcp; /* either this one */
    int spare;            /* a descriptor for when there are none */
    uv_udp_t udp;         /* or this */
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
    if (listener == NULL) {
        return;
    }
    if (listener->is_udp) {
        uv_close((uv_handle_t *)&listener->udp, on_closed);
        return;
    }
    uv_socket_discard(&listener->door->sockets, &listener->tcp);
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

static int spare_open(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static struct listener *of_socket(struct uv_socket *socket)
{
    return (struct listener *)(void *)((char *)socket - offsetof(struct listener, tcp));
}

/* Without descriptors the oldest in the backlog would wait until another comes: it is accepted with the spare one, and
 * closed. False: there was nobody. */
static bool turn_away(struct listener *listener)
{
    if (listener->spare < 0) {
        return false;
    }
    (void)close(listener->spare);
    int fd = accept4(listener->tcp.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)close(fd);
    }
    listener->spare = spare_open();
    return fd >= 0;
}

static void on_ready(struct uv_socket *socket, uint32_t events)
{
    struct listener *listener = of_socket(socket);
    (void)events;
    while (socket->fd >= 0) {
        int fd = accept4(socket->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        bool is_short = fd < 0 && (errno == EMFILE || errno == ENFILE);
        if (is_short && turn_away(listener)) {
            continue;
        }
        if (fd < 0) {
            return;
        }
        int on = 1; /* pipelined commands are answered one by one */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct uv_link *link = uv_link_accepted(listener->door, fd);
        if (link != NULL) {
            listener->accepted(listener->context, &link->link);
        }
    }
}

static void on_door_closes(struct uv_socket *socket)
{
    listener_close(of_socket(socket));
}

static void on_discarded(struct uv_socket *socket)
{
    struct listener *listener = of_socket(socket);
    if (listener->spare >= 0) {
        (void)close(listener->spare);
    }
    free(listener);
}

static const struct uv_socket_owner tcp_owner = {
    .ready = on_ready, .door_closes = on_door_closes, .discarded = on_discarded};

enum err net_listen(struct door *door, const struct net_place *place,
                    void (*accepted)(void *context, struct link *link), void *context,
                    struct listener **out, struct fault *out_fault)
{
    struct listener *listener = listener_new(door, context);
    if (listener == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    uv_socket_init(&listener->door->sockets, &listener->tcp, &tcp_owner);
    listener->accepted = accepted;
    listener->spare = spare_open();
    struct fault why = {0};
    int fd;
    if (listen_socket_open(&place->ip, place->port, &fd, &listener->port, &why) != ERR_NONE) {
        return refuse(listener, place, -why.os_errno, out_fault);
    }
    int error = uv_socket_take(&listener->door->sockets, &listener->tcp, fd);
    if (error != 0) {
        return refuse(listener, place, error, out_fault);
    }
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
    socklen_t len = sizeof address;
    if (getpeername(own->socket.fd, (struct sockaddr *)&address, &len) != 0) {
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
    int error = uv_udp_init(&listener->door->loop, &listener->udp);
    if (error != 0) {
        free(listener);
        return fault_set(out_fault, ERR_SYSTEM, -error, "cannot listen: %s", uv_strerror(error));
    }
    listener->udp.data = listener;
    struct sockaddr_storage address;
    (void)uv_link_sockaddr(&place->ip, place->port, &address);
    int len = sizeof address;
    error = uv_udp_bind(&listener->udp, (const struct sockaddr *)&address, 0);
    if (error == 0) {
        error = uv_udp_recv_start(&listener->udp, on_datagram_room, on_datagram);
    }
    if (error == 0) {
        error = uv_udp_getsockname(&listener->udp, (struct sockaddr *)&address, &len);
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
    (void)uv_link_sockaddr(&to->ip, to->port, &address);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): uv_buf_t knows no const; it is only read */
    uv_buf_t out = {.base = (char *)(uintptr_t)datagram.at, .len = datagram.len};
    int sent = uv_udp_try_send(&listener->udp, &out, 1, (const struct sockaddr *)&address);
    if (sent == UV_EAGAIN) {
        return ERR_LIMIT;
    }
    return sent < 0 ? ERR_SYSTEM : ERR_NONE;
}
