/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/park_private.h"

enum { TABLE_FIRST = 64, TABLE_MAX = 1 << 30 };

void park_table_done(struct park_table *table)
{
    free(table->slots);
    *table = (struct park_table){.seed = table->seed};
}

static void insert(struct park_table *table, struct parked *parked)
{
    uint32_t mask = table->cap - 1;
    uint32_t i = parked->hash & mask;
    while (table->slots[i] != NULL) {
        i = (i + 1) & mask;
    }
    table->slots[i] = parked;
}

static enum err resize(struct park_table *table, uint32_t cap)
{
    struct park_table other = {.cap = cap, .count = table->count, .seed = table->seed};
    other.slots = calloc(cap, sizeof(struct parked *));
    if (other.slots == NULL) {
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < table->cap; i++) {
        if (table->slots[i] != NULL) {
            insert(&other, table->slots[i]);
        }
    }
    free(table->slots);
    *table = other;
    return ERR_NONE;
}

enum err park_table_reserve(struct park_table *table)
{
    if (table->cap > 0 && table->count < table->cap / 4 * 3) {
        return ERR_NONE;
    }
    if (table->cap == TABLE_MAX) {
        return ERR_LIMIT;
    }
    return resize(table, table->cap == 0 ? TABLE_FIRST : table->cap * 2);
}

uint32_t park_table_hash(const struct park_table *table, struct slice key)
{
    return (uint32_t)slice_mix(key, table->seed);
}

void park_table_put(struct park_table *table, struct parked *parked)
{
    must(table->count < table->cap);
    insert(table, parked);
    table->count++;
}

/* Linear probing: every later one of the run that may not stand behind a hole is pulled back. */
static void close_hole(struct park_table *table, uint32_t hole)
{
    uint32_t mask = table->cap - 1;
    for (uint32_t i = (hole + 1) & mask; table->slots[i] != NULL; i = (i + 1) & mask) {
        uint32_t home = table->slots[i]->hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = NULL;
}

void park_table_remove(struct park_table *table, const struct parked *parked)
{
    uint32_t mask = table->cap - 1;
    uint32_t i = parked->hash & mask;
    while (table->slots[i] != parked) {
        must(table->slots[i] != NULL);
        i = (i + 1) & mask;
    }
    close_hole(table, i);
    table->count--;
    if (table->count == 0) {
        park_table_done(table);
    } else if (table->cap > TABLE_FIRST && table->count < table->cap / 8) {
        (void)(resize(table, table->cap / 2) == ERR_NONE);
    }
}

struct parked *park_table_find(const struct park_table *table, uint32_t hash, uint32_t *cursor)
{
    if (table->cap == 0) {
        return NULL;
    }
    uint32_t mask = table->cap - 1;
    for (;;) {
        struct parked *parked = table->slots[*cursor & mask];
        if (parked == NULL) {
            return NULL;
        }
        *cursor = (*cursor & mask) + 1;
        if (parked->hash == hash) {
            return parked;
        }
    }
}
