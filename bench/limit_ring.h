/* bench/limit_ring: the bare client's lines on an io_uring, as Heloise has them: what comes is received by one lasting
 * request a line into shared buffers, what is sent in a turn goes to the kernel in one call.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_LIMIT_RING_H
#define BENCH_LIMIT_RING_H

#include <stddef.h>

struct limit_ring;

/* Ends the program where the kernel offers none. */
struct limit_ring *limit_ring_new(void);
void limit_ring_free(struct limit_ring *ring);
/* One that is no stream: fn is told 0 bytes when it can be read. */
void limit_ring_watch(struct limit_ring *ring, int fd, void *context);
/* A connection: fn is told what comes, and below 1 when it is over; then it may be closed. */
void limit_ring_receive(struct limit_ring *ring, int fd, void *context);
/* The bytes stay until the next limit_ring_wait. */
void limit_ring_send(struct limit_ring *ring, int fd, const char *text, size_t len);
/* Sends all, waits for something, and tells of each. */
void limit_ring_wait(struct limit_ring *ring,
                     void (*fn)(void *owner, void *context, const char *text, int len),
                     void *owner);

#endif
