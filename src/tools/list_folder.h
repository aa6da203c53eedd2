/* tools/list_folder: the user's folder of lists, whose files are replaced in one step each: a file is there as it was or as
 * it is to be, never half of it, whatever stops the process. Who changes the same folder at the same time waits.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_LIST_FOLDER_H
#define TOOLS_LIST_FOLDER_H

#include "base/err.h"

/* Locked until it is closed. */
struct list_folder {
    int fd; /* negative: not open */
};

/* Makes it where it is missing, and those that it is in. path NULL or empty: ERR_LIMIT, there is none; ERR_SYSTEM. */
enum err list_folder_open(const char *path, struct list_folder *out, struct fault *out_fault)
    MUST_USE;
void list_folder_close(struct list_folder *folder);

struct list_file {
    const char *name; /* in the folder; at most LIST_FILE_NAME_MAX bytes */
    struct slice head, text;
};
enum { LIST_FILE_NAME_MAX = 40 };

/* The file, in place of the one of that name. ERR_SYSTEM. */
enum err list_folder_write(const struct list_folder *folder, const struct list_file *file,
                           struct fault *out_fault) MUST_USE;

/* The same in a folder that is not open; the one before is kept as NAME.former. Errors as both. */
enum err list_folder_put(const char *path, const struct list_file *file, struct fault *out_fault)
    MUST_USE;
/* NAME and NAME.former change places; there may be only one of them. ERR_STATE: there is neither. */
enum err list_folder_rollback(const char *path, const char *name, struct fault *out_fault) MUST_USE;

#endif
