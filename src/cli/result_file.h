/* cli/result_file: where a list's result goes: written beside its place and moved there when it is whole, so
 * that the place never holds half of it. A pipe or device is written as it is.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_RESULT_FILE_H
#define CLI_RESULT_FILE_H

#include "engine/bulk.h"

/* Before hours are spent on what cannot be kept. An exit code; what is wrong was said then. */
int result_file_check(const char *path);

/* Whether there is a file, or nothing yet. */
bool result_file_is_plain(const char *path);

/* An exit code; what is wrong was said then. out_unfinished: as bulk_write's. */
int result_file_write(struct bulk *bulk, const char *path, uint64_t *out_unfinished);

/* What errno says, in the room given. */
struct error_text {
    char text[128];
};
const char *error_text(struct error_text *room);

#endif
