/* net/hashes: the hashes of old and new logins (MD5, SHA-1, SHA-256; HMAC, RFC 2104; PBKDF2, RFC 8018 5.2), which
 * smtp/sasl wants of its caller. OpenSSL computes them; it is loaded when a set is made. MD5 and SHA-1 are here because
 * CRAM-MD5 and SCRAM-SHA-1 are made of them, for nothing else.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HASHES_H
#define NET_HASHES_H

#include <stdint.h>

#include "base/err.h"

enum hashes_kind { HASHES_MD5, HASHES_SHA_1, HASHES_SHA_256 };

struct hashes;

/* ERR_SYSTEM: OpenSSL is not there; ERR_NOMEM. */
enum err hashes_new(struct hashes **out, struct fault *out_fault) MUST_USE;
void hashes_free(struct hashes *hashes);

/* Each writes 16, 20 or 32 bytes. ERR_SYSTEM: OpenSSL does not offer the hash (a FIPS module). */
enum err hashes_digest(struct hashes *hashes, enum hashes_kind kind, struct slice bytes,
                       uint8_t *out) MUST_USE;
enum err hashes_hmac(struct hashes *hashes, enum hashes_kind kind, struct slice key,
                     struct slice bytes, uint8_t *out) MUST_USE;
enum err hashes_derive(struct hashes *hashes, enum hashes_kind kind, struct slice password,
                       struct slice salt, uint32_t iterations, uint8_t *out) MUST_USE;

#endif
