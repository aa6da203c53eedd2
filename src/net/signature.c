/* SPDX-License-Identifier: Apache-2.0 */
#include "net/signature.h"

#include <limits.h>
#include <string.h>

#include "base/base64.h"
#include "base/slice.h"
#include "net/openssl.h"

bool signature_read(struct slice text, char out[SIGNATURE_BYTES])
{
    char room[BASE64_BYTES(SIGNATURE_BYTES)];
    size_t len = text.len;
    if (len == SIGNATURE_BYTES) {
        memcpy(out, text.at, SIGNATURE_BYTES);
        return true;
    }
    text = slice_trim(text);
    if (text.len != sizeof room || !base64_read(text, room, &len) || len != SIGNATURE_BYTES) {
        return false;
    }
    memcpy(out, room, SIGNATURE_BYTES);
    return true;
}

static enum err check_with(const struct openssl *lib, EVP_PKEY *key,
                           const char signature[SIGNATURE_BYTES], struct slice bytes,
                           struct fault *out_fault)
{
    if (lib->EVP_PKEY_is_a(key, "ED25519") != 1) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "the key is no Ed25519 key; 'openssl genpkey -algorithm ed25519' makes "
                         "one");
    }
    switch (openssl_verify(lib, key, slice_make(signature, SIGNATURE_BYTES), bytes)) {
    case OPENSSL_RIGHT: return ERR_NONE;
    case OPENSSL_WRONG: break;
    case OPENSSL_NO_MEMORY: return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    return fault_set(out_fault, ERR_SYNTAX, 0,
                     "the signature is not of these bytes, or not by this key");
}

enum err signature_check(struct slice key_pem, const char signature[SIGNATURE_BYTES],
                         struct slice bytes, struct fault *out_fault)
{
    struct openssl lib;
    enum err e = openssl_load(&lib, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    BIO *bio = key_pem.len <= INT_MAX ? lib.BIO_new_mem_buf(key_pem.at, (int)key_pem.len) : NULL;
    EVP_PKEY *key = bio == NULL ? NULL : lib.PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (key == NULL) {
        e = fault_set(out_fault, ERR_SYNTAX, 0,
                      "there is no public key in PEM in it; 'openssl pkey -pubout' writes one");
    } else {
        e = check_with(&lib, key, signature, bytes, out_fault);
    }
    lib.EVP_PKEY_free(key);
    lib.BIO_free(bio);
    lib.ERR_clear_error();
    return e;
}
