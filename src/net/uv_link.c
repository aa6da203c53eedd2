/* net/uv_link: TCP connections on the loop, with the TLS filter between socket and owner where asked. What is
 * said to a proxy before a link is up is uv_tunnel's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "net/uv_private.h"

enum {
    TLS_BLOCK_BYTES = 16384, /* a record, RFC 8446 5.1 */
    UNREAD_BLOCKS_MAX = 16,
};

struct uv_link_write {
    uv_write_t request;
    struct uv_link *link;
    size_t len;
    char bytes[];
};

static struct uv_link *of(struct link *link)
{
    return (struct uv_link *)(void *)link;
}

static struct uv_door *door_of(const struct uv_link *link)
{
    return (struct uv_door *)(void *)link->link.door;
}

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

void uv_link_end(struct uv_link *link, enum link_end why, const char *detail)
{
    if (link->state == UV_LINK_ENDED || link->state == UV_LINK_CLOSING) {
        return;
    }
    link->state = UV_LINK_ENDED;
    (void)uv_read_stop((uv_stream_t *)&link->tcp);
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
    case UV_ENOMEM:
    case UV_EADDRNOTAVAIL:
    case UV_EADDRINUSE:
    case UV_EACCES:
    case UV_EPERM:
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

/* A call that failed at once is told from the loop, like everything. */
static void on_linger(void *context)
{
    struct uv_link *link = context;
    if (link->state == UV_LINK_CLOSING) {
        if (!uv_is_closing((uv_handle_t *)&link->tcp)) {
            link->writes = 0;
            link->state = UV_LINK_ENDED;
            uv_link_close(&link->link);
        }
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
    if (uv_tcp_init(&door->loop, &link->tcp) != 0) {
        free(link);
        return NULL;
    }
    link->link.door = &door->door;
    link->tcp.data = link;
    link->connect.data = link;
    link->handler = &uv_link_silent;
    link->linger = (struct timer){.fired = on_linger, .context = link};
    return link;
}

/* Writing. */

static void on_closed(uv_handle_t *handle)
{
    struct uv_link *link = handle->data;
    tls_session_free(link->tls);
    free(link);
}

/* A socket that is closed with unread bytes sends a reset (RFC 1122 4.2.2.13), and that takes away what the
 * peer has not read yet. Session tickets of TLS 1.3 often lie there. */
static void drop_unread(struct uv_link *link)
{
    UNFILLED char block[4096];
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&link->tcp, &fd) != 0) {
        return; /* never got so far */
    }
    for (int i = 0; i < UNREAD_BLOCKS_MAX && recv(fd, block, sizeof block, MSG_DONTWAIT) > 0;) {
        i++;
    }
}

static void close_now(struct uv_link *link)
{
    timers_remove(&door_of(link)->timers, &link->linger);
    uv_tunnel_free(link);
    if (!uv_is_closing((uv_handle_t *)&link->tcp)) {
        drop_unread(link);
        uv_close((uv_handle_t *)&link->tcp, on_closed);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct uv_link_write *write = (struct uv_link_write *)(void *)request;
    struct uv_link *link = write->link;
    link->writes--;
    link->unsent -= write->len;
    free(write);
    if (link->state == UV_LINK_CLOSING && (link->writes == 0 || status < 0)) {
        close_now(link);
    }
}

static enum err write_rest(struct uv_link *link, struct slice bytes)
{
    struct uv_link_write *write = malloc(sizeof *write + bytes.len);
    if (write == NULL) {
        return ERR_NOMEM;
    }
    write->link = link;
    write->len = bytes.len;
    memcpy(write->bytes, bytes.at, bytes.len);
    uv_buf_t out = {.base = write->bytes, .len = bytes.len};
    if (uv_write(&write->request, (uv_stream_t *)&link->tcp, &out, 1, on_written) != 0) {
        free(write);
        return ERR_CLOSED;
    }
    link->writes++;
    link->unsent += bytes.len;
    return ERR_NONE;
}

/* At once where the socket takes it; only what is left over costs memory. */
enum err uv_link_write(struct uv_link *link, struct slice bytes)
{
    if (link->writes == 0 && bytes.len > 0) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): uv_buf_t knows no const; it is only read */
        char *at = (char *)(uintptr_t)bytes.at;
        uv_buf_t out = {.base = at, .len = bytes.len};
        int sent = uv_try_write((uv_stream_t *)&link->tcp, &out, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
            return ERR_CLOSED;
        }
        bytes = slice_sub(bytes, sent < 0 ? 0 : (size_t)sent, bytes.len);
    }
    return bytes.len == 0 ? ERR_NONE : write_rest(link, bytes);
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
    if (link->unsent > UV_UNSENT_BYTES || bytes.len > UV_UNSENT_BYTES - link->unsent) {
        return ERR_LIMIT; /* before a byte is written: the line stays whole. TLS adds a little */
    }
    if (link->tls == NULL) {
        return uv_link_write(link, bytes);
    }
    enum err e = tls_session_write(link->tls, bytes);
    return e != ERR_NONE ? e : write_outgoing(link);
}

