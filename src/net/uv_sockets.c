/* SPDX-License-Identifier: Apache-2.0 */
#include "net/uv_sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/must.h"
#include "base/slice.h"

enum {
    EVENTS_MAX = 512, /* told in a turn; what is left is told in the next */
    UNREAD_BLOCKS_MAX = 16,
    REST_BYTES_MAX =
        4 << 20, /* above what a link lets its owner leave unsent, with what TLS adds */
};

static const uint32_t both_ways = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

static void flush_all(struct uv_sockets *sockets);

/* The loop. */

static ssize_t receive(const struct uv_socket *socket, char *at, size_t room)
{
    ssize_t n = TEMP_FAILURE_RETRY(recv(socket->fd, at, room, 0));
    return n < 0 ? -errno : n;
}

/* One with an error is left alone: the kernel says it once, and its owner asks for it first. */
static void read_ahead(struct uv_sockets *sockets, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        struct uv_socket *socket = events[i].data.ptr;
        if (socket->owner->reads_when_ready && socket->fd >= 0 &&
            (events[i].events & (EPOLLIN | EPOLLERR)) == EPOLLIN) {
            socket->ahead = sockets->ahead[i];
            socket->ahead_len = receive(socket, sockets->ahead[i], UV_AHEAD_BYTES);
        }
    }
}

static void tell_ready(struct uv_sockets *sockets, struct uv_socket *socket, uint32_t events)
{
    if (socket->rest.len > 0 && (events & EPOLLOUT) != 0) {
        uv_socket_flush(sockets, socket);
    }
    if (socket->fd >= 0) { /* closed meanwhile: its owner keeps it until the turn is over */
        socket->owner->ready(socket, events);
    }
    socket->ahead = NULL;
}

static void on_ready(uv_poll_t *poll, int status, int wanted)
{
    struct uv_sockets *sockets = poll->data;
    UNFILLED struct epoll_event events[EVENTS_MAX];
    (void)status;
    (void)wanted;
    int count = epoll_wait(sockets->epoll, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        if (i % UV_AHEAD_SOCKETS == 0) {
            int left = count - i;
            read_ahead(sockets, events + i, left < UV_AHEAD_SOCKETS ? left : UV_AHEAD_SOCKETS);
        }
        tell_ready(sockets, events[i].data.ptr, events[i].events);
    }
}

static void end_turn(struct uv_sockets *sockets)
{
    flush_all(sockets);
    while (!LIST_EMPTY(&sockets->discarded)) {
        struct uv_socket *socket = LIST_FIRST(&sockets->discarded);
        LIST_REMOVE(socket, link);
        socket->owner->discarded(socket);
    }
}

static void on_check(uv_check_t *check)
{
    end_turn(check->data);
}

/* What timers and others said before the loop waits. */
static void on_prepare(uv_prepare_t *prepare)
{
    end_turn(prepare->data);
}

int uv_sockets_open(struct uv_sockets *sockets, uv_loop_t *loop)
{
    LIST_INIT(&sockets->all);
    TAILQ_INIT(&sockets->queue);
    LIST_INIT(&sockets->discarded);
    sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (sockets->epoll < 0) {
        return -errno;
    }
    int error = uv_poll_init(loop, &sockets->poll, sockets->epoll);
    if (error != 0) {
        (void)close(sockets->epoll);
        sockets->epoll = -1;
        return error;
    }
    (void)uv_check_init(loop, &sockets->check);
    (void)uv_prepare_init(loop, &sockets->prepare);
    sockets->poll.data = sockets->check.data = sockets->prepare.data = sockets;
    (void)uv_check_start(&sockets->check, on_check);
    (void)uv_prepare_start(&sockets->prepare, on_prepare);
    uv_unref((uv_handle_t *)&sockets->poll);
    uv_unref((uv_handle_t *)&sockets->check);
    uv_unref((uv_handle_t *)&sockets->prepare);
    return uv_poll_start(&sockets->poll, UV_READABLE, on_ready);
}

void uv_sockets_close(struct uv_sockets *sockets)
{
    if (sockets->poll.data == NULL) {
        return;
    }
    while (!LIST_EMPTY(&sockets->all)) {
        struct uv_socket *socket = LIST_FIRST(&sockets->all);
        socket->owner->door_closes(socket);
        must(LIST_FIRST(&sockets->all) != socket);
    }
    end_turn(sockets);
    uv_close((uv_handle_t *)&sockets->poll, NULL);
    uv_close((uv_handle_t *)&sockets->check, NULL);
    uv_close((uv_handle_t *)&sockets->prepare, NULL);
    (void)close(sockets->epoll);
    sockets->poll.data = NULL;
}

/* A socket. */

void uv_socket_init(struct uv_sockets *sockets, struct uv_socket *socket,
                    const struct uv_socket_owner *owner)
{
    *socket = (struct uv_socket){.owner = owner, .fd = -1};
    buf_init(&socket->rest, REST_BYTES_MAX);
    LIST_INSERT_HEAD(&sockets->all, socket, link);
}

int uv_socket_take(struct uv_sockets *sockets, struct uv_socket *socket, int fd)
{
    struct epoll_event event = {.events = both_ways, .data.ptr = socket};
    if (epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        int error = -errno;
        (void)close(fd);
        return error;
    }
    if (sockets->open++ == 0) {
        uv_ref((uv_handle_t *)&sockets->poll);
    }
    socket->fd = fd;
    return 0;
}

void uv_socket_rearm(struct uv_sockets *sockets, struct uv_socket *socket)
{
    struct epoll_event event = {.events = both_ways, .data.ptr = socket};
    (void)epoll_ctl(sockets->epoll, EPOLL_CTL_MOD, socket->fd, &event);
}

