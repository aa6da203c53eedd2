/* net/tls_view: all that a server showed in a handshake: the chain of certificates with their dates, names and keys,
 * the key exchange, a stapled OCSP answer, and whether records of DANE fit. For who examines; who only talks has
 * struct tls_info.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TLS_VIEW_H
#define NET_TLS_VIEW_H

#include "net/tls.h"

enum {
    TLS_VIEW_CHAIN_MAX = 8,
    TLS_VIEW_NAME_BYTES = 256,
    TLS_VIEW_NAMES_BYTES = 2048,
    TLS_VIEW_HASH_BYTES = 32,
};

/* Texts are NUL-terminated; names are a stranger's. */
struct tls_certificate {
    char subject[TLS_VIEW_NAME_BYTES], issuer[TLS_VIEW_NAME_BYTES]; /* "/CN=mx.example" */
    char names[TLS_VIEW_NAMES_BYTES]; /* DNS names and addresses it is for, parted by spaces */
    unsigned name_count;
    bool has_all_names;                /* false: there were more than room */
    int64_t not_before_s, not_after_s; /* Unix time */
    char key[32];                      /* "RSA", "EC", "ED25519" */
    int key_bits;
    char signature[64];                      /* "sha256WithRSAEncryption" */
    uint8_t sha256[TLS_VIEW_HASH_BYTES];     /* of the certificate */
    uint8_t key_sha256[TLS_VIEW_HASH_BYTES]; /* of its public key's bits */
};

enum tls_ocsp {
    TLS_OCSP_NONE, /* nothing was stapled */
    TLS_OCSP_GOOD,
    TLS_OCSP_REVOKED,
    TLS_OCSP_UNKNOWN, /* the authority does not know the certificate */
    TLS_OCSP_STALE,   /* its time is over, or not yet come */
    TLS_OCSP_FORGED,  /* not signed by who may */
    TLS_OCSP_BROKEN,  /* no OCSP answer, or an error */
};
const char *tls_ocsp_name(enum tls_ocsp ocsp);

struct tls_view {
    char version[16], cipher[64], group[32];
    int cipher_bits;
    bool is_trusted, is_for_host;
    char verdict[96]; /* OpenSSL's words for the verification */
    enum tls_ocsp ocsp;
    bool matches_dane;  /* one of the records fits the chain */
    uint8_t dane_usage; /* of that record */
    unsigned chain_count;
    struct tls_certificate chain[TLS_VIEW_CHAIN_MAX]; /* the server's own first */
};

/* Once the handshake is over. Sets all of *out. */
void tls_session_view(struct tls_session *session, struct tls_view *out);

/* Before the handshake of a client: a TLSA record (RFC 6698) of the server; data: as in the record. The chain is then
 * held against these records alone (RFC 7672); names do not count with usage 3 (RFC 7671 5.1). False: OpenSSL does not take it (an unknown usage, a wrong length). */
bool tls_session_expect_dane(struct tls_session *session, uint8_t usage, uint8_t selector,
                             uint8_t matching, struct slice data);

#endif
