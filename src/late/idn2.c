/* late/idn2: libidn2, which only domains beyond ASCII need.
 * SPDX-License-Identifier: Apache-2.0 */
#include <idn2.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    does(void, idn2_free, (void *at), (at)) \
    gives(const char *, idn2_strerror, (int code), (code)) \
    gives(int, idn2_to_ascii_8z, (const char *input, char **output, int flags), (input, output, flags)) \
    gives(int, idn2_to_unicode_8z8z, (const char *input, char **output, int flags), (input, output, flags))
/* clang-format on */

LATE_LIBRARY(FUNCTIONS, "libidn2-0", "libidn2.so.0")
