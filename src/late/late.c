/* SPDX-License-Identifier: Apache-2.0 */
#include "late/late.h"

#include <stdio.h>
#include <unistd.h>

/* In whatever thread, and others may be in the middle of something: nothing is tidied up. */
void late_load(const struct library *library, void *table)
{
    struct fault fault;
    if (library_load(library, table, &fault) != ERR_NONE) {
        (void)fprintf(stderr, "heloise: %s\n", fault.text);
        _exit(LATE_EXIT_MISSING);
    }
}
