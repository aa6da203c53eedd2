/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"

enum {
    MAP_FIRST_SLOTS = 16, /* a power of two, as every later size */
};

void map_init(struct map *m, uint64_t seed)
{
    *m = (struct map){.seed = seed};
}

void map_done(struct map *m)
{
    free(m->slots);
    *m = (struct map){.seed = m->seed};
}

/* The slot that holds the key, or the free one where it belongs. The table has a free slot. */
static size_t slot_of(const struct map *m, struct slice key, uint64_t hash)
{
    size_t mask = m->cap - 1;
    size_t i = (size_t)hash & mask;
    while (m->slots[i].key.at != NULL &&
           (m->slots[i].hash != hash || !slice_equal(m->slots[i].key, key))) {
        i = (i + 1) & mask;
    }
    return i;
}

static enum err grow(struct map *m)
{
    if (m->count < m->cap / 4 * 3) {
        return ERR_NONE;
    }
    struct map bigger = {.cap = m->cap == 0 ? MAP_FIRST_SLOTS : m->cap * 2, .seed = m->seed};
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    if (bigger.slots == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].key.at != NULL) {
            const struct map_slot *slot = &m->slots[i];
            bigger.slots[slot_of(&bigger, slot->key, slot->hash)] = *slot;
        }
    }
    bigger.count = m->count;
    free(m->slots);
    *m = bigger;
    return ERR_NONE;
}

void *map_find(const struct map *m, struct slice key)
{
    return m->cap == 0 ? NULL : m->slots[slot_of(m, key, slice_mix(key, m->seed))].value;
}

enum err map_put(struct map *m, struct slice key, void *value)
{
    must(key.at != NULL && value != NULL);
    enum err e = grow(m);
    if (e != ERR_NONE) {
        return e;
    }
    uint64_t hash = slice_mix(key, m->seed);
    struct map_slot *slot = &m->slots[slot_of(m, key, hash)];
    if (slot->key.at == NULL) {
        slot->key = key;
        slot->hash = hash;
        m->count++;
    }
    slot->value = value;
    return ERR_NONE;
}

void *map_remove(struct map *m, struct slice key)
{
    if (m->cap == 0) {
        return NULL;
    }
    size_t mask = m->cap - 1;
    size_t hole = slot_of(m, key, slice_mix(key, m->seed));
    void *value = m->slots[hole].value;
    if (m->slots[hole].key.at == NULL) {
        return NULL;
    }
    /* Linear probing: pull back every later entry of the run that may not stand behind a hole. */
    for (size_t i = (hole + 1) & mask; m->slots[i].key.at != NULL; i = (i + 1) & mask) {
        size_t home = (size_t)m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){.value = NULL};
    m->count--;
    return value;
}

bool map_next(const struct map *m, size_t *cursor, struct slice *out_key, void **out_value)
{
    while (*cursor < m->cap) {
        const struct map_slot *slot = &m->slots[(*cursor)++];
        if (slot->key.at != NULL) {
            *out_key = slot->key;
            *out_value = slot->value;
            return true;
        }
    }
    return false;
}
