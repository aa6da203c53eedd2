/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL 3 still has a type of this name, which is an error code of ours. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "net/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/slice.h"

enum { TLS_ERROR_BYTES = 160, DAY_S = 86400 };

struct tls_client {
    SSL_CTX *context;
};

struct tls_server {
    SSL_CTX *context;
};

struct tls_session {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    char server_name[256];
    bool is_failed;
    char error[TLS_ERROR_BYTES];
};

enum err tls_client_new(struct tls_client **out)
{
    struct tls_client *client = calloc(1, sizeof *client);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (client == NULL || context == NULL) {
        free(client);
        SSL_CTX_free(context);
        return ERR_NOMEM;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* the result is recorded all the same */
    (void)SSL_CTX_set_default_verify_paths(context);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* idle lines stay small */
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    client->context = context;
    *out = client;
    return ERR_NONE;
}

void tls_client_free(struct tls_client *client)
{
    if (client != NULL) {
        SSL_CTX_free(client->context);
        free(client);
    }
}

static void evp_key_drop(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void x509_drop(X509 **certificate)
{
    X509_free(*certificate);
}

static X509 *make_certificate(EVP_PKEY *key, const char *name, int days_left)
{
    X509 *made DEFER(x509_drop) = X509_new();
    if (made == NULL) {
        return NULL;
    }
    bool is_good = X509_set_version(made, X509_VERSION_3) == 1 &&
                   ASN1_INTEGER_set(X509_get_serialNumber(made), 1) == 1 &&
                   X509_gmtime_adj(X509_getm_notBefore(made), -30L * DAY_S) != NULL &&
                   X509_gmtime_adj(X509_getm_notAfter(made), (long)days_left * DAY_S) != NULL &&
                   X509_set_pubkey(made, key) == 1;
    X509_NAME *subject = X509_get_subject_name(made);
    is_good = is_good && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                    (const unsigned char *)name, -1, -1, 0) == 1;
    is_good = is_good && X509_set_issuer_name(made, subject) == 1 &&
              X509_sign(made, key, EVP_sha256()) > 0;
    return is_good ? TAKE(made) : NULL;
}

static X509 *read_certificate(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    X509 *read = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return read;
}

static EVP_PKEY *read_key(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *read = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return read;
}

enum err tls_server_new(struct slice certificate, struct slice key, const char *name, int days_left,
                        struct tls_server **out, struct fault *out_fault)
{
    EVP_PKEY *private_key DEFER(evp_key_drop) = key.len > 0 ? read_key(key) : EVP_EC_gen("P-256");
    if (private_key == NULL) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "the private key cannot be used");
    }
    X509 *shown DEFER(x509_drop) = certificate.len > 0
                                       ? read_certificate(certificate)
                                       : make_certificate(private_key, name, days_left);
    if (shown == NULL) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "the certificate cannot be used");
    }
    struct tls_server *server = calloc(1, sizeof *server);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool has_room = server != NULL && context != NULL;
    bool is_good = has_room && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_use_certificate(context, shown) == 1 &&
                   SSL_CTX_use_PrivateKey(context, private_key) == 1;
    if (!is_good) {
        SSL_CTX_free(context);
        free(server);
        return has_room ? fault_set(out_fault, ERR_SYNTAX, 0,
                                    "certificate and private key do not go together")
                        : fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    server->context = context;
    *out = server;
    return ERR_NONE;
}

void tls_server_free(struct tls_server *server)
{
    if (server != NULL) {
        SSL_CTX_free(server->context);
        free(server);
    }
}

static enum err session_new(SSL_CTX *context, struct tls_session **out)
{
    struct tls_session *session = calloc(1, sizeof *session);
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *outgoing = BIO_new(BIO_s_mem());
    if (session == NULL || ssl == NULL || in == NULL || outgoing == NULL) {
        free(session);
        SSL_free(ssl);
        BIO_free(in);
        BIO_free(outgoing);
        return ERR_NOMEM;
    }
    SSL_set_bio(ssl, in, outgoing);
    session->ssl = ssl;
    session->in = in;
    session->out = outgoing;
    *out = session;
    return ERR_NONE;
}

