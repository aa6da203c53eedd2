/* cli/spool: a copy of standard input in a file: it cannot be read twice, and the rows of a list are.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SPOOL_H
#define CLI_SPOOL_H

#include <stddef.h>

/* Fills out_path, which is empty where there is no file. An exit code; what is wrong was said then. */
int spool_open(char *out_path, size_t room);
void spool_remove(const char *path); /* an empty path is fine */

#endif
