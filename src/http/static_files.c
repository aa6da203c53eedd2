/* SPDX-License-Identifier: Apache-2.0 */
#include "http/static_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/map.h"
#include "base/slice.h"

enum {
    PATH_BYTES_MAX = 512,
    ETAG_BYTES = 24,
    GZIP_WINDOW = 15 + 16, /* zlib's way to say gzip */
    GZIP_WORTH_PERCENT = 90,
};

#define POLICY                                                                                     \
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src " \
    "'none'"

struct static_file {
    char path[PATH_BYTES_MAX]; /* "/app.js" */
    char etag[ETAG_BYTES];     /* with its quotes */
    const char *type;
    struct buf plain, zipped; /* the latter empty where it is no gain */
};

struct static_files {
    struct static_file *files[STATIC_FILES_MAX];
    size_t count;
    struct map by_path;
};

static const struct {
    struct slice ending;
    const char *type;
} types[] = {
    {SLICE_LITERAL(".html"), "text/html; charset=utf-8"},
    {SLICE_LITERAL(".js"), "text/javascript; charset=utf-8"},
    {SLICE_LITERAL(".mjs"), "text/javascript; charset=utf-8"},
    {SLICE_LITERAL(".css"), "text/css; charset=utf-8"},
    {SLICE_LITERAL(".json"), "application/json"},
    {SLICE_LITERAL(".svg"), "image/svg+xml"},
    {SLICE_LITERAL(".png"), "image/png"},
    {SLICE_LITERAL(".ico"), "image/x-icon"},
    {SLICE_LITERAL(".woff2"), "font/woff2"},
    {SLICE_LITERAL(".txt"), "text/plain; charset=utf-8"},
    {SLICE_LITERAL(".webmanifest"), "application/manifest+json"},
};

static const char *type_of(struct slice name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (slice_ends_nocase(name, types[i].ending)) {
            return types[i].type;
        }
    }
    return NULL; /* licences, notes: not served */
}

/* ---- reading ---- */

static enum err zip(struct static_file *file)
{
    z_stream stream = {.next_in = (Bytef *)file->plain.at, .avail_in = (uInt)file->plain.len};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 9, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return ERR_NOMEM;
    }
    size_t bound = deflateBound(&stream, (uLong)file->plain.len);
    buf_init(&file->zipped, bound + 1);
    enum err e = buf_reserve(&file->zipped, bound);
    if (e == ERR_NONE) {
        stream.next_out = (Bytef *)file->zipped.at;
        stream.avail_out = (uInt)bound;
        bool is_whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        file->zipped.len = is_whole ? (size_t)stream.total_out : 0;
    }
    (void)deflateEnd(&stream);
    if (file->zipped.len * 100 > file->plain.len * GZIP_WORTH_PERCENT) {
        buf_done(&file->zipped);
    }
    return e;
}

static enum err read_bytes(int fd, struct buf *out)
{
    enum err e = ERR_NONE;
    ssize_t count = 1;
    while (count > 0 && e == ERR_NONE) {
        e = buf_reserve(out, 65536);
        count = e == ERR_NONE ? read(fd, out->at + out->len, 65536) : 0;
        out->len += count > 0 ? (size_t)count : 0;
    }
    return e == ERR_NONE && count < 0 ? ERR_SYSTEM : e;
}

static enum err add_file(struct static_files *files, int fd, const char *path, const char *type)
{
    struct static_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return ERR_NOMEM;
    }
    files->files[files->count++] = file;
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    file->type = type;
    buf_init(&file->plain, STATIC_FILE_BYTES_MAX + 65536);
    enum err e = read_bytes(fd, &file->plain);
    if (e != ERR_NONE) {
        return e;
    }
    (void)snprintf(file->etag, sizeof file->etag, "\"%016llx\"",
                   (unsigned long long)slice_hash(buf_view(&file->plain), 0));
    e = zip(file);
    e = e != ERR_NONE ? e : map_put(&files->by_path, slice_of(file->path), file);
    if (e == ERR_NONE && slice_equal(slice_of(file->path), SLICE("/index.html"))) {
        e = map_put(&files->by_path, SLICE("/"), file);
    }
    return e;
}

static enum err read_folder(struct static_files *files, int fd, const char *path, int depth,
                            struct fault *fault);

