/* net/uv_link: TCP connections on the loop, with the TLS filter between socket and owner where asked. What is
 * said to a proxy before a link is up is uv_tunnel's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/slice.h"
#include "net/uv_private.h"

enum {
    TLS_BLOCK_BYTES = 16384, /* a record, RFC 8446 5.1 */
    READS_MAX = 16,          /* of one line in a turn */
};

static struct uv_link *of(struct link *link)
{
    return (struct uv_link *)(void *)link;
}

static struct uv_link *of_socket(struct uv_socket *socket)
{
    return (struct uv_link *)(void *)((char *)socket - offsetof(struct uv_link, socket));
}

static struct uv_door *door_of(const struct uv_link *link)
{
    return (struct uv_door *)(void *)link->link.door;
}

static const struct uv_socket_owner socket_owner;

/* For the owner that is gone. */
static void silent_connected(void *context)
{
    (void)context;
}
static void silent_received(void *context, struct slice bytes)
{
    (void)context;
    (void)bytes;
}
static void silent_secured(void *context, const struct tls_info *info)
{
    (void)context;
    (void)info;
}
static void silent_ended(void *context, enum link_end why, const char *detail)
{
    (void)context;
    (void)why;
    (void)detail;
}
const struct link_handler uv_link_silent = {silent_connected, silent_received, silent_secured,
                                            silent_ended};

/* What was said and can go out at once still does. */
static void shut(struct uv_link *link)
{
    struct uv_sockets *sockets = &door_of(link)->sockets;
    uv_socket_flush(sockets, &link->socket);
    uv_socket_close(sockets, &link->socket);
}

void uv_link_end(struct uv_link *link, enum link_end why, const char *detail)
{
    if (link->state == UV_LINK_ENDED || link->state == UV_LINK_CLOSING) {
        return;
    }
    link->state = UV_LINK_ENDED;
    shut(link);
    link->handler->ended(link->context, why, detail);
}

enum link_end uv_link_end_of(int error)
{
    switch (error) {
    case UV_ECONNREFUSED: return LINK_END_REFUSED;
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
    case UV_ENETDOWN:
    case UV_ETIMEDOUT: return LINK_END_UNREACHABLE;
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOBUFS:
    case UV_ENOSPC: /* as many as epoll may watch */
    case UV_ENOMEM:
    case UV_EADDRNOTAVAIL:
    case UV_EADDRINUSE:
    case UV_EACCES:
    case UV_EPERM:
    case UV_EAFNOSUPPORT:
    case UV_EINVAL: return LINK_END_LOCAL;
    case UV_ENOSYS: return LINK_END_TLS; /* there is no OpenSSL here */
    case UV_EOF: return LINK_END_CLOSED;
    default: return LINK_END_RESET;
    }
}

/* A socket that failed, with a proxy still in between or not. */
static void broke(struct uv_link *link, int error)
{
    if (link->tunnel != NULL) {
        uv_tunnel_broke(link, error);
    } else {
        uv_link_end(link, uv_link_end_of(error), uv_strerror(error));
    }
}

static void close_now(struct uv_link *link)
{
    struct uv_door *door = door_of(link);
    timers_remove(&door->timers, &link->linger);
    uv_tunnel_free(link);
    shut(link);
    uv_socket_discard(&door->sockets, &link->socket);
}

static void on_discarded(struct uv_socket *socket)
{
    struct uv_link *link = of_socket(socket);
    tls_session_free(link->tls);
    free(link);
}

/* A call that failed at once is told from the loop, like everything. */
static void on_linger(void *context)
{
    struct uv_link *link = context;
    if (link->state == UV_LINK_CLOSING) {
        close_now(link);
        return;
    }
    broke(link, link->late_error);
}

struct uv_link *uv_link_new(struct uv_door *door)
{
    struct uv_link *link = malloc(sizeof *link);
    if (link == NULL) {
        return NULL;
    }
    memset(link, 0, offsetof(struct uv_link, peer_name));
    link->link.door = &door->door;
    uv_socket_init(&door->sockets, &link->socket, &socket_owner);
    link->handler = &uv_link_silent;
    link->linger = (struct timer){.fired = on_linger, .context = link};
    return link;
}

/* Writing. */

enum err uv_link_write(struct uv_link *link, struct slice bytes)
{
    return uv_socket_send(&door_of(link)->sockets, &link->socket, bytes);
}

