/* How long to wait before asking again: what the server named, else what this domain taught, else a
 * first guess; doubled while the answer stays the same, since some servers restart their clock at
 * each early retry.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/case_private.h"

enum {
    WAIT_FIRST_VISIT_S = 15, /* x.3.2: a test of strangers that is over within seconds */
    WAIT_IN_PROGRESS_S = 10, /* another server is being asked */
    WAIT_IN_PROGRESS_MAX_S = 120,
    WAIT_TEMPORARY_S = 60,
    WAIT_DOUBLINGS_MAX = 8,
};

/* A little more than what was named: clocks differ. */
static uint32_t after_hint(uint32_t hint_s)
{
    return hint_s + 1 + hint_s / 60;
}

static uint32_t greylist_base(const struct verify_case *c)
{
    if (c->domain->greylist_delay_s != 0) {
        return after_hint(c->domain->greylist_delay_s);
    }
    const struct evidence *last = &c->evidence[c->count - 1];
    bool is_first_visit = last->enhanced.subject == 3 && last->enhanced.detail == 2;
    if (is_first_visit) {
        return WAIT_FIRST_VISIT_S;
    }
    return c->config->greylist_wait_s != 0 ? c->config->greylist_wait_s : VERIFY_GREYLIST_WAIT_S;
}

uint32_t case_wait_s(const struct verify_case *c, enum claim claim, uint32_t hint_s, unsigned times)
{
    unsigned doublings = times < WAIT_DOUBLINGS_MAX ? times : WAIT_DOUBLINGS_MAX;
    if (claim == CLAIM_IN_PROGRESS) {
        uint32_t wait_s = (uint32_t)WAIT_IN_PROGRESS_S << doublings;
        return wait_s < WAIT_IN_PROGRESS_MAX_S ? wait_s : WAIT_IN_PROGRESS_MAX_S;
    }
    uint32_t base = claim == CLAIM_GREYLISTED ? greylist_base(c) : WAIT_TEMPORARY_S;
    if (hint_s != 0) {
        base = after_hint(hint_s);
    }
    return base << doublings;
}
