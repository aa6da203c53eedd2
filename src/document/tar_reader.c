/* document/tar_reader: the files of a tar archive, one after the other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "decode/tar.h"
#include "document/document_private.h"

struct tar_reader {
    struct reader base;
    char block[TAR_BLOCK_BYTES];
    size_t block_len;
    uint64_t left, padding; /* of the member */
    struct buf member;
    struct reader *inner; /* NULL: no file, passed over */
    bool is_broken;
};

static enum err end_member(struct tar_reader *tar)
{
    enum err e = tar->inner != NULL ? reader_end(tar->inner) : ERR_NONE;
    reader_free(tar->inner);
    tar->inner = NULL;
    return e;
}

static enum err begin_member(struct tar_reader *tar)
{
    struct tar_header header;
    tar->block_len = 0;
    if (!tar_header_read(slice_make(tar->block, sizeof tar->block), &header)) {
        static const char zeros[TAR_BLOCK_BYTES];
        tar->is_broken = memcmp(tar->block, zeros, sizeof zeros) != 0;
        return tar->is_broken ? reader_fail(&tar->base, ERR_SYNTAX,
                                            "damaged tar archive; what stands before it was read")
                              : ERR_NONE;
    }
    tar->left = header.size;
    tar->padding = (TAR_BLOCK_BYTES - header.size % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
    if (!header.is_file || header.size == 0) {
        return ERR_NONE;
    }
    buf_clear(&tar->member);
    enum err e = reader_member_write(&tar->base, header.name, &tar->member);
    return e == ERR_NONE ? any_reader_new(&tar->base, buf_view(&tar->member), &tar->inner) : e;
}

static enum err take_block(struct tar_reader *tar, struct slice *bytes)
{
    struct slice some = slice_sub(*bytes, 0, sizeof tar->block - tar->block_len);
    memcpy(tar->block + tar->block_len, some.at, some.len);
    tar->block_len += some.len;
    *bytes = slice_sub(*bytes, some.len, bytes->len);
    return tar->block_len == sizeof tar->block ? begin_member(tar) : ERR_NONE;
}

static enum err take_content(struct tar_reader *tar, struct slice *bytes)
{
    size_t len = tar->left < bytes->len ? (size_t)tar->left : bytes->len;
    enum err e = tar->inner != NULL ? reader_feed(tar->inner, slice_sub(*bytes, 0, len)) : ERR_NONE;
    *bytes = slice_sub(*bytes, len, bytes->len);
    tar->left -= len;
    return e == ERR_NONE && tar->left == 0 ? end_member(tar) : e;
}

static enum err feed(struct reader *reader, struct slice bytes)
{
    struct tar_reader *tar = (struct tar_reader *)reader;
    enum err e = reader_check_go_on(reader);
    while (bytes.len > 0 && e == ERR_NONE) {
        if (tar->left > 0) {
            e = take_content(tar, &bytes);
        } else if (tar->padding > 0) {
            size_t len = tar->padding < bytes.len ? (size_t)tar->padding : bytes.len;
            bytes = slice_sub(bytes, len, bytes.len);
            tar->padding -= len;
        } else {
            e = take_block(tar, &bytes);
        }
    }
    return e;
}

static enum err end(struct reader *reader)
{
    struct tar_reader *tar = (struct tar_reader *)reader;
    bool is_cut = tar->left > 0;
    enum err e = end_member(tar);
    return e == ERR_NONE && is_cut
               ? reader_fail(reader, ERR_SYNTAX,
                             "the tar archive ends too early; what is there was read")
               : e;
}

static void tar_free(struct reader *reader)
{
    struct tar_reader *tar = (struct tar_reader *)reader;
    reader_free(tar->inner);
    buf_done(&tar->member);
    free(tar);
}

enum err tar_reader_new(const struct reader *parent, struct reader **out)
{
    static const struct reader_ops ops = {.feed = feed, .end = end, .free = tar_free};
    struct tar_reader *tar = calloc(1, sizeof *tar);
    if (tar == NULL) {
        return ERR_NOMEM;
    }
    reader_init(&tar->base, &ops, parent, parent->member);
    buf_init(&tar->member, DOCUMENT_MEMBER_BYTES_MAX);
    *out = &tar->base;
    return ERR_NONE;
}
