/* net/uv_sockets_ring: sockets on an io_uring. Each has one request to receive, which lasts and takes a buffer of those
 * that all share when something comes; what is sent, connected and closed in a turn goes to the kernel in one call at
 * its end. Far ends that flood take the buffers of others: the requests of all then end. Who got nothing is the first to
 * ask again when the buffers are back; a request tries at once, and for a few kilobytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "base/slice.h"
#include "net/uv_sockets_private.h"

enum {
    REQUESTS = 1024,     /* handed to the kernel in one call */
    COMPLETIONS = 4096,  /* more of them are kept by the kernel */
    BUFFERS = 512,       /* a power of 2: as many are handled in a turn */
    BUFFER_BYTES = 512,  /* a reply is short */
    NO_BUFFER = BUFFERS, /* the end of a chain */
    PAGE_BYTES = 4096,
    NAME_MASK = 7,  /* a socket's address leaves these bits */
    TAKEN_MAX = 64, /* completions looked at together */
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
};

/* What a completion names, with its socket. */
enum asked { ASKED_BYTES, ASKED_CONNECT, ASKED_ROOM, ASKED_SENDING, ASKED_LOOP };

struct uv_ring {
    struct io_uring uring;
    struct uv_sockets *sockets;
    pthread_t thread;
    bool watches_loop;
    struct uv_socket mark;           /* in ready: where a turn ends */
    TAILQ_HEAD(, uv_socket) ready;   /* in the order of their first news */
    TAILQ_HEAD(, uv_socket) starved; /* who got no buffer: asks before those that had one */
    TAILQ_HEAD(, uv_socket) leaving; /* closed in this turn */
    struct io_uring_buf_ring *buffers;
    char *bytes; /* of the buffers */
    uint16_t next[BUFFERS], len[BUFFERS];
};

bool uv_ring_is_here(const struct uv_ring *ring)
{
    return pthread_equal(ring->thread, pthread_self()) != 0;
}

static bool is_asked(const struct uv_socket *socket, enum asked what)
{
    return (socket->ringed.asked & 1u << what) != 0;
}

/* Requests. */

static bool is_passing(int error)
{
    return error == -EINTR || error == -EAGAIN || error == -EBUSY;
}

/* What the kernel has found out meanwhile is said too: it works for a ring only when it is asked. */
static void enter(struct uv_ring *ring)
{
    int n = io_uring_submit_and_get_events(&ring->uring);
    must(n >= 0 || is_passing(n)); /* else another thread calls */
}

/* The kernel may be short of memory for some. */
static void enter_all(struct uv_ring *ring)
{
    while (io_uring_sq_ready(&ring->uring) > 0) {
        enter(ring);
    }
}

static struct io_uring_sqe *request(struct uv_ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    while (sqe == NULL) {
        enter(ring);
        sqe = io_uring_get_sqe(&ring->uring);
    }
    return sqe;
}

static uint64_t name_of(const struct uv_socket *socket, enum asked what)
{
    return (uint64_t)(uintptr_t)socket | what;
}

static void ask(struct uv_socket *socket, struct io_uring_sqe *sqe, enum asked what)
{
    io_uring_sqe_set_data64(sqe, name_of(socket, what));
    socket->ringed.asked |= 1u << what;
}

static void take_from_starved(struct uv_socket *socket)
{
    if (socket->ringed.is_starved) {
        TAILQ_REMOVE(&socket->ring->starved, socket, starved_link);
        socket->ringed.is_starved = false;
    }
}

