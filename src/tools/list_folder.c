/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"

enum { NAME_BYTES = LIST_FILE_NAME_MAX + 16, PATH_BYTES = 4096 };

static enum err say_system(struct fault *out_fault, const char *what)
{
    return fault_set(out_fault, ERR_SYSTEM, errno, "%.200s: %s", what, strerrordesc_np(errno));
}

/* The folder and those that it is in, where they are missing. What is wrong shows when it is opened. */
static void make_folder(const char *path)
{
    char above[PATH_BYTES];
    struct slice whole = slice_of(path);
    if (whole.len >= sizeof above) {
        return;
    }
    memcpy(above, path, whole.len + 1);
    for (size_t at = slice_find_byte(whole, '/', 1); at < whole.len;
         at = slice_find_byte(whole, '/', at + 1)) {
        above[at] = '\0';
        (void)mkdir(above, 0755);
        above[at] = '/';
    }
    (void)mkdir(path, 0755);
}

enum err list_folder_open(const char *path, struct list_folder *out, struct fault *out_fault)
{
    out->fd = -1;
    if (path == NULL || path[0] == '\0') {
        return fault_set(out_fault, ERR_LIMIT, 0,
                         "there is no folder for lists of your own; name one with --lists");
    }
    make_folder(path);
    out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return out->fd >= 0 && flock(out->fd, LOCK_EX) == 0 ? ERR_NONE : say_system(out_fault, path);
}

void list_folder_close(struct list_folder *folder)
{
    if (folder->fd >= 0) {
        (void)close(folder->fd);
        folder->fd = -1;
    }
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.at, bytes.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        bytes = slice_sub(bytes, n < 0 ? 0 : (size_t)n, bytes.len);
    }
    return true;
}

struct names {
    char former[NAME_BYTES], fresh[NAME_BYTES];
};

static void name_files(const char *name, struct names *out)
{
    (void)snprintf(out->former, sizeof out->former, "%.*s.former", LIST_FILE_NAME_MAX, name);
    (void)snprintf(out->fresh, sizeof out->fresh, ".%.*s.new", LIST_FILE_NAME_MAX, name);
}

/* Safe on the disk under the fresh name, which nobody else uses while the folder is locked. */
static bool write_fresh(const struct list_folder *folder, const char *fresh,
                        const struct list_file *file)
{
    int fd = openat(folder->fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return false;
    }
    bool is_good = write_all(fd, file->head) && write_all(fd, file->text) && fsync(fd) == 0;
    return close(fd) == 0 && is_good;
}

enum err list_folder_write(const struct list_folder *folder, const struct list_file *file,
                           struct fault *out_fault)
{
    struct names names;
    int fd = folder->fd;
    name_files(file->name, &names);
    bool is_good = write_fresh(folder, names.fresh, file) &&
                   renameat(fd, names.fresh, fd, file->name) == 0 && fsync(fd) == 0;
    return is_good ? ERR_NONE : say_system(out_fault, file->name);
}

/* Both names hold a whole file at each moment between: the list is never missing. */
static bool swap(const struct list_folder *folder, const char *a, const char *b)
{
    return renameat2(folder->fd, a, folder->fd, b, RENAME_EXCHANGE) == 0;
}

/* The first update goes back to ours: there is no former file then. */
static bool put_in_place(const struct list_folder *folder, const char *name,
                         const struct names *names)
{
    int fd = folder->fd;
    if (swap(folder, names->fresh, name)) {
        return renameat(fd, names->fresh, fd, names->former) == 0;
    }
    if (errno != ENOENT || (unlinkat(fd, names->former, 0) != 0 && errno != ENOENT)) {
        return false;
    }
    return renameat(fd, names->fresh, fd, name) == 0;
}

enum err list_folder_put(const char *path, const struct list_file *file, struct fault *out_fault)
{
    DEFER(list_folder_close) struct list_folder folder = {.fd = -1};
    struct names names;
    enum err e = list_folder_open(path, &folder, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    name_files(file->name, &names);
    bool is_good = write_fresh(&folder, names.fresh, file) &&
                   put_in_place(&folder, file->name, &names) && fsync(folder.fd) == 0;
    return is_good ? ERR_NONE : say_system(out_fault, path);
}

enum err list_folder_rollback(const char *path, const char *name, struct fault *out_fault)
{
    DEFER(list_folder_close) struct list_folder folder = {.fd = -1};
    struct names names;
    enum err e = list_folder_open(path, &folder, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    int fd = folder.fd;
    name_files(name, &names);
    bool is_done = swap(&folder, name, names.former) ||
                   (errno == ENOENT && (renameat(fd, name, fd, names.former) == 0 ||
                                        renameat(fd, names.former, fd, name) == 0));
    if (!is_done && errno == ENOENT) {
        return fault_set(out_fault, ERR_STATE, 0,
                         "%s was never updated: there is nothing to go back to", name);
    }
    return is_done && fsync(fd) == 0 ? ERR_NONE : say_system(out_fault, path);
}
