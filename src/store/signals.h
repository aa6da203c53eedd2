/* store/signals: what external services said of an address or a domain, with a life.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SIGNALS_H
#define STORE_SIGNALS_H

#include "store/store.h"

struct store_signal {
    struct slice key;     /* of the address, or the domain */
    struct slice service; /* "gravatar" */
    int64_t result;       /* the caller's number */
    int64_t number;
    int64_t at_ms, expires_at_ms;
};

/* key and service are looked at; the rest is set. False: nothing that is still alive at now_ms, or from a clock that was
 * more than a day ahead. */
bool store_signal_find(struct store *store, int64_t now_ms, struct store_signal *signal) MUST_USE;
enum err store_signal_put(struct store *store, const struct store_signal *signal) MUST_USE;
/* All of that key goes; how many. */
enum err store_signal_erase(struct store *store, struct slice key, size_t *out_count) MUST_USE;
/* What is dead goes, at most limit of them; how many. */
enum err store_signal_prune(struct store *store, int64_t now_ms, size_t limit, size_t *out_count)
    MUST_USE;

#endif
