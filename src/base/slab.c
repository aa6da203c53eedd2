/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/pool.h"

struct slab_piece {
    struct slab_piece *next;
};

struct slab_block {
    struct slab_block *next;
    alignas(max_align_t) char pieces[];
};

void slab_init(struct slab *slab, size_t bytes, size_t per_block)
{
    size_t unit = alignof(max_align_t);
    must(bytes > 0 && per_block > 0);
    *slab = (struct slab){
        .bytes = (bytes + unit - 1) / unit * unit,
        .per_block = POOL_IS_WATCHED ? 1 : per_block,
    };
}

void slab_done(struct slab *slab)
{
    must(slab->out == 0);
    while (slab->blocks != NULL) {
        struct slab_block *block = slab->blocks;
        slab->blocks = block->next;
        free(block);
    }
    slab->kept = NULL;
    slab->left = 0;
}

/* NULL: no memory. */
static void *cut(struct slab *slab)
{
    if (slab->left == 0) {
        struct slab_block *block = malloc(sizeof *block + slab->per_block * slab->bytes);
        if (block == NULL) {
            return NULL;
        }
        block->next = slab->blocks;
        slab->blocks = block;
        slab->fresh = block->pieces;
        slab->left = slab->per_block;
    }
    void *piece = slab->fresh;
    slab->fresh += slab->bytes;
    slab->left--;
    return piece;
}

void *slab_take(struct slab *slab)
{
    struct slab_piece *piece = slab->kept;
    if (piece != NULL) {
        slab->kept = piece->next;
    } else {
        piece = slab->per_block == 1 ? malloc(slab->bytes) : cut(slab);
    }
    slab->out += piece == NULL ? 0 : 1;
    return piece;
}

void slab_give(struct slab *slab, void *piece)
{
    slab->out--;
    if (slab->per_block == 1) {
        free(piece);
        return;
    }
    struct slab_piece *given = piece;
    given->next = slab->kept;
    slab->kept = given;
}

void *slab_take_sized(struct slab *slab, size_t bytes)
{
    if (bytes <= slab->bytes) {
        return slab_take(slab);
    }
    void *alone = malloc(bytes);
    slab->out += alone == NULL ? 0 : 1;
    return alone;
}

void slab_give_sized(struct slab *slab, void *piece, size_t bytes)
{
    if (bytes <= slab->bytes) {
        slab_give(slab, piece);
        return;
    }
    slab->out--;
    free(piece);
}