/* Reading. */

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    (void)wanted;
    struct uv_link *link = handle->data;
    struct uv_door *door = door_of(link);
    out->base = door->read_buffer;
    out->len = sizeof door->read_buffer;
}

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

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *block)
{
    struct uv_link *link = stream->data;
    if (len == 0 || (link->state != UV_LINK_OPEN && link->state != UV_LINK_TUNNELLING)) {
        return;
    }
    bool is_shaking = link->tls != NULL && !link->is_secured;
    if (len < 0 && is_shaking) {
        uv_link_end(link, LINK_END_TLS, uv_strerror((int)len));
        return;
    }
    if (len < 0) {
        broke(link, (int)len);
        return;
    }
    struct slice bytes = slice_make(block->base, (size_t)len);
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

static void begin_reading(struct uv_link *link)
{
    int error = uv_read_start((uv_stream_t *)&link->tcp, on_room, on_read);
    if (error != 0) {
        link->late_error = error;
        door_timer_start(link->link.door, &link->linger, door_now_ms(link->link.door));
    }
}

void uv_link_accepted(struct uv_link *link)
{
    link->state = UV_LINK_OPEN;
    begin_reading(link);
}

/* Connecting. */

void uv_link_up(struct uv_link *link)
{
    link->state = UV_LINK_OPEN;
    link->handler->connected(link->context);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct uv_link *link = request->data;
    if (link->state != UV_LINK_CONNECTING) {
        return; /* closed meanwhile */
    }
    if (status != 0) {
        broke(link, status);
        return;
    }
    begin_reading(link);
    if (link->tunnel != NULL) {
        uv_tunnel_begin(link);
    } else {
        uv_link_up(link);
    }
}

/* With a proxy the source is a wish told to it, if at all, and the kernel chooses ours. */
static int open_socket(struct uv_link *link, const struct link_request *request)
{
    const struct proxy *proxy = request->proxy;
    struct sockaddr_storage address;
    if (proxy != NULL && uv_tunnel_new(link, request) != ERR_NONE) {
        return UV_ENOMEM;
    }
    if (proxy == NULL && request->source.family != IP_NONE) {
        uv_link_sockaddr(&request->source, 0, &address);
        int error = uv_tcp_bind(&link->tcp, (const struct sockaddr *)&address, 0);
        if (error != 0) {
            return error;
        }
    }
    uv_link_sockaddr(proxy == NULL ? &request->ip : &proxy->ip,
                     proxy == NULL ? request->port : proxy->port, &address);
    return uv_tcp_connect(&link->connect, &link->tcp, (const struct sockaddr *)&address,
                          on_connect);
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
    (void)uv_tcp_nodelay(&link->tcp, 1);
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
    if (is_open && link->writes > 0) {
        (void)uv_read_stop((uv_stream_t *)&link->tcp);
        door_timer_start(base->door, &link->linger, door_now_ms(base->door) + UV_LINGER_MS);
        return;
    }
    close_now(link);
}