int uv_socket_error(const struct uv_socket *socket)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? -errno : -error;
}

/* Reading. */

/* What was read ahead, and behind it what had no room there. */
static ssize_t take_ahead(struct uv_socket *socket, char *at, size_t room)
{
    ssize_t n = socket->ahead_len;
    must(n <= (ssize_t)room);
    if (n > 0) {
        memcpy(at, socket->ahead, (size_t)n);
    }
    socket->ahead = NULL;
    if (n < UV_AHEAD_BYTES) {
        return n;
    }
    ssize_t more = receive(socket, at + n, room - UV_AHEAD_BYTES);
    if (more < 0 && more != -EAGAIN) {
        socket->error = (int)more; /* the kernel says it once; its next word is an end */
    }
    return more > 0 ? n + more : n;
}

ssize_t uv_socket_receive(struct uv_socket *socket, char *at, size_t room)
{
    ssize_t n = socket->ahead != NULL ? take_ahead(socket, at, room) : receive(socket, at, room);
    if (n > 0) {
        socket->is_unheard = false;
        return n;
    }
    if (n == 0) {
        return socket->error != 0 ? socket->error : UV_EOF;
    }
    return n == -EAGAIN ? 0 : n;
}

/* Sending. */

/* Its reader sees the end of the line and why, after what had come before. */
static void give_up(struct uv_socket *socket, int error)
{
    socket->error = error;
    (void)shutdown(socket->fd, SHUT_RDWR);
}

/* How many bytes the kernel took. */
static size_t send_now(struct uv_socket *socket, struct slice bytes)
{
    ssize_t n = TEMP_FAILURE_RETRY(send(socket->fd, bytes.at, bytes.len, MSG_NOSIGNAL));
    if (n < 0 && errno != EAGAIN) {
        give_up(socket, -errno);
    }
    return n < 0 ? 0 : (size_t)n;
}

void uv_socket_flush(struct uv_sockets *sockets, struct uv_socket *socket)
{
    if (socket->queued > 0) { /* then there is no rest */
        struct slice part = slice_make(sockets->outbox + socket->queued_at, socket->queued);
        TAILQ_REMOVE(&sockets->queue, socket, queue_link);
        socket->queued = 0;
        size_t sent = send_now(socket, part);
        part = slice_sub(part, sent, part.len);
        if (part.len > 0 && socket->error == 0 && buf_append(&socket->rest, part) != ERR_NONE) {
            give_up(socket, UV_ENOMEM);
        }
    } else if (socket->rest.len > 0 && socket->error == 0) {
        buf_drop_front(&socket->rest, send_now(socket, buf_view(&socket->rest)));
    }
}

static void flush_all(struct uv_sockets *sockets)
{
    while (!TAILQ_EMPTY(&sockets->queue)) {
        uv_socket_flush(sockets, TAILQ_FIRST(&sockets->queue));
    }
    sockets->queued = 0;
}

/* Where its part of the outbox cannot grow, it goes out, and a new one begins. */
static void make_room(struct uv_sockets *sockets, struct uv_socket *socket, size_t len)
{
    if (socket->queued > 0 && socket->queued_at + socket->queued != sockets->queued) {
        uv_socket_flush(sockets, socket);
    }
    if (len > sizeof sockets->outbox - sockets->queued) {
        flush_all(sockets);
    }
}

enum err uv_socket_send(struct uv_sockets *sockets, struct uv_socket *socket, struct slice bytes)
{
    if (socket->fd < 0 || socket->error != 0) {
        return ERR_CLOSED;
    }
    if (bytes.len == 0) {
        return ERR_NONE;
    }
    socket->is_unheard = true;
    make_room(sockets, socket, bytes.len);
    if (socket->rest.len > 0 || bytes.len > sizeof sockets->outbox) {
        enum err e = buf_append(&socket->rest, bytes);
        uv_socket_flush(sockets, socket);
        return e;
    }
    if (socket->queued == 0) {
        socket->queued_at = sockets->queued;
        TAILQ_INSERT_TAIL(&sockets->queue, socket, queue_link);
    }
    memcpy(sockets->outbox + sockets->queued, bytes.at, bytes.len);
    sockets->queued += bytes.len;
    socket->queued += bytes.len;
    return ERR_NONE;
}

size_t uv_socket_unsent(const struct uv_socket *socket)
{
    return socket->error != 0 ? 0 : socket->queued + socket->rest.len;
}

/* Closing. */

/* A socket that is closed with unread bytes sends a reset (RFC 1122 4.2.2.13), and that takes away what the
 * peer has not read yet. Session tickets of TLS 1.3 often lie there. */
static void drop_unread(const struct uv_socket *socket)
{
    UNFILLED char block[4096];
    for (int i = 0;
         i < UNREAD_BLOCKS_MAX && recv(socket->fd, block, sizeof block, MSG_DONTWAIT) > 0;) {
        i++;
    }
}

void uv_socket_close(struct uv_sockets *sockets, struct uv_socket *socket)
{
    if (socket->fd < 0) {
        return;
    }
    if (socket->queued > 0) {
        TAILQ_REMOVE(&sockets->queue, socket, queue_link);
        socket->queued = 0;
    }
    if (socket->is_unheard) {
        drop_unread(socket);
    }
    if (--sockets->open == 0) {
        uv_unref((uv_handle_t *)&sockets->poll);
    }
    (void)close(socket->fd);
    socket->fd = -1;
    buf_done(&socket->rest);
}

void uv_socket_discard(struct uv_sockets *sockets, struct uv_socket *socket)
{
    uv_socket_close(sockets, socket);
    LIST_REMOVE(socket, link);
    LIST_INSERT_HEAD(&sockets->discarded, socket, link);
}
