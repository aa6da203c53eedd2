/* store/keys: API keys as they are kept: who holds one, what it may ask, and how much of it was used today. Of the
 * secret only its SHA-256 is here. A plain digest is right for that: a secret is 256 random bits, which nobody finds by
 * trying, so the salt and the slowness that guessable passwords need would only cost time at every request.
 * engine/keys answers requests from memory; the store keeps what must outlive it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "store/store.h"

enum {
    STORE_KEYS_MAX = 65536, /* all of them fit into memory */
    STORE_KEY_DIGEST_BYTES = 32,
};

struct store_key {
    int64_t id; /* never given twice */
    struct slice label;
    struct slice prefix; /* the beginning of the secret, by which people know it */
    struct slice digest; /* SHA-256 of the whole secret */
    unsigned scopes;     /* a set that the store does not look into */
    int64_t created_at_ms;
    int64_t expires_at_ms, revoked_at_ms, used_at_ms; /* 0: never */
    uint32_t rate_per_minute;                         /* 0: no limit */
    uint64_t quota_per_day;                           /* the same */
    int64_t usage_day;                                /* days since 1970-01-01, UTC */
    uint64_t usage;                                   /* of that day */
};

/* id, revoked_at_ms, used_at_ms and usage are not looked at: a new one has none. Committed when it returns. ERR_LIMIT:
 * there are STORE_KEYS_MAX already. ERR_STORE. */
enum err store_key_add(struct store *store, const struct store_key *key, int64_t *out_id,
                       struct fault *out_fault) MUST_USE;

/* From then on it is refused; again changes nothing. Committed when it returns. ERR_CLOSED: there is none of that
 * number. */
enum err store_key_revoke(struct store *store, int64_t id, int64_t now_ms, struct fault *out_fault)
    MUST_USE;

/* All, oldest first, also revoked and expired ones; lent for the call. */
typedef void (*store_key_fn)(void *context, const struct store_key *key);
enum err store_key_each(struct store *store, store_key_fn fn, void *context,
                        struct fault *out_fault) MUST_USE;

/* A number that grows with each key that is added or revoked, by whomever; usage does not change it. */
enum err store_key_generation(struct store *store, int64_t *out) MUST_USE;

/* What was used of keys: so much more on that day, the last time at at_ms; of an earlier day nothing is kept. All of it
 * or nothing; committed when it returns. A key that is gone is no error. */
struct store_key_use {
    int64_t key, day;
    uint64_t count;
    int64_t at_ms;
};
enum err store_key_use(struct store *store, const struct store_key_use *uses, size_t count,
                       struct fault *out_fault) MUST_USE;

#endif
