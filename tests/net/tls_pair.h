/* tests/net/tls_pair: a client and a server of net/tls with what both need, over memory.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NET_TLS_PAIR_H
#define TESTS_NET_TLS_PAIR_H

#include "net/tls.h"

enum { TLS_PAIR_FLIGHT_BYTES = 65536, TLS_PAIR_ROUNDS_MAX = 16 };

struct tls_pair {
    struct tls_client *client; /* trusts the test authority */
    struct tls_server *server; /* mx.near.example, signed by it */
};

/* Of a group of tests: *state is the pair. */
int tls_pair_open(void **state);
int tls_pair_close(void **state);

struct tls_session *tls_pair_client(const struct tls_pair *pair, const char *name);
struct tls_session *tls_pair_server(struct tls_server *server);

/* Everything one end has to send now. */
struct slice tls_pair_flight(struct tls_session *session, char at[TLS_PAIR_FLIGHT_BYTES]);

/* Until both are up. */
void tls_pair_shake(struct tls_session *client, struct tls_session *server);

#endif
