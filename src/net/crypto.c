/* SPDX-License-Identifier: Apache-2.0 */
#include "net/crypto.h"

#include <limits.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/slice.h"
#include "net/openssl.h"

enum {
    RSA_BITS = 2048, /* RFC 8301 3.2 */
    PUBLIC_BYTES_MAX = 4096,
    ED25519_BYTES = 32,
};

struct crypter {
    struct openssl openssl;
    EVP_MD *sha256;
    struct crypto interface;
};

struct crypto_hasher {
    const struct openssl *openssl;
    EVP_MD_CTX *context;
};

struct crypto_key {
    const struct crypter *crypter;
    EVP_PKEY *key;
    enum crypto_kind kind;
};

/* ---- hashes ---- */

static void hasher_free(struct crypto_hasher *hasher)
{
    if (hasher != NULL) {
        hasher->openssl->EVP_MD_CTX_free(hasher->context);
        free(hasher);
    }
}

static enum err hasher_new(void *context, struct crypto_hasher **out)
{
    const struct crypter *crypter = context;
    struct crypto_hasher *hasher = calloc(1, sizeof *hasher);
    if (hasher == NULL) {
        return ERR_NOMEM;
    }
    hasher->openssl = &crypter->openssl;
    hasher->context = crypter->openssl.EVP_MD_CTX_new();
    if (hasher->context == NULL ||
        crypter->openssl.EVP_DigestInit_ex(hasher->context, crypter->sha256, NULL) != 1) {
        hasher_free(hasher);
        return ERR_NOMEM;
    }
    *out = hasher;
    return ERR_NONE;
}

static enum err hasher_add(struct crypto_hasher *hasher, struct slice bytes)
{
    bool is_added = hasher->openssl->EVP_DigestUpdate(hasher->context, bytes.at, bytes.len) == 1;
    return is_added ? ERR_NONE : ERR_NOMEM;
}

static enum err hasher_end(struct crypto_hasher *hasher, struct crypto_digest *out)
{
    struct crypto_digest digest;
    if (hasher->openssl->EVP_DigestFinal_ex(hasher->context, digest.bytes, NULL) != 1) {
        return ERR_NOMEM;
    }
    *out = digest;
    return ERR_NONE;
}

/* ---- public keys ---- */

static const unsigned char *octets(struct slice s)
{
    return (const unsigned char *)s.at;
}

/* NULL: it is no key of that kind. */
static EVP_PKEY *read_rsa(const struct openssl *openssl, struct slice bytes)
{
    const unsigned char *at = octets(bytes);
    if (bytes.len > LONG_MAX) {
        return NULL;
    }
    EVP_PKEY *key = openssl->d2i_PUBKEY(NULL, &at, (long)bytes.len);
    if (key == NULL) {
        at = octets(bytes);
        key = openssl->d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)bytes.len);
    }
    if (key != NULL && openssl->EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        openssl->EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/* RFC 8017 8.2.2, from the digest on. */
static bool rsa_verifies(const struct crypter *crypter, EVP_PKEY *key,
                         const struct crypto_digest *digest, struct slice signature)
{
    const struct openssl *openssl = &crypter->openssl;
    EVP_PKEY_CTX *context = openssl->EVP_PKEY_CTX_new(key, NULL);
    bool is_right = context != NULL && openssl->EVP_PKEY_verify_init(context) == 1 &&
                    openssl->EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                    openssl->EVP_PKEY_CTX_set_signature_md(context, crypter->sha256) == 1 &&
                    openssl->EVP_PKEY_verify(context, octets(signature), signature.len,
                                             digest->bytes, sizeof digest->bytes) == 1;
    openssl->EVP_PKEY_CTX_free(context);
    return is_right;
}

static bool ed25519_verifies(const struct openssl *openssl, EVP_PKEY *key,
                             const struct crypto_digest *digest, struct slice signature)
{
    struct slice bytes = slice_make((const char *)digest->bytes, sizeof digest->bytes);
    return openssl_verify(openssl, key, signature, bytes) == OPENSSL_RIGHT;
}

static enum err verify(void *context, enum crypto_kind kind, struct slice public_key,
                       const struct crypto_digest *digest, struct slice signature,
                       bool *out_is_right)
{
    const struct crypter *crypter = context;
    const struct openssl *openssl = &crypter->openssl;
    EVP_PKEY *key = kind == CRYPTO_RSA
                        ? read_rsa(openssl, public_key)
                        : openssl->EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                                               octets(public_key), public_key.len);
    enum err e = key == NULL ? ERR_SYNTAX : ERR_NONE;
    if (e == ERR_NONE) {
        *out_is_right = kind == CRYPTO_RSA ? rsa_verifies(crypter, key, digest, signature)
                                           : ed25519_verifies(openssl, key, digest, signature);
        openssl->EVP_PKEY_free(key);
    }
    openssl->ERR_clear_error(); /* what a stranger wrote is no error of ours */
    return e;
}

