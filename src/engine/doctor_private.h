/* engine/doctor_private: what doctor.c (what is asked, and when), doctor_dns.c (questions to the DNS) and
 * doctor_talk.c (conversations) share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DOCTOR_PRIVATE_H
#define ENGINE_DOCTOR_PRIVATE_H

#include <sys/queue.h>

#include "base/slice.h"
#include "dns/lookup.h"
#include "engine/conversation.h"
#include "engine/doctor.h"
#include "engine/queries.h"

enum {
    DOCTOR_QUERIES_MAX = 64, /* at once: resolvers drop what comes in floods */
    DOCTOR_INVENTED_BYTES = 32,
};

/* What a question or conversation is about: places in the facts. */
struct doctor_about {
    size_t egress;
    size_t family;  /* FITNESS_V4, FITNESS_V6 */
    size_t subject; /* FITNESS_DOMAIN and the like */
    size_t index;   /* of the list, the far server, the reverse name, the domain */
};

typedef void (*doctor_answer_fn)(struct doctor *doctor, const struct doctor_about *about,
                                 const struct dns_answer *answer);

struct doctor_question;
struct doctor_talk;

/* One of the large providers. */
struct doctor_far {
    enum dns_answer_kind kind[FITNESS_FAMILIES];
    struct exchanger exchangers[FITNESS_FAMILIES]; /* each with one address, once it is known */
};

struct doctor {
    struct door *door;
    struct doctor_config config;
    struct fitness_facts facts;
    struct doctor_far far[FITNESS_FAR_MAX];
    bool is_list_tested[FITNESS_SUBJECTS];
    unsigned begun, open; /* questions and conversations */
    struct queries queries;
    TAILQ_HEAD(, doctor_question) questions; /* that are open */
    TAILQ_HEAD(, doctor_talk) talks;
    struct timer limit;
    struct timer start;
    bool is_over;
    struct route *bounces[FITNESS_EGRESSES_MAX];
};

static inline struct fitness_address *doctor_address(struct doctor *doctor,
                                                     const struct doctor_about *about)
{
    return &doctor->facts.egresses[about->egress].addresses[about->family];
}

/* Of MAIL FROM; empty for the null sender. */
static inline struct slice doctor_domain_of(struct slice mail_from)
{
    return slice_sub(mail_from, slice_find_last_byte(mail_from, '@') + 1, mail_from.len);
}

/* Something ended; the last one ends the examination. */
void doctor_one_over(struct doctor *doctor);

/* doctor_dns.c. Questions that cannot be put for want of memory count as not asked. */
void doctor_ask(struct doctor *doctor, struct slice name, uint16_t type, doctor_answer_fn fn,
                const struct doctor_about *about);
void doctor_ask_spf(struct doctor *doctor, const struct doctor_about *about, bool is_helo);
/* The route of MAIL FROM's domain; then calls doctor_route_known. */
void doctor_ask_route(struct doctor *doctor, size_t egress);
void doctor_drop_queries(struct doctor *doctor);

/* doctor_talk.c */
void doctor_talk_far(struct doctor *doctor, const struct doctor_about *about);
void doctor_talk_mailbox(struct doctor *doctor, size_t egress);
void doctor_drop_talks(struct doctor *doctor);

/* doctor.c: what follows from it. */
void doctor_route_known(struct doctor *doctor, size_t egress);
void doctor_far_over(struct doctor *doctor, const struct doctor_about *about);
bool doctor_may_contact(const struct doctor *doctor, const struct ip *ip);

#endif
