/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/batch_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "engine/table.h"

enum {
    ID_CHARS = 24, /* 120 bits: nobody guesses one */
    ID_BYTES = 32,
    ERROR_TEXT_BYTES = 128,
};

struct batch_upload {
    int folder; /* descriptors; -1: none */
    int fd;
    char id[ID_BYTES]; /* "b_..." */
    char part[ID_BYTES + sizeof BATCH_UPLOAD_PART], list[ID_BYTES + sizeof BATCH_UPLOAD_LIST];
    bool is_committed;
    uint64_t bytes, bytes_max;
};

static enum err say_system(struct fault *out_fault, const char *what)
{
    int os_errno = errno;
    char text[ERROR_TEXT_BYTES];
    bool is_full = os_errno == ENOSPC || os_errno == EDQUOT;
    return fault_set(out_fault, ERR_SYSTEM, os_errno, "%s: %s%s", what,
                     strerror_r(os_errno, text, sizeof text),
                     is_full ? "; make room and upload the list again" : "");
}

static enum err make_id(struct batch_upload *upload, struct fault *out_fault)
{
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
    unsigned char random[ID_CHARS];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return say_system(out_fault, "no random bytes for the id of the batch");
    }
    char *at = upload->id;
    *at++ = 'b';
    *at++ = '_';
    for (size_t i = 0; i < ID_CHARS; i++) {
        *at++ = alphabet[random[i] % (sizeof alphabet - 1)];
    }
    *at = '\0';
    (void)snprintf(upload->part, sizeof upload->part, "%s" BATCH_UPLOAD_PART, upload->id);
    (void)snprintf(upload->list, sizeof upload->list, "%s" BATCH_UPLOAD_LIST, upload->id);
    return ERR_NONE;
}

static enum err open_files(struct batch_upload *upload, const char *folder, struct fault *out_fault)
{
    upload->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (upload->folder < 0) {
        return say_system(out_fault, "the folder of batches cannot be opened");
    }
    upload->fd = openat(upload->folder, upload->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return upload->fd >= 0 ? ERR_NONE : say_system(out_fault, "a file for the list cannot be made");
}

enum err batch_upload_begin(const char *folder, uint64_t bytes_max, struct batch_upload **out,
                            struct fault *out_fault)
{
    struct batch_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    upload->folder = upload->fd = -1;
    upload->bytes_max = bytes_max;
    enum err e = make_id(upload, out_fault);
    e = e != ERR_NONE ? e : open_files(upload, folder, out_fault);
    if (e != ERR_NONE) {
        batch_upload_drop(upload);
        return e;
    }
    *out = upload;
    return ERR_NONE;
}

enum err batch_upload_write(struct batch_upload *upload, struct slice bytes,
                            struct fault *out_fault)
{
    if (bytes.len > upload->bytes_max - upload->bytes) {
        return fault_set(out_fault, ERR_LIMIT, 0,
                         "the list is larger than %llu bytes; upload it in parts",
                         (unsigned long long)upload->bytes_max);
    }
    while (bytes.len > 0) {
        ssize_t len = write(upload->fd, bytes.at, bytes.len);
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len < 0) {
            return say_system(out_fault, "the list cannot be kept");
        }
        upload->bytes += (uint64_t)len;
        bytes = slice_sub(bytes, (size_t)len, bytes.len);
    }
    return ERR_NONE;
}

enum err batch_upload_commit(struct batch_upload *upload, struct fault *out_fault)
{
    if (upload->bytes == 0) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "the list is empty");
    }
    if (fsync(upload->fd) != 0 ||
        renameat(upload->folder, upload->part, upload->folder, upload->list) != 0) {
        return say_system(out_fault, "the list cannot be kept");
    }
    upload->is_committed = true;
    return fsync(upload->folder) == 0 ? ERR_NONE : say_system(out_fault, "the list cannot be kept");
}

enum err batch_upload_check(const struct batch_upload *upload, struct slice file_name,
                            struct slice column, struct fault *out_fault)
{
    const struct table_reader_config config = {.file_name = file_name, .column = column};
    int fd = openat(upload->folder, upload->list, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (file == NULL) {
        enum err e = say_system(out_fault, "the list cannot be read");
        if (fd >= 0) {
            (void)close(fd);
        }
        return e;
    }
    struct table_reader *reader = NULL;
    enum err e = table_reader_open(&config, file, &reader, out_fault);
    table_reader_close(reader);
    (void)fclose(file);
    return e;
}

struct slice batch_upload_id(const struct batch_upload *upload)
{
    return slice_of(upload->id);
}

struct slice batch_upload_file(const struct batch_upload *upload)
{
    return slice_of(upload->list);
}

uint64_t batch_upload_bytes(const struct batch_upload *upload)
{
    return upload->bytes;
}

static void leave(struct batch_upload *upload)
{
    if (upload->fd >= 0) {
        (void)close(upload->fd);
    }
    if (upload->folder >= 0) {
        (void)close(upload->folder);
    }
    free(upload);
}

void batch_upload_keep(struct batch_upload *upload)
{
    leave(upload);
}

void batch_upload_drop(struct batch_upload *upload)
{
    if (upload == NULL) {
        return;
    }
    if (upload->fd >= 0) {
        (void)unlinkat(upload->folder, upload->is_committed ? upload->list : upload->part, 0);
    }
    leave(upload);
}
