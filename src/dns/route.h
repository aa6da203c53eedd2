/* dns/route: the way to a domain's mail (RFC 5321 5.1, 7505): its exchangers in order of preference
 * with their addresses, or the reason there is none. A plain value that owns nothing outside itself
 * but its exchangers; free it with route_free.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_ROUTE_H
#define DNS_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

enum {
    ROUTE_EXCHANGERS_MAX = 16, /* further ones are cut, worst preference first */
    ROUTE_ADDRESSES_MAX = 8,   /* of one exchanger */
    DNS_NAME_BYTES = 256,      /* 255 octets of text and a NUL */
};

enum route_status {
    ROUTE_OK,
    ROUTE_NOT_FOUND,  /* NXDOMAIN: the domain does not exist */
    ROUTE_NULL_MX,    /* "0 ." as the only MX: takes no mail */
    ROUTE_NO_HOST,    /* no MX and no address, or MX hosts that all do not exist */
    ROUTE_UNROUTABLE, /* every exchanger is an IP literal, private, loopback or the like */
    ROUTE_DNS_ERROR,  /* SERVFAIL, timeout, refused: says nothing about the domain */
};

enum host_status {
    HOST_OK,
    HOST_NOT_FOUND,
    HOST_NO_ADDRESS,
    HOST_UNROUTABLE, /* only addresses that the guard forbids, or the name is an IP literal */
    HOST_DNS_ERROR,
    HOST_NO_FAMILY, /* has addresses, but none of a family that we can speak */
};

struct exchanger {
    uint16_t preference;
    uint8_t address_count;
    enum host_status status;
    struct ip addresses[ROUTE_ADDRESSES_MAX]; /* usable ones only, in the order to try */
    /* Lower case, no trailing dot. Last, so that one that is kept needs no more memory than its name fills. */
    char host[DNS_NAME_BYTES];
};

struct route {
    enum route_status status;
    enum dns_failure {
        DNS_FAILURE_NONE,
        DNS_FAILURE_SERVFAIL,
        DNS_FAILURE_TIMEOUT,
        DNS_FAILURE_REFUSED,
        DNS_FAILURE_BROKEN
    } failure;           /* with ROUTE_DNS_ERROR */
    bool is_implicit_mx; /* no MX record: the domain's own address is used */
    uint32_t ttl_s;      /* how long this may be believed */
    uint8_t exchanger_count;
    struct exchanger exchangers[]; /* in the order to try; equal preferences shuffled */
};

/* As far as it is filled: names are short, and addresses few. */
void exchanger_copy(struct exchanger *to, const struct exchanger *from);

void route_free(struct route *route);                /* NULL is fine */
struct route *route_copy(const struct route *route); /* NULL: no memory */
const char *route_status_name(enum route_status status);
const char *dns_failure_name(enum dns_failure failure);

#endif
