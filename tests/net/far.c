/* SPDX-License-Identifier: Apache-2.0 */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#undef ERR_STATE

#include "far.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs.h"

struct far_end {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
};

static struct far_end *far_new(const SSL_METHOD *method, enum far_version version)
{
    static const int versions[] = {[FAR_TLS1_0] = TLS1_VERSION,
                                   [FAR_TLS1_1] = TLS1_1_VERSION,
                                   [FAR_TLS1_2] = TLS1_2_VERSION,
                                   [FAR_TLS1_3] = TLS1_3_VERSION};
    struct far_end *end = calloc(1, sizeof *end);
    assert_non_null(end);
    end->context = SSL_CTX_new(method);
    assert_non_null(end->context);
    SSL_CTX_set_security_level(end->context, 0); /* what is old is allowed here */
    assert_int_equal(SSL_CTX_set_min_proto_version(end->context, versions[version]), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(end->context, versions[version]), 1);
    return end;
}

static void far_begin(struct far_end *end)
{
    end->ssl = SSL_new(end->context);
    end->in = BIO_new(BIO_s_mem());
    end->out = BIO_new(BIO_s_mem());
    assert_non_null(end->ssl);
    SSL_set_bio(end->ssl, end->in, end->out);
}

struct far_end *far_client(enum far_version version, const char *server_name)
{
    struct far_end *end = far_new(TLS_client_method(), version);
    far_begin(end);
    /* What SSL_set_tlsext_host_name does, without its cast. */
    (void)SSL_ctrl(end->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                   (void *)(uintptr_t)server_name);
    SSL_set_connect_state(end->ssl);
    return end;
}

static char *certificate, *key; /* of every far server: made once */

void far_done(void)
{
    free(certificate);
    free(key);
    certificate = NULL;
    key = NULL;
}

struct far_end *far_server(enum far_version version)
{
    struct far_end *end = far_new(TLS_server_method(), version);
    if (certificate == NULL) {
        certs_pem(&(struct cert_wish){.host = "mx.far.example", .days_left = 9}, &certificate,
                  &key);
    }
    BIO *bio = BIO_new_mem_buf(certificate, -1);
    X509 *shown = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bio = BIO_new_mem_buf(key, -1);
    EVP_PKEY *secret = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_int_equal(SSL_CTX_use_certificate(end->context, shown), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(end->context, secret), 1);
    X509_free(shown);
    EVP_PKEY_free(secret);
    far_begin(end);
    SSL_set_accept_state(end->ssl);
    return end;
}

void far_free(struct far_end *end)
{
    SSL_free(end->ssl);
    SSL_CTX_free(end->context);
    free(end);
}

bool far_shake(struct far_end *end)
{
    ERR_clear_error();
    bool is_over = SSL_do_handshake(end->ssl) == 1;
    ERR_clear_error();
    return is_over;
}

void far_received(struct far_end *end, struct slice bytes)
{
    assert_int_equal(BIO_write(end->in, bytes.at, (int)bytes.len), bytes.len);
}

size_t far_outgoing(struct far_end *end, char *at, size_t room)
{
    int len = BIO_read(end->out, at, (int)room);
    return len > 0 ? (size_t)len : 0;
}

size_t far_read(struct far_end *end, char *at, size_t room)
{
    ERR_clear_error();
    int len = SSL_read(end->ssl, at, (int)room);
    ERR_clear_error();
    return len > 0 ? (size_t)len : 0;
}

void far_write(struct far_end *end, struct slice bytes)
{
    ERR_clear_error();
    assert_int_equal(SSL_write(end->ssl, bytes.at, (int)bytes.len), bytes.len);
}

const char *far_sni(struct far_end *end)
{
    return SSL_get_servername(end->ssl, TLSEXT_NAMETYPE_host_name);
}
