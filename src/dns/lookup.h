/* dns/lookup: a machine that finds the route of a domain: asks MX, then the addresses of each exchanger, and
 * joins the answers (RFC 5321 5.1, 7505). It sends nothing: take its questions, give it the answers.
 *
 *     dns_lookup_new -> loop { next -> question ...; answered(id, ...) } until is_done -> take -> free
 *
 * Several questions may be open at once; ids are below DNS_LOOKUP_IDS. Glue in answers is not trusted.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_LOOKUP_H
#define DNS_LOOKUP_H

#include "base/pool.h"
#include "dns/answer.h"

enum { DNS_LOOKUP_IDS = 1 + 2 * ROUTE_EXCHANGERS_MAX };

struct dns_lookup_options {
    const struct ip_net *allowed_nets; /* special networks that may be contacted; borrowed */
    size_t allowed_net_count;
    bool can_ipv4, can_ipv6;
    bool asks_ipv6_late; /* AAAA only for hosts without A: a way to IPv6 is not known */
    uint64_t seed;       /* shuffles equal preferences */
    struct pool *spare;  /* of dns_lookup_bytes() each: where its memory is from; NULL: the heap */
};

struct dns_question {
    unsigned id;
    struct slice name; /* valid until the lookup is freed */
    uint16_t type;
};

struct dns_lookup;

size_t dns_lookup_bytes(void);

/* domain: A-labels, or an address literal in brackets (RFC 5321 4.1.3), which needs no questions. */
enum err dns_lookup_new(struct slice domain, const struct dns_lookup_options *options,
                        struct dns_lookup **out) MUST_USE;
void dns_lookup_free(struct dns_lookup *lookup);

bool dns_lookup_next(struct dns_lookup *lookup, struct dns_question *out);
void dns_lookup_answered(struct dns_lookup *lookup, unsigned id, enum dns_transport transport,
                         struct slice message);
bool dns_lookup_is_done(const struct dns_lookup *lookup);

/* The route, owned by the caller. ERR_STATE before is_done, ERR_NOMEM. */
enum err dns_lookup_take(struct dns_lookup *lookup, struct route **out) MUST_USE;

#endif
