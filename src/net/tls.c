/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/slice.h"
#include "net/tls_private.h"

enum { DAY_S = 86400 };

static bool refuse_old_versions(const struct openssl *o, SSL_CTX *context)
{
    return o->SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL) == 1;
}

static X509 *read_certificate(const struct openssl *o, struct slice pem)
{
    BIO *bio = o->BIO_new_mem_buf(pem.at, (int)pem.len);
    X509 *read = bio == NULL ? NULL : o->PEM_read_bio_X509(bio, NULL, NULL, NULL);
    o->BIO_free(bio);
    return read;
}

static EVP_PKEY *read_key(const struct openssl *o, struct slice pem)
{
    BIO *bio = o->BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *read = bio == NULL ? NULL : o->PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    o->BIO_free(bio);
    return read;
}

/* The roots are those of settings, or the system's. */
static bool set_roots(const struct openssl *o, SSL_CTX *context, const char *ca_path)
{
    if (ca_path != NULL) {
        return o->SSL_CTX_load_verify_locations(context, ca_path, NULL) == 1;
    }
    (void)o->SSL_CTX_set_default_verify_paths(context);
    return true;
}

static bool set_versions(const struct openssl *o, SSL_CTX *context,
                         const struct tls_settings *settings)
{
    if (settings->version_min == 0 && settings->version_max == 0) {
        return refuse_old_versions(o, context);
    }
    return o->SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, (long)settings->version_min,
                           NULL) == 1 &&
           o->SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, (long)settings->version_max,
                           NULL) == 1;
}

static bool set_ciphers(const struct openssl *o, SSL_CTX *context,
                        const struct tls_settings *settings)
{
    char list[512];
    const char *weak = settings->allows_weak ? ":@SECLEVEL=0" : "";
    if (settings->ciphers == NULL && !settings->allows_weak) {
        return true;
    }
    int len = snprintf(list, sizeof list, "%s%s",
                       settings->ciphers == NULL ? "ALL:!aNULL" : settings->ciphers, weak);
    return len < (int)sizeof list && o->SSL_CTX_set_cipher_list(context, list) == 1;
}

static bool show_certificate(const struct openssl *o, SSL_CTX *context,
                             const struct tls_settings *settings)
{
    if (settings->certificate.len == 0) {
        return true;
    }
    X509 *certificate = read_certificate(o, settings->certificate);
    EVP_PKEY *key = read_key(o, settings->key);
    bool is_good = certificate != NULL && key != NULL &&
                   o->SSL_CTX_use_certificate(context, certificate) == 1 &&
                   o->SSL_CTX_use_PrivateKey(context, key) == 1;
    o->X509_free(certificate);
    o->EVP_PKEY_free(key);
    return is_good;
}

static enum err client_prepare(struct tls_client *client, const struct tls_settings *settings,
                               struct fault *out_fault)
{
    const struct openssl *o = &client->openssl;
    SSL_CTX *context = o->SSL_CTX_new(o->TLS_client_method());
    if (context == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    client->context = context;
    client->asks_ocsp = settings->asks_ocsp;
    o->SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* the result is recorded all the same */
    /* Idle lines stay small. */
    (void)o->SSL_CTX_ctrl(context, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
    (void)o->SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL);
    if (!set_versions(o, context, settings)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "OpenSSL does not offer this version of TLS");
    }
    if (!set_ciphers(o, context, settings)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "OpenSSL knows none of these ciphers: %.100s",
                         settings->ciphers == NULL ? "" : settings->ciphers);
    }
    if (!set_roots(o, context, settings->ca_path)) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "%.200s holds no certificates in PEM",
                         settings->ca_path);
    }
    if (!show_certificate(o, context, settings)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "the certificate and its key cannot be used: both in PEM, without a "
                         "password, and they must belong together");
    }
    return ERR_NONE;
}

enum err tls_client_new(struct tls_client **out, struct fault *out_fault)
{
    const struct tls_settings settings = {.version_min = 0};
    return tls_client_new_with(&settings, out, out_fault);
}

enum err tls_client_new_with(const struct tls_settings *settings, struct tls_client **out,
                             struct fault *out_fault)
{
    struct tls_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    enum err e = openssl_load(&client->openssl, out_fault);
    if (e != ERR_NONE) {
        free(client);
        return e;
    }
    e = client_prepare(client, settings, out_fault);
    if (e != ERR_NONE) {
        client->openssl.ERR_clear_error();
        tls_client_free(client);
        return e;
    }
    *out = client;
    return ERR_NONE;
}

void tls_client_free(struct tls_client *client)
{
    if (client != NULL) {
        client->openssl.SSL_CTX_free(client->context);
        free(client);
    }
}

/* Who a server says it is. */
struct identity {
    const struct openssl *openssl;
    EVP_PKEY *key;
    X509 *certificate;
};