/* Where nothing is there yet it would try in vain before it waits. Who asks, starves no more. */
static void ask_bytes(struct uv_socket *socket, bool waits_first)
{
    take_from_starved(socket);
    struct io_uring_sqe *sqe = request(socket->ring);
    io_uring_prep_recv_multishot(sqe, socket->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->ioprio |= waits_first ? IORING_RECVSEND_POLL_FIRST : 0;
    sqe->buf_group = 0;
    ask(socket, sqe, ASKED_BYTES);
}

void uv_ring_want_room(struct uv_socket *socket)
{
    if (!is_asked(socket, ASKED_ROOM)) {
        struct io_uring_sqe *sqe = request(socket->ring);
        io_uring_prep_poll_add(sqe, socket->fd, POLLOUT);
        ask(socket, sqe, ASKED_ROOM);
    }
}

static void reset(struct uv_socket *socket)
{
    socket->ringed.first = socket->ringed.last = NO_BUFFER;
}

void uv_ring_take(struct uv_socket *socket)
{
    reset(socket);
    ask_bytes(socket, true);
}

void uv_ring_connect(struct uv_socket *socket, const struct sockaddr *far, socklen_t len)
{
    reset(socket);
    must(len <= sizeof socket->ringed.far);
    memcpy(&socket->ringed.far, far, len);
    struct io_uring_sqe *sqe = request(socket->ring);
    io_uring_prep_connect(sqe, socket->fd, (const struct sockaddr *)&socket->ringed.far, len);
    ask(socket, sqe, ASKED_CONNECT);
}

/* What goes at once is not answered: only what went in part, or not at all. */
void uv_ring_send(struct uv_socket *socket, struct slice part)
{
    struct io_uring_sqe *sqe = request(socket->ring);
    io_uring_prep_send(sqe, socket->fd, part.at, part.len,
                       MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, name_of(socket, ASKED_SENDING));
    socket->ringed.flying = part;
}

/* Its requests hold its file: they are called off; then it is closed. */
static void leave(struct uv_socket *socket)
{
    for (unsigned what = ASKED_BYTES; what < ASKED_SENDING; what++) {
        if (is_asked(socket, what)) {
            struct io_uring_sqe *sqe = request(socket->ring);
            io_uring_prep_cancel64(sqe, name_of(socket, what), 0);
            sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
            io_uring_sqe_set_data64(sqe, 0);
        }
    }
    struct io_uring_sqe *sqe = request(socket->ring);
    io_uring_prep_close(sqe, socket->ringed.fd);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, 0);
}

/* Buffers. */

static void give_back(struct uv_ring *ring, unsigned buffer)
{
    io_uring_buf_ring_add(ring->buffers, ring->bytes + (size_t)buffer * BUFFER_BYTES, BUFFER_BYTES,
                          (uint16_t)buffer, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(ring->buffers, 1);
}

static void keep(struct uv_socket *socket, unsigned buffer, size_t len)
{
    struct uv_ring *ring = socket->ring;
    ring->len[buffer] = (uint16_t)len;
    ring->next[buffer] = NO_BUFFER;
    if (socket->ringed.first == NO_BUFFER) {
        socket->ringed.first = (uint16_t)buffer;
    } else {
        ring->next[socket->ringed.last] = (uint16_t)buffer;
    }
    socket->ringed.last = (uint16_t)buffer;
}

static void drop_first(struct uv_socket *socket)
{
    struct uv_ring *ring = socket->ring;
    unsigned buffer = socket->ringed.first;
    socket->ringed.first = ring->next[buffer];
    give_back(ring, buffer);
}

static void drop_all(struct uv_socket *socket)
{
    while (socket->ringed.first != NO_BUFFER) {
        drop_first(socket);
    }
}

ssize_t uv_ring_receive(struct uv_socket *socket, char *at, size_t room)
{
    struct uv_ring *ring = socket->ring;
    size_t len = 0;
    must(room >= BUFFER_BYTES);
    while (socket->ringed.first != NO_BUFFER && room - len >= BUFFER_BYTES) {
        unsigned buffer = socket->ringed.first;
        memcpy(at + len, ring->bytes + (size_t)buffer * BUFFER_BYTES, ring->len[buffer]);
        len += ring->len[buffer];
        drop_first(socket);
    }
    if (len > 0 || socket->ringed.end == UV_EOF) {
        return (ssize_t)len;
    }
    return socket->ringed.end != 0 ? socket->ringed.end : -EAGAIN;
}

/* Completions. */

static void put_ready(struct uv_socket *socket, uint32_t events)
{
    if (socket->ringed.events == 0) {
        TAILQ_INSERT_TAIL(&socket->ring->ready, socket, ready_link);
    }
    socket->ringed.events |= events;
}

void uv_ring_rearm(struct uv_socket *socket)
{
    put_ready(socket, EPOLLIN);
}

/* Not at once: to ask may bring the next refusal, and the buffers come back when those that have them were told. */
static void starve(struct uv_socket *socket)
{
    TAILQ_INSERT_TAIL(&socket->ring->starved, socket, starved_link);
    socket->ringed.is_starved = true;
}

static void ask_for_starved(struct uv_ring *ring)
{
    while (!TAILQ_EMPTY(&ring->starved)) {
        ask_bytes(TAILQ_FIRST(&ring->starved), false);
    }
}

static void received(struct uv_socket *socket, const struct io_uring_cqe *cqe)
{
    if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        keep(socket, cqe->flags >> IORING_CQE_BUFFER_SHIFT, cqe->res > 0 ? (size_t)cqe->res : 0);
    }
    if (socket->fd < 0) {
        drop_all(socket);
    } else if (cqe->res == -ENOBUFS && socket->ringed.first == NO_BUFFER) {
        starve(socket);
    } else if (cqe->res > 0 || cqe->res == -ENOBUFS || cqe->res == -EINTR || cqe->res == -EAGAIN) {
        put_ready(socket, EPOLLIN);
    } else {
        socket->ringed.end = cqe->res == 0 ? UV_EOF : cqe->res;
        put_ready(socket, EPOLLIN | EPOLLRDHUP | (cqe->res < 0 ? EPOLLERR : 0u));
    }
}

