/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/result_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/workbench.h"

enum { PATH_BYTES = 4096 };

const char *error_text(struct error_text *room)
{
    return strerror_r(errno, room->text, sizeof room->text);
}

static int cannot_write(const char *path)
{
    complain("cannot write %s: %s", path, error_text(&(struct error_text){.text = ""}));
    return EXIT_CANNOT_WRITE;
}

bool result_file_is_plain(const char *path)
{
    struct stat about;
    return stat(path, &about) != 0 || S_ISREG(about.st_mode);
}

/* Where it is written first. */
static FILE *open_beside(const char *path, char out_beside[PATH_BYTES])
{
    int len =
        snprintf(out_beside, PATH_BYTES, "%s%s", path, result_file_is_plain(path) ? ".part" : "");
    if (len < 0 || len >= PATH_BYTES) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return fopen(out_beside, "we");
}

int result_file_check(const char *path)
{
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        return cannot_write(path);
    }
    if (!result_file_is_plain(path)) {
        return access(path, W_OK) == 0 ? EXIT_SUCCESS : cannot_write(path);
    }
    char beside[PATH_BYTES];
    FILE *to = open_beside(path, beside);
    if (to == NULL) {
        return cannot_write(path);
    }
    (void)fclose(to); /* nothing was written */
    (void)unlink(beside);
    return EXIT_SUCCESS;
}

int result_file_write(struct bulk *bulk, const char *path, uint64_t *out_unfinished)
{
    char beside[PATH_BYTES];
    bool is_plain = result_file_is_plain(path);
    FILE *to = open_beside(path, beside);
    if (to == NULL) {
        return cannot_write(path);
    }
    struct fault fault;
    enum err e = bulk_write(bulk, to, out_unfinished, &fault);
    bool is_safe = fflush(to) == 0 && (!is_plain || fsync(fileno(to)) == 0);
    int why = errno;
    if (fclose(to) != 0 && is_safe) {
        is_safe = false;
        why = errno;
    }
    if (e == ERR_NONE && is_safe && (!is_plain || rename(beside, path) == 0)) {
        return EXIT_SUCCESS;
    }
    errno = is_safe ? errno : why;
    int code = EXIT_CANNOT_WRITE;
    if (e == ERR_STATE) {
        code = EXIT_STOPPED; /* by Ctrl-C; the caller says so */
    } else if (e != ERR_NONE) {
        complain("cannot write %s: %s", path, fault.text);
    } else {
        code = cannot_write(path);
    }
    if (is_plain) {
        (void)unlink(beside);
    }
    return code;
}
