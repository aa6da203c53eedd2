/* tests/net/proxy_play: a dialogue with a proxy whose every word is known in advance, fed whole, byte by byte and
 * cut in two at every place; all must come to the same.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NET_PROXY_PLAY_H
#define TESTS_NET_PROXY_PLAY_H

#include "net/proxy.h"

/* user and password may be NULL. */
struct proxy play_proxy(enum proxy_kind kind, const char *user, const char *password);
struct proxy_target play_target(const char *ip, uint16_t port, const char *source);

/* log: what we send (what is not printable as \xNN), then "=" and "more", "done" with what came behind in
 * brackets, or the failure's words with the code. Fails the test naming the row. */
void play_check(const char *name, const struct proxy *proxy, const struct proxy_target *target,
                struct slice says, const char *log);

#endif
