/* sim/zone: the names of a small world: records in text, wildcards, and names that fail on purpose.
 * Answers are struct dns_message as a recursive resolver gives them: aliases followed, an SOA with
 * negative answers. sim/responder serves a zone on loopback, sim/world inside the virtual network.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_ZONE_H
#define SIM_ZONE_H

#include "dns/message.h"

struct zone;

enum { ZONE_NEGATIVE_TTL_S = 60 };

/* What all questions for a name meet. */
enum zone_failure {
    ZONE_WELL, /* takes an earlier failure back */
    ZONE_SERVFAIL,
    ZONE_NXDOMAIN, /* whatever was added */
    ZONE_TIMEOUT,
    ZONE_REFUSED,      /* rcode 5 */
    ZONE_NONE_REACHED, /* no resolver at all */
    ZONE_BROKEN,       /* bytes that are no message */
};

enum err zone_new(struct zone **out) MUST_USE; /* ERR_NOMEM */
void zone_free(struct zone *zone);             /* NULL is fine */

/* text: the name. type: DNS_A, DNS_AAAA, DNS_MX, DNS_CNAME, DNS_NS, DNS_PTR or DNS_TXT; value in text: an address,
 * "10 mx.example", a name ("10 ." is a null MX), or the text itself, cut into strings where it is long. Names that begin with "*." answer for all below that do not exist.
 * ERR_SYNTAX, ERR_NOMEM, ERR_LIMIT (DNS_RECORDS_MAX under one name). */
enum err zone_add(struct zone *zone, const char *text, enum dns_type type, const char *value,
                  uint32_t ttl_s) MUST_USE;

/* With "*" for every name that has no failure of its own. ERR_NOMEM. */
enum err zone_fail(struct zone *zone, const char *text, enum zone_failure failure) MUST_USE;

/* How a question fares; with ZONE_WELL, ZONE_SERVFAIL, ZONE_NXDOMAIN and ZONE_REFUSED *out is the answer. */
enum zone_failure zone_ask(const struct zone *zone, struct slice question, uint16_t type,
                           uint16_t id, struct dns_message *out);

#endif
