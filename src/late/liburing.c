/* late/liburing: io_uring, for runs with many lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include <liburing.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    gives(unsigned, io_uring_peek_batch_cqe, \
          (struct io_uring *ring, struct io_uring_cqe **out, unsigned count), (ring, out, count)) \
    does(void, io_uring_queue_exit, (struct io_uring *ring), (ring)) \
    gives(int, io_uring_queue_init_params, \
          (unsigned entries, struct io_uring *ring, struct io_uring_params *params), (entries, ring, params)) \
    gives(int, io_uring_register_buf_ring, \
          (struct io_uring *ring, struct io_uring_buf_reg *what, unsigned flags), (ring, what, flags)) \
    gives(int, io_uring_submit_and_get_events, (struct io_uring *ring), (ring)) \
    gives(int, io_uring_submit_and_wait_timeout, \
          (struct io_uring *ring, struct io_uring_cqe **out, unsigned count, struct __kernel_timespec *limit, \
           sigset_t *mask), \
          (ring, out, count, limit, mask))
/* clang-format on */

LATE_LIBRARY(FUNCTIONS, "liburing2", "liburing.so.2")
