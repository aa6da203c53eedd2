/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/ip.h"
#include "base/slice.h"
#include "net/tls_private.h"

enum { OCSP_SKEW_S = 300 };

const char *tls_ocsp_name(enum tls_ocsp ocsp)
{
    switch (ocsp) {
    case TLS_OCSP_NONE: return "none";
    case TLS_OCSP_GOOD: return "good";
    case TLS_OCSP_REVOKED: return "revoked";
    case TLS_OCSP_UNKNOWN: return "unknown";
    case TLS_OCSP_STALE: return "stale";
    case TLS_OCSP_FORGED: return "forged";
    case TLS_OCSP_BROKEN: break;
    }
    return "broken";
}

static int64_t unix_time(const struct openssl *o, const ASN1_TIME *time)
{
    struct tm parts;
    return time != NULL && o->ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

/* A name that holds a space, a NUL or a control character is none of a host, and is left out. */
static void add_name(struct tls_certificate *out, struct slice name)
{
    size_t len = strlen(out->names);
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.at[i] <= ' ' || (unsigned char)name.at[i] >= 0x7f) {
            return;
        }
    }
    if (len + 1 + name.len + 1 > sizeof out->names) {
        out->has_all_names = false;
        return;
    }
    (void)snprintf(out->names + len, sizeof out->names - len, "%s%.*s", len == 0 ? "" : " ",
                   SLICE_ARG(name));
    out->name_count++;
}

static void add_general_name(const struct openssl *o, const GENERAL_NAME *name,
                             struct tls_certificate *out)
{
    if (name->type != GEN_DNS && name->type != GEN_IPADD) {
        return;
    }
    const ASN1_STRING *text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    struct slice bytes = slice_make((const char *)o->ASN1_STRING_get0_data(text),
                                    (size_t)o->ASN1_STRING_length(text));
    if (name->type == GEN_DNS) {
        add_name(out, bytes);
        return;
    }
    struct ip ip = {.family = bytes.len == 4 ? IP_V4 : IP_V6};
    char written[IP_TEXT_BYTES];
    if (bytes.len == 4 || bytes.len == 16) {
        memcpy(ip.bytes, bytes.at, bytes.len);
        add_name(out, slice_of(ip_format(&ip, written)));
    }
}

static void view_names(const struct openssl *o, const X509 *certificate,
                       struct tls_certificate *out)
{
    GENERAL_NAMES *names = o->X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    const OPENSSL_STACK *stack = (const OPENSSL_STACK *)names;
    for (int i = 0; names != NULL && i < o->OPENSSL_sk_num(stack); i++) {
        add_general_name(o, o->OPENSSL_sk_value(stack, i), out);
    }
    o->GENERAL_NAMES_free(names);
}

static void view_certificate(const struct openssl *o, X509 *certificate,
                             struct tls_certificate *out)
{
    *out = (struct tls_certificate){.has_all_names = true};
    (void)o->X509_NAME_oneline(o->X509_get_subject_name(certificate), out->subject,
                               (int)sizeof out->subject);
    (void)o->X509_NAME_oneline(o->X509_get_issuer_name(certificate), out->issuer,
                               (int)sizeof out->issuer);
    view_names(o, certificate, out);
    out->not_before_s = unix_time(o, o->X509_get0_notBefore(certificate));
    out->not_after_s = unix_time(o, o->X509_get0_notAfter(certificate));
    EVP_PKEY *key = o->X509_get0_pubkey(certificate);
    const char *type = key == NULL ? NULL : o->EVP_PKEY_get0_type_name(key);
    (void)snprintf(out->key, sizeof out->key, "%s", type == NULL ? "unknown" : type);
    out->key_bits = key == NULL ? 0 : o->EVP_PKEY_get_bits(key);
    const char *signature = o->OBJ_nid2ln(o->X509_get_signature_nid(certificate));
    (void)snprintf(out->signature, sizeof out->signature, "%s",
                   signature == NULL ? "unknown" : signature);
    (void)o->X509_digest(certificate, o->EVP_sha256(), out->sha256, NULL);
    (void)o->X509_pubkey_digest(certificate, o->EVP_sha256(), out->key_sha256, NULL);
}

