/* sim/campaign_judge: an answer of the engine against the truth of the plan:
 *
 *   - it answers the address that was asked, and the words it stands on were said of that address;
 *   - a mailbox that takes mail is never undeliverable, one that does not is never deliverable;
 *   - where nothing disturbs (an honest server, a patient configuration, a domain without a way) it is exactly
 *     what the truth says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_JUDGE_H
#define SIM_CAMPAIGN_JUDGE_H

#include "sim/campaign_plan.h"
#include "verify/record.h"

enum { CAMPAIGN_WHY_BYTES = 300 };

/* asked: the text as it was given. False: *out_why says what is wrong. */
bool campaign_judge(const struct campaign_plan *plan, uint32_t number, struct slice asked,
                    const struct record *record, char out_why[CAMPAIGN_WHY_BYTES]);

#endif
