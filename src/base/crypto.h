/* base/crypto: what pure modules need of cryptography, as functions that somebody hands them (net/crypto, which has
 * OpenSSL do it). Nothing here depends on time or chance that a caller could see; Ed25519 and PKCS #1 v1.5
 * signatures of one message are always the same.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum {
    CRYPTO_DIGEST_BYTES = 32,
    CRYPTO_SIGNATURE_BYTES_MAX = 1024, /* RSA of 8192 bits */
};

enum crypto_kind {
    CRYPTO_RSA,     /* RSASSA-PKCS1-v1_5 (RFC 8017 8.2) */
    CRYPTO_ED25519, /* PureEdDSA (RFC 8032 5.1) */
};

/* Of SHA-256 (FIPS 180-4). */
struct crypto_digest {
    uint8_t bytes[CRYPTO_DIGEST_BYTES];
};

struct crypto_hasher; /* a SHA-256 that is under way */
struct crypto_key;    /* a private key */

struct crypto {
    void *context; /* the maker's, handed to what has no other object */

    enum err (*hasher_new)(void *context, struct crypto_hasher **out);        /* ERR_NOMEM */
    enum err (*hasher_add)(struct crypto_hasher *hasher, struct slice bytes); /* ERR_NOMEM */
    /* Of all that was added; afterwards only hasher_free. ERR_NOMEM. */
    enum err (*hasher_end)(struct crypto_hasher *hasher, struct crypto_digest *out);
    void (*hasher_free)(struct crypto_hasher *hasher); /* NULL is fine */

    /* Whether signature is one of this digest by the owner of a public key: of RSA as SubjectPublicKeyInfo or
     * RSAPublicKey in DER (RFC 5280 4.1, 8017 A.1.1), of Ed25519 as its 32 bytes. For Ed25519 the digest itself is
     * the message (RFC 8463 3). ERR_SYNTAX: it is no key of that kind. ERR_NOMEM. */
    enum err (*verify)(void *context, enum crypto_kind kind, struct slice public_key,
                       const struct crypto_digest *digest, struct slice signature,
                       bool *out_is_right);

    /* The same digest and key give the same bytes. ERR_NOMEM, ERR_SYSTEM: the library would not. */
    enum err (*sign)(const struct crypto_key *key, const struct crypto_digest *digest,
                     uint8_t out[CRYPTO_SIGNATURE_BYTES_MAX], size_t *out_len);
    enum crypto_kind (*key_kind)(const struct crypto_key *key);
};

#endif
