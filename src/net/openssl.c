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
