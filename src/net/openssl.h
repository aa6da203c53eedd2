/* net/openssl: the functions of OpenSSL 3 that this program calls, loaded when TLS is wanted for the first time. To
 * load and relocate OpenSSL costs as much as the rest of a short run's start; one that meets no STARTTLS, or asks a
 * name server only, does without, and others do it while the peer's answer is awaited.
 *
 * The headers are those of the build; what is loaded is the library of their major version.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_OPENSSL_H
#define NET_OPENSSL_H

/* OpenSSL 3 still has a type of this name, which is an error code of ours. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "net/library.h"

/* clang-format off */
#define OPENSSL_FUNCTIONS(each) \
    each(ASN1_INTEGER_set) \
    each(BIO_free) \
    each(BIO_new) \
    each(BIO_new_mem_buf) \
    each(BIO_read) \
    each(BIO_s_mem) \
    each(BIO_write) \
    each(ERR_clear_error) \
    each(ERR_peek_last_error) \
    each(ERR_reason_error_string) \
    each(EVP_Digest) \
    each(EVP_MD_fetch) \
    each(EVP_MD_free) \
    each(EVP_PKEY_Q_keygen) \
    each(EVP_PKEY_free) \
    each(EVP_sha256) \
    each(HMAC) \
    each(PEM_read_bio_PrivateKey) \
    each(PEM_read_bio_X509) \
    each(SSL_CIPHER_get_name) \
    each(SSL_CTX_ctrl) \
    each(SSL_CTX_free) \
    each(SSL_CTX_new) \
    each(SSL_CTX_set_default_verify_paths) \
    each(SSL_CTX_set_verify) \
    each(SSL_CTX_use_PrivateKey) \
    each(SSL_CTX_use_certificate) \
    each(SSL_ctrl) \
    each(SSL_do_handshake) \
    each(SSL_free) \
    each(SSL_get0_peer_certificate) \
    each(SSL_get_current_cipher) \
    each(SSL_get_error) \
    each(SSL_get_verify_result) \
    each(SSL_get_version) \
    each(SSL_is_init_finished) \
    each(SSL_new) \
    each(SSL_read_ex) \
    each(SSL_set_accept_state) \
    each(SSL_set_bio) \
    each(SSL_set_connect_state) \
    each(SSL_shutdown) \
    each(SSL_write_ex) \
    each(TLS_client_method) \
    each(TLS_server_method) \
    each(X509_NAME_add_entry_by_txt) \
    each(X509_check_host) \
    each(X509_cmp_current_time) \
    each(X509_free) \
    each(X509_get0_notAfter) \
    each(X509_get_serialNumber) \
    each(X509_get_subject_name) \
    each(X509_getm_notAfter) \
    each(X509_getm_notBefore) \
    each(X509_gmtime_adj) \
    each(X509_new) \
    each(X509_set_issuer_name) \
    each(X509_set_pubkey) \
    each(X509_set_version) \
    each(X509_sign) \
    each(X509_verify_cert_error_string)
/* clang-format on */

/* Each function under its own name, with the type that its header gives it. */
struct openssl {
    OPENSSL_FUNCTIONS(LIBRARY_MEMBER)
};

/* Fills the table; the library stays until the process ends. Again costs little. ERR_SYSTEM: it is not installed, or
 * lacks a function; *out_fault says which. */
enum err openssl_load(struct openssl *out, struct fault *out_fault) MUST_USE;

#endif
