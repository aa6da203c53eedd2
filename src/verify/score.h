/* verify/score: the number, the confidence and the reasons of a verdict. Additive and open: the score is
 * the sum of the effects of the reasons, kept within 0 and 100. The weights stand in one table.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_SCORE_H
#define VERIFY_SCORE_H

#include "verify/decide.h"

int score_base(enum verdict_sub sub);
double score_confidence(enum verdict_sub sub); /* where the evidence takes nothing from it */

/* The answer leaves open whether the mailbox exists, and whose it would be says more: a likeness is weighed here. */
bool score_is_ambiguous(enum verdict_sub sub);

/* Appends a reason; beyond VERDICT_REASONS_MAX it is dropped. detail may be NULL, and is made
 * printable. */
void score_reason(struct verdict *verdict, const char *code, int effect, const char *detail);

/* status, sub and the three-state fields are set; adds the base, the terms of the address, what was
 * seen, and sums up. */
void score_sum(const struct verdict_question *question, struct verdict *verdict);

#endif
