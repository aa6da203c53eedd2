/* net/proxy_v2: the binary header of HAProxy's proxy-protocol.txt, section 2.2. A relay that accepts it and has
 * no server of its own connects to the destination it names, from the source it names where it may.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "net/proxy_private.h"

enum {
    VERSION_2_PROXY = 0x21,
    STREAM_IPV4 = 0x11,
    STREAM_IPV6 = 0x21,
};

void proxy_v2_begin(struct proxy_dialogue *d)
{
    const struct proxy_target *target = &d->target;
    bool is_v6 = target->ip.family == IP_V6;
    /* The unspecified address and port 0: as for bind(2), a choice left open. */
    struct ip source = {.family = target->ip.family};
    if (target->source.family == target->ip.family) {
        source = target->source;
    }
    proxy_put(d, SLICE("\r\n\r\n\0\r\nQUIT\n"));
    proxy_put_byte(d, VERSION_2_PROXY);
    proxy_put_byte(d, is_v6 ? STREAM_IPV6 : STREAM_IPV4);
    proxy_put_u16(d, is_v6 ? 2 * 16 + 2 * 2 : 2 * 4 + 2 * 2);
    proxy_put_ip(d, &source);
    proxy_put_ip(d, &target->ip);
    proxy_put_u16(d, 0);
    proxy_put_u16(d, target->port);
    d->has_asked = true;
}
