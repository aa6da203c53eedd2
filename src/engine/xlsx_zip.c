/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/slice.h"
#include "engine/xlsx_private.h"

enum {
    INDEX_BYTES_MAX = 4 << 20, /* of the archive's directory; a large workbook has some kilobytes */
    RATIO_MAX = 250,           /* unpacked to packed; a real sheet stays below 60 */
    RATIO_FREE_BYTES = 16 << 20, /* unpacked before the ratio counts */
};
#define UNPACKED_BYTES_MAX (UINT64_C(8) << 30) /* all 1,048,576 rows at 8 KiB each */

static zip_int64_t fail_with(struct xlsx_zip *zip, int zip_error, int os_errno)
{
    zip->lib.zip_error_set(&zip->error, zip_error, os_errno);
    return -1;
}

static zip_int64_t read_at_pos(struct xlsx_zip *zip, void *data, zip_uint64_t len)
{
    if (!zip->is_open) {
        zip->index_bytes += len;
        if (zip->index_bytes > INDEX_BYTES_MAX) {
            return fail_with(zip, ZIP_ER_MEMORY, 0);
        }
    }
    errno = 0;
    if (fseeko(zip->file, (off_t)zip->pos, SEEK_SET) != 0) {
        return fail_with(zip, ZIP_ER_SEEK, errno);
    }
    size_t got = fread(data, 1, len, zip->file);
    if (got < len && ferror(zip->file) != 0) {
        return fail_with(zip, ZIP_ER_READ, errno);
    }
    zip->pos += got;
    return (zip_int64_t)got;
}

static zip_int64_t seek(struct xlsx_zip *zip, void *data, zip_uint64_t len)
{
    zip_int64_t to =
        zip->lib.zip_source_seek_compute_offset(zip->pos, zip->size, data, len, &zip->error);
    if (to < 0) {
        return -1;
    }
    zip->pos = (uint64_t)to;
    return 0;
}

static zip_int64_t tell_stat(const struct xlsx_zip *zip, void *data)
{
    zip_stat_t *stat = data;
    zip->lib.zip_stat_init(stat);
    stat->size = zip->size;
    stat->valid |= ZIP_STAT_SIZE;
    return sizeof *stat;
}

/* libzip's view of the file. */
static zip_int64_t source(void *context, void *data, zip_uint64_t len, zip_source_cmd_t command)
{
    struct xlsx_zip *zip = context;
    /* NOLINTNEXTLINE(clang-diagnostic-switch-enum): of libzip's commands a source that is read needs these */
    switch ((int)command) {
    case ZIP_SOURCE_OPEN: zip->pos = 0; return 0;
    case ZIP_SOURCE_READ: return read_at_pos(zip, data, len);
    case ZIP_SOURCE_CLOSE: return 0;
    case ZIP_SOURCE_STAT: return tell_stat(zip, data);
    case ZIP_SOURCE_ERROR: return zip->lib.zip_error_to_data(&zip->error, data, len);
    case ZIP_SOURCE_FREE: return 0;
    case ZIP_SOURCE_SEEK: return seek(zip, data, len);
    case ZIP_SOURCE_TELL: return (zip_int64_t)zip->pos;
    case ZIP_SOURCE_SUPPORTS:
        return zip->lib.zip_source_make_command_bitmap(
            ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
            ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
    default: return fail_with(zip, ZIP_ER_OPNOTSUPP, 0);
    }
}

bool xlsx_is_archive(struct slice head)
{
    return slice_starts(head, SLICE("PK\x03\x04")) || slice_starts(head, SLICE("PK\x05\x06"));
}

static enum err measure(struct xlsx_zip *zip, struct fault *out_fault)
{
    off_t size = fseeko(zip->file, 0, SEEK_END) == 0 ? ftello(zip->file) : -1;
    if (size < 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno,
                         "%.*s is a spreadsheet, which cannot be read from a pipe; save it to a "
                         "file first",
                         SLICE_ARG(zip->config->file_name));
    }
    zip->size = (uint64_t)size;
    return ERR_NONE;
}

