/* base/pool: pieces of memory of one size, of which many are taken and given back in turn. Those given back are handed
 * out again, the last one first: it is the one that a processor's cache still holds. A bounded number is kept, the rest
 * is freed. Under a sanitizer none is kept, so that it sees every use of what was given back.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/attr.h"

/* Whether a sanitizer watches. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define POOL_IS_WATCHED 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define POOL_IS_WATCHED 1
#    endif
#endif
#ifndef POOL_IS_WATCHED
#    define POOL_IS_WATCHED 0
#endif

struct pool {
    size_t bytes; /* of a piece */
    size_t count, max;
    struct pool_piece *kept;
};

/* Pieces of so many bytes, of which at most max are kept. */
void pool_init(struct pool *pool, size_t bytes, size_t max);
/* Frees what is kept; pieces that are out are freed as they come back. */
void pool_done(struct pool *pool);

/* Not cleared. NULL: no memory. */
void *pool_take(struct pool *pool) MUST_USE;
void pool_give(struct pool *pool, void *piece); /* NULL: nothing */

#endif