/* ---- private keys ---- */

static bool rsa_signs(const struct crypto_key *key, const struct crypto_digest *digest,
                      uint8_t *out, size_t *out_len)
{
    const struct openssl *openssl = &key->crypter->openssl;
    EVP_PKEY_CTX *context = openssl->EVP_PKEY_CTX_new(key->key, NULL);
    bool is_signed =
        context != NULL && openssl->EVP_PKEY_sign_init(context) == 1 &&
        openssl->EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
        openssl->EVP_PKEY_CTX_set_signature_md(context, key->crypter->sha256) == 1 &&
        openssl->EVP_PKEY_sign(context, out, out_len, digest->bytes, sizeof digest->bytes) == 1;
    openssl->EVP_PKEY_CTX_free(context);
    return is_signed;
}

static bool ed25519_signs(const struct crypto_key *key, const struct crypto_digest *digest,
                          uint8_t *out, size_t *out_len)
{
    const struct openssl *openssl = &key->crypter->openssl;
    EVP_MD_CTX *context = openssl->EVP_MD_CTX_new();
    bool is_signed =
        context != NULL && openssl->EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
        openssl->EVP_DigestSign(context, out, out_len, digest->bytes, sizeof digest->bytes) == 1;
    openssl->EVP_MD_CTX_free(context);
    return is_signed;
}

static enum err sign(const struct crypto_key *key, const struct crypto_digest *digest,
                     uint8_t out[CRYPTO_SIGNATURE_BYTES_MAX], size_t *out_len)
{
    size_t len = CRYPTO_SIGNATURE_BYTES_MAX;
    bool is_signed = key->kind == CRYPTO_RSA ? rsa_signs(key, digest, out, &len)
                                             : ed25519_signs(key, digest, out, &len);
    key->crypter->openssl.ERR_clear_error();
    if (!is_signed) {
        return ERR_SYSTEM;
    }
    *out_len = len;
    return ERR_NONE;
}

static enum crypto_kind key_kind(const struct crypto_key *key)
{
    return key->kind;
}

/* Takes over the key. */
static enum err wrap(const struct crypter *crypter, EVP_PKEY *key, struct crypto_key **out)
{
    struct crypto_key *wrapped = calloc(1, sizeof *wrapped);
    if (wrapped == NULL) {
        crypter->openssl.EVP_PKEY_free(key);
        return ERR_NOMEM;
    }
    bool is_rsa = crypter->openssl.EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    *wrapped = (struct crypto_key){crypter, key, is_rsa ? CRYPTO_RSA : CRYPTO_ED25519};
    *out = wrapped;
    return ERR_NONE;
}

/* OpenSSL would ask on the terminal. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is OpenSSL's */
static int no_password(char *out, int room, int is_writing, void *context)
{
    (void)out;
    (void)room;
    (void)is_writing;
    (void)context;
    return -1;
}

