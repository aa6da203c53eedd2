/* providers/fragments: see the header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/fragments.h"

#include <string.h>

#include "base/must.h"
#include "base/slice.h"

enum {
    GRAM = 3,
    BUCKETS = 1 << 14, /* several times FRAGMENTS_MAX: most look-ups end at an empty bucket */
};

struct fragment {
    struct fragment *next; /* in its bucket */
    struct slice text;
    uint16_t id;
    uint16_t gram_at; /* where its filing bytes stand in it */
};

enum err fragments_init(struct fragments *set, struct arena *arena)
{
    *set = (struct fragments){.arena = arena};
    map_init(&set->ids, 0);
    set->items = arena_alloc(arena, FRAGMENTS_MAX * sizeof(struct fragment *));
    set->buckets = arena_alloc(arena, BUCKETS * sizeof(struct fragment *));
    return set->items == NULL || set->buckets == NULL ? ERR_NOMEM : ERR_NONE;
}

void fragments_done(struct fragments *set)
{
    map_done(&set->ids);
}

enum err fragments_add(struct fragments *set, struct slice text, uint16_t *out_id)
{
    must(text.len >= FRAGMENT_BYTES_MIN && text.len <= FRAGMENT_BYTES_MAX);
    struct fragment *fragment = map_find(&set->ids, text);
    if (fragment == NULL) {
        if (set->count == FRAGMENTS_MAX) {
            return ERR_LIMIT;
        }
        fragment = arena_alloc(set->arena, sizeof *fragment);
        if (fragment == NULL) {
            return ERR_NOMEM;
        }
        *fragment = (struct fragment){.text = text, .id = (uint16_t)set->count};
        enum err e = map_put(&set->ids, text, fragment);
        if (e != ERR_NONE) {
            return e;
        }
        set->items[set->count++] = fragment;
    }
    *out_id = fragment->id;
    return ERR_NONE;
}

static size_t bucket_of(const char *at)
{
    uint32_t gram = (uint32_t)(unsigned char)at[0] | (uint32_t)(unsigned char)at[1] << 8 |
                    (uint32_t)(unsigned char)at[2] << 16;
    return (gram * 0x9E3779B1u >> 16) & (BUCKETS - 1);
}

/* Files it where the fewest already are. */
static void file(struct fragments *set, struct fragment *fragment, const uint16_t *load)
{
    size_t best = 0;
    for (size_t i = 1; i + GRAM <= fragment->text.len; i++) {
        if (load[bucket_of(fragment->text.at + i)] < load[bucket_of(fragment->text.at + best)]) {
            best = i;
        }
    }
    fragment->gram_at = (uint16_t)best;
    struct fragment **bucket = &set->buckets[bucket_of(fragment->text.at + best)];
    fragment->next = *bucket;
    *bucket = fragment;
}

void fragments_build(struct fragments *set)
{
    uint16_t *load = arena_alloc(set->arena, BUCKETS * sizeof *load);
    static const uint16_t no_load[BUCKETS] = {0};
    for (size_t i = 0; load != NULL && i < set->count; i++) {
        struct slice text = set->items[i]->text;
        for (size_t k = 0; k + GRAM <= text.len; k++) {
            uint16_t *count = &load[bucket_of(text.at + k)];
            *count = *count == UINT16_MAX ? UINT16_MAX : (uint16_t)(*count + 1);
        }
    }
    for (size_t i = 0; i < set->count; i++) {
        file(set, set->items[i], load == NULL ? no_load : load);
    }
}

static bool stands_at(struct slice fragment, struct slice text, size_t at)
{
    return at + fragment.len <= text.len &&
           (at == 0 || !ascii_is_alnum(text.at[at - 1]) || !ascii_is_alnum(fragment.at[0])) &&
           memcmp(text.at + at, fragment.at, fragment.len) == 0;
}

void fragments_find(const struct fragments *set, struct slice text, struct fragment_hits *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i + GRAM <= text.len; i++) {
        const struct fragment *f = set->buckets[bucket_of(text.at + i)];
        for (; f != NULL; f = f->next) {
            if (i >= f->gram_at && stands_at(f->text, text, i - f->gram_at)) {
                out->words[f->id / 64] |= UINT64_C(1) << (f->id % 64);
            }
        }
    }
}

bool fragment_stands_in(struct slice fragment, struct slice text)
{
    for (size_t i = 0; i + fragment.len <= text.len; i++) {
        if (stands_at(fragment, text, i)) {
            return true;
        }
    }
    return false;
}
