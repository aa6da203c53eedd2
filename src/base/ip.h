/* base/ip: IPv4 and IPv6 addresses and networks as values; text in, text out, no system call.
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d) is kept as IPv6 but judged as the IPv4 inside.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
    uint8_t family;    /* enum ip_family */
    uint8_t bytes[16]; /* the first 4 for IPv4, rest zero; network order */
};

struct ip_net {
    struct ip ip;
    uint8_t bits;
};

enum { IP_TEXT_BYTES = 46 }; /* the longest text with its NUL, as INET6_ADDRSTRLEN */

/* "192.0.2.1" (four decimal parts, no leading zeros) or RFC 4291 IPv6 text, without brackets. */
bool ip_parse(struct slice text, struct ip *out);

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:5353"; without a port (from
 * 1 to 65535) *out_port stays as it was. */
bool ip_port_parse(struct slice text, struct ip *out, uint16_t *out_port);

/* RFC 5952 form, NUL-terminated. Returns out_text. */
const char *ip_format(const struct ip *ip, char out_text[IP_TEXT_BYTES]);

/* "10.0.0.0/8", or an address alone for a full-length prefix. */
bool ip_net_parse(struct slice text, struct ip_net *out);
bool ip_net_contains(const struct ip_net *net, const struct ip *ip);
bool ip_equal(const struct ip *a, const struct ip *b);

/* Not a public unicast address: private, loopback, link-local, unspecified, shared (RFC 6598),
 * benchmark, documentation, multicast, reserved, and what embeds such an IPv4 address
 * (mapped, 6to4, NAT64). The registries: RFC 6890 and its updates. */
bool ip_is_special(const struct ip *ip);

#endif
