/* tests/net/certs: certificates for tests, made on the spot, and a test authority that signs them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NET_CERTS_H
#define TESTS_NET_CERTS_H

#include "net/tls.h"

struct cert_wish {
    const char *host;  /* in the subject's alternative names */
    int days_left;     /* negative: expired */
    bool is_by_nobody; /* signed with its own key and not by the authority */
};

/* A server that shows the certificate; the caller frees it. */
struct tls_server *certs_server(const struct cert_wish *wish);

/* A client whose only root is the test authority. */
struct tls_client *certs_client(void);

/* PEM text of a fresh key alone, owned by the caller. */
char *certs_key(void);
/* PEM text of the certificate and its key, owned by the caller. */
void certs_pem(const struct cert_wish *wish, char **out_certificate, char **out_key);

/* PEM text of the authority's certificate, owned by the caller. */
char *certs_authority(void);

void certs_done(void); /* the authority; safe without one */

#endif
