/* bench/crowd_strangers: a table of recipients by their hash; see crowd_strangers.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "crowd_strangers.h"

#include <stdlib.h>

#include "limit.h"

enum { PLACES_FIRST = 1 << 16 };

struct stranger {
    uint64_t key; /* 0: a free place */
    uint32_t first_ms;
    uint32_t client;
};

static uint64_t hash_of(const char *at, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)at[i]) * 0x100000001b3u;
    }
    return hash == 0 ? 1 : hash;
}

static struct stranger *place_of(struct stranger *places, size_t count, uint64_t key)
{
    size_t at = key & (count - 1);
    while (places[at].key != 0 && places[at].key != key) {
        at = (at + 1) & (count - 1);
    }
    return &places[at];
}

static void grow(struct strangers *strangers)
{
    size_t count = strangers->place_count == 0 ? PLACES_FIRST : strangers->place_count * 2;
    struct stranger *places = calloc(count, sizeof *places);
    if (places == NULL) {
        limit_die("calloc");
    }
    for (size_t i = 0; i < strangers->place_count; i++) {
        if (strangers->places[i].key != 0) {
            *place_of(places, count, strangers->places[i].key) = strangers->places[i];
        }
    }
    free(strangers->places);
    strangers->places = places;
    strangers->place_count = count;
}

bool strangers_pass(struct strangers *strangers, const char *rcpt, size_t len, unsigned client,
                    uint32_t wait_ms, uint32_t now_ms)
{
    if (strangers->count * 2 >= strangers->place_count) {
        grow(strangers);
    }
    uint64_t key = hash_of(rcpt, len);
    struct stranger *place = place_of(strangers->places, strangers->place_count, key);
    if (place->key == 0 || place->client != client) {
        strangers->count += place->key == 0 ? 1 : 0;
        strangers->moved += place->key == 0 ? 0 : 1;
        *place = (struct stranger){key, now_ms, client};
        return false;
    }
    bool is_early = now_ms - place->first_ms < wait_ms;
    strangers->early += is_early ? 1 : 0;
    return !is_early;
}
