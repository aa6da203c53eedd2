/* base/span: lengths of time: as people write them (250ms, 30s, 5m, 12h, 90d), and from a moment on.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/attr.h"

/* A whole number and a unit, at most max_ms. takes_seconds: a number alone is in seconds. */
bool span_read(struct slice text, bool takes_seconds, uint64_t max_ms, uint64_t *out_ms);

/* In the largest unit that fits evenly; NUL-terminated. */
enum { SPAN_TEXT_BYTES = 32 };
void span_write(uint64_t ms, char out[SPAN_TEXT_BYTES]);

/* The moment that is so much later: until when a timed wait of pthreads takes. */
struct timespec span_after(struct timespec moment, uint32_t ms);

#endif
