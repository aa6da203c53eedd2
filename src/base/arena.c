/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum {
    ARENA_CHUNK_BYTES = 4096,      /* a page; larger requests get a chunk of their own */
    ARENA_CHUNK_BYTES_MAX = 65536, /* what a large arena grows by: few calls, little unused */
};

struct arena_chunk {
    struct arena_chunk *next;
    size_t used;
    size_t cap;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a, size_t max)
{
    must(max > 0);
    *a = (struct arena){.max = max};
}

void arena_done(struct arena *a)
{
    struct arena_chunk *chunk = a->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    *a = (struct arena){.max = a->max};
}

static struct arena_chunk *chunk_add(struct arena *a, size_t size)
{
    size_t usual = a->used_bytes < ARENA_CHUNK_BYTES       ? ARENA_CHUNK_BYTES
                   : a->used_bytes < ARENA_CHUNK_BYTES_MAX ? a->used_bytes
                                                           : ARENA_CHUNK_BYTES_MAX;
    size_t cap = size > usual ? size : usual;
    if (cap > SIZE_MAX - sizeof(struct arena_chunk)) {
        return NULL;
    }
    struct arena_chunk *chunk = malloc(sizeof *chunk + cap);
    if (chunk == NULL) {
        return NULL;
    }
    *chunk = (struct arena_chunk){.next = a->chunks, .cap = cap};
    a->chunks = chunk;
    return chunk;
}

void *arena_alloc_unfilled(struct arena *a, size_t size)
{
    must(a->max > 0);
    size_t left = a->max - a->used_bytes;
    if (size > left) {
        return NULL;
    }
    size_t step = alignof(max_align_t);
    size_t gap = (step - size % step) % step;
    size_t padded = gap > left - size ? left : size + gap;
    struct arena_chunk *chunk = a->chunks;
    if (chunk == NULL || chunk->cap - chunk->used < padded) {
        chunk = chunk_add(a, padded);
        if (chunk == NULL) {
            return NULL;
        }
    }
    void *at = chunk->bytes + chunk->used;
    chunk->used += padded;
    a->used_bytes += padded;
    return at;
}

/* Only what is handed out is cleared: the rest of a chunk is not touched, and costs no memory. */
void *arena_alloc(struct arena *a, size_t size)
{
    void *at = arena_alloc_unfilled(a, size);
    return at == NULL || size == 0 ? at : memset(at, 0, size);
}

enum err arena_copy(struct arena *a, struct slice s, struct slice *out)
{
    char *at = arena_alloc_unfilled(a, s.len + 1);
    if (at == NULL) {
        return ERR_NOMEM;
    }
    if (s.len > 0) {
        memcpy(at, s.at, s.len);
    }
    at[s.len] = '\0';
    *out = (struct slice){at, s.len};
    return ERR_NONE;
}
