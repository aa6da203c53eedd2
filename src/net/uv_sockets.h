/* net/uv_sockets: the TCP sockets of a door, on a descriptor of their own that the loop watches: an io_uring where the
 * kernel offers one (uv_sockets_ring.c), an epoll else, and for those that accept (uv_sockets_epoll.c). Owners do not
 * see which. What holds:
 *   - a socket is registered once, for both directions: its owner reads until there is no more;
 *   - what came to those that are ready is read before the first of them is handled, so that the kernel's code and ours
 *     do not push each other out of the caches once for each line;
 *   - what is sent in a turn of the loop goes out when all that came in it was handled, so the far ends are woken
 *     one after the other by a side that has done its thinking, and one that is sent to twice hears it in one piece.
 * uv_tcp would take three more system calls for each connection, and send each line when it is said.
 * All turns of the loop are one thread's; another one may close it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_UV_SOCKETS_H
#define NET_UV_SOCKETS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "base/buf.h"

enum {
    UV_OUTBOX_BYTES = 65536, /* what goes out together at the end of a turn */
    UV_AHEAD_SOCKETS = 128,  /* read before the first of them is handled */
    UV_AHEAD_BYTES = 512,    /* of each: a reply is short. The rest is read when it is handled */
};

struct uv_ring;
struct uv_socket;

/* Of a socket's owner. */
struct uv_socket_owner {
    /* It reads in ready() all that is there; what it then leaves is gone. Not for one that accepts. */
    bool reads_when_ready;
    void (*ready)(struct uv_socket *socket,
                  uint32_t events); /* of epoll, on both ways; each change is told once */
    void (*door_closes)(struct uv_socket *socket); /* it discards the socket */
    void (*discarded)(
        struct uv_socket *socket); /* nothing points to it any more: it may be freed */
};

struct uv_socket {
    const struct uv_socket_owner *owner;
    int fd;    /* -1: none */
    int error; /* of the line, as libuv's number; what was received before may still be read */
    struct uv_ring *ring;     /* NULL: it is epoll's */
    const char *ahead;        /* what was read ahead of ready(), NULL: nothing */
    ssize_t ahead_len;        /* as recv() said it, or an error of libuv */
    bool is_unheard;          /* the far end has said nothing since we wrote */
    size_t queued_at, queued; /* its part of the outbox */
    struct buf rest;          /* what the kernel did not take yet */
    struct {                  /* with a ring */
        unsigned asked;       /* of the kernel, and not over: a bit each */
        uint32_t events;      /* to be told; 0: it is not in the ring's list */
        uint16_t first, last; /* of the buffers that were received */
        int end;              /* what the line said at last, as libuv's number */
        bool is_starved;      /* there was no buffer for it */
        int fd;               /* to be closed at the end of the turn */
        struct slice flying;  /* its part of the outbox, handed to the kernel */
        union {
            struct sockaddr_in four;
            struct sockaddr_in6 six;
        } far; /* until it is connected */
    } ringed;
    TAILQ_ENTRY(uv_socket) queue_link, ready_link, starved_link;
    LIST_ENTRY(uv_socket) link;
};

struct uv_sockets {
    int epoll; /* -1: not open */
    uv_loop_t *loop;
    struct uv_ring *ring;
    bool wants_ring; /* it is made with the first link */
    bool is_running; /* libuv has the thread until it is stopped */
    uv_poll_t poll;
    uv_check_t check;
    uv_prepare_t prepare;
    LIST_HEAD(, uv_socket) all;    /* that were not discarded */
    unsigned open;                 /* of them have a descriptor */
    TAILQ_HEAD(, uv_socket) queue; /* who has a part of the outbox, in its order */
    LIST_HEAD(, uv_socket) discarded;
    size_t queued;
    /* Not cleared: */
    char outbox[UV_OUTBOX_BYTES];
    char ahead[UV_AHEAD_SOCKETS][UV_AHEAD_BYTES];
};

/* An error of libuv, or 0. */
int uv_sockets_open(struct uv_sockets *sockets, uv_loop_t *loop, bool wants_ring);
/* In place of uv_run: until it is stopped or has nothing to wait for, or one turn that does not wait. */
void uv_sockets_run(struct uv_sockets *sockets, bool waits, const bool *is_stopped);
/* From inside of uv_sockets_run, with is_stopped: it ends soon. */
void uv_sockets_stop(struct uv_sockets *sockets);
/* True: links are on a ring, or the kernel would offer one. */
bool uv_sockets_offers_ring(struct uv_sockets *sockets);
/* The owners discard those that are left; then the loop is to run until it ends. Safe on one that is zeroed. */
void uv_sockets_close(struct uv_sockets *sockets);

/* Without a descriptor; uv_socket_discard is owed. */
void uv_socket_init(struct uv_sockets *sockets, struct uv_socket *socket,
                    const struct uv_socket_owner *owner);
/* Takes a descriptor that does not block: closed where it cannot be watched. An error of libuv, or 0. */
int uv_socket_take(struct uv_sockets *sockets, struct uv_socket *socket, int fd);
/* Takes a TCP socket that does not block, and connects it: ready() is told EPOLLOUT, or EPOLLERR. Closed where it cannot
 * be watched or the connect fails at once: an error of libuv, or 0. */
int uv_socket_connect(struct uv_sockets *sockets, struct uv_socket *socket, int fd,
                      const struct sockaddr *far, socklen_t len);
/* It was not read to its end: its owner is told again. */
void uv_socket_rearm(struct uv_sockets *sockets, struct uv_socket *socket);
/* What the kernel says is wrong with it, as libuv's number; 0: nothing. */
int uv_socket_error(const struct uv_socket *socket);

/* The number of bytes; 0: none are there now; an error of libuv, UV_EOF among them. */
ssize_t uv_socket_receive(struct uv_socket *socket, char *at, size_t room);

/* Copies bytes, which go out at the end of the turn. ERR_NOMEM, ERR_CLOSED. No other word comes of a line that breaks
 * now: it shows in reading. */
enum err uv_socket_send(struct uv_sockets *sockets, struct uv_socket *socket, struct slice bytes)
    MUST_USE;
/* Sends what is queued, as far as the kernel takes it, now; also when it may take more. */
void uv_socket_flush(struct uv_sockets *sockets, struct uv_socket *socket);
size_t uv_socket_unsent(const struct uv_socket *socket);

/* What is queued and not sent is lost. Twice is fine. */
void uv_socket_close(struct uv_sockets *sockets, struct uv_socket *socket);
/* Closes it; discarded() follows when the turn is over, as it may be discarded by what it calls. Once. */
void uv_socket_discard(struct uv_sockets *sockets, struct uv_socket *socket);

#endif
