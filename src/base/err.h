/* base/err: names of error codes, and the fault that carries one to a person.
 * A fault travels only where somebody will read it (engine, store, cli, rule files).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

struct fault {
    enum err err;
    int os_errno;   /* 0 where the system had no part in it */
    char text[512]; /* one sentence: what, where, what to do; NUL-terminated */
};

/* A short English name, for logs and tests. */
const char *err_name(enum err err);

/* Fills *out_fault (which may be NULL) and returns err, so that a caller can write
 * `return fault_set(...)`. Text that does not fit is cut. */
enum err fault_set(struct fault *out_fault, enum err err, int os_errno, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
