/* base/map: a hash table from bytes to a pointer. Keys are borrowed: they must live, unchanged, as
 * long as their entry (usually inside the value itself or in an arena). Values are borrowed too.
 * Open addressing, linear probing, at most three quarters full. Seed it randomly where strangers
 * choose the keys.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct map_slot {
    struct slice key; /* at == NULL: free */
    void *value;
    uint64_t hash; /* of the key, so that moving entries touches no key */
};

struct map {
    struct map_slot *slots;
    size_t cap;
    size_t count;
    uint64_t seed;
};

void map_init(struct map *m, uint64_t seed);
void map_done(struct map *m);

/* NULL where the key is not in the table. */
void *map_find(const struct map *m, struct slice key);

/* Adds, or replaces the value (the old key is kept). value must not be NULL. ERR_NONE or ERR_NOMEM. */
enum err map_put(struct map *m, struct slice key, void *value) MUST_USE;

/* The value that was there, or NULL. */
void *map_remove(struct map *m, struct slice key);

/* Walks all entries in no particular order: start with *cursor = 0; false at the end. No entry may be
 * added or removed meanwhile. */
bool map_next(const struct map *m, size_t *cursor, struct slice *out_key, void **out_value);

#endif
