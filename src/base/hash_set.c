/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash_set.h"

#include <stdlib.h>

enum { CAP_FIRST = 64 };

void hash_set_done(struct hash_set *set)
{
    free(set->slots);
    *set = (struct hash_set){0};
}

/* Where it stands, or would. One slot is always free. */
static size_t place_of(const struct hash_set *set, uint64_t hash)
{
    size_t at = (size_t)hash & (set->cap - 1);
    while (set->slots[at] != 0 && set->slots[at] != hash) {
        at = (at + 1) & (set->cap - 1);
    }
    return at;
}

static enum err grow(struct hash_set *set)
{
    struct hash_set larger = {.cap = set->cap == 0 ? CAP_FIRST : set->cap * 2, .count = set->count};
    larger.slots = calloc(larger.cap, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < set->cap; i++) {
        if (set->slots[i] != 0) {
            larger.slots[place_of(&larger, set->slots[i])] = set->slots[i];
        }
    }
    free(set->slots);
    *set = larger;
    return ERR_NONE;
}

enum err hash_set_add(struct hash_set *set, uint64_t hash, bool *out_is_new)
{
    uint64_t member = hash == 0 ? 1 : hash; /* 0 marks a free slot */
    if (set->count >= HASH_SET_MAX) {
        return ERR_LIMIT;
    }
    if ((set->count + 1) * 4 > set->cap * 3) {
        enum err e = grow(set);
        if (e != ERR_NONE) {
            return e;
        }
    }
    size_t at = place_of(set, member);
    *out_is_new = set->slots[at] == 0;
    if (*out_is_new) {
        set->slots[at] = member;
        set->count++;
    }
    return ERR_NONE;
}
