/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/must.h"
#include "base/slice.h"
#include "net/uv_sockets_private.h"

enum {
    UNREAD_BLOCKS_MAX = 16,
    REST_BYTES_MAX =
        4 << 20, /* above what a link lets its owner leave unsent, with what TLS adds */
};

static void flush_all(struct uv_sockets *sockets);
static void give_all(struct uv_sockets *sockets);

/* The loop. */

void uv_sockets_tell(struct uv_sockets *sockets, struct uv_socket *socket, uint32_t events)
{
    if (socket->rest.len > 0 && (events & EPOLLOUT) != 0) {
        uv_socket_flush(sockets, socket);
    }
    if (socket->fd >= 0) { /* closed meanwhile: its owner keeps it until the turn is over */
        socket->owner->ready(socket, events);
    }
}

static void bury(struct uv_sockets *sockets)
{
    for (struct uv_socket *socket = LIST_FIRST(&sockets->discarded), *next; socket != NULL;
         socket = next) {
        next = LIST_NEXT(socket, link);
        if (sockets->ring == NULL || socket->ring == NULL || !uv_ring_holds(socket)) {
            LIST_REMOVE(socket, link);
            socket->owner->discarded(socket);
        }
    }
}

static void end_turn(struct uv_sockets *sockets)
{
    flush_all(sockets);
    bury(sockets);
}

/* With a ring its waiting is the end of a turn. */
static void on_check(uv_check_t *check)
{
    struct uv_sockets *sockets = check->data;
    if (sockets->ring == NULL) {
        end_turn(sockets);
    }
}

/* What timers and others said before the loop waits. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct uv_sockets *sockets = prepare->data;
    if (sockets->ring == NULL) {
        end_turn(sockets);
    }
}

/* libuv does what is due; then the ring waits, for the loop's descriptors and timers too. */
static bool ring_turn(struct uv_sockets *sockets, bool waits, const bool *is_stopped)
{
    bool is_alive = uv_run(sockets->loop, UV_RUN_NOWAIT) != 0;
    give_all(sockets);
    uv_ring_wait(sockets->ring,
                 waits && is_alive && !*is_stopped ? uv_backend_timeout(sockets->loop) : 0);
    sockets->queued = 0;
    bury(sockets);
    uv_update_time(sockets->loop);
    uv_ring_tell(sockets->ring);
    return uv_loop_alive(sockets->loop) != 0;
}

static bool epoll_turns(struct uv_sockets *sockets, bool waits)
{
    sockets->is_running = true;
    bool is_alive = uv_run(sockets->loop, waits ? UV_RUN_DEFAULT : UV_RUN_NOWAIT) != 0;
    sockets->is_running = false;
    return is_alive;
}

void uv_sockets_run(struct uv_sockets *sockets, bool waits, const bool *is_stopped)
{
    bool is_alive;
    do {
        is_alive = sockets->ring == NULL ? epoll_turns(sockets, waits)
                                         : ring_turn(sockets, waits, is_stopped);
    } while (waits && is_alive && !*is_stopped);
    end_turn(sockets);
}

void uv_sockets_stop(struct uv_sockets *sockets)
{
    if (sockets->is_running) {
        uv_stop(sockets->loop);
    }
}

int uv_sockets_open(struct uv_sockets *sockets, uv_loop_t *loop, bool wants_ring)
{
    LIST_INIT(&sockets->all);
    TAILQ_INIT(&sockets->queue);
    LIST_INIT(&sockets->discarded);
    sockets->loop = loop;
    sockets->wants_ring = wants_ring;
    int error = uv_epoll_open(sockets);
    if (error != 0) {
        return error;
    }
    (void)uv_check_init(loop, &sockets->check);
    (void)uv_prepare_init(loop, &sockets->prepare);
    sockets->check.data = sockets->prepare.data = sockets;
    (void)uv_check_start(&sockets->check, on_check);
    (void)uv_prepare_start(&sockets->prepare, on_prepare);
    uv_unref((uv_handle_t *)&sockets->check);
    uv_unref((uv_handle_t *)&sockets->prepare);
    return 0;
}

/* It is of the thread that makes it: the first link's, which is the loop's. */
bool uv_sockets_offers_ring(struct uv_sockets *sockets)
{
    if (sockets->wants_ring && sockets->ring == NULL) {
        sockets->ring = uv_ring_new(sockets);
        sockets->wants_ring = sockets->ring != NULL;
        uv_sockets_stop(sockets); /* it goes on with what there is now */
    }
    return sockets->ring != NULL;
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
    uv_ring_close(sockets->ring);
    sockets->ring = NULL;
    end_turn(sockets);
    uv_epoll_close(sockets);
    uv_close((uv_handle_t *)&sockets->check, NULL);
    uv_close((uv_handle_t *)&sockets->prepare, NULL);
}

/* A socket. */

void uv_socket_init(struct uv_sockets *sockets, struct uv_socket *socket,
                    const struct uv_socket_owner *owner)
{
    *socket = (struct uv_socket){.owner = owner, .fd = -1};
    buf_init(&socket->rest, REST_BYTES_MAX);
    LIST_INSERT_HEAD(&sockets->all, socket, link);
}

