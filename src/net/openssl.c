/* SPDX-License-Identifier: Apache-2.0 */
#include "net/openssl.h"

#include "net/library.h"

#define TEXT_OF(number)     #number
#define LIBRARY_OF(version) "libssl.so." TEXT_OF(version)

#define OPENSSL_ROW(name) LIBRARY_ROW(openssl, name)
static const struct library_function functions[] = {OPENSSL_FUNCTIONS(OPENSSL_ROW)};

enum err openssl_load(struct openssl *out, struct fault *out_fault)
{
    static const char *const names[] = {LIBRARY_OF(OPENSSL_SHLIB_VERSION), NULL};
    const struct library library = {names, "OpenSSL 3", functions,
                                    sizeof functions / sizeof functions[0]};
    return library_load(&library, out, out_fault);
}

enum openssl_verdict openssl_verify(const struct openssl *openssl, EVP_PKEY *key,
                                    struct slice signature, struct slice bytes)
{
    EVP_MD_CTX *context = openssl->EVP_MD_CTX_new();
    if (context == NULL || openssl->EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) != 1) {
        openssl->EVP_MD_CTX_free(context);
        return OPENSSL_NO_MEMORY;
    }
    int is_right =
        openssl->EVP_DigestVerify(context, (const unsigned char *)signature.at, signature.len,
                                  (const unsigned char *)bytes.at, bytes.len);
    openssl->EVP_MD_CTX_free(context);
    return is_right == 1 ? OPENSSL_RIGHT : OPENSSL_WRONG;
}
