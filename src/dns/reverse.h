/* dns/reverse: an address turned round as a name, under which its PTR records (RFC 1035 3.5, 3596 2.5) and its
 * entries in block lists (RFC 5782 2.1, 2.4) stand.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_REVERSE_H
#define DNS_REVERSE_H

#include "dns/route.h"

/* "1.2.0.192.SUFFIX", or 32 nibbles and the suffix for IPv6. NUL-terminated. False: it would be too long, or the
 * address is none. */
bool dns_reverse_name(const struct ip *ip, struct slice suffix, char out[DNS_NAME_BYTES]);

/* The same below in-addr.arpa or ip6.arpa. False only for no address. */
bool dns_pointer_name(const struct ip *ip, char out[DNS_NAME_BYTES]);

#endif
