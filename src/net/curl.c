/* SPDX-License-Identifier: Apache-2.0 */
#include "net/curl.h"

#include "net/library.h"

#define CURL_ROW(name) LIBRARY_ROW(curl, name)
static const struct library_function functions[] = {CURL_FUNCTIONS(CURL_ROW)};

enum err curl_load(struct curl *out, struct fault *out_fault)
{
    static const char *const names[] = {"libcurl.so.4", NULL};
    const struct library library = {names, "libcurl4 7.85 or newer", functions,
                                    sizeof functions / sizeof functions[0]};
    struct curl table;
    enum err e = library_load(&library, &table, out_fault);
    /* Counts how often it is called; it is never taken back, as the library stays. */
    if (e == ERR_NONE && table.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        e = fault_set(out_fault, ERR_SYSTEM, 0, "%s does not start", names[0]);
    }
    if (e == ERR_NONE) {
        *out = table;
    }
    return e;
}