static void identity_done(struct identity *own)
{
    own->openssl->EVP_PKEY_free(own->key);
    own->openssl->X509_free(own->certificate);
}

static bool fill_certificate(const struct identity *own, const char *name, int days_left)
{
    const struct openssl *o = own->openssl;
    X509 *made = own->certificate;
    X509_NAME *subject = o->X509_get_subject_name(made);
    return o->X509_set_version(made, X509_VERSION_3) == 1 &&
           o->ASN1_INTEGER_set(o->X509_get_serialNumber(made), 1) == 1 &&
           o->X509_gmtime_adj(o->X509_getm_notBefore(made), -30L * DAY_S) != NULL &&
           o->X509_gmtime_adj(o->X509_getm_notAfter(made), (long)days_left * DAY_S) != NULL &&
           o->X509_set_pubkey(made, own->key) == 1 &&
           o->X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
                                         -1, -1, 0) == 1 &&
           o->X509_set_issuer_name(made, subject) == 1 &&
           o->X509_sign(made, own->key, o->EVP_sha256()) > 0;
}

static enum err server_prepare(struct tls_server *server, const struct identity *own,
                               struct fault *out_fault)
{
    const struct openssl *o = &server->openssl;
    SSL_CTX *context = o->SSL_CTX_new(o->TLS_server_method());
    if (context == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    server->context = context;
    bool is_good = refuse_old_versions(o, context) &&
                   o->SSL_CTX_use_certificate(context, own->certificate) == 1 &&
                   o->SSL_CTX_use_PrivateKey(context, own->key) == 1;
    return is_good ? ERR_NONE
                   : fault_set(out_fault, ERR_SYNTAX, 0,
                               "certificate and private key do not go together");
}

enum err tls_server_new(struct slice certificate, struct slice key, const char *name, int days_left,
                        struct tls_server **out, struct fault *out_fault)
{
    struct tls_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    struct openssl openssl;
    const struct openssl *o = &openssl;
    enum err e = openssl_load(&openssl, out_fault);
    if (e != ERR_NONE) {
        free(server);
        return e;
    }
    server->openssl = openssl;
    struct identity own DEFER(identity_done) = {.openssl = o};
    own.key = key.len > 0 ? read_key(o, key) : o->EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    own.certificate = certificate.len > 0 ? read_certificate(o, certificate) : o->X509_new();
    bool is_certified = own.key != NULL && own.certificate != NULL &&
                        (certificate.len > 0 || fill_certificate(&own, name, days_left));
    if (own.key == NULL) {
        e = fault_set(out_fault, ERR_SYNTAX, 0, "the private key cannot be used");
    } else if (!is_certified) {
        e = fault_set(out_fault, ERR_SYNTAX, 0, "the certificate cannot be used");
    } else {
        e = server_prepare(server, &own, out_fault);
    }
    if (e != ERR_NONE) {
        tls_server_free(server);
        return e;
    }
    *out = server;
    return ERR_NONE;
}

void tls_server_free(struct tls_server *server)
{
    if (server != NULL) {
        server->openssl.SSL_CTX_free(server->context);
        free(server);
    }
}

static enum err session_new(const struct openssl *o, SSL_CTX *context, struct tls_session **out)
{
    struct tls_session *session = calloc(1, sizeof *session);
    SSL *ssl = o->SSL_new(context);
    BIO *in = o->BIO_new(o->BIO_s_mem());
    BIO *outgoing = o->BIO_new(o->BIO_s_mem());
    if (session == NULL || ssl == NULL || in == NULL || outgoing == NULL) {
        free(session);
        o->SSL_free(ssl);
        o->BIO_free(in);
        o->BIO_free(outgoing);
        return ERR_NOMEM;
    }
    o->SSL_set_bio(ssl, in, outgoing);
    session->openssl = *o;
    session->ssl = ssl;
    session->in = in;
    session->out = outgoing;
    *out = session;
    return ERR_NONE;
}

enum err tls_session_client(struct tls_client *client, const char *server_name,
                            struct tls_session **out)
{
    const struct openssl *o = &client->openssl;
    struct tls_session *session;
    enum err e = session_new(o, client->context, &session);
    if (e != ERR_NONE) {
        return e;
    }
    struct ip ip;
    bool is_name = server_name[0] != '\0' && !ip_parse(slice_of(server_name), &ip);
    (void)snprintf(session->server_name, sizeof session->server_name, "%s",
                   is_name ? server_name : "");
    if (is_name) {
        (void)o->SSL_ctrl(session->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                          session->server_name);
    }
    if (client->asks_ocsp) {
        (void)o->SSL_ctrl(session->ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, TLSEXT_STATUSTYPE_ocsp,
                          NULL);
    }
    session->roots = client->context;
    o->SSL_set_connect_state(session->ssl);
    *out = session;
    return ERR_NONE;
}

enum err tls_session_server(struct tls_server *server, struct tls_session **out)
{
    const struct openssl *o = &server->openssl;
    enum err e = session_new(o, server->context, out);
    if (e == ERR_NONE) {
        o->SSL_set_accept_state((*out)->ssl);
    }
    return e;
}

void tls_session_free(struct tls_session *session)
{
    if (session != NULL) {
        session->openssl.SSL_free(session->ssl);
        free(session);
    }
}

static enum tls_status fail(struct tls_session *session)
{
    const struct openssl *o = &session->openssl;
    session->is_failed = true;
    unsigned long code = o->ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : o->ERR_reason_error_string(code);
    (void)snprintf(session->error, sizeof session->error, "TLS: %s",
                   reason == NULL ? "the peer broke off" : reason);
    o->ERR_clear_error();
    return TLS_FAILED;
}

static enum tls_status judge(struct tls_session *session, int result)
{
    const struct openssl *o = &session->openssl;
    switch (o->SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return o->SSL_is_init_finished(session->ssl) == 1 ? TLS_UP : TLS_SHAKING;
    case SSL_ERROR_ZERO_RETURN: return TLS_CLOSED;
    default: return fail(session);
    }
}

void tls_session_received(struct tls_session *session, struct slice bytes)
{
    const struct openssl *o = &session->openssl;
    if (bytes.len > 0 && o->BIO_write(session->in, bytes.at, (int)bytes.len) != (int)bytes.len) {
        session->is_failed = true;
    }
}

enum tls_status tls_session_shake(struct tls_session *session)
{
    const struct openssl *o = &session->openssl;
    if (session->is_failed) {
        return TLS_FAILED;
    }
    o->ERR_clear_error();
    return judge(session, o->SSL_do_handshake(session->ssl));
}

enum tls_status tls_session_read(struct tls_session *session, char *at, size_t room,
                                 size_t *out_len)
{
    const struct openssl *o = &session->openssl;
    *out_len = 0;
    if (session->is_failed) {
        return TLS_FAILED;
    }
    o->ERR_clear_error();
    int result = o->SSL_read_ex(session->ssl, at, room, out_len);
    return result == 1 ? TLS_UP : judge(session, result);
}

enum err tls_session_write(struct tls_session *session, struct slice bytes)
{
    const struct openssl *o = &session->openssl;
    size_t written;
    o->ERR_clear_error();
    if (session->is_failed || bytes.len == 0) {
        return session->is_failed ? ERR_CLOSED : ERR_NONE;
    }
    return o->SSL_write_ex(session->ssl, bytes.at, bytes.len, &written) == 1 ? ERR_NONE
                                                                             : ERR_CLOSED;
}

void tls_session_close(struct tls_session *session)
{
    const struct openssl *o = &session->openssl;
    if (!session->is_failed && o->SSL_is_init_finished(session->ssl) == 1) {
        o->ERR_clear_error();
        (void)o->SSL_shutdown(session->ssl);
    }
}

size_t tls_session_outgoing(struct tls_session *session, char *at, size_t room)
{
    const struct openssl *o = &session->openssl;
    int len = o->BIO_read(session->out, at, room > INT32_MAX ? INT32_MAX : (int)room);
    return len > 0 ? (size_t)len : 0;
}

void tls_session_info(struct tls_session *session, struct tls_info *out)
{
    const struct openssl *o = &session->openssl;
    *out = (struct tls_info){0};
    (void)snprintf(out->version, sizeof out->version, "%s", o->SSL_get_version(session->ssl));
    const char *cipher = o->SSL_CIPHER_get_name(o->SSL_get_current_cipher(session->ssl));
    (void)snprintf(out->cipher, sizeof out->cipher, "%s", cipher == NULL ? "" : cipher);
    long result = o->SSL_get_verify_result(session->ssl);
    X509 *certificate = o->SSL_get0_peer_certificate(session->ssl);
    out->is_cert_trusted = certificate != NULL && result == X509_V_OK;
    (void)snprintf(out->cert_result, sizeof out->cert_result, "%s",
                   certificate == NULL ? "no certificate"
                                       : o->X509_verify_cert_error_string(result));
    if (certificate != NULL) {
        out->is_cert_for_host =
            session->server_name[0] != '\0' &&
            o->X509_check_host(certificate, session->server_name, 0, 0, NULL) == 1;
        out->is_cert_expired = o->X509_cmp_current_time(o->X509_get0_notAfter(certificate)) < 0;
    }
}

const char *tls_session_error(struct tls_session *session)
{
    return session->error[0] == '\0' ? "TLS failed" : session->error;
}
