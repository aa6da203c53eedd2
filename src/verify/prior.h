/* verify/prior: how far likelihoods that were said drifted from what was seen later. A tally of outcomes, of a domain or
 * a provider, becomes a shift of the log odds: the one that makes what was said and what was seen agree, held back where
 * few were seen, and bounded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_PRIOR_H
#define VERIFY_PRIOR_H

#include <stdbool.h>
#include <stdint.h>

struct prior_tally {
    uint32_t count;
    double said; /* sum of the likelihoods, without any shift */
    double seen; /* how many were alive */
};

/* However many were seen. */
#define PRIOR_SHIFT_MAX 2.5

void prior_add(struct prior_tally *tally, double said, bool was_alive);

/* before: a shift that holds already, which this one comes on top of (the provider's before the domain's). Within
 * PRIOR_SHIFT_MAX of 0; a tally that cannot be one counts as empty. */
double prior_shift(const struct prior_tally *tally, double before);

#endif
