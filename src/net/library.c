/* SPDX-License-Identifier: Apache-2.0 */
#include "net/library.h"

#include <dlfcn.h>
#include <string.h>

enum err library_load(const struct library *library, void *table, struct fault *out_fault)
{
    void *handle = NULL;
    for (size_t i = 0; handle == NULL && library->names[i] != NULL; i++) {
        /* What it registers for the end of the process must still be there then. */
        handle = dlopen(library->names[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    }
    if (handle == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, 0, "%s cannot be loaded: install %s",
                         library->names[0], library->package);
    }
    for (size_t i = 0; i < library->count; i++) {
        /* Looks through the libraries that this one needs, too. */
        if (dlsym(handle, library->functions[i].name) == NULL) {
            return fault_set(out_fault, ERR_SYSTEM, 0, "%s has no function %s: install %s",
                             library->names[0], library->functions[i].name, library->package);
        }
    }
    for (size_t i = 0; i < library->count; i++) {
        void *function = dlsym(handle, library->functions[i].name);
        memcpy((char *)table + library->functions[i].place, &function, sizeof function);
    }
    return ERR_NONE;
}
