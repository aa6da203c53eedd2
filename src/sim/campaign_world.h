/* sim/campaign_world: the world of a plan: its hosts, its names, and the weather that comes and goes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_WORLD_H
#define SIM_CAMPAIGN_WORLD_H

#include "sim/campaign_plan.h"

struct campaign_world;

/* plan is borrowed. ERR_NOMEM. */
enum err campaign_world_new(const struct campaign_plan *plan, struct campaign_world **out) MUST_USE;
void campaign_world_free(struct campaign_world *world); /* NULL is fine */
struct world *campaign_world_net(struct campaign_world *world);

#endif
