/* net/uv_door: the real door: libuv's loop and clock, TCP, TLS by OpenSSL over memory BIOs, DNS questions
 * through c-ares on the same loop.
 * c-ares and not libunbound: libunbound reports an unreachable resolver and a SERVFAIL alike, and the
 * two must stay apart here; caching is dns/cache's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_UV_DOOR_H
#define NET_UV_DOOR_H

#include "base/err.h"
#include "net/door.h"

struct uv_door_config {
    const char *const *resolvers; /* "ADDR[:PORT]" or "[V6]:PORT"; borrowed during open */
    size_t resolver_count;        /* 0: those of /etc/resolv.conf */
    uint32_t query_timeout_ms;    /* of one try; 0: 3000 */
    unsigned query_tries;         /* 0: 3 */
    bool
        wants_authentic; /* the resolver is asked to say whether answers are authentic (RFC 6840 5.7) */
    bool wants_ring;     /* for many lines: an io_uring, where there is one, in place of epoll */
};

/* Ignores SIGPIPE where nobody handles it. ERR_SYNTAX for a resolver that is not an address, ERR_SYSTEM, ERR_NOMEM; the fault says which. */
enum err uv_door_open(const struct uv_door_config *config, struct door **out,
                      struct fault *out_fault) MUST_USE;
/* Closes what is still open: queries are answered QUERY_FAILED, links end without a word to their owners,
 * who must not use them any more. */
void uv_door_close(struct door *door);

/* Calls fn from the loop for each signal; one function per signal. Does not keep the loop alive. */
enum err uv_door_on_signal(struct door *door, int signal_number, void (*fn)(void *context),
                           void *context) MUST_USE;

#endif
