/* SPDX-License-Identifier: Apache-2.0 */
#include "net/curl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const char library_name[] = "libcurl.so.4";

static const struct {
    const char *name;
    size_t place; /* in struct curl */
} functions[] = {
#define CURL_ROW(name) {#name, offsetof(struct curl, name)},
    CURL_FUNCTIONS(CURL_ROW)
#undef CURL_ROW
};

enum err curl_load(struct curl *out, struct fault *out_fault)
{
    void *library = dlopen(library_name, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, 0, "%s cannot be loaded: install libcurl4",
                         library_name);
    }
    struct curl table;
    memset(&table, 0, sizeof table);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *function = dlsym(library, functions[i].name);
        if (function == NULL) {
            return fault_set(out_fault, ERR_SYSTEM, 0,
                             "%s has no function %s: install libcurl 7.85 or newer", library_name,
                             functions[i].name);
        }
        memcpy((char *)&table + functions[i].place, &function, sizeof function);
    }
    /* Counts how often it is called; it is never taken back, as the library stays. */
    if (table.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return fault_set(out_fault, ERR_SYSTEM, 0, "%s does not start", library_name);
    }
    *out = table;
    return ERR_NONE;
}
