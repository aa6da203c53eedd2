/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sheet_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

struct function {
    const char *name;
    size_t place; /* in the table */
};

#define ROW_OF(table, name) {#name, offsetof(struct table, name)},
#define ZIP_ROW(name)       ROW_OF(sheet_zip, name)
#define XML_ROW(name)       ROW_OF(sheet_xml, name)
#define WRITER_ROW(name)    ROW_OF(sheet_writer, name)
static const struct function zip_functions[] = {ZIP_FUNCTIONS(ZIP_ROW)};
static const struct function xml_functions[] = {XML_FUNCTIONS(XML_ROW)};
static const struct function writer_functions[] = {WRITER_FUNCTIONS(WRITER_ROW)};

/* names: of the versions whose functions are the same, until a NULL. */
static enum err load(const char *const *names, const struct function *functions, size_t count,
                     void *out, struct fault *out_fault)
{
    void *library = NULL;
    for (size_t i = 0; library == NULL && names[i] != NULL; i++) {
        /* What it registers for the end of the process must still be there then. */
        library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    }
    if (library == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, 0,
                         "%s cannot be loaded, which spreadsheets need: install it", names[0]);
    }
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(library, functions[i].name);
        if (function == NULL) {
            return fault_set(out_fault, ERR_SYSTEM, 0, "%s has no function %s: install a newer one",
                             names[0], functions[i].name);
        }
        memcpy((char *)out + functions[i].place, &function, sizeof function);
    }
    return ERR_NONE;
}

enum err sheet_zip_load(struct sheet_zip *out, struct fault *out_fault)
{
    static const char *const names[] = {"libzip.so.4", "libzip.so.5", NULL};
    return load(names, zip_functions, sizeof zip_functions / sizeof zip_functions[0], out,
                out_fault);
}

enum err sheet_xml_load(struct sheet_xml *out, struct fault *out_fault)
{
    static const char *const names[] = {"libexpat.so.1", NULL};
    return load(names, xml_functions, sizeof xml_functions / sizeof xml_functions[0], out,
                out_fault);
}

enum err sheet_writer_load(struct sheet_writer *out, struct fault *out_fault)
{
    static const char *const names[] = {"libxlsxwriter.so." LXW_SOVERSION, NULL};
    return load(names, writer_functions, sizeof writer_functions / sizeof writer_functions[0], out,
                out_fault);
}
