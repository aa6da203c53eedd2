/* providers/fragments: which of many fixed texts stand in a folded reply, found in one pass. Each
 * fragment is filed under its rarest three bytes; a pass over the reply looks up three bytes at each
 * place and compares only there. A fragment that begins with a letter or digit must not follow one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_FRAGMENTS_H
#define PROVIDERS_FRAGMENTS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/map.h"

enum {
    FRAGMENT_BYTES_MIN = 3,
    FRAGMENT_BYTES_MAX = 120,
    FRAGMENTS_MAX = 4096,
    FRAGMENT_HIT_WORDS = FRAGMENTS_MAX / 64,
};

struct fragment;

struct fragments {
    struct arena *arena; /* borrowed; holds all but the map's table */
    struct map ids;
    struct fragment **items;
    struct fragment **buckets;
    size_t count;
};

struct fragment_hits {
    uint64_t words[FRAGMENT_HIT_WORDS];
};

enum err fragments_init(struct fragments *set, struct arena *arena) MUST_USE;
void fragments_done(struct fragments *set);

/* text is folded, of FRAGMENT_BYTES_MIN to _MAX bytes, and lives as long as the set; the same text
 * gives the same id. ERR_NOMEM, ERR_LIMIT. */
enum err fragments_add(struct fragments *set, struct slice text, uint16_t *out_id) MUST_USE;

/* After the last add, before the first find. */
void fragments_build(struct fragments *set);

void fragments_find(const struct fragments *set, struct slice text, struct fragment_hits *out);

static inline bool fragment_is_hit(const struct fragment_hits *hits, uint16_t id)
{
    return (hits->words[id / 64] >> (id % 64) & 1) != 0;
}

/* text holds fragment as find would see it. */
bool fragment_stands_in(struct slice fragment, struct slice text);

#endif
