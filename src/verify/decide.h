/* verify/decide: the verdict as a pure function of the evidence, the route and what is known of the
 * domain. The case (verify/case) decides what to ask; what the answers amount to is decided here, so
 * that any verdict can be explained and replayed from what stands in its record.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_DECIDE_H
#define VERIFY_DECIDE_H

#include "verify/case.h"
#include "verify/claim.h"

enum {
    DECIDE_SOFT_TIMES = 3, /* so often the same temporary "no such user" counts as stable */
};

struct verdict_question {
    const struct evidence *evidence;
    size_t count;
    const struct route *route;       /* NULL: was never told */
    const struct provider *provider; /* NULL only without a route */
    const struct verify_domain *domain;
    const struct verify_hints *hints;
    const struct verify_history *history; /* NULL: there is none */
    const struct verify_config *config;
    struct slice local;   /* of the address */
    unsigned shape;       /* its control_shape */
    bool is_expired;      /* stopped from outside, */
    enum skip_reason why; /* for this reason */
    uint32_t wait_s;      /* the wait that would have come next; 0: none */
};

/* score, confidence, reasons and life included. out needs no preparation. */
void verdict_decide(const struct verdict_question *question, struct verdict *out);

/* The real evidence that counts: the last statement about the mailbox or domain, else what says most
 * about the failure. -1: there is none. */
int verdict_standing(const struct evidence *evidence, size_t count, enum claim *out_claim);

/* How many of the last pieces of real evidence in a row make this claim. */
unsigned verdict_repeats(const struct evidence *evidence, size_t count, enum claim claim);

/* A better exchanger than this one exists and might know more. */
bool route_is_backup(const struct route *route, uint8_t exchanger);

/* What is remembered of controls where this evidence came from. */
const struct verify_control_memory *decide_control(const struct verdict_question *question,
                                                   const struct evidence *evidence);

/* The control was refused just like this. */
bool decide_is_alike(const struct evidence *evidence, const struct verify_control_memory *control,
                     struct slice local);

/* Every exchanger that can be asked said this. */
bool decide_all_exchangers(const struct verdict_question *question, enum claim claim);

#endif
