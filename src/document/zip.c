/* document/zip: the members of a ZIP archive, and with them the parts of Office Open XML and OpenDocument files. Of
 * workbooks the sheets are read cell by cell, and the rest as parts.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "document/document_private.h"
#include "engine/sheet_library.h"

enum {
    TAIL_BYTES = 65536 + 22, /* the archive's end and the longest comment behind it */
    INDEX_BYTES_MAX = 64 << 20,
    MEMBERS_MAX = 1 << 20,
};

struct zip_archive {
    struct reader *reader;
    struct sheet_zip lib;
    zip_t *zip;
    bool is_workbook;
    struct buf member;
    char *piece; /* DOCUMENT_PIECE_BYTES */
};

static uint32_t little_32(const char *at)
{
    uint32_t value = 0;
    for (size_t i = 4; i > 0; i--) {
        value = value << 8 | (unsigned char)at[i - 1];
    }
    return value;
}

/* libzip reads the whole directory at once: one that says it is larger than any directory is refused before. tail has
 * room for TAIL_BYTES. */
static bool has_fair_index(int fd, struct buf *tail)
{
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    if (size < 0) {
        return false;
    }
    ssize_t got = pread(fd, tail->at, TAIL_BYTES, from);
    struct slice text = slice_make(tail->at, got > 0 ? (size_t)got : 0);
    for (size_t at = slice_find_byte(text, 'P', 0); at + 22 <= text.len;
         at = slice_find_byte(text, 'P', at + 1)) {
        if (memcmp(text.at + at, "PK\5\6", 4) == 0 &&
            little_32(text.at + at + 12) > INDEX_BYTES_MAX) {
            return false;
        }
    }
    return true;
}

static enum err open_archive(struct zip_archive *archive, int fd)
{
    struct reader *reader = archive->reader;
    struct fault fault;
    if (sheet_zip_load(&archive->lib, &fault) != ERR_NONE) {
        return reader_fail(reader, ERR_SYSTEM, "%s", fault.text);
    }
    struct buf tail;
    buf_init(&tail, TAIL_BYTES);
    enum err e = buf_reserve(&tail, TAIL_BYTES);
    bool is_fair = e == ERR_NONE && has_fair_index(fd, &tail);
    buf_done(&tail);
    if (e != ERR_NONE) {
        return e;
    }
    int copy = is_fair ? dup(fd) : -1;
    int why = 0;
    if (copy >= 0 && lseek(copy, 0, SEEK_SET) == 0) {
        archive->zip = archive->lib.zip_fdopen(copy, 0, &why);
    }
    if (archive->zip == NULL) {
        if (copy >= 0) {
            (void)close(copy);
        }
        return reader_fail(reader, ERR_SYNTAX, "damaged ZIP archive");
    }
    return ERR_NONE;
}

/* What sheets were read from; texts and formulas of cells are not told twice. */
static bool is_in_sheets(const struct zip_archive *archive, struct slice name)
{
    return archive->is_workbook && (slice_equal(name, SLICE("xl/sharedStrings.xml")) ||
                                    slice_starts(name, SLICE("xl/worksheets/sheet")));
}

static enum err feed_member(struct zip_archive *archive, zip_file_t *file, struct reader *inner)
{
    for (;;) {
        zip_int64_t got = archive->lib.zip_fread(file, archive->piece, DOCUMENT_PIECE_BYTES);
        if (got < 0) {
            return reader_settle(inner, reader_fail(inner, ERR_SYNTAX, "damaged in its archive"));
        }
        if (got == 0) {
            return reader_end(inner);
        }
        enum err e = reader_count_unpacked(archive->reader, (size_t)got);
        e = e == ERR_NONE ? reader_feed(inner, slice_make(archive->piece, (size_t)got)) : e;
        if (e != ERR_NONE || inner->is_dead) {
            return e;
        }
    }
}

static enum err read_member(struct zip_archive *archive, zip_uint64_t index, struct slice name)
{
    struct reader *inner = NULL;
    buf_clear(&archive->member);
    enum err e = reader_member_write(archive->reader, name, &archive->member);
    e = e == ERR_NONE ? any_reader_new(archive->reader, buf_view(&archive->member), &inner) : e;
    if (e != ERR_NONE) {
        return e;
    }
    zip_file_t *file = archive->lib.zip_fopen_index(archive->zip, index, 0);
    if (file != NULL) {
        e = feed_member(archive, file, inner);
        (void)archive->lib.zip_fclose(file);
    } else {
        e = reader_settle(inner,
                          reader_fail(inner, ERR_SYNTAX, "damaged or encrypted in its archive"));
    }
    reader_free(inner);
    return e;
}

static enum err read_members(struct zip_archive *archive)
{
    zip_int64_t count = archive->lib.zip_get_num_entries(archive->zip, 0);
    if (count > MEMBERS_MAX) {
        return reader_fail(archive->reader, ERR_LIMIT,
                           "a ZIP archive of more than %d files; unpack it first", MEMBERS_MAX);
    }
    enum err e = ERR_NONE;
    for (zip_int64_t i = 0; i < count && e == ERR_NONE; i++) {
        zip_stat_t stat;
        if (archive->lib.zip_stat_index(archive->zip, (zip_uint64_t)i, 0, &stat) != 0 ||
            (stat.valid & ZIP_STAT_NAME) == 0) {
            continue;
        }
        struct slice name = slice_of(stat.name);
        if (!slice_ends(name, SLICE("/")) && !is_in_sheets(archive, name)) {
            e = read_member(archive, (zip_uint64_t)i, name);
        }
    }
    return e;
}

static void close_archive(struct zip_archive *archive)
{
    if (archive->zip != NULL) {
        archive->lib.zip_discard(archive->zip);
        archive->zip = NULL;
    }
}

/* The sheets are read through a descriptor that shares its offset with the archive's: one after the other. */
static enum err read_sheets(struct zip_archive *archive, int fd)
{
    if (archive->lib.zip_name_locate(archive->zip, "xl/workbook.xml", ZIP_FL_NOCASE) < 0) {
        return ERR_NONE;
    }
    close_archive(archive);
    enum err e = workbook_read(archive->reader, fd);
    archive->is_workbook = e == ERR_NONE;
    if (e != ERR_NONE && e != ERR_SYNTAX) {
        return e;
    }
    return open_archive(archive, fd);
}

enum err zip_read(struct reader *reader, int fd)
{
    struct zip_archive archive = {.reader = reader, .piece = malloc(DOCUMENT_PIECE_BYTES)};
    buf_init(&archive.member, DOCUMENT_MEMBER_BYTES_MAX);
    enum err e = archive.piece == NULL ? ERR_NOMEM : open_archive(&archive, fd);
    if (e == ERR_NONE) {
        off_t size = lseek(fd, 0, SEEK_END);
        bool is_direct = reader->document->is_direct;
        reader->document->packed += is_direct && size > 0 ? (uint64_t)size : 0;
        e = read_sheets(&archive, fd);
    }
    e = e == ERR_NONE ? read_members(&archive) : e;
    close_archive(&archive);
    buf_done(&archive.member);
    free(archive.piece);
    return e;
}