/* fd is given away. */
/* NOLINTNEXTLINE(misc-no-recursion): folders, STATIC_DEPTH_MAX at most */
static enum err read_entry(struct static_files *files, int fd, const char *path, int depth,
                           struct fault *fault)
{
    struct stat about;
    const char *type = type_of(slice_of(path));
    enum err e = ERR_NONE;
    if (fd < 0 || fstat(fd, &about) != 0) {
        e = fault_set(fault, ERR_SYSTEM, errno, "the page's %s cannot be read", path);
    } else if (S_ISDIR(about.st_mode)) {
        return read_folder(files, fd, path, depth + 1, fault);
    } else if (S_ISREG(about.st_mode) && type != NULL) {
        bool is_fine = files->count < STATIC_FILES_MAX && about.st_size <= STATIC_FILE_BYTES_MAX;
        e = is_fine ? add_file(files, fd, path, type) : ERR_LIMIT;
        if (e != ERR_NONE) {
            (void)fault_set(fault, e, 0, "the page's %s: %s", path,
                            is_fine ? "it cannot be read" : "too many files, or too large");
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}

/* NOLINTNEXTLINE(misc-no-recursion): folders, STATIC_DEPTH_MAX at most */
static enum err read_folder(struct static_files *files, int fd, const char *path, int depth,
                            struct fault *fault)
{
    DIR *folder = depth > STATIC_DEPTH_MAX ? NULL : fdopendir(fd);
    enum err e = ERR_NONE;
    if (folder == NULL) {
        (void)close(fd);
        return fault_set(fault, ERR_SYSTEM, errno, "the page's folder %s/ cannot be read", path);
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    const struct dirent *entry = readdir(folder);
    while (entry != NULL && e == ERR_NONE) {
        char name[PATH_BYTES_MAX];
        int len = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        bool is_hidden = entry->d_name[0] == '.';
        if (!is_hidden && len > 0 && len < PATH_BYTES_MAX) {
            int inner = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
            e = read_entry(files, inner, name, depth, fault);
        }
        entry = readdir(folder); /* NOLINT(concurrency-mt-unsafe): as above */
    }
    (void)closedir(folder);
    return e;
}

enum err static_files_open(const char *folder, struct static_files **out, struct fault *out_fault)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "the page's folder %s cannot be read",
                         folder);
    }
    struct static_files *files = calloc(1, sizeof *files);
    if (files == NULL) {
        (void)close(fd);
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    map_init(&files->by_path, 0);
    enum err e = read_folder(files, fd, "", 0, out_fault);
    if (e != ERR_NONE) {
        static_files_close(files);
        return e;
    }
    *out = files;
    return ERR_NONE;
}

void static_files_close(struct static_files *files)
{
    if (files == NULL) {
        return;
    }
    for (size_t i = 0; i < files->count; i++) {
        buf_done(&files->files[i]->plain);
        buf_done(&files->files[i]->zipped);
        free(files->files[i]);
    }
    map_done(&files->by_path);
    free(files);
}

/* ---- answering ---- */

/* "gzip;q=0" refuses it. RFC 9110 12.5.3 */
static bool takes_gzip(struct slice accepted)
{
    while (accepted.at != NULL) {
        struct slice coding = slice_trim(slice_cut(&accepted, ','));
        struct slice name = slice_trim(slice_cut(&coding, ';'));
        struct slice weight = coding.at == NULL ? SLICE_NONE : slice_trim(coding);
        if (slice_equal_nocase(name, SLICE("gzip"))) {
            return !slice_equal(weight, SLICE("q=0")) && !slice_equal(weight, SLICE("q=0.0"));
        }
    }
    return false;
}

static bool has_etag(struct slice known, struct slice etag)
{
    while (known.at != NULL) {
        struct slice one = slice_trim(slice_cut(&known, ','));
        if (slice_starts(one, SLICE("W/"))) {
            one = slice_sub(one, 2, one.len);
        }
        if (slice_equal(one, etag) || slice_equal(one, SLICE("*"))) {
            return true;
        }
    }
    return false;
}

bool static_files_answer(const struct static_files *files, struct http_request *request)
{
    const struct static_file *file = map_find(&files->by_path, request->path);
    if (file == NULL) {
        return false;
    }
    bool is_zipped = file->zipped.len > 0 && takes_gzip(http_header(request, "Accept-Encoding"));
    http_add_header(request, "ETag", slice_of(file->etag));
    http_add_header(request, "Cache-Control", SLICE("no-cache"));
    http_add_header(request, "Vary", SLICE("Accept-Encoding"));
    http_add_header(request, "Content-Security-Policy", SLICE(POLICY));
    http_add_header(request, "Referrer-Policy", SLICE("no-referrer"));
    http_add_header(request, "Cross-Origin-Opener-Policy", SLICE("same-origin"));
    if (has_etag(http_header(request, "If-None-Match"), slice_of(file->etag))) {
        http_answer_empty(request, 304);
        return true;
    }
    if (is_zipped) {
        http_add_header(request, "Content-Encoding", SLICE("gzip"));
    }
    http_answer_static(request, 200, file->type,
                       buf_view(is_zipped ? &file->zipped : &file->plain));
    return true;
}
