/* base/arena: memory that lives and dies together (one job, one request, one loaded file).
 * Allocations come from growing chunks; arena_done frees all of them at once. The ceiling bounds the
 * sum of what is handed out. A zeroed struct arena is not ready: call arena_init.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    size_t used_bytes;
    size_t max;
};

void arena_init(struct arena *a, size_t max);
void arena_done(struct arena *a); /* safe on a zeroed arena and twice */

/* Zeroed, and aligned for any type. NULL: no memory or the ceiling is reached. size may be 0. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
/* Not zeroed, for who writes all of it. */
void *arena_alloc_unfilled(struct arena *a, size_t size) MUST_USE;

/* A NUL-terminated copy; out-param untouched on ERR_NOMEM. The slice's len excludes the NUL. */
enum err arena_copy(struct arena *a, struct slice s, struct slice *out) MUST_USE;

#endif