static void connected(struct uv_socket *socket, int error)
{
    socket->ringed.end = error;
    if (socket->fd >= 0) {
        put_ready(socket, error == 0 ? EPOLLOUT : EPOLLERR);
    }
}

static void sent(struct uv_socket *socket, int n)
{
    struct slice part = socket->ringed.flying;
    if (n < 0 && n != -EAGAIN) {
        uv_socket_give_up(socket, n);
        return;
    }
    uv_socket_keep(socket, slice_sub(part, n > 0 ? (size_t)n : 0, part.len));
    uv_ring_want_room(socket);
}

static void take(struct uv_ring *ring, const struct io_uring_cqe *cqe)
{
    if (cqe->user_data == 0) {
        return;
    }
    if (cqe->user_data == ASKED_LOOP) {
        ring->watches_loop = false;
        return;
    }
    enum asked what = (enum asked)(cqe->user_data & NAME_MASK);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): as it was put */
    struct uv_socket *socket = (void *)(uintptr_t)(cqe->user_data & ~(uint64_t)NAME_MASK);
    if ((cqe->flags & IORING_CQE_F_MORE) == 0) {
        socket->ringed.asked &= ~(1u << what);
    }
    switch (what) {
    case ASKED_BYTES: received(socket, cqe); break;
    case ASKED_CONNECT: connected(socket, cqe->res); break;
    case ASKED_ROOM:
        if (socket->fd >= 0) {
            put_ready(socket, EPOLLOUT);
        }
        break;
    case ASKED_SENDING: sent(socket, cqe->res); break;
    case ASKED_LOOP: break;
    }
}

static void take_all(struct uv_ring *ring)
{
    struct io_uring_cqe *some[TAKEN_MAX];
    unsigned count;
    while ((count = io_uring_peek_batch_cqe(&ring->uring, some, TAKEN_MAX)) > 0) {
        for (unsigned i = 0; i < count; i++) {
            take(ring, some[i]);
        }
        io_uring_cq_advance(&ring->uring, count);
    }
}

/* The loop. */

static void tell(struct uv_socket *socket)
{
    uint32_t events = socket->ringed.events;
    TAILQ_REMOVE(&socket->ring->ready, socket, ready_link);
    socket->ringed.events = 0;
    uv_sockets_tell(socket->ring->sockets, socket, events);
    if (socket->fd < 0) {
        return;
    }
    drop_all(socket);
    if (socket->ringed.end == 0 && !is_asked(socket, ASKED_BYTES)) {
        ask_bytes(socket, (events & EPOLLOUT) != 0);
    }
}

static void leave_all(struct uv_ring *ring)
{
    while (!TAILQ_EMPTY(&ring->leaving)) {
        struct uv_socket *socket = TAILQ_FIRST(&ring->leaving);
        TAILQ_REMOVE(&ring->leaving, socket, ready_link);
        leave(socket);
    }
}

void uv_ring_submit(struct uv_ring *ring)
{
    leave_all(ring);
    if (io_uring_sq_ready(&ring->uring) > 0) {
        enter_all(ring);
        take_all(ring);
    }
}

/* libuv's own descriptors wake it too. */
static void watch_loop(struct uv_ring *ring)
{
    if (!ring->watches_loop) {
        struct io_uring_sqe *sqe = request(ring);
        io_uring_prep_poll_add(sqe, uv_backend_fd(ring->sockets->loop), POLLIN);
        io_uring_sqe_set_data64(sqe, ASKED_LOOP);
        ring->watches_loop = true;
    }
}

