/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <stdlib.h>

#include "base/must.h"

struct pool_piece {
    struct pool_piece *next;
};

void pool_init(struct pool *pool, size_t bytes, size_t max)
{
    must(bytes >= sizeof(struct pool_piece));
    *pool = (struct pool){.bytes = bytes, .max = POOL_IS_WATCHED ? 0 : max};
}

void pool_done(struct pool *pool)
{
    while (pool->kept != NULL) {
        struct pool_piece *piece = pool->kept;
        pool->kept = piece->next;
        free(piece);
    }
    pool->count = 0;
    pool->max = 0;
}

void *pool_take(struct pool *pool)
{
    struct pool_piece *piece = pool->kept;
    if (piece == NULL) {
        return malloc(pool->bytes);
    }
    pool->kept = piece->next;
    pool->count--;
    return piece;
}

void pool_give(struct pool *pool, void *piece)
{
    if (piece == NULL || pool->count >= pool->max) {
        free(piece);
        return;
    }
    struct pool_piece *given = piece;
    given->next = pool->kept;
    pool->kept = given;
    pool->count++;
}
