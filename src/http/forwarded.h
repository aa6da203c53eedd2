/* http/forwarded: who asks, where a proxy of ours stands between: the last address in X-Forwarded-For or Forwarded (RFC 7239)
 * that no trusted proxy has. What others write there is not believed. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "base/ip.h"

struct forwarded_nets {
    const struct ip_net *at; /* borrowed */
    size_t count;
};

bool forwarded_is_trusted(const struct forwarded_nets *nets, const struct ip *ip);

/* peer is who holds the line. Headers are empty where they are missing; Forwarded goes before X-Forwarded-For. Where an
 * entry is no address ("unknown", a name) the proxy that wrote it is the answer. */
struct ip forwarded_client(const struct forwarded_nets *nets, const struct ip *peer,
                           struct slice forwarded, struct slice x_forwarded_for);

#endif
