/* net/proxy_private: what the files of net/proxy share: proxy.c (names, and which kind is spoken),
 * proxy_socks5.c, proxy_http.c, proxy_v2.c. A file of a kind puts what is to be sent, and fills in the rest of
 * the step.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_PROXY_PRIVATE_H
#define NET_PROXY_PRIVATE_H

#include "net/proxy.h"

void proxy_put(struct proxy_dialogue *dialogue, struct slice bytes);
void proxy_put_byte(struct proxy_dialogue *dialogue, unsigned byte);
void proxy_put_u16(struct proxy_dialogue *dialogue, unsigned value); /* big-endian */
void proxy_put_ip(struct proxy_dialogue *dialogue, const struct ip *ip);
void proxy_fail(struct proxy_step *step, enum proxy_failure failure, unsigned code);

void proxy_socks5_begin(struct proxy_dialogue *dialogue);
void proxy_socks5_received(struct proxy_dialogue *dialogue, struct slice bytes,
                           struct proxy_step *step);
void proxy_http_begin(struct proxy_dialogue *dialogue);
void proxy_http_received(struct proxy_dialogue *dialogue, struct slice bytes,
                         struct proxy_step *step);
void proxy_v2_begin(struct proxy_dialogue *dialogue);

#endif
