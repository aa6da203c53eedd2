/* sim/campaign_watch: holds a running campaign against what must always be true, at every event of the world and as
 * the scripted servers count it:
 *
 *   - no far end has more of our connections at once than its limit, and no two begin closer than its gap;
 *   - no session has more RCPTs, refused RCPTs or unanswered RCPTs than its limit, and several are unanswered only
 *     after MAIL was answered;
 *   - no far end refuses more RCPTs of ours in any 60 minutes than its limit;
 *   - never DATA, BDAT, VRFY, EXPN or another verb than those of a probe; nobody is asked for a domain it does
 *     not serve; nobody is contacted where nothing should be;
 *   - not more connections in all than configured, and memory within a bound of what is open.
 *
 * The first flaw stops the world.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_WATCH_H
#define SIM_CAMPAIGN_WATCH_H

#include "engine/knowledge.h"
#include "sim/campaign_plan.h"
#include "sim/campaign_talk.h"

struct campaign_watch;
struct campaign_engine;

enum { CAMPAIGN_FLAW_BYTES = 400 };
#define CAMPAIGN_NOBODY UINT32_MAX /* neither a site nor an address */

struct campaign_flaw {
    bool is_found;
    uint64_t at_ms;
    uint32_t site, number; /* CAMPAIGN_NOBODY: of none in particular */
    char text[CAMPAIGN_FLAW_BYTES];
};

/* The hosts of the plan stand in the world. plan, world and talk are borrowed; talk, which may be NULL, is told of
 * the lines to talk_site. ERR_NOMEM. */
enum err campaign_watch_new(const struct campaign_plan *plan, const struct knowledge *knowledge,
                            struct world *world, struct campaign_talk *talk, uint32_t talk_site,
                            struct campaign_watch **out) MUST_USE;
void campaign_watch_free(struct campaign_watch *watch); /* before the world */

/* The engine that asks from now on; NULL: none. A new one knows nothing of the hour before: it is counted anew. */
void campaign_watch_engine(struct campaign_watch *watch, const struct campaign_engine *engine);

/* Says that something is wrong; the first time counts. */
void campaign_watch_blame(struct campaign_watch *watch, uint32_t site, uint32_t number,
                          const char *format, ...) PRINTF_LIKE(4, 5);
const struct campaign_flaw *campaign_watch_flaw(const struct campaign_watch *watch);

/* What can be seen only when all is over: lines left open, blocks that our limits should have kept away. */
void campaign_watch_end(struct campaign_watch *watch);

size_t campaign_watch_memory_peak(const struct campaign_watch *watch); /* heap in use, bytes */

#endif
