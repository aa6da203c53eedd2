/* sim/campaign_engine: the engine that a campaign tries: one knocker, or several that share the sites between them as
 * those of engine/crew do, here in one thread on one virtual clock, so that a run repeats exactly. What one sends to
 * another arrives a few milliseconds later.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_ENGINE_H
#define SIM_CAMPAIGN_ENGINE_H

#include "engine/bulk.h"

struct campaign_engine;

enum { CAMPAIGN_LOOPS_MAX = 8 };

/* All must outlive it; store may be NULL. ERR_NOMEM. */
enum err campaign_engine_new(struct door *door, const struct knowledge *knowledge,
                             const struct knocker_config *config, struct store *store,
                             unsigned loops, struct campaign_engine **out) MUST_USE;
void campaign_engine_free(struct campaign_engine *engine); /* as knocker_free */

enum err campaign_engine_ask(struct campaign_engine *engine, struct slice text, knocker_fn fn,
                             void *context) MUST_USE;
void campaign_engine_cancel(struct campaign_engine *engine);
void campaign_engine_count(const struct campaign_engine *engine, struct knocker_counts *out);

/* For bulk_open, with a knocker that reads addresses. */
struct bulk_way campaign_engine_way(struct campaign_engine *engine);
struct knocker *campaign_engine_reader(struct campaign_engine *engine);

#endif