static void choose_way(struct uv_sockets *sockets, struct uv_socket *socket)
{
    bool is_ringed = socket->owner->reads_when_ready && uv_sockets_offers_ring(sockets);
    socket->ring = is_ringed ? sockets->ring : NULL;
}

static int hold(struct uv_sockets *sockets, struct uv_socket *socket, int fd)
{
    int error = socket->ring != NULL ? 0 : uv_epoll_take(sockets, socket, fd);
    if (error != 0) {
        (void)close(fd);
        return error;
    }
    if (sockets->open++ == 0) {
        uv_ref((uv_handle_t *)&sockets->poll);
    }
    socket->fd = fd;
    return 0;
}

int uv_socket_take(struct uv_sockets *sockets, struct uv_socket *socket, int fd)
{
    choose_way(sockets, socket);
    int error = hold(sockets, socket, fd);
    if (error == 0 && socket->ring != NULL) {
        uv_ring_take(socket);
    }
    return error;
}

int uv_socket_connect(struct uv_sockets *sockets, struct uv_socket *socket, int fd,
                      const struct sockaddr *far, socklen_t len)
{
    choose_way(sockets, socket);
    if (socket->ring == NULL && connect(fd, far, len) != 0 && errno != EINPROGRESS) {
        int error = -errno;
        (void)close(fd);
        return error;
    }
    int error = hold(sockets, socket, fd);
    if (error == 0 && socket->ring != NULL) {
        uv_ring_connect(socket, far, len);
    }
    return error;
}

void uv_socket_rearm(struct uv_sockets *sockets, struct uv_socket *socket)
{
    if (socket->ring != NULL) {
        uv_ring_rearm(socket);
    } else {
        uv_epoll_rearm(sockets, socket);
    }
}

int uv_socket_error(const struct uv_socket *socket)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (socket->ring != NULL) {
        return socket->ringed.end == UV_EOF ? 0 : socket->ringed.end;
    }
    return getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? -errno : -error;
}

/* Reading. */

ssize_t uv_socket_receive(struct uv_socket *socket, char *at, size_t room)
{
    ssize_t n = socket->ring != NULL ? uv_ring_receive(socket, at, room)
                                     : uv_epoll_receive(socket, at, room);
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

void uv_socket_give_up(struct uv_socket *socket, int error)
{
    socket->error = error;
    (void)shutdown(socket->fd, SHUT_RDWR);
}

/* How many bytes the kernel took. */
static size_t send_now(struct uv_socket *socket, struct slice bytes)
{
    ssize_t n = TEMP_FAILURE_RETRY(send(socket->fd, bytes.at, bytes.len, MSG_NOSIGNAL));
    if (n < 0 && errno != EAGAIN) {
        uv_socket_give_up(socket, -errno);
    }
    return n < 0 ? 0 : (size_t)n;
}

void uv_socket_keep(struct uv_socket *socket, struct slice bytes)
{
    if (bytes.len > 0 && socket->error == 0 && buf_append(&socket->rest, bytes) != ERR_NONE) {
        uv_socket_give_up(socket, UV_ENOMEM);
    }
}

/* Its part of the outbox: it has no rest then. */
static struct slice take_part(struct uv_sockets *sockets, struct uv_socket *socket)
{
    struct slice part = slice_make(sockets->outbox + socket->queued_at, socket->queued);
    TAILQ_REMOVE(&sockets->queue, socket, queue_link);
    socket->queued = 0;
    return part;
}

void uv_socket_flush(struct uv_sockets *sockets, struct uv_socket *socket)
{
    if (socket->queued > 0) {
        struct slice part = take_part(sockets, socket);
        uv_socket_keep(socket, slice_sub(part, send_now(socket, part), part.len));
    } else if (socket->rest.len > 0 && socket->error == 0) {
        buf_drop_front(&socket->rest, send_now(socket, buf_view(&socket->rest)));
    }
    if (socket->ring != NULL && uv_ring_is_here(socket->ring) && socket->rest.len > 0 &&
        socket->error == 0) {
        uv_ring_want_room(socket);
    }
}

static void give_all(struct uv_sockets *sockets)
{
    while (!TAILQ_EMPTY(&sockets->queue)) {
        struct uv_socket *socket = TAILQ_FIRST(&sockets->queue);
        if (socket->ring != NULL && uv_ring_is_here(socket->ring)) {
            uv_ring_send(socket, take_part(sockets, socket));
        } else {
            uv_socket_flush(sockets, socket);
        }
    }
}

static void flush_all(struct uv_sockets *sockets)
{
    give_all(sockets);
    if (sockets->ring != NULL && uv_ring_is_here(sockets->ring)) {
        uv_ring_submit(sockets->ring);
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
    if (socket->ring != NULL) {
        uv_ring_leave(socket);
    } else {
        (void)close(socket->fd);
    }
    socket->fd = -1;
    buf_done(&socket->rest);
}

void uv_socket_discard(struct uv_sockets *sockets, struct uv_socket *socket)
{
    uv_socket_close(sockets, socket);
    LIST_REMOVE(socket, link);
    LIST_INSERT_HEAD(&sockets->discarded, socket, link);
}
