/* tools/health_private: what health.c (what is asked, and when), health_hosts.c (hosts, their addresses, lists),
 * health_policies.c (records in TXT, SPF, MTA-STS) and health_talk.c (conversations with servers) share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_HEALTH_PRIVATE_H
#define TOOLS_HEALTH_PRIVATE_H

#include "engine/queries.h"
#include "tools/health.h"

enum {
    HEALTH_QUERIES_MAX = 32,  /* at once: resolvers drop what comes in floods */
    HEALTH_TALKS_OF_HOST = 2, /* addresses of one mail server that are spoken with */
};

struct health_talk;
struct health_ns_talk;
struct health_run;

struct health {
    struct door *door;
    struct health_config config;
    void *context; /* of done() */
    struct health_facts *facts;
    struct queries queries;
    unsigned others_begun, open; /* conversations, fetches; open: of all kinds */
    bool is_over;
    struct timer limit, start;
    TAILQ_HEAD(, health_talk) talks;
    TAILQ_HEAD(, health_ns_talk) ns_talks;
    TAILQ_HEAD(, health_run) runs;
    struct spf_tree *spf;
    struct http_exchange *fetch;
    struct signals_ticket *rdap;
    bool is_list_tested[FITNESS_SUBJECTS];
};

/* health.c */
void health_ask(struct health *health, struct slice name, uint16_t type, queries_answer_fn fn,
                void *subject, size_t index);
void health_one_begun(struct health *health); /* beside questions */
void health_one_over(struct health *health);  /* the last one ends it all */
bool health_may_contact(const struct health *health, const struct ip *ip);

/* "PREFIX.DOMAIN". False: it is too long. */
bool health_join_name(const char *prefix, struct slice domain, char out[DNS_NAME_BYTES]);

/* health_hosts.c: both kinds of addresses; the name is set. */
enum health_host_use {
    HEALTH_HOST_MX, /* reverse names, lists, a conversation */
    HEALTH_HOST_NS, /* it is asked itself */
    HEALTH_HOST_OTHER,
};
void health_ask_host(struct health *health, struct health_host *host, enum health_host_use use);
void health_ask_address(struct health *health, struct health_address *address);
void health_ask_domain_lists(struct health *health);

/* health_policies.c */
void health_ask_policies(struct health *health);
void health_ask_sts(struct health *health); /* one of them */
void health_ask_egress_spf(struct health *health, size_t egress);
void health_drop_policies(struct health *health);

/* health_talk.c */
void health_talk_mx(struct health *health, struct health_host *host,
                    struct health_address *address);
void health_talk_ns(struct health *health, struct health_ns *ns, const struct ip *ip);
void health_drop_talks(struct health *health);

#endif
