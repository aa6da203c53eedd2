/* verify/fitness_private: what fitness.c (the machine and the report), fitness_egress.c (names, addresses, mail)
 * and fitness_lists.c (block lists) share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_FITNESS_PRIVATE_H
#define VERIFY_FITNESS_PRIVATE_H

#include "verify/fitness.h"

struct fitness_judge {
    const struct fitness_facts *facts;
    struct fitness_report *report;
    int egress;   /* findings are about; -1: the machine */
    struct ip ip; /* the same */
    enum err err; /* the first one; nothing is added after it */
};

/* hint may be empty or NULL. */
void fitness_add(struct fitness_judge *j, enum fitness_check check, enum fitness_level level,
                 const char *hint, const char *format, ...) PRINTF_LIKE(5, 6);

void fitness_judge_egress(struct fitness_judge *j, const struct fitness_egress *egress);

/* The lists themselves: whether they answer us. */
void fitness_judge_lists(struct fitness_judge *j);
/* What they say of one subject; what: in words ("192.0.2.1", "the EHLO name x"). */
void fitness_judge_listings(struct fitness_judge *j, unsigned subject, struct slice what,
                            const struct fitness_listing *listings);

#endif
