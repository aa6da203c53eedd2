/* tests/dns/zone: a resolver out of a few lines of text, and a route as a line of text.
 * A zone has one record a line: owner, type, then
 *     MX ttl preference host | A ttl address | AAAA ttl address | CNAME ttl target | SOA ttl
 *     (SOA: the life of negative answers below that owner), or instead of "ttl ..." one of the words
 *     servfail refused notimp nxdomain timeout unreachable failed garbage cut other query
 *     (what happens to a question for that owner and type); "CNAME ttl target alone" ends the answer there.
 * A host that no line begins with does not exist. "." is the root.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DNS_ZONE_H
#define TESTS_DNS_ZONE_H

#include "dns/lookup.h"

enum { ZONE_TEXT_BYTES = 16384 };

/* Which of the open questions is answered first. The route must not depend on it. */
enum zone_order { ZONE_FIRST, ZONE_LAST, ZONE_ORDERS };

/* Runs the lookup to its end; the caller frees the route. */
struct route *zone_look_up(const char *zone, const char *domain,
                           const struct dns_lookup_options *options, enum zone_order order);

/* "ok 300 | 10 mx.example.com ok 9.9.9.9 | ...", with the failure after a slash, "implicit" before the TTL. */
void zone_print(const struct route *route, char out[ZONE_TEXT_BYTES]);

#endif
