/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "certs.h"
#include "far.h"

int tls_pair_open(void **state)
{
    static struct tls_pair pair;
    pair.client = certs_client();
    pair.server = certs_server(&(struct cert_wish){.host = "mx.near.example", .days_left = 9});
    *state = &pair;
    return 0;
}

int tls_pair_close(void **state)
{
    struct tls_pair *pair = *state;
    tls_client_free(pair->client);
    tls_server_free(pair->server);
    far_done();
    certs_done();
    return 0;
}

struct tls_session *tls_pair_client(const struct tls_pair *pair, const char *name)
{
    struct tls_session *session = NULL;
    assert_int_equal(tls_session_client(pair->client, name, &session), ERR_NONE);
    return session;
}

struct tls_session *tls_pair_server(struct tls_server *server)
{
    struct tls_session *session = NULL;
    assert_int_equal(tls_session_server(server, &session), ERR_NONE);
    return session;
}

struct slice tls_pair_flight(struct tls_session *session, char at[TLS_PAIR_FLIGHT_BYTES])
{
    size_t len = 0, piece;
    while ((piece = tls_session_outgoing(session, at + len, TLS_PAIR_FLIGHT_BYTES - len)) > 0) {
        len += piece;
    }
    return slice_make(at, len);
}

void tls_pair_shake(struct tls_session *client, struct tls_session *server)
{
    static char flight[TLS_PAIR_FLIGHT_BYTES];
    for (int i = 0; i < TLS_PAIR_ROUNDS_MAX; i++) {
        (void)tls_session_shake(client);
        tls_session_received(server, tls_pair_flight(client, flight));
        (void)tls_session_shake(server);
        tls_session_received(client, tls_pair_flight(server, flight));
    }
    assert_int_equal(tls_session_shake(client), TLS_UP);
    assert_int_equal(tls_session_shake(server), TLS_UP);
}
