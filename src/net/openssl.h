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
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "net/library.h"

/* clang-format off */
#define OPENSSL_FUNCTIONS(each) \
    each(ASN1_INTEGER_set) \
    each(ASN1_STRING_get0_data) \
    each(ASN1_STRING_length) \
    each(ASN1_TIME_to_tm) \
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
    each(EVP_DigestFinal_ex) \
    each(EVP_DigestInit_ex) \
    each(EVP_DigestSign) \
    each(EVP_DigestSignInit) \
    each(EVP_DigestUpdate) \
    each(EVP_DigestVerify) \
    each(EVP_DigestVerifyInit) \
    each(EVP_MD_CTX_free) \
    each(EVP_MD_CTX_new) \
    each(EVP_MD_fetch) \
    each(EVP_MD_free) \
    each(EVP_PKEY_CTX_free) \
    each(EVP_PKEY_CTX_new) \
    each(EVP_PKEY_CTX_set_rsa_padding) \
    each(EVP_PKEY_CTX_set_signature_md) \
    each(EVP_PKEY_Q_keygen) \
    each(EVP_PKEY_free) \
    each(EVP_PKEY_get0_type_name) \
    each(EVP_PKEY_get_base_id) \
    each(EVP_PKEY_get_bits) \
    each(EVP_PKEY_get_raw_public_key) \
    each(EVP_PKEY_get_size) \
    each(EVP_PKEY_is_a) \
    each(EVP_PKEY_new_raw_public_key) \
    each(EVP_PKEY_sign) \
    each(EVP_PKEY_sign_init) \
    each(EVP_PKEY_verify) \
    each(EVP_PKEY_verify_init) \
    each(EVP_md5) \
    each(EVP_sha1) \
    each(EVP_sha256) \
    each(GENERAL_NAMES_free) \
    each(HMAC) \
    each(OBJ_nid2ln) \
    each(OBJ_nid2sn) \
    each(OCSP_BASICRESP_free) \
    each(OCSP_RESPONSE_free) \
    each(OCSP_basic_verify) \
    each(OCSP_check_validity) \
    each(OCSP_resp_get0) \
    each(OCSP_response_get1_basic) \
    each(OCSP_response_status) \
    each(OCSP_single_get0_status) \
    each(OPENSSL_sk_num) \
    each(OPENSSL_sk_value) \
    each(PEM_read_bio_PUBKEY) \
    each(PEM_read_bio_PrivateKey) \
    each(PEM_read_bio_X509) \
    each(PKCS5_PBKDF2_HMAC) \
    each(SSL_CIPHER_get_bits) \
    each(SSL_CIPHER_get_name) \
    each(SSL_CTX_ctrl) \
    each(SSL_CTX_dane_enable) \
    each(SSL_CTX_free) \
    each(SSL_CTX_get_cert_store) \
    each(SSL_CTX_load_verify_locations) \
    each(SSL_CTX_new) \
    each(SSL_CTX_set_cipher_list) \
    each(SSL_CTX_set_default_verify_paths) \
    each(SSL_CTX_set_verify) \
    each(SSL_CTX_use_PrivateKey) \
    each(SSL_CTX_use_certificate) \
    each(SSL_ctrl) \
    each(SSL_dane_enable) \
    each(SSL_dane_set_flags) \
    each(SSL_dane_tlsa_add) \
    each(SSL_do_handshake) \
    each(SSL_free) \
    each(SSL_get0_dane_authority) \
    each(SSL_get0_dane_tlsa) \
    each(SSL_get0_peer_certificate) \
    each(SSL_get_current_cipher) \
    each(SSL_get_error) \
    each(SSL_get_peer_cert_chain) \
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
    each(X509_NAME_oneline) \
    each(X509_check_host) \
    each(X509_cmp_current_time) \
    each(X509_digest) \
    each(X509_free) \
    each(X509_get0_notAfter) \
    each(X509_get0_notBefore) \
    each(X509_get0_pubkey) \
    each(X509_get0_serialNumber) \
    each(X509_get_ext_d2i) \
    each(X509_get_issuer_name) \
    each(X509_get_serialNumber) \
    each(X509_get_signature_nid) \
    each(X509_get_subject_name) \
    each(X509_getm_notAfter) \
    each(X509_getm_notBefore) \
    each(X509_gmtime_adj) \
    each(X509_new) \
    each(X509_pubkey_digest) \
    each(X509_set_issuer_name) \
    each(X509_set_pubkey) \
    each(X509_set_version) \
    each(X509_sign) \
    each(X509_verify_cert_error_string) \
    each(d2i_OCSP_RESPONSE) \
    each(d2i_PUBKEY) \
    each(d2i_PublicKey) \
    each(i2d_PUBKEY)
/* clang-format on */

/* Each function under its own name, with the type that its header gives it. */
struct openssl {
    OPENSSL_FUNCTIONS(LIBRARY_MEMBER)
};

/* Fills the table; the library stays until the process ends. Again costs little. ERR_SYSTEM: it is not installed, or
 * lacks a function; *out_fault says which. */
enum err openssl_load(struct openssl *out, struct fault *out_fault) MUST_USE;

enum openssl_verdict { OPENSSL_RIGHT, OPENSSL_WRONG, OPENSSL_NO_MEMORY };

/* Whether signature is one of these bytes by the owner of a key that hashes them itself (Ed25519, RFC 8032 5.1.7). */
enum openssl_verdict openssl_verify(const struct openssl *openssl, EVP_PKEY *key,
                                    struct slice signature, struct slice bytes);

#endif
