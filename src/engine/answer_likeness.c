/* engine/answer_likeness: what an ask is given to weigh where its answer is ambiguous. The store is read once for a domain
 * and once for a site: only what was seen before the run counts (as in engine/history), so it does not change meanwhile.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "engine/knocker_private.h"
#include "engine/likely.h"

static const struct likeness_known *known_of(struct domain *domain,
                                             const struct likely_means *means)
{
    const struct knocker *knocker = domain->knocker;
    if (domain->known == NULL) {
        domain->known = calloc(1, sizeof *domain->known);
        if (domain->known != NULL) {
            likely_of_domain(knocker->store, means, slice_of(domain->name),
                             knocker->history_before_ms,
                             knocker->history_before_ms + KNOCKER_HISTORY_MS, domain->known);
        }
    }
    return domain->known;
}

static struct prior_tally outcomes_of(struct site *site)
{
    const struct knocker *knocker = site->knocker;
    bool is_own_server = site->provider->class == PROVIDER_SELFHOSTED; /* no provider's */
    if (!site->has_outcomes && !is_own_server) {
        site->outcomes = likely_of_provider(knocker->store, site->provider->name,
                                            knocker->history_before_ms + KNOCKER_HISTORY_MS);
    }
    site->has_outcomes = true;
    return site->outcomes;
}

bool answer_likeness(struct ask *ask, struct verify_likeness *out)
{
    struct knocker *knocker = ask->knocker;
    struct domain *domain = ask->domain;
    if (!knocker_learn(knocker, KNOWLEDGE_SCORE)) {
        return false;
    }
    const struct likely_means means = {knowledge_likeness(knocker->knowledge),
                                       list_reader_lists(&knocker->lists)};
    *out = (struct verify_likeness){.model = means.model};
    if (knocker->store == NULL) {
        return true;
    }
    const struct likeness_known *known = known_of(domain, &means);
    if (known == NULL) {
        return false;
    }
    out->known = *known;
    if (domain->site != NULL) {
        out->known.provider = outcomes_of(domain->site);
    }
    return true;
}
