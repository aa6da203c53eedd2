/* store/outcomes: what became of an address whose likelihood was said: one row for each, the last one counts. Domains
 * and providers are corrected by them (verify/prior). A row goes when its address is erased, and
 * when facts of its age do.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_OUTCOMES_H
#define STORE_OUTCOMES_H

#include "store/store.h"

struct store_outcome {
    struct slice key;      /* address_key */
    struct slice domain;   /* lower-case A-labels */
    struct slice provider; /* its name; empty: none that is known */
    bool was_alive;
    double said;   /* 0 to 1: the likelihood, without any correction */
    int64_t at_ms; /* when it was learned */
};

enum err store_outcome_put(struct store *store, const struct store_outcome *outcome) MUST_USE;

/* Those of a domain that were learned before then, at most limit of them. */
typedef void (*store_outcome_fn)(void *context, const struct store_outcome *outcome);
enum err store_outcome_each(struct store *store, struct slice domain, int64_t before_ms,
                            size_t limit, store_outcome_fn fn, void *context) MUST_USE;

/* The last of a provider's that were learned before then, at most limit of them: how many, and the sums of said and of
 * was_alive. */
struct store_outcome_sum {
    uint32_t count;
    double said, alive;
};
enum err store_outcome_sum(struct store *store, struct slice provider, int64_t before_ms,
                           uint32_t limit, struct store_outcome_sum *out) MUST_USE;

#endif
