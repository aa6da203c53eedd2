/* sim/campaign: the run with questions one by one, in a window like that of engine/bulk.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/crew.h"
#include "sim/campaign_judge.h"
#include "sim/campaign_private.h"

enum {
    BUSY_MAX = 4096,    /* questions at once, those that wait for a time not counted */
    OPEN_MAX = 1 << 20, /* and counted */
    TWICE_OUT_OF = 30,
    TALK_BYTES_MAX = 4 << 20,
};

/* One question on its way. */
struct question {
    struct campaign *campaign;
    uint32_t number;
    char text[CAMPAIGN_ADDRESS_BYTES];
};

uint32_t campaign_nth(const struct campaign *campaign, uint32_t n)
{
    return (uint32_t)((uint64_t)n * campaign->stride % campaign->plan->options.addresses);
}

void campaign_spell(struct campaign *campaign, uint32_t number, char out[CAMPAIGN_ADDRESS_BYTES])
{
    campaign_address(campaign->plan, number, out);
    char *at = strrchr(out, '@');
    must(at != NULL);
    if (random_below(&campaign->random, TWICE_OUT_OF) == 0) {
        at[1] = 'D'; /* the domain of each begins with it */
    }
}

void campaign_answer(struct campaign *campaign, uint32_t number, struct slice asked,
                     const struct record *record)
{
    char why[CAMPAIGN_WHY_BYTES];
    uint32_t site = campaign->plan->domains[campaign_domain_of(campaign->plan, number)].site;
    campaign->outcome->answers++;
    campaign->outcome->by_sub[record->sub]++;
    campaign->answered[number]++;
    if (!campaign_judge(campaign->plan, number, asked, record, why)) {
        campaign_watch_blame(campaign->watch, site, number, "%s", why);
    } else if (campaign->answered[number] > campaign->asked[number]) {
        campaign_watch_blame(campaign->watch, site, number, "answered more often than asked");
    }
}

enum err campaign_begin_engine(struct campaign *campaign)
{
    const struct knocker_config *knocker = &campaign->plan->settings.knocker;
    unsigned loops = campaign->config->loops == 0 ? 1 : campaign->config->loops;
    enum err e =
        campaign_engine_new(world_door(campaign->world), campaign->knowledge, knocker,
                            campaign->store, crew_loops(knocker, loops), &campaign->engine);
    if (e == ERR_NONE) {
        campaign_watch_engine(campaign->watch, campaign->engine);
    }
    return e;
}

void campaign_end_engine(struct campaign *campaign)
{
    if (campaign->engine == NULL) {
        return;
    }
    struct knocker_counts counts;
    campaign_engine_count(campaign->engine, &counts);
    campaign->outcome->conversations += counts.conversations;
    campaign->outcome->probes += counts.probes;
    campaign_watch_engine(campaign->watch, NULL);
    campaign_engine_free(campaign->engine);
    campaign->engine = NULL;
}

/* Questions one by one. */

static void feed(struct campaign *campaign);

static void on_answer(void *context, const struct record *record)
{
    struct question *question = context;
    struct campaign *campaign = question->campaign;
    campaign->open--;
    if (!campaign_watch_flaw(campaign->watch)->is_found) {
        campaign_answer(campaign, question->number, slice_of(question->text), record);
        feed(campaign);
    }
    free(question);
}

static void ask(struct campaign *campaign, uint32_t number)
{
    struct question *question = malloc(sizeof *question);
    must(question != NULL);
    question->campaign = campaign;
    question->number = number;
    campaign_spell(campaign, number, question->text);
    campaign->asked[number]++;
    campaign->open++;
    must(campaign_engine_ask(campaign->engine, slice_of(question->text), on_answer, question) ==
         ERR_NONE);
}

static void feed(struct campaign *campaign)
{
    uint32_t addresses = campaign->plan->options.addresses;
    struct knocker_counts counts;
    campaign_engine_count(campaign->engine, &counts);
    while (campaign->next < addresses && campaign->open < OPEN_MAX &&
           campaign->open < BUSY_MAX + counts.waiting) {
        uint32_t number = campaign_nth(campaign, campaign->next++);
        ask(campaign, number);
        if (random_below(&campaign->random, TWICE_OUT_OF) == 0) {
            ask(campaign, number); /* somebody else asks the same */
        }
    }
}

static void check_complete(struct campaign *campaign)
{
    if (world_is_cut(campaign->world)) {
        campaign_watch_blame(campaign->watch, CAMPAIGN_NOBODY, CAMPAIGN_NOBODY,
                             "the world does not come to rest; %llu questions are open",
                             (unsigned long long)campaign->open);
    }
    for (uint32_t i = 0; i < campaign->plan->options.addresses; i++) {
        if (campaign->answered[i] != campaign->asked[i] || campaign->asked[i] == 0) {
            uint32_t site = campaign->plan->domains[campaign_domain_of(campaign->plan, i)].site;
            campaign_watch_blame(campaign->watch, site, i, "asked %u times, answered %u times",
                                 campaign->asked[i], campaign->answered[i]);
        }
    }
    campaign_watch_end(campaign->watch);
}

