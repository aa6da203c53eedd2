/* SPDX-License-Identifier: Apache-2.0 */
#include "net/openssl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define TEXT_OF(number)     #number
#define LIBRARY_OF(version) "libssl.so." TEXT_OF(version)
static const char library_name[] = LIBRARY_OF(OPENSSL_SHLIB_VERSION);

static const struct {
    const char *name;
    size_t place; /* in struct openssl */
} functions[] = {
#define OPENSSL_ROW(name) {#name, offsetof(struct openssl, name)},
    OPENSSL_FUNCTIONS(OPENSSL_ROW)
#undef OPENSSL_ROW
};

enum err openssl_load(struct openssl *out, struct fault *out_fault)
{
    /* What it registers for the end of the process must still be there then. */
    void *library = dlopen(library_name, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, 0, "%s cannot be loaded: install OpenSSL",
                         library_name);
    }
    struct openssl table;
    memset(&table, 0, sizeof table);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        /* Looks through the libraries that this one needs, too: libcrypto. */
        void *function = dlsym(library, functions[i].name);
        if (function == NULL) {
            return fault_set(out_fault, ERR_SYSTEM, 0, "%s has no function %s: install OpenSSL 3",
                             library_name, functions[i].name);
        }
        memcpy((char *)&table + functions[i].place, &function, sizeof function);
    }
    *out = table;
    return ERR_NONE;
}