enum err crypter_key_read(const struct crypter *crypter, struct slice pem, struct crypto_key **out,
                          struct fault *out_fault)
{
    const struct openssl *openssl = &crypter->openssl;
    if (pem.len > INT_MAX) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "it is too large for a key");
    }
    BIO *bio = openssl->BIO_new_mem_buf(pem.at, (int)pem.len);
    if (bio == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    EVP_PKEY *key = openssl->PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    openssl->BIO_free(bio);
    openssl->ERR_clear_error();
    if (key == NULL) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "it is no private key in PEM without a password");
    }
    int kind = openssl->EVP_PKEY_get_base_id(key);
    bool is_fit = (kind == EVP_PKEY_RSA || kind == EVP_PKEY_ED25519) &&
                  openssl->EVP_PKEY_get_size(key) <= CRYPTO_SIGNATURE_BYTES_MAX;
    if (!is_fit) {
        openssl->EVP_PKEY_free(key);
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "it is neither an RSA key of at most 8192 bits nor an Ed25519 key");
    }
    enum err e = wrap(crypter, key, out);
    return e == ERR_NONE ? e : fault_set(out_fault, e, 0, "out of memory");
}

enum err crypter_key_make(const struct crypter *crypter, enum crypto_kind kind,
                          struct crypto_key **out)
{
    const struct openssl *openssl = &crypter->openssl;
    EVP_PKEY *key = kind == CRYPTO_RSA
                        ? openssl->EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS)
                        : openssl->EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return key == NULL ? ERR_SYSTEM : wrap(crypter, key, out);
}

void crypto_key_free(struct crypto_key *key)
{
    if (key != NULL) {
        key->crypter->openssl.EVP_PKEY_free(key->key);
        free(key);
    }
}

/* As DER or bare bytes. */
static bool write_public(const struct crypto_key *key, unsigned char room[PUBLIC_BYTES_MAX],
                         size_t *out_len)
{
    const struct openssl *openssl = &key->crypter->openssl;
    *out_len = ED25519_BYTES;
    if (key->kind == CRYPTO_ED25519) {
        return openssl->EVP_PKEY_get_raw_public_key(key->key, room, out_len) == 1;
    }
    int len = openssl->i2d_PUBKEY(key->key, NULL);
    if (len <= 0 || len > PUBLIC_BYTES_MAX) {
        return false;
    }
    *out_len = (size_t)len;
    return openssl->i2d_PUBKEY(key->key, &room) == len;
}

enum err crypto_key_write_public(const struct crypto_key *key, struct buf *out)
{
    unsigned char room[PUBLIC_BYTES_MAX];
    char letters[BASE64_BYTES(PUBLIC_BYTES_MAX)];
    size_t len;
    if (!write_public(key, room, &len)) {
        return ERR_NOMEM;
    }
    size_t letter_count = base64_write(slice_make((const char *)room, len), letters);
    return buf_append(out, slice_make(letters, letter_count));
}

/* ---- the whole ---- */

enum err crypter_new(struct crypter **out, struct fault *out_fault)
{
    struct crypter *crypter = calloc(1, sizeof *crypter);
    if (crypter == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    enum err e = openssl_load(&crypter->openssl, out_fault);
    if (e != ERR_NONE) {
        free(crypter);
        return e;
    }
    crypter->sha256 = crypter->openssl.EVP_MD_fetch(NULL, "SHA256", NULL);
    if (crypter->sha256 == NULL) {
        free(crypter);
        return fault_set(out_fault, ERR_SYSTEM, 0,
                         "OpenSSL offers no SHA-256; look at its configuration (openssl.cnf)");
    }
    crypter->interface = (struct crypto){
        .context = crypter,
        .hasher_new = hasher_new,
        .hasher_add = hasher_add,
        .hasher_end = hasher_end,
        .hasher_free = hasher_free,
        .verify = verify,
        .sign = sign,
        .key_kind = key_kind,
    };
    *out = crypter;
    return ERR_NONE;
}

void crypter_free(struct crypter *crypter)
{
    if (crypter != NULL) {
        crypter->openssl.EVP_MD_free(crypter->sha256);
        free(crypter);
    }
}

const struct crypto *crypter_interface(const struct crypter *crypter)
{
    return &crypter->interface;
}
