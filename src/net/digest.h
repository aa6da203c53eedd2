/* net/digest: message digests (SHA-256, FIPS 180-4; MD5 and SHA-1, because CRAM-MD5 and SCRAM-SHA-1 are made of them,
 * for nothing else), HMAC (RFC 2104) and PBKDF2 (RFC 8018 5.2) of bytes that are all there, and the comparison that
 * goes with them. OpenSSL computes them; it is loaded when a digester is made (net/openssl).
 * A digester does not change: any number of threads may use one at the same time.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DIGEST_H
#define NET_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { DIGEST_BYTES = 32 };

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

struct digester;

/* ERR_SYSTEM: OpenSSL is not there, or does not offer SHA-256; the fault says so. ERR_NOMEM. */
enum err digester_new(struct digester **out, struct fault *out_fault) MUST_USE;
void digester_free(struct digester *digester);

/* ERR_NOMEM. */
enum err digest_sha256(const struct digester *digester, struct slice bytes, struct digest *out)
    MUST_USE;
/* Keys of any length, also none. ERR_NOMEM, ERR_LIMIT: a key of more than 2 GB. */
enum err digest_hmac_sha256(const struct digester *digester, struct slice key, struct slice bytes,
                            struct digest *out) MUST_USE;

/* The same of any kind: each writes 16, 20 or 32 bytes. ERR_SYSTEM: OpenSSL does not offer it (a FIPS module).
 * ERR_LIMIT: a key, password or salt of more than 2 GB. */
enum digest_kind { DIGEST_MD5, DIGEST_SHA_1, DIGEST_SHA_256 };
enum err digest_any(const struct digester *digester, enum digest_kind kind, struct slice bytes,
                    uint8_t *out) MUST_USE;
enum err digest_hmac(const struct digester *digester, enum digest_kind kind, struct slice key,
                     struct slice bytes, uint8_t *out) MUST_USE;
enum err digest_derive(const struct digester *digester, enum digest_kind kind,
                       struct slice password, struct slice salt, uint32_t iterations, uint8_t *out)
    MUST_USE;

/* Takes the same time wherever they differ, so that a stranger who guesses learns nothing from it. */
bool digest_is_equal(const struct digest *a, const struct digest *b);

/* As 64 lower-case hexadecimal digits, without a NUL. */
enum { DIGEST_HEX_BYTES = 2 * DIGEST_BYTES };
void digest_write_hex(const struct digest *digest, char out[DIGEST_HEX_BYTES]);

#endif
