/* net/uv_sockets_epoll: sockets on an epoll descriptor, edge-triggered.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/must.h"
#include "net/uv_sockets_private.h"

enum {
    EVENTS_MAX = 512, /* told in a turn; what is left is told in the next */
};

static const uint32_t both_ways = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

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
        struct uv_socket *socket = events[i].data.ptr;
        uv_sockets_tell(sockets, socket, events[i].events);
        socket->ahead = NULL;
    }
}

int uv_epoll_open(struct uv_sockets *sockets)
{
    sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (sockets->epoll < 0) {
        return -errno;
    }
    int error = uv_poll_init(sockets->loop, &sockets->poll, sockets->epoll);
    if (error != 0) {
        (void)close(sockets->epoll);
        sockets->epoll = -1;
        return error;
    }
    sockets->poll.data = sockets;
    uv_unref((uv_handle_t *)&sockets->poll);
    return uv_poll_start(&sockets->poll, UV_READABLE, on_ready);
}

void uv_epoll_close(struct uv_sockets *sockets)
{
    uv_close((uv_handle_t *)&sockets->poll, NULL);
    (void)close(sockets->epoll);
    sockets->poll.data = NULL;
}

int uv_epoll_take(struct uv_sockets *sockets, struct uv_socket *socket, int fd)
{
    struct epoll_event event = {.events = both_ways, .data.ptr = socket};
    return epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void uv_epoll_rearm(struct uv_sockets *sockets, struct uv_socket *socket)
{
    struct epoll_event event = {.events = both_ways, .data.ptr = socket};
    (void)epoll_ctl(sockets->epoll, EPOLL_CTL_MOD, socket->fd, &event);
}

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

ssize_t uv_epoll_receive(struct uv_socket *socket, char *at, size_t room)
{
    return socket->ahead != NULL ? take_ahead(socket, at, room) : receive(socket, at, room);
}
