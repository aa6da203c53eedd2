/* dns/lookup_private: what lookup.c (questions and answers) and targets.c (the hosts and what they come to)
 * share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_LOOKUP_PRIVATE_H
#define DNS_LOOKUP_PRIVATE_H

#include "base/random.h"
#include "dns/lookup.h"

struct asked {
    uint16_t type;
    uint8_t cnames;
    bool is_wanted, is_sent;
    enum dns_answer_kind kind;
    enum dns_failure failure;
    char name[DNS_NAME_BYTES]; /* as asked last: the end of a CNAME chain. Last: names are short */
};

struct target {
    struct exchanger exchanger;
    bool is_literal;
    bool had_address; /* of any kind, before guard and family */
    bool had_allowed; /* one that the guard lets pass */
};

struct dns_lookup {
    struct dns_lookup_options options;
    struct random random;
    char domain[DNS_NAME_BYTES];
    bool is_implicit_mx, is_null_mx;
    uint32_t ttl_s;
    size_t target_count;
    const struct dns_answer *answer; /* being looked at; NULL between answers */
    unsigned asked_count;
    /* Only as many as are counted are there: most domains have one or two hosts. */
    struct asked asked[DNS_LOOKUP_IDS]; /* 0: MX; 1 + 2i: A of target i; 2 + 2i: AAAA */
    struct target targets[ROUTE_EXCHANGERS_MAX];
};

/* The caller sees to the room. */
struct target *dns_target_add(struct dns_lookup *lookup, const char *host, uint16_t preference);
void dns_target_add_address(struct dns_lookup *lookup, struct target *target, const struct ip *ip);

/* MX: sorted by preference, equal ones shuffled (RFC 5321 5.1); the worst are cut. */
void dns_target_insert(struct dns_lookup *lookup, const struct dns_record *record);
void dns_target_shuffle(struct dns_lookup *lookup);

/* From what the hosts have: one usable is enough; an error anywhere leaves the rest open. */
void dns_target_sum_up(const struct dns_lookup *lookup, struct route *route);

#endif
