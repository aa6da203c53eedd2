/* net/tls_private: what a client and a session hold, for tls.c (handshake and bytes) and tls_view.c (what was shown).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include "net/openssl.h"
#include "net/tls.h"

enum { TLS_ERROR_BYTES = 160 };

struct tls_client {
    struct openssl openssl;
    SSL_CTX *context;
    bool asks_ocsp;
};

struct tls_server {
    struct openssl openssl;
    SSL_CTX *context;
};

struct tls_session {
    struct openssl openssl; /* of its own: it may outlive the client or server that it is of */
    SSL *ssl;
    BIO *in, *out;  /* owned by ssl */
    SSL_CTX *roots; /* of a client; ssl keeps it */
    char server_name[256];
    bool is_failed, expects_dane;
    char error[TLS_ERROR_BYTES];
};

#endif
