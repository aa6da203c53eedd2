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

static const EVP_MD *kind_of(const struct digester *digester, enum digest_kind kind)
{
    switch (kind) {
    case DIGEST_MD5: return digester->openssl.EVP_md5();
    case DIGEST_SHA_1: return digester->openssl.EVP_sha1();
    case DIGEST_SHA_256: break;
    }
    return digester->sha256;
}

enum err digest_any(const struct digester *digester, enum digest_kind kind, struct slice bytes,
                    uint8_t *out)
{
    bool is_done = digester->openssl.EVP_Digest(bytes.at, bytes.len, out, NULL,
                                                kind_of(digester, kind), NULL) == 1;
    return is_done ? ERR_NONE : ERR_SYSTEM;
}

enum err digest_hmac(const struct digester *digester, enum digest_kind kind, struct slice key,
                     struct slice bytes, uint8_t *out)
{
    if (key.len > INT_MAX) {
        return ERR_LIMIT;
    }
    /* A key without a place is taken for "the same key as before". */
    const void *key_at = key.len == 0 ? "" : key.at;
    bool is_done =
        digester->openssl.HMAC(kind_of(digester, kind), key_at, (int)key.len,
                               (const unsigned char *)bytes.at, bytes.len, out, NULL) != NULL;
    return is_done ? ERR_NONE : ERR_SYSTEM;
}

enum err digest_derive(const struct digester *digester, enum digest_kind kind,
                       struct slice password, struct slice salt, uint32_t iterations, uint8_t *out)
{
    static const int bytes[] = {[DIGEST_MD5] = 16, [DIGEST_SHA_1] = 20, [DIGEST_SHA_256] = 32};
    if (password.len > INT_MAX || salt.len > INT_MAX || iterations > INT_MAX) {
        return ERR_LIMIT;
    }
    bool is_done =
        digester->openssl.PKCS5_PBKDF2_HMAC(
            password.at, (int)password.len, (const unsigned char *)salt.at, (int)salt.len,
            (int)iterations, kind_of(digester, kind), bytes[kind], out) == 1;
    return is_done ? ERR_NONE : ERR_SYSTEM;
}

/* SHA-256 is there since the digester is: what is missing now is memory. */
static enum err settle(enum err e, const struct digest *digest, struct digest *out)
{
    if (e == ERR_NONE) {
        *out = *digest;
    }
    return e == ERR_SYSTEM ? ERR_NOMEM : e;
}

enum err digest_sha256(const struct digester *digester, struct slice bytes, struct digest *out)
{
    struct digest digest;
    return settle(digest_any(digester, DIGEST_SHA_256, bytes, digest.bytes), &digest, out);
}

enum err digest_hmac_sha256(const struct digester *digester, struct slice key, struct slice bytes,
                            struct digest *out)
{
    struct digest digest;
    return settle(digest_hmac(digester, DIGEST_SHA_256, key, bytes, digest.bytes), &digest, out);
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
