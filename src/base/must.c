/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void must_fail(const char *file, int line, const char *claim)
{
    (void)fprintf(stderr, "heloise: internal error at %s:%d: %s does not hold\n", file, line,
                  claim);
    abort();
}
