/* document/gzip: what is in a gzip file (RFC 1952), which may be several in a row.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#define ZLIB_CONST /* it does not write to what it reads */
#include <zlib.h>

#include "base/slice.h"
#include "document/document_private.h"

enum { WINDOW_BITS = 15 + 16 /* gzip's header, not zlib's */, STEP_BYTES = 1 << 30 };

struct gzip_reader {
    struct reader base;
    z_stream stream;
    bool is_over; /* at the end of one; the next byte begins another, or is filling */
    bool has_any; /* one was read whole */
    struct reader *inner;
    unsigned char text[DOCUMENT_PIECE_BYTES];
};

static enum err damaged(struct gzip_reader *gzip)
{
    return reader_fail(&gzip->base, ERR_SYNTAX,
                       "damaged gzip data; what stands before it was read");
}

/* One step of unpacking; *out_is_done: all of the input was used. */
static enum err unpack(struct gzip_reader *gzip, bool *out_is_done)
{
    z_stream *stream = &gzip->stream;
    stream->next_out = gzip->text;
    stream->avail_out = sizeof gzip->text;
    int result = inflate(stream, Z_NO_FLUSH);
    size_t got = sizeof gzip->text - stream->avail_out;
    enum err e = reader_count_unpacked(&gzip->base, got);
    if (e == ERR_NONE && got > 0) {
        e = reader_feed(gzip->inner, slice_make((const char *)gzip->text, got));
    }
    if (e != ERR_NONE) {
        return e;
    }
    gzip->is_over = result == Z_STREAM_END;
    gzip->has_any = gzip->has_any || gzip->is_over;
    *out_is_done = stream->avail_in == 0 && stream->avail_out > 0;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? ERR_NONE
                                                                             : damaged(gzip);
}

static enum err unpack_piece(struct gzip_reader *gzip, struct slice piece)
{
    gzip->stream.next_in = (const unsigned char *)piece.at;
    gzip->stream.avail_in = (unsigned)piece.len;
    bool is_done = false;
    enum err e = ERR_NONE;
    while (!is_done && e == ERR_NONE) {
        if (gzip->is_over && (gzip->stream.avail_in == 0 || *gzip->stream.next_in != 0x1f)) {
            return ERR_NONE; /* zeros fill tapes */
        }
        if (gzip->is_over) {
            gzip->is_over = inflateReset(&gzip->stream) != Z_OK;
        }
        e = unpack(gzip, &is_done);
    }
    return e;
}

static enum err feed(struct reader *reader, struct slice bytes)
{
    enum err e = ERR_NONE;
    while (bytes.len > 0 && e == ERR_NONE) {
        e = unpack_piece((struct gzip_reader *)reader, slice_sub(bytes, 0, STEP_BYTES));
        bytes = slice_sub(bytes, STEP_BYTES, bytes.len);
    }
    return e;
}

static enum err end(struct reader *reader)
{
    struct gzip_reader *gzip = (struct gzip_reader *)reader;
    enum err e = reader_end(gzip->inner);
    return e == ERR_NONE && !gzip->is_over
               ? reader_fail(reader, ERR_SYNTAX,
                             "the gzip data ends too early; what is there was read")
               : e;
}

static void gzip_free(struct reader *reader)
{
    struct gzip_reader *gzip = (struct gzip_reader *)reader;
    (void)inflateEnd(&gzip->stream);
    reader_free(gzip->inner);
    free(gzip);
}

enum err gzip_reader_new(const struct reader *parent, struct reader **out)
{
    static const struct reader_ops ops = {.feed = feed, .end = end, .free = gzip_free};
    struct gzip_reader *gzip = calloc(1, sizeof *gzip);
    if (gzip == NULL) {
        return ERR_NOMEM;
    }
    reader_init(&gzip->base, &ops, parent, parent->member);
    enum err e = any_reader_new(&gzip->base, gzip->base.member, &gzip->inner);
    if (e != ERR_NONE || inflateInit2(&gzip->stream, WINDOW_BITS) != Z_OK) {
        gzip_free(&gzip->base);
        return ERR_NOMEM;
    }
    *out = &gzip->base;
    return ERR_NONE;
}