static enum tls_ocsp judge_single(const struct openssl *o, OCSP_BASICRESP *basic)
{
    OCSP_SINGLERESP *single = o->OCSP_resp_get0(basic, 0);
    ASN1_GENERALIZEDTIME *revoked, *from, *until;
    int reason;
    if (single == NULL) {
        return TLS_OCSP_BROKEN;
    }
    int status = o->OCSP_single_get0_status(single, &reason, &revoked, &from, &until);
    if (o->OCSP_check_validity(from, until, OCSP_SKEW_S, -1) != 1) {
        return TLS_OCSP_STALE;
    }
    return status == V_OCSP_CERTSTATUS_GOOD      ? TLS_OCSP_GOOD
           : status == V_OCSP_CERTSTATUS_REVOKED ? TLS_OCSP_REVOKED
                                                 : TLS_OCSP_UNKNOWN;
}

static enum tls_ocsp view_ocsp(struct tls_session *session)
{
    const struct openssl *o = &session->openssl;
    const unsigned char *bytes = NULL;
    long len =
        o->SSL_ctrl(session->ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, (void *)&bytes);
    if (bytes == NULL || len <= 0) {
        return TLS_OCSP_NONE;
    }
    OCSP_RESPONSE *response = o->d2i_OCSP_RESPONSE(NULL, &bytes, len);
    OCSP_BASICRESP *basic =
        response != NULL && o->OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL
            ? o->OCSP_response_get1_basic(response)
            : NULL;
    enum tls_ocsp result = TLS_OCSP_BROKEN;
    if (basic != NULL) {
        bool is_signed = o->OCSP_basic_verify(basic, o->SSL_get_peer_cert_chain(session->ssl),
                                              o->SSL_CTX_get_cert_store(session->roots), 0) == 1;
        result = is_signed ? judge_single(o, basic) : TLS_OCSP_FORGED;
    }
    o->OCSP_BASICRESP_free(basic);
    o->OCSP_RESPONSE_free(response);
    o->ERR_clear_error();
    return result;
}

static void view_group(const struct tls_session *session, struct tls_view *out)
{
    const struct openssl *o = &session->openssl;
    long nid = o->SSL_ctrl(session->ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, NULL);
    const char *name = nid <= 0 ? NULL : o->OBJ_nid2sn((int)nid);
    (void)snprintf(out->group, sizeof out->group, "%s", name == NULL ? "" : name);
}

void tls_session_view(struct tls_session *session, struct tls_view *out)
{
    const struct openssl *o = &session->openssl;
    struct tls_info info;
    memset(out, 0, sizeof *out);
    tls_session_info(session, &info);
    memcpy(out->version, info.version, sizeof out->version);
    memcpy(out->cipher, info.cipher, sizeof out->cipher);
    memcpy(out->verdict, info.cert_result, sizeof out->verdict);
    out->is_trusted = info.is_cert_trusted;
    out->is_for_host = info.is_cert_for_host;
    out->cipher_bits = o->SSL_CIPHER_get_bits(o->SSL_get_current_cipher(session->ssl), NULL);
    view_group(session, out);
    const OPENSSL_STACK *chain = (const OPENSSL_STACK *)o->SSL_get_peer_cert_chain(session->ssl);
    for (int i = 0; chain != NULL && i < o->OPENSSL_sk_num(chain) && i < TLS_VIEW_CHAIN_MAX; i++) {
        view_certificate(o, o->OPENSSL_sk_value(chain, i), &out->chain[out->chain_count++]);
    }
    out->ocsp = view_ocsp(session);
    out->matches_dane =
        o->SSL_get0_dane_authority(session->ssl, NULL, NULL) >= 0 &&
        o->SSL_get_verify_result(session->ssl) == X509_V_OK &&
        o->SSL_get0_dane_tlsa(session->ssl, &out->dane_usage, NULL, NULL, NULL, NULL) >= 0;
    o->ERR_clear_error();
}

bool tls_session_expect_dane(struct tls_session *session, uint8_t usage, uint8_t selector,
                             uint8_t matching, struct slice data)
{
    const struct openssl *o = &session->openssl;
    const unsigned char *bytes = (const unsigned char *)data.at;
    /* Once for a context and once for a session; again does nothing. */
    bool is_on =
        o->SSL_CTX_dane_enable(session->roots) == 1 &&
        (o->SSL_dane_enable(session->ssl, session->server_name) == 1 || session->expects_dane);
    if (is_on) {
        (void)o->SSL_dane_set_flags(session->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
        session->expects_dane = true;
    }
    bool is_taken = is_on && o->SSL_dane_tlsa_add(session->ssl, usage, selector, matching, bytes,
                                                  data.len) == 1;
    o->ERR_clear_error();
    return is_taken;
}