static enum err write_outgoing(struct uv_link *link)
{
    UNFILLED char block[TLS_BLOCK_BYTES];
    size_t len;
    while ((len = tls_session_outgoing(link->tls, block, sizeof block)) > 0) {
        enum err e = uv_link_write(link, slice_make(block, len));
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

enum err uv_link_send(struct link *base, struct slice bytes)
{
    struct uv_link *link = of(base);
    if (link->state != UV_LINK_OPEN) {
        return ERR_CLOSED;
    }
    size_t unsent = uv_socket_unsent(&link->socket);
    if (unsent > UV_UNSENT_BYTES || bytes.len > UV_UNSENT_BYTES - unsent) {
        return ERR_LIMIT; /* before a byte is written: the line stays whole. TLS adds a little */
    }
    if (link->tls == NULL) {
        return uv_link_write(link, bytes);
    }
    enum err e = tls_session_write(link->tls, bytes);
    return e != ERR_NONE ? e : write_outgoing(link);
}

/* Reading. */

static void shake(struct uv_link *link)
{
    enum tls_status status = tls_session_shake(link->tls);
    enum err e = write_outgoing(link);
    if (status == TLS_FAILED || status == TLS_CLOSED || e != ERR_NONE) {
        uv_link_end(link, LINK_END_TLS, tls_session_error(link->tls));
    } else if (status == TLS_UP) {
        link->is_secured = true;
        struct tls_info info;
        tls_session_info(link->tls, &info);
        link->handler->secured(link->context, &info);
    }
}

static void read_tls(struct uv_link *link)
{
    UNFILLED char plain[TLS_BLOCK_BYTES];
    while (link->state == UV_LINK_OPEN) {
        size_t len;
        enum tls_status status = tls_session_read(link->tls, plain, sizeof plain, &len);
        (void)write_outgoing(
            link); /* a key update may answer; a broken line shows at the next read */
        if (len > 0) {
            link->handler->received(link->context, slice_make(plain, len));
        } else if (status == TLS_FAILED) {
            uv_link_end(link, LINK_END_TLS, tls_session_error(link->tls));
        } else if (status == TLS_CLOSED) {
            uv_link_end(link, LINK_END_CLOSED, "");
        } else {
            return;
        }
    }
}

/* What a read brought: bytes, or an error below 0. */
static void on_read(struct uv_link *link, const char *at, ssize_t len)
{
    bool is_shaking = link->tls != NULL && !link->is_secured;
    if (len < 0 && is_shaking) {
        uv_link_end(link, LINK_END_TLS, uv_strerror((int)len));
        return;
    }
    if (len < 0) {
        broke(link, (int)len);
        return;
    }
    struct slice bytes = slice_make(at, (size_t)len);
    if (link->tunnel != NULL) {
        uv_tunnel_received(link, bytes);
        return;
    }
    if (link->tls == NULL) {
        link->handler->received(link->context, bytes);
        return;
    }
    tls_session_received(link->tls, bytes);
    if (!link->is_secured) {
        shake(link);
    }
    if (link->is_secured && link->state == UV_LINK_OPEN) {
        read_tls(link);
    }
}

/* A read that fills less than the buffer leaves nothing behind but the end of the line, where that is near. */
static void read_all(struct uv_link *link, bool is_ending)
{
    struct uv_door *door = door_of(link);
    for (int i = 0; i < READS_MAX; i++) {
        if (link->state != UV_LINK_OPEN && link->state != UV_LINK_TUNNELLING) {
            return;
        }
        ssize_t len = uv_socket_receive(&link->socket, door->read_buffer, sizeof door->read_buffer);
        if (len == 0) {
            return;
        }
        on_read(link, door->read_buffer, len);
        if (len < (ssize_t)sizeof door->read_buffer && !is_ending) {
            return;
        }
    }
    if (link->socket.fd >= 0) {
        uv_socket_rearm(&door->sockets, &link->socket);
    }
}

struct uv_link *uv_link_accepted(struct uv_door *door, int fd)
{
    struct uv_link *link = uv_link_new(door);
    if (link == NULL) {
        (void)close(fd);
        return NULL;
    }
    if (uv_socket_take(&door->sockets, &link->socket, fd) != 0) {
        uv_socket_discard(&door->sockets, &link->socket);
        return NULL;
    }
    link->state = UV_LINK_OPEN;
    return link;
}

/* Connecting. */

void uv_link_up(struct uv_link *link)
{
    link->state = UV_LINK_OPEN;
    link->handler->connected(link->context);
}

static void on_connected(struct uv_link *link)
{
    if (link->tunnel != NULL) {
        uv_tunnel_begin(link);
    } else {
        uv_link_up(link);
    }
}

static void on_ready(struct uv_socket *socket, uint32_t events)
{
    struct uv_link *link = of_socket(socket);
    bool is_ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (link->state == UV_LINK_CONNECTING) {
        int error = (events & EPOLLERR) != 0 ? uv_socket_error(socket) : 0;
        if (error != 0) {
            broke(link, error);
            return;
        }
        if ((events & EPOLLOUT) != 0) {
            on_connected(link);
        }
    }
    if (socket->fd < 0) {
        return;
    }
    if (link->state == UV_LINK_CLOSING) {
        if (is_ending || uv_socket_unsent(socket) == 0) {
            close_now(link);
        }
    } else if (is_ending || (events & EPOLLIN) != 0) {
        read_all(link, is_ending);
    }
}

static void on_door_closes(struct uv_socket *socket)
{
    struct uv_link *link = of_socket(socket);
    link->handler = &uv_link_silent;
    link->state = UV_LINK_CLOSING;
    close_now(link);
}

static const struct uv_socket_owner socket_owner = {.reads_when_ready = true,
                                                    .ready = on_ready,
                                                    .door_closes = on_door_closes,
                                                    .discarded = on_discarded};

static int bind_to(int fd, const struct ip *source)
{
    struct sockaddr_storage address;
    socklen_t len = uv_link_sockaddr(source, 0, &address);
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(fd, (const struct sockaddr *)&address, len) == 0 ? 0 : -errno;
}

/* With a proxy the source is a wish told to it, if at all, and the kernel chooses ours. */
static int open_socket(struct uv_link *link, const struct link_request *request)
{
    const struct proxy *proxy = request->proxy;
    if (proxy != NULL && uv_tunnel_new(link, request) != ERR_NONE) {
        return UV_ENOMEM;
    }
    const struct ip *ip = proxy == NULL ? &request->ip : &proxy->ip;
    int fd = socket(ip->family == IP_V6 ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    bool has_source = proxy == NULL && request->source.family != IP_NONE;
    int error = has_source ? bind_to(fd, &request->source) : 0;
    if (error != 0) {
        (void)close(fd);
        return error;
    }
    struct sockaddr_storage far;
    socklen_t len = uv_link_sockaddr(ip, proxy == NULL ? request->port : proxy->port, &far);
    return uv_socket_connect(&door_of(link)->sockets, &link->socket, fd,
                             (const struct sockaddr *)&far, len);
}

struct link *uv_link_connect(struct door *door, const struct link_request *request,
                             const struct link_handler *handler, void *context)
{
    struct uv_link *link = uv_link_new((struct uv_door *)(void *)door);
    if (link == NULL) {
        return NULL;
    }
    link->handler = handler;
    link->context = context;
    int error = open_socket(link, request);
    if (error != 0) {
        link->late_error = error;
        door_timer_start(door, &link->linger, door_now_ms(door));
    }
    return &link->link;
}

void uv_link_expect_tls(struct door *base)
{
    struct uv_door *door = (struct uv_door *)(void *)base;
    if (door->tls == NULL && tls_client_new(&door->tls, NULL) != ERR_NONE) {
        door->tls = NULL; /* told where a handshake is asked for */
    }
}

void uv_link_start_tls(struct link *base, struct slice server_name)
{
    struct uv_link *link = of(base);
    size_t len =
        server_name.len < sizeof link->peer_name ? server_name.len : sizeof link->peer_name - 1;
    memcpy(link->peer_name, server_name.at, len);
    link->peer_name[len] = '\0';
    if (link->state != UV_LINK_OPEN) {
        return; /* ended() is on its way or was there */
    }
    /* Our last handshake record and the first command are two writes without an answer between them. */
    int on = 1;
    (void)setsockopt(link->socket.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct uv_door *door = door_of(link);
    uv_link_expect_tls(base->door);
    enum err e =
        door->tls == NULL ? ERR_SYSTEM : tls_session_client(door->tls, link->peer_name, &link->tls);
    if (e != ERR_NONE) {
        link->late_error = e == ERR_SYSTEM ? UV_ENOSYS : UV_ENOMEM;
        door_timer_start(base->door, &link->linger, door_now_ms(base->door));
        return;
    }
    enum tls_status status = tls_session_shake(link->tls);
    if (status == TLS_FAILED || write_outgoing(link) != ERR_NONE) {
        link->late_error = UV_ECONNRESET;
        door_timer_start(base->door, &link->linger, door_now_ms(base->door));
    }
}

void uv_link_close(struct link *base)
{
    struct uv_link *link = of(base);
    if (link->state == UV_LINK_CLOSING) {
        return;
    }
    bool is_open = link->state == UV_LINK_OPEN;
    if (is_open && link->is_secured) {
        tls_session_close(link->tls);
        (void)write_outgoing(link); /* close_notify is a courtesy */
    }
    link->handler = &uv_link_silent;
    link->state = UV_LINK_CLOSING;
    if (is_open) {
        uv_socket_flush(&door_of(link)->sockets, &link->socket);
    }
    if (is_open && uv_socket_unsent(&link->socket) > 0) {
        door_timer_start(base->door, &link->linger, door_now_ms(base->door) + UV_LINGER_MS);
        return;
    }
    close_now(link);
}