enum err xlsx_zip_open(struct xlsx_zip *zip, const struct xlsx_config *config, FILE *file,
                       struct fault *out_fault)
{
    *zip = (struct xlsx_zip){.config = config, .file = file};
    enum err e = measure(zip, out_fault);
    e = e == ERR_NONE ? sheet_zip_load(&zip->lib, out_fault) : e;
    if (e != ERR_NONE) {
        return e;
    }
    zip->lib.zip_error_init(&zip->error);
    zip_error_t error;
    zip->lib.zip_error_init(&error);
    zip_source_t *from = zip->lib.zip_source_function_create(source, zip, &error);
    zip->zip = from == NULL ? NULL : zip->lib.zip_open_from_source(from, ZIP_RDONLY, &error);
    if (zip->zip == NULL) {
        e = fault_set(out_fault, ERR_SYNTAX, 0,
                      "%.*s begins like a spreadsheet, but its archive is damaged (%s); save it "
                      "again or as CSV",
                      SLICE_ARG(config->file_name), zip->lib.zip_error_strerror(&error));
        if (from != NULL) {
            zip->lib.zip_source_free(from);
        }
    }
    zip->lib.zip_error_fini(&error);
    zip->is_open = true;
    return e;
}

void xlsx_zip_close(struct xlsx_zip *zip)
{
    if (zip->zip != NULL) {
        zip->lib.zip_discard(zip->zip);
        zip->zip = NULL;
    }
    if (zip->is_open) {
        zip->lib.zip_error_fini(&zip->error);
        zip->is_open = false;
    }
}

bool xlsx_zip_has(struct xlsx_zip *zip, const char *name)
{
    return zip->lib.zip_name_locate(zip->zip, name, ZIP_FL_NOCASE) >= 0;
}

static enum err damaged(const struct xlsx_zip *zip, const char *name, const char *why,
                        struct fault *out_fault)
{
    return fault_set(out_fault, ERR_SYNTAX, 0, "%.*s: its part %.80s is damaged: %s",
                     SLICE_ARG(zip->config->file_name), name, why);
}

enum err xlsx_part_open(struct xlsx_zip *zip, const char *name, struct xlsx_part *out,
                        struct fault *out_fault)
{
    zip_int64_t index = zip->lib.zip_name_locate(zip->zip, name, ZIP_FL_NOCASE);
    if (index < 0) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "%.*s: its part %.80s is missing; save it again or as CSV",
                         SLICE_ARG(zip->config->file_name), name);
    }
    zip_stat_t stat;
    if (zip->lib.zip_stat_index(zip->zip, (zip_uint64_t)index, 0, &stat) != 0) {
        return damaged(zip, name, zip->lib.zip_error_strerror(zip->lib.zip_get_error(zip->zip)),
                       out_fault);
    }
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "%.*s is encrypted; open it with its password and save it without one",
                         SLICE_ARG(zip->config->file_name));
    }
    zip_file_t *file = zip->lib.zip_fopen_index(zip->zip, (zip_uint64_t)index, 0);
    if (file == NULL) {
        return damaged(zip, name, zip->lib.zip_error_strerror(zip->lib.zip_get_error(zip->zip)),
                       out_fault);
    }
    zip->packed += stat.comp_size < zip->size ? stat.comp_size : zip->size;
    *out = (struct xlsx_part){.zip = zip, .file = file};
    return ERR_NONE;
}

void xlsx_part_close(struct xlsx_part *part)
{
    if (part->file != NULL) {
        (void)part->zip->lib.zip_fclose(part->file);
        part->file = NULL;
    }
}

enum err xlsx_part_read(struct xlsx_part *part, void *to, size_t room, size_t *out_len,
                        struct fault *out_fault)
{
    struct xlsx_zip *zip = part->zip;
    struct slice name = zip->config->file_name;
    if (zip->config->may_go_on != NULL && !zip->config->may_go_on(zip->config->context)) {
        return fault_set(out_fault, ERR_STATE, 0, "stopped");
    }
    zip_int64_t got = zip->lib.zip_fread(part->file, to, room);
    if (got < 0) {
        return fault_set(
            out_fault, ERR_SYNTAX, 0, "%.*s: its archive is damaged (%s); save it again or as CSV",
            SLICE_ARG(name), zip->lib.zip_error_strerror(zip->lib.zip_file_get_error(part->file)));
    }
    zip->unpacked += (uint64_t)got;
    bool is_bomb = zip->unpacked > RATIO_FREE_BYTES && zip->unpacked / RATIO_MAX > zip->packed;
    if (is_bomb || zip->unpacked > UNPACKED_BYTES_MAX) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "%.*s unpacks to far more than a list can be; save it as CSV",
                         SLICE_ARG(name));
    }
    *out_len = (size_t)got;
    return ERR_NONE;
}