void uv_ring_wait(struct uv_ring *ring, int timeout_ms)
{
    ask_for_starved(ring);
    leave_all(ring);
    if (timeout_ms == 0 || !TAILQ_EMPTY(&ring->ready)) {
        enter(ring);
        enter_all(ring);
    } else {
        watch_loop(ring);
        struct io_uring_cqe *first;
        struct __kernel_timespec limit = {.tv_sec = timeout_ms / MS_PER_S,
                                          .tv_nsec =
                                              (long long)(timeout_ms % MS_PER_S) * NS_PER_MS};
        int n = io_uring_submit_and_wait_timeout(&ring->uring, &first, 1,
                                                 timeout_ms < 0 ? NULL : &limit, NULL);
        must(n >= 0 || n == -ETIME || is_passing(n));
        enter_all(ring);
    }
    take_all(ring);
}

/* Those that become ready meanwhile wait for the next turn. */
void uv_ring_tell(struct uv_ring *ring)
{
    ask_for_starved(ring);
    TAILQ_INSERT_TAIL(&ring->ready, &ring->mark, ready_link);
    while (TAILQ_FIRST(&ring->ready) != &ring->mark) {
        tell(TAILQ_FIRST(&ring->ready));
    }
    TAILQ_REMOVE(&ring->ready, &ring->mark, ready_link);
}

void uv_ring_leave(struct uv_socket *socket)
{
    drop_all(socket);
    take_from_starved(socket);
    if (socket->ringed.events != 0) {
        TAILQ_REMOVE(&socket->ring->ready, socket, ready_link);
        socket->ringed.events = 0;
    }
    socket->ringed.fd = socket->fd;
    TAILQ_INSERT_TAIL(&socket->ring->leaving, socket, ready_link);
}

bool uv_ring_holds(const struct uv_socket *socket)
{
    return socket->ringed.asked != 0;
}

/* Opening and closing. */

static int share_buffers(struct uv_ring *ring)
{
    ring->buffers = aligned_alloc(PAGE_BYTES, BUFFERS * sizeof(struct io_uring_buf));
    ring->bytes = aligned_alloc(PAGE_BYTES, (size_t)BUFFERS * BUFFER_BYTES);
    if (ring->buffers == NULL || ring->bytes == NULL) {
        return -ENOMEM;
    }
    struct io_uring_buf_reg what = {.ring_addr = (uintptr_t)ring->buffers, .ring_entries = BUFFERS};
    int error = io_uring_register_buf_ring(&ring->uring, &what, 0);
    if (error == 0) {
        io_uring_buf_ring_init(ring->buffers);
        for (unsigned i = 0; i < BUFFERS; i++) {
            give_back(ring, i);
        }
    }
    return error;
}

static void ring_free(struct uv_ring *ring)
{
    free(ring->buffers);
    free(ring->bytes);
    free(ring);
}

struct uv_ring *uv_ring_new(struct uv_sockets *sockets)
{
    struct uv_ring *ring = calloc(1, sizeof *ring);
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                                              IORING_SETUP_CQSIZE,
                                     .cq_entries = COMPLETIONS};
    if (ring == NULL || io_uring_queue_init_params(REQUESTS, &ring->uring, &params) != 0) {
        free(ring);
        return NULL;
    }
    ring->sockets = sockets;
    ring->thread = pthread_self();
    TAILQ_INIT(&ring->ready);
    TAILQ_INIT(&ring->starved);
    TAILQ_INIT(&ring->leaving);
    if (share_buffers(ring) != 0) {
        io_uring_queue_exit(&ring->uring);
        ring_free(ring);
        return NULL;
    }
    return ring;
}

/* Whose thread it was may be over: nothing is asked of it. A file that requests hold still says that it is closed. */
void uv_ring_close(struct uv_ring *ring)
{
    if (ring == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&ring->leaving)) {
        struct uv_socket *socket = TAILQ_FIRST(&ring->leaving);
        TAILQ_REMOVE(&ring->leaving, socket, ready_link);
        (void)shutdown(socket->ringed.fd, SHUT_RDWR);
        (void)close(socket->ringed.fd);
    }
    io_uring_queue_exit(&ring->uring);
    ring_free(ring);
}
