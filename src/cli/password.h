/* cli/password: a secret that is asked for, or stands in a file or the environment; never in an argument, which others
 * can see in the list of processes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PASSWORD_H
#define CLI_PASSWORD_H

#include "base/buf.h"
#include "base/err.h"

enum { PASSWORD_BYTES = 4096 };

/* The first line of file (NULL: none), else the environment's variable, else what is typed on the terminal behind
 * prompt, unseen. out: empty, with a ceiling of PASSWORD_BYTES; its owner ends it with buf_done_wipe. ERR_SYSTEM: the
 * file cannot be read, or there is no terminal; the fault says what to do. ERR_LIMIT, ERR_NOMEM. */
enum err password_find(const char *file, const char *variable, const char *prompt, struct buf *out,
                       struct fault *out_fault) MUST_USE;

#endif