/* After a flaw questions are still open: the engine answers them when it is told to stop. */
static void stop_engine(struct campaign *campaign)
{
    if (campaign_watch_flaw(campaign->watch)->is_found) {
        world_mute(campaign->world, true);
        campaign_engine_cancel(campaign->engine);
        world_run_until(campaign->world, door_now_ms(world_door(campaign->world)));
    }
}

static enum err run_questions(struct campaign *campaign, struct fault *out_fault)
{
    if (campaign->plan->settings.has_store &&
        store_open(":memory:", &campaign->store, out_fault) != ERR_NONE) {
        return out_fault->err;
    }
    if (campaign_begin_engine(campaign) != ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    feed(campaign);
    door_run(world_door(campaign->world));
    campaign->outcome->traffic_hash = world_traffic_hash(campaign->world);
    if (!campaign_watch_flaw(campaign->watch)->is_found) {
        check_complete(campaign);
    }
    stop_engine(campaign);
    return ERR_NONE;
}

/* All of it. */

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void choose_order(struct campaign *campaign)
{
    uint32_t addresses = campaign->plan->options.addresses;
    campaign->stride = 1;
    if (!campaign->plan->settings.is_interleaved || addresses < 3) {
        return;
    }
    do {
        campaign->stride = 1 + random_below(&campaign->random, addresses - 1);
    } while (common_divisor(campaign->stride, addresses) != 1);
}

static enum err begin(struct campaign *campaign)
{
    const struct campaign_config *config = campaign->config;
    uint32_t addresses = config->options.addresses;
    char address[CAMPAIGN_ADDRESS_BYTES] = "";
    enum err e = campaign_plan_new(&config->options, &campaign->plan);
    e = e == ERR_NONE ? campaign_world_new(campaign->plan, &campaign->stage) : e;
    if (e != ERR_NONE) {
        return e;
    }
    campaign->world = campaign_world_net(campaign->stage);
    campaign->asked = calloc(addresses, 1);
    campaign->answered = calloc(addresses, 1);
    if (campaign->asked == NULL || campaign->answered == NULL) {
        return ERR_NOMEM;
    }
    if (config->shows_site && config->number != CAMPAIGN_NOBODY) {
        campaign_address(campaign->plan, config->number, address);
    }
    if (config->shows_site) {
        e = campaign_talk_new(slice_of(address), &campaign->talk);
    }
    if (e == ERR_NONE) {
        e = campaign_watch_new(campaign->plan, campaign->knowledge, campaign->world, campaign->talk,
                               config->site, &campaign->watch);
    }
    campaign->random.state = config->options.seed ^ 0x63616d706169676e;
    choose_order(campaign);
    return e;
}

static void end(struct campaign *campaign)
{
    campaign_end_engine(campaign);
    store_close(campaign->store);
    campaign_watch_free(campaign->watch);
    campaign_world_free(campaign->stage);
    campaign_talk_free(campaign->talk);
    campaign_plan_free(campaign->plan);
    free(campaign->asked);
    free(campaign->answered);
}

static enum err report(struct campaign *campaign)
{
    struct campaign_outcome *out = campaign->outcome;
    struct world_counts counts;
    world_count(campaign->world, &counts);
    out->flaw = *campaign_watch_flaw(campaign->watch);
    out->sites = campaign->plan->site_count;
    out->domains = campaign->plan->domain_count;
    out->events = counts.events;
    out->memory_peak = campaign_watch_memory_peak(campaign->watch);
    return campaign->talk == NULL ? ERR_NONE : campaign_talk_write(campaign->talk, &out->talk);
}

enum err campaign_run(const struct campaign_config *config, const struct knowledge *knowledge,
                      struct campaign_outcome *out, struct fault *out_fault)
{
    struct campaign campaign = {.config = config, .knowledge = knowledge, .outcome = out};
    *out = (struct campaign_outcome){0};
    buf_init(&out->talk, TALK_BYTES_MAX);
    enum err e = begin(&campaign);
    if (e != ERR_NONE) {
        end(&campaign);
        return fault_set(out_fault, e, 0, "cannot set the campaign up: %s", err_name(e));
    }
    uint64_t began_ms = door_now_ms(world_door(campaign.world));
    e = config->is_bulk ? campaign_run_bulk(&campaign, out_fault)
                        : run_questions(&campaign, out_fault);
    out->elapsed_ms = door_now_ms(world_door(campaign.world)) - began_ms;
    if (e == ERR_NONE && report(&campaign) != ERR_NONE) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    end(&campaign);
    if (e != ERR_NONE) {
        campaign_outcome_done(out);
    }
    return e;
}

void campaign_outcome_done(struct campaign_outcome *outcome)
{
    buf_done(&outcome->talk);
}
