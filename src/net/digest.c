/* SPDX-License-Identifier: Apache-2.0 */
#include "net/digest.h"

#include <limits.h>
#include <stdlib.h>

#include "net/openssl.h"

struct digester {
    struct openssl openssl;
    EVP_MD *sha256; /* fetched once: to find it by name each time costs as much as a short digest */
};

enum err digester_new(struct digester **out, struct fault *out_fault)
{
    struct digester *digester = calloc(1, sizeof *digester);
    if (digester == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    enum err e = openssl_load(&digester->openssl, out_fault);
    if (e == ERR_NONE) {
        digester->sha256 = digester->openssl.EVP_MD_fetch(NULL, "SHA256", NULL);
        if (digester->sha256 == NULL) {
            e = fault_set(out_fault, ERR_SYSTEM, 0,
                          "OpenSSL offers no SHA-256; look at its configuration (openssl.cnf)");
        }
    }
    if (e != ERR_NONE) {
        free(digester);
        return e;
    }
    *out = digester;
    return ERR_NONE;
}

void digester_free(struct digester *digester)
{
    if (digester != NULL) {
        digester->openssl.EVP_MD_free(digester->sha256);
        free(digester);
    }
}

enum err digest_sha256(const struct digester *digester, struct slice bytes, struct digest *out)
{
    struct digest digest;
    if (digester->openssl.EVP_Digest(bytes.at, bytes.len, digest.bytes, NULL, digester->sha256,
                                     NULL) != 1) {
        return ERR_NOMEM;
    }
    *out = digest;
    return ERR_NONE;
}

enum err digest_hmac_sha256(const struct digester *digester, struct slice key, struct slice bytes,
                            struct digest *out)
{
    struct digest digest;
    if (key.len > INT_MAX) {
        return ERR_LIMIT;
    }
    /* A key without a place is taken for "the same key as before". */
    const void *key_at = key.len == 0 ? "" : key.at;
    if (digester->openssl.HMAC(digester->sha256, key_at, (int)key.len,
                               (const unsigned char *)bytes.at, bytes.len, digest.bytes,
                               NULL) == NULL) {
        return ERR_NOMEM;
    }
    *out = digest;
    return ERR_NONE;
}

bool digest_is_equal(const struct digest *a, const struct digest *b)
{
    unsigned difference = 0;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        difference |= (unsigned)(a->bytes[i] ^ b->bytes[i]);
    }
    return difference == 0;
}

void digest_write_hex(const struct digest *digest, char out[DIGEST_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[2 * i] = digits[digest->bytes[i] >> 4];
        out[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
}
