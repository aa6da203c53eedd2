/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

const char *err_name(enum err err)
{
    switch (err) {
    case ERR_NONE: return "none";
    case ERR_NOMEM: return "out of memory";
    case ERR_LIMIT: return "limit reached";
    case ERR_SYNTAX: return "bad syntax";
    case ERR_STATE: return "wrong state";
    case ERR_CLOSED: return "closed";
    case ERR_TIMEOUT: return "timeout";
    case ERR_SYSTEM: return "system error";
    case ERR_STORE: return "store error";
    }
    return "unknown error";
}

enum err fault_set(struct fault *out_fault, enum err err, int os_errno, const char *format, ...)
{
    if (out_fault == NULL) {
        return err;
    }
    out_fault->err = err;
    out_fault->os_errno = os_errno;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out_fault->text, sizeof out_fault->text, format, args);
    va_end(args);
    return err;
}
