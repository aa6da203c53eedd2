/* net/crypto: what base/crypto describes, done by OpenSSL (net/openssl), and private keys.
 * A crypter does not change: any number of threads may use one at the same time, each with its own hashers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_CRYPTO_H
#define NET_CRYPTO_H

#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"

struct crypter;

/* ERR_SYSTEM: OpenSSL is not there or lacks something; the fault says so. ERR_NOMEM. */
enum err crypter_new(struct crypter **out, struct fault *out_fault) MUST_USE;
void crypter_free(struct crypter *crypter); /* NULL is fine; after all that it made */

/* Lives as long as the crypter. */
const struct crypto *crypter_interface(const struct crypter *crypter);

/* A private key of RSA or Ed25519 out of a PEM file's content, without password. ERR_SYNTAX: it is none; the fault says
 * what it is. ERR_NOMEM. */
enum err crypter_key_read(const struct crypter *crypter, struct slice pem, struct crypto_key **out,
                          struct fault *out_fault) MUST_USE;
/* A new one: RSA of 2048 bits, or Ed25519. ERR_NOMEM, ERR_SYSTEM. */
enum err crypter_key_make(const struct crypter *crypter, enum crypto_kind kind,
                          struct crypto_key **out) MUST_USE;
void crypto_key_free(struct crypto_key *key); /* NULL is fine */

/* Appends the public half in base64, as p= of a DKIM key record has it (RFC 6376 3.6.1, 8463 4.2). ERR_LIMIT,
 * ERR_NOMEM. */
enum err crypto_key_write_public(const struct crypto_key *key, struct buf *out) MUST_USE;

#endif
