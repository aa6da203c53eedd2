/* SPDX-License-Identifier: Apache-2.0 */
#include "limit_ring.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "limit.h"

enum {
    REQUESTS = 1024,
    COMPLETIONS = 4096,
    BUFFERS = 1024, /* a power of 2 */
    BUFFER_BYTES = 512,
    PAGE_BYTES = 4096,
};

struct limit_ring {
    struct io_uring uring;
    struct io_uring_buf_ring *buffers;
    char *bytes; /* of the buffers */
};

static void give_back(struct limit_ring *ring, unsigned buffer)
{
    io_uring_buf_ring_add(ring->buffers, ring->bytes + (size_t)buffer * BUFFER_BYTES, BUFFER_BYTES,
                          (unsigned short)buffer, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(ring->buffers, 1);
}

struct limit_ring *limit_ring_new(void)
{
    struct limit_ring *ring = calloc(1, sizeof *ring);
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                     .cq_entries = COMPLETIONS};
    int error =
        ring == NULL ? -ENOMEM : io_uring_queue_init_params(REQUESTS, &ring->uring, &params);
    if (error == 0) {
        ring->buffers = aligned_alloc(PAGE_BYTES, BUFFERS * sizeof(struct io_uring_buf));
        ring->bytes = aligned_alloc(PAGE_BYTES, (size_t)BUFFERS * BUFFER_BYTES);
        struct io_uring_buf_reg shared = {.ring_addr = (unsigned long)ring->buffers,
                                          .ring_entries = BUFFERS};
        error = io_uring_register_buf_ring(&ring->uring, &shared, 0);
    }
    if (error != 0) {
        errno = -error;
        limit_die("io_uring");
    }
    io_uring_buf_ring_init(ring->buffers);
    for (unsigned i = 0; i < BUFFERS; i++) {
        give_back(ring, i);
    }
    return ring;
}

void limit_ring_free(struct limit_ring *ring)
{
    if (ring != NULL) {
        io_uring_queue_exit(&ring->uring);
        free(ring->buffers);
        free(ring->bytes);
        free(ring);
    }
}

static struct io_uring_sqe *request(struct limit_ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    while (sqe == NULL) {
        (void)io_uring_submit(&ring->uring);
        sqe = io_uring_get_sqe(&ring->uring);
    }
    return sqe;
}

void limit_ring_watch(struct limit_ring *ring, int fd, void *context)
{
    struct io_uring_sqe *sqe = request(ring);
    io_uring_prep_poll_multishot(sqe, fd, POLLIN);
    io_uring_sqe_set_data(sqe, context);
}

void limit_ring_receive(struct limit_ring *ring, int fd, void *context)
{
    struct io_uring_sqe *sqe = request(ring);
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    io_uring_sqe_set_data(sqe, context);
}

void limit_ring_send(struct limit_ring *ring, int fd, const char *text, size_t len)
{
    struct io_uring_sqe *sqe = request(ring);
    io_uring_prep_send(sqe, fd, text, len, MSG_NOSIGNAL);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data(sqe, NULL);
}

static void tell(struct limit_ring *ring, const struct io_uring_cqe *cqe,
                 void (*fn)(void *owner, void *context, const char *text, int len), void *owner)
{
    void *context = io_uring_cqe_get_data(cqe);
    unsigned buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    bool has_buffer = (cqe->flags & IORING_CQE_F_BUFFER) != 0;
    if (context == NULL) {
        return; /* of sending: the line is broken, and its end is told */
    }
    if (cqe->res == -ENOBUFS) {
        limit_die("more lines than buffers");
    }
    fn(owner, context, has_buffer ? ring->bytes + (size_t)buffer * BUFFER_BYTES : "",
       has_buffer ? cqe->res : 0);
    if (has_buffer) {
        give_back(ring, buffer);
    }
}

void limit_ring_wait(struct limit_ring *ring,
                     void (*fn)(void *owner, void *context, const char *text, int len), void *owner)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    unsigned count = 0;
    (void)io_uring_submit_and_wait(&ring->uring, 1);
    io_uring_for_each_cqe(&ring->uring, head, cqe)
    {
        tell(ring, cqe, fn, owner);
        count++;
    }
    io_uring_cq_advance(&ring->uring, count);
}
