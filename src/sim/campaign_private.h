/* sim/campaign_private: a campaign that runs, for campaign.c (questions one by one) and campaign_bulk.c (a list).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_PRIVATE_H
#define SIM_CAMPAIGN_PRIVATE_H

#include "base/random.h"
#include "sim/campaign.h"
#include "sim/campaign_engine.h"
#include "sim/campaign_world.h"

struct campaign {
    const struct campaign_config *config;
    const struct knowledge *knowledge;
    struct campaign_plan *plan;
    struct campaign_world *stage;
    struct world *world;
    struct campaign_talk *talk;
    struct campaign_watch *watch;
    struct random random; /* of what is asked when, and of deaths */
    struct store *store;
    struct campaign_engine *engine;
    uint32_t next, stride; /* the next address to be asked, in an order that mixes domains */
    uint64_t open;
    uint8_t *asked, *answered; /* how often each address was */
    struct campaign_outcome *outcome;
};

/* The address that is asked as the n-th. */
uint32_t campaign_nth(const struct campaign *campaign, uint32_t n);

/* Appends the address as somebody may write it: now and then in capitals. */
void campaign_spell(struct campaign *campaign, uint32_t number, char out[CAMPAIGN_ADDRESS_BYTES]);

/* Counts an answer and judges it. */
void campaign_answer(struct campaign *campaign, uint32_t number, struct slice asked,
                     const struct record *record);

/* A new engine over campaign->store, and its end. */
enum err campaign_begin_engine(struct campaign *campaign) MUST_USE;
void campaign_end_engine(struct campaign *campaign);

/* campaign_bulk.c */
enum err campaign_run_bulk(struct campaign *campaign, struct fault *out_fault) MUST_USE;

#endif
