/* engine/likely: what the store knows of a domain for verify/likeness: how its known addresses are made, and what became
 * of those whose likelihood was said; and how such outcomes get into the store.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_LIKELY_H
#define ENGINE_LIKELY_H

#include "address/lists.h"
#include "store/outcomes.h"
#include "verify/likeness.h"

enum {
    LIKELY_DOMAIN_ROWS_MAX = 512, /* of a domain's facts, and of its outcomes */
    LIKELY_PROVIDER_ROWS_MAX = 2000,
};

/* What tells a mailbox's likelihood without the store. Borrowed. */
struct likely_means {
    const struct likeness_model *model;
    const struct address_lists *lists;
};

/* What was seen of the domain before those times (Unix time): of its answers, and of its outcomes. A store that fails
 * knows nothing. */
void likely_of_domain(struct store *store, const struct likely_means *means, struct slice domain,
                      int64_t facts_before_ms, int64_t outcomes_before_ms,
                      struct likeness_known *out);
/* What became of others at the provider. */
struct prior_tally likely_of_provider(struct store *store, struct slice provider,
                                      int64_t before_ms);

/* What a sender's log says of a message. */
enum likely_outcome {
    LIKELY_ALIVE, /* delivered, opened, clicked, ... */
    LIKELY_GONE,  /* bounced, hard_bounce, invalid, ... */
    LIKELY_SILENT, /* soft_bounce, deferred, blocked, ...: nothing of the mailbox; also an empty cell */
};
/* In any case; '-' and a space count as '_'. False: not a word that is known. */
bool likely_outcome_parse(struct slice word, enum likely_outcome *out);

/* What became of an address, as somebody tells it. */
struct likely_report {
    struct slice address;
    struct slice provider; /* its name; empty: not known */
    bool was_alive;
    int64_t at_ms; /* when it is learned; Unix time */
};
/* It is kept with the likelihood that the model gives the address alone. ERR_SYNTAX: it is no address, and the fault says where; ERR_STATE: nothing to learn, its local part
 * is none that the model looks at; ERR_STORE. */
enum err likely_learn(struct store *store, const struct likely_means *means,
                      const struct likely_report *report, struct fault *out_fault) MUST_USE;

#endif
