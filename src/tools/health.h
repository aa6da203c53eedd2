/* tools/health: gathers what verify/health judges about a domain, through a door: the DNS, the name servers themselves
 * (over TCP), the mail servers as far as EHLO, the MTA-STS policy over https, block lists, and the registration where
 * that is switched on.
 *
 *     health_new -> door_run until done() -> health_facts -> health_judge -> health_free
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_HEALTH_H
#define TOOLS_HEALTH_H

#include "engine/public_suffix.h"
#include "engine/signals.h"
#include "net/http_client.h"
#include "providers/classify.h"
#include "verify/health.h"

struct health;

/* All of it is borrowed while anything lives that was made of it. */
struct health_config {
    const struct rules *rules;          /* for what servers say */
    const struct blocklist_book *lists; /* NULL: none are asked */
    const struct public_suffix *suffixes;
    const struct ip_net *allowed_nets; /* special networks that may be contacted */
    size_t allowed_net_count;
    struct slice helo; /* the EHLO name */
    struct ip source_v4,
        source_v6;        /* mail servers are spoken with from here; IP_NONE: the kernel chooses */
    uint16_t port;        /* of mail servers; 0: they are not contacted */
    uint16_t ns_port;     /* of name servers; 0: they are not contacted */
    uint16_t policy_port; /* where MTA-STS policies are served; 0: that of https */
    struct http_client *http;  /* NULL: policies are not fetched */
    struct signals *signals;   /* of RDAP alone; NULL: it is not asked */
    struct slice selectors;    /* common ones, one a line, # begins a remark */
    const struct slice *given; /* selectors that were named */
    size_t given_count;
    struct slice mail;           /* a message whose signatures name selectors; empty: none */
    const struct ip *egresses;   /* that mail of the domain leaves from */
    size_t egress_count;         /* at most HEALTH_EGRESSES_MAX */
    uint32_t limit_ms;           /* of everything; what has no answer then stays open */
    uint32_t step_ms;            /* of one step of a conversation */
    bool only_sts;               /* the MTA-STS policy, and nothing else */
    void (*done)(void *context); /* once, from the loop */
    void *context;
};

/* A domain, or that of a mail address, as it is asked about: A-labels, lower case, without the last dot. False: it is
 * none. */
bool health_domain_read(struct slice text, char out[DNS_NAME_BYTES]);

/* domain: A-labels. Begins. ERR_SYNTAX: it is no name that can be asked about; ERR_NOMEM. */
enum err health_new(struct door *door, const struct health_config *config, struct slice domain,
                    void *context, struct health **out) MUST_USE;
void health_free(struct health *health); /* at any time; NULL is fine */

/* Questions and conversations: how many were begun, and how many of them are over. More may follow. */
void health_progress(const struct health *health, unsigned *out_begun, unsigned *out_over);

/* What is known by now. Lives as long as the health. */
struct health_facts *health_facts(struct health *health);

#endif
