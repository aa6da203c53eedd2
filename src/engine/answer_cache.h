/* engine/answer_cache: stored answers in memory, ready to be sent again: the record as JSON, from which only the
 * address as it was asked is missing. Bounded; what was not used for longest goes first. For any thread.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ANSWER_CACHE_H
#define ENGINE_ANSWER_CACHE_H

#include "base/buf.h"
#include "verify/record.h"

struct answer_cache;

struct answer_cache_life {
    int64_t checked_at_ms, expires_at_ms; /* Unix time */
};

/* seed: random, for strangers choose the keys. ERR_NOMEM, ERR_SYSTEM. */
enum err answer_cache_new(size_t bytes_max, uint64_t seed, struct answer_cache **out) MUST_USE;
void answer_cache_free(struct answer_cache *cache); /* NULL is fine */

/* Keeps it as a cached answer, unless a newer one is there. Where memory is short the cache stays without it. */
void answer_cache_put(struct answer_cache *cache, struct slice key, const struct record *record);
void answer_cache_drop(struct answer_cache *cache, struct slice key);

/* Appends the record with this "email". False: there is none that is alive at now_ms and not older than age_ms_max (0:
 * no bound), or memory is short. */
struct answer_cache_look {
    struct slice key, email;
    int64_t now_ms, age_ms_max;
};
bool answer_cache_find(struct answer_cache *cache, const struct answer_cache_look *look,
                       struct buf *out_json, struct answer_cache_life *out) MUST_USE;

#endif
