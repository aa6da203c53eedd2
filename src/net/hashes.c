/* SPDX-License-Identifier: Apache-2.0 */
#include "net/hashes.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include "net/openssl.h"

struct hashes {
    struct openssl openssl;
};

enum err hashes_new(struct hashes **out, struct fault *out_fault)
{
    struct hashes *hashes = calloc(1, sizeof *hashes);
    if (hashes == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    enum err e = openssl_load(&hashes->openssl, out_fault);
    if (e != ERR_NONE) {
        free(hashes);
        return e;
    }
    *out = hashes;
    return ERR_NONE;
}

void hashes_free(struct hashes *hashes)
{
    free(hashes);
}

static const EVP_MD *kind_of(const struct openssl *o, enum hashes_kind kind)
{
    switch (kind) {
    case HASHES_MD5: return o->EVP_md5();
    case HASHES_SHA_1: return o->EVP_sha1();
    case HASHES_SHA_256: break;
    }
    return o->EVP_sha256();
}

enum err hashes_digest(struct hashes *hashes, enum hashes_kind kind, struct slice bytes,
                       uint8_t *out)
{
    const struct openssl *o = &hashes->openssl;
    bool is_done = o->EVP_Digest(bytes.at, bytes.len, out, NULL, kind_of(o, kind), NULL) == 1;
    return is_done ? ERR_NONE : ERR_SYSTEM;
}

enum err hashes_hmac(struct hashes *hashes, enum hashes_kind kind, struct slice key,
                     struct slice bytes, uint8_t *out)
{
    const struct openssl *o = &hashes->openssl;
    if (key.len > INT_MAX) {
        return ERR_LIMIT;
    }
    /* No key at all is a NULL to OpenSSL's ears, which means the one before. */
    const void *at = key.len == 0 ? "" : key.at;
    unsigned len;
    bool is_done = o->HMAC(kind_of(o, kind), at, (int)key.len, (const unsigned char *)bytes.at,
                           bytes.len, out, &len) != NULL;
    return is_done ? ERR_NONE : ERR_SYSTEM;
}

enum err hashes_derive(struct hashes *hashes, enum hashes_kind kind, struct slice password,
                       struct slice salt, uint32_t iterations, uint8_t *out)
{
    const struct openssl *o = &hashes->openssl;
    static const int bytes[] = {[HASHES_MD5] = 16, [HASHES_SHA_1] = 20, [HASHES_SHA_256] = 32};
    if (password.len > INT_MAX || salt.len > INT_MAX || iterations > INT_MAX) {
        return ERR_LIMIT;
    }
    bool is_done = o->PKCS5_PBKDF2_HMAC(password.at, (int)password.len,
                                        (const unsigned char *)salt.at, (int)salt.len,
                                        (int)iterations, kind_of(o, kind), bytes[kind], out) == 1;
    return is_done ? ERR_NONE : ERR_SYSTEM;
}
