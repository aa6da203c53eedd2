/* base/hash_set: which 64-bit hashes were seen, in eight to sixteen bytes each: enough to tell, with a seeded
 * slice_hash, whether a text came before, where one mistake in many thousand million may be borne. A zeroed one is
 * empty.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_SET_H
#define BASE_HASH_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum { HASH_SET_MAX = 1 << 28 }; /* members; four gigabytes */

struct hash_set {
    uint64_t *slots; /* 0: free */
    size_t cap;      /* a power of two, or 0 */
    size_t count;
};

void hash_set_done(struct hash_set *set); /* empty again; safe twice */

/* *out_is_new: it was not there. ERR_NOMEM, ERR_LIMIT. */
enum err hash_set_add(struct hash_set *set, uint64_t hash, bool *out_is_new) MUST_USE;

#endif
