/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/reverse.h"

#include <stdio.h>
#include <string.h>

#include "base/slice.h"

enum { REVERSE_BYTES = 64 }; /* 32 nibbles, each with its dot */

static size_t reverse(const struct ip *ip, char out[REVERSE_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    if (ip->family == IP_V4) {
        const uint8_t *b = ip->bytes;
        return (size_t)snprintf(out, REVERSE_BYTES + 1, "%u.%u.%u.%u.", b[3], b[2], b[1], b[0]);
    }
    size_t len = 0;
    for (size_t i = 16; ip->family == IP_V6 && i > 0; i--) {
        out[len++] = digits[ip->bytes[i - 1] & 0xf];
        out[len++] = '.';
        out[len++] = digits[ip->bytes[i - 1] >> 4];
        out[len++] = '.';
    }
    return len;
}

bool dns_reverse_name(const struct ip *ip, struct slice suffix, char out[DNS_NAME_BYTES])
{
    char front[REVERSE_BYTES + 1];
    size_t len = reverse(ip, front);
    if (len == 0 || len + suffix.len >= DNS_NAME_BYTES) {
        return false;
    }
    memcpy(out, front, len);
    memcpy(out + len, suffix.at, suffix.len);
    out[len + suffix.len] = '\0';
    return true;
}

bool dns_pointer_name(const struct ip *ip, char out[DNS_NAME_BYTES])
{
    return dns_reverse_name(ip, ip->family == IP_V6 ? SLICE("ip6.arpa") : SLICE("in-addr.arpa"),
                            out);
}
