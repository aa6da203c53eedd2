/* sim/campaign: a whole verification campaign out of one seed: a world of far ends with faults of their own
 * (sim/campaign_plan), the whole engine against it on the virtual clock, every event held against what must
 * always be true (sim/campaign_watch) and every answer against the truth (sim/campaign_judge). The same configuration
 * gives the same traffic, byte for byte, so a flaw can be looked at again: with shows_site the
 * conversations are kept.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_H
#define SIM_CAMPAIGN_H

#include "sim/campaign_watch.h"
#include "verify/verdict.h"

struct campaign_config {
    struct campaign_options options;
    unsigned loops; /* knockers that share the sites, 1 to CAMPAIGN_LOOPS_MAX; 0: 1 */
    bool is_bulk; /* a list, through engine/bulk and a store in a file; else questions one by one */
    unsigned kills; /* is_bulk: so often the process dies at a random instant and another goes on */
    const char
        *folder; /* is_bulk: where list and store stand meanwhile, in a folder of their own */
    /* Keep the conversations with this far end, and of them those that name this address. */
    bool shows_site;
    uint32_t site, number; /* CAMPAIGN_NOBODY: all of them */
};

struct campaign_outcome {
    struct campaign_flaw flaw;
    uint32_t sites, domains;
    uint64_t answers;
    uint64_t by_sub[SUB_COUNT];
    uint64_t conversations, probes; /* as the engine counts; of an engine that was killed too */
    uint64_t events, elapsed_ms;    /* of the world: virtual time */
    uint64_t traffic_hash;
    size_t memory_peak;
    struct buf talk; /* with shows_site */
};

/* ERR_NOMEM, ERR_SYSTEM, ERR_STORE: it could not be played. A flaw is an outcome. campaign_outcome_done is owed on
 * ERR_NONE. */
enum err campaign_run(const struct campaign_config *config, const struct knowledge *knowledge,
                      struct campaign_outcome *out, struct fault *out_fault) MUST_USE;
void campaign_outcome_done(struct campaign_outcome *outcome);

#endif
