/* base/slab: pieces of memory of one size that are cut from larger blocks, one after the other: what is made together lies
 * together, and the heap is asked once for many. A piece that is given back is handed out again, the last one first; the
 * blocks go with the slab. Under a sanitizer each piece is from the heap, so that it sees every use of what was given back.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

#include "base/attr.h"

struct slab {
    size_t bytes;     /* of a piece */
    size_t per_block; /* pieces; 1: each is from the heap, and goes back there */
    size_t out;       /* not given back */
    size_t left;      /* of the newest block: */
    char *fresh;
    struct slab_piece *kept; /* given back */
    struct slab_block *blocks;
};

void slab_init(struct slab *slab, size_t bytes, size_t per_block);
/* All pieces were given back. */
void slab_done(struct slab *slab);

/* Not cleared. NULL: no memory. */
void *slab_take(struct slab *slab) MUST_USE;
void slab_give(struct slab *slab, void *piece);
/* One of so many bytes: a piece, or alone from the heap where it is larger; given back with the same number. */
void *slab_take_sized(struct slab *slab, size_t bytes) MUST_USE;
void slab_give_sized(struct slab *slab, void *piece, size_t bytes);

#endif