enum err tls_session_client(struct tls_client *client, const char *server_name,
                            struct tls_session **out)
{
    struct tls_session *session;
    enum err e = session_new(client->context, &session);
    if (e != ERR_NONE) {
        return e;
    }
    struct ip ip;
    bool is_name = server_name[0] != '\0' && !ip_parse(slice_of(server_name), &ip);
    (void)snprintf(session->server_name, sizeof session->server_name, "%s",
                   is_name ? server_name : "");
    if (is_name) {
        (void)SSL_set_tlsext_host_name(session->ssl, session->server_name);
    }
    SSL_set_connect_state(session->ssl);
    *out = session;
    return ERR_NONE;
}

enum err tls_session_server(struct tls_server *server, struct tls_session **out)
{
    enum err e = session_new(server->context, out);
    if (e == ERR_NONE) {
        SSL_set_accept_state((*out)->ssl);
    }
    return e;
}

void tls_session_free(struct tls_session *session)
{
    if (session != NULL) {
        SSL_free(session->ssl);
        free(session);
    }
}

static enum tls_status fail(struct tls_session *session)
{
    session->is_failed = true;
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    (void)snprintf(session->error, sizeof session->error, "TLS: %s",
                   reason == NULL ? "the peer broke off" : reason);
    ERR_clear_error();
    return TLS_FAILED;
}

static enum tls_status judge(struct tls_session *session, int result)
{
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return SSL_is_init_finished(session->ssl) == 1 ? TLS_UP : TLS_SHAKING;
    case SSL_ERROR_ZERO_RETURN: return TLS_CLOSED;
    default: return fail(session);
    }
}

void tls_session_received(struct tls_session *session, struct slice bytes)
{
    if (bytes.len > 0 && BIO_write(session->in, bytes.at, (int)bytes.len) != (int)bytes.len) {
        session->is_failed = true;
    }
}

enum tls_status tls_session_shake(struct tls_session *session)
{
    if (session->is_failed) {
        return TLS_FAILED;
    }
    ERR_clear_error();
    return judge(session, SSL_do_handshake(session->ssl));
}

enum tls_status tls_session_read(struct tls_session *session, char *at, size_t room,
                                 size_t *out_len)
{
    *out_len = 0;
    if (session->is_failed) {
        return TLS_FAILED;
    }
    ERR_clear_error();
    int result = SSL_read_ex(session->ssl, at, room, out_len);
    return result == 1 ? TLS_UP : judge(session, result);
}

enum err tls_session_write(struct tls_session *session, struct slice bytes)
{
    size_t written;
    ERR_clear_error();
    if (session->is_failed || bytes.len == 0) {
        return session->is_failed ? ERR_CLOSED : ERR_NONE;
    }
    return SSL_write_ex(session->ssl, bytes.at, bytes.len, &written) == 1 ? ERR_NONE : ERR_CLOSED;
}

void tls_session_close(struct tls_session *session)
{
    if (!session->is_failed && SSL_is_init_finished(session->ssl) == 1) {
        ERR_clear_error();
        (void)SSL_shutdown(session->ssl);
    }
}

size_t tls_session_outgoing(struct tls_session *session, char *at, size_t room)
{
    int len = BIO_read(session->out, at, room > INT32_MAX ? INT32_MAX : (int)room);
    return len > 0 ? (size_t)len : 0;
}

void tls_session_info(struct tls_session *session, struct tls_info *out)
{
    *out = (struct tls_info){0};
    (void)snprintf(out->version, sizeof out->version, "%s", SSL_get_version(session->ssl));
    const char *cipher = SSL_get_cipher_name(session->ssl);
    (void)snprintf(out->cipher, sizeof out->cipher, "%s", cipher == NULL ? "" : cipher);
    long result = SSL_get_verify_result(session->ssl);
    X509 *certificate = SSL_get0_peer_certificate(session->ssl);
    out->is_cert_trusted = certificate != NULL && result == X509_V_OK;
    (void)snprintf(out->cert_result, sizeof out->cert_result, "%s",
                   certificate == NULL ? "no certificate" : X509_verify_cert_error_string(result));
    if (certificate != NULL) {
        out->is_cert_for_host = session->server_name[0] != '\0' &&
                                X509_check_host(certificate, session->server_name, 0, 0, NULL) == 1;
        out->is_cert_expired = X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
    }
}

const char *tls_session_error(struct tls_session *session)
{
    return session->error[0] == '\0' ? "TLS failed" : session->error;
}
