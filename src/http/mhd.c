/* SPDX-License-Identifier: Apache-2.0 */
#include "http/mhd.h"

#define MHD_LIBRARY_ROW(name) LIBRARY_ROW(mhd, name)
static const struct library_function functions[] = {MHD_LIBRARY_FUNCTIONS(MHD_LIBRARY_ROW)};

enum err mhd_load(struct mhd *out, struct fault *out_fault)
{
    static const char *const names[] = {"libmicrohttpd.so.12", NULL};
    const struct library library = {names, "libmicrohttpd12", functions,
                                    sizeof functions / sizeof functions[0]};
    return library_load(&library, out, out_fault);
}
