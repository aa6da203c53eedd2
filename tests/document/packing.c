/* SPDX-License-Identifier: Apache-2.0 */
#include "packing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "decode/tar.h"

enum {
    RAW = -15,       /* zlib's word for deflate without a header */
    GZIP = 15 + 16,  /* and for gzip's */
    ZEROS = 1 << 16, /* at once */
    MEMBERS_MAX = 64,
    OBJECTS_MAX = 64,
};

static void put(struct buf *out, struct slice text)
{
    must(buf_append(out, text) == ERR_NONE);
}

static void put_little(struct buf *out, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        must(buf_append_byte(out, (char)(value >> (8 * i) & 0xff)) == ERR_NONE);
    }
}

static void deflate_some(z_stream *stream, struct slice content, int flush, struct buf *out)
{
    stream->next_in = (const unsigned char *)content.at;
    stream->avail_in = (unsigned)content.len;
    for (;;) {
        must(buf_reserve(out, 4096) == ERR_NONE);
        stream->next_out = (unsigned char *)out->at + out->len;
        stream->avail_out = 4096;
        int result = deflate(stream, flush);
        must(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
        out->len += 4096 - stream->avail_out;
        if (stream->avail_out > 0) {
            return;
        }
    }
}

static void deflate_begin(z_stream *stream, int bits)
{
    *stream = (z_stream){.zalloc = NULL};
    must(deflateInit2(stream, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
}

static void deflate_all(struct slice content, int bits, struct buf *out)
{
    z_stream stream;
    deflate_begin(&stream, bits);
    deflate_some(&stream, content, Z_FINISH, out);
    must(deflateEnd(&stream) == Z_OK);
}

void packing_gzip(struct slice content, struct buf *out)
{
    deflate_all(content, GZIP, out);
}

void packing_gzip_zeros(size_t count, struct buf *out)
{
    static const char zeros[ZEROS];
    z_stream stream;
    deflate_begin(&stream, GZIP);
    for (; count > 0; count -= count < ZEROS ? count : ZEROS) {
        deflate_some(&stream, slice_make(zeros, count < ZEROS ? count : ZEROS), Z_NO_FLUSH, out);
    }
    deflate_some(&stream, SLICE_NONE, Z_FINISH, out);
    must(deflateEnd(&stream) == Z_OK);
}

void packing_tar(const char *name, char type, struct slice content, struct buf *out)
{
    char block[TAR_BLOCK_BYTES] = "";
    static const char zeros[TAR_BLOCK_BYTES];
    unsigned sum = 0;
    (void)snprintf(block, 100, "%s", name);
    (void)snprintf(block + 124, 12, "%011o", (unsigned)content.len);
    memset(block + 148, ' ', 8);
    block[156] = type;
    memcpy(block + 257, "ustar", 6);
    for (size_t i = 0; i < sizeof block; i++) {
        sum += (unsigned char)block[i];
    }
    (void)snprintf(block + 148, 8, "%06o", sum);
    put(out, slice_make(block, sizeof block));
    put(out, content);
    size_t over = content.len % TAR_BLOCK_BYTES;
    put(out, slice_make(zeros, over > 0 ? TAR_BLOCK_BYTES - over : 0));
}

void packing_tar_end(struct buf *out)
{
    static const char zeros[2 * TAR_BLOCK_BYTES];
    put(out, slice_make(zeros, sizeof zeros));
}

/* What the header and the directory's entry have in common (APPNOTE 4.3.7, 4.3.12). */
static void put_zip_about(const struct packing_member *member, size_t packed, struct buf *out)
{
    uLong sum = crc32(0, (const unsigned char *)member->content.at, (unsigned)member->content.len);
    put_little(out, 20, 2); /* version */
    put_little(out, 0, 2);  /* flags */
    put_little(out, 8, 2);  /* deflated */
    put_little(out, 0x21, 4);
    put_little(out, (uint32_t)sum, 4);
    put_little(out, (uint32_t)packed, 4);
    put_little(out, (uint32_t)member->content.len, 4);
    put_little(out, (uint32_t)strlen(member->name), 2);
    put_little(out, 0, 2); /* extra */
}

void packing_zip(const struct packing_member *members, size_t count, struct buf *out)
{
    size_t begin = out->len;
    size_t at[MEMBERS_MAX];
    size_t packed_len[MEMBERS_MAX];
    struct buf packed;
    must(count <= MEMBERS_MAX);
    buf_init(&packed, 1 << 24);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&packed);
        deflate_all(members[i].content, RAW, &packed);
        at[i] = out->len - begin;
        packed_len[i] = packed.len;
        put(out, SLICE("PK\3\4"));
        put_zip_about(&members[i], packed.len, out);
        put(out, slice_of(members[i].name));
        put(out, buf_view(&packed));
    }
    size_t directory = out->len - begin;
    for (size_t i = 0; i < count; i++) {
        put(out, SLICE("PK\1\2"));
        put_little(out, 20, 2);
        put_zip_about(&members[i], packed_len[i], out);
        put(out, slice_make("\0\0\0\0\0\0\0\0\0", 10)); /* comment, disk, attributes */
        put_little(out, (uint32_t)at[i], 4);
        put(out, slice_of(members[i].name));
    }
    size_t directory_len = out->len - begin - directory;
    put(out, SLICE("PK\5\6"));
    put_little(out, 0, 4);
    put_little(out, (uint32_t)count, 2);
    put_little(out, (uint32_t)count, 2);
    put_little(out, (uint32_t)directory_len, 4);
    put_little(out, (uint32_t)directory, 4);
    put_little(out, 0, 2);
    buf_done(&packed);
}

struct pdf {
    struct buf *out;
    size_t begin, count;
    size_t at[OBJECTS_MAX];
};

static void put_object(struct pdf *pdf, const char *text)
{
    must(pdf->count < OBJECTS_MAX);
    pdf->at[pdf->count++] = pdf->out->len - pdf->begin;
    must(buf_printf(pdf->out, "%zu 0 obj\n%s\nendobj\n", pdf->count, text) == ERR_NONE);
}

static void put_page(struct pdf *pdf, const char *text)
{
    char object[1024];
    size_t len = strlen("BT /F1 12 Tf 20 700 Td () Tj ET") + strlen(text);
    (void)snprintf(object, sizeof object,
                   "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1 3 0 R>>>>"
                   "/Contents %zu 0 R>>",
                   pdf->count + 2);
    put_object(pdf, object);
    (void)snprintf(object, sizeof object,
                   "<</Length %zu>>\nstream\nBT /F1 12 Tf 20 700 Td (%s) Tj ET\nendstream", len,
                   text);
    put_object(pdf, object);
}

void packing_pdf(const char *const *pages, size_t count, struct buf *out)
{
    struct pdf pdf = {.out = out, .begin = out->len};
    struct buf tree;
    buf_init(&tree, 4096);
    must(buf_printf(&tree, "<</Type/Pages/Count %zu/Kids[", count) == ERR_NONE);
    for (size_t i = 0; i < count; i++) {
        must(buf_printf(&tree, "%zu 0 R ", 4 + 2 * i) == ERR_NONE);
    }
    put(&tree, SLICE("]>>"));
    char *kids = buf_take_text(&tree);
    must(kids != NULL);
    put(out, SLICE("%PDF-1.4\n"));
    put_object(&pdf, "<</Type/Catalog/Pages 2 0 R>>");
    put_object(&pdf, kids);
    put_object(&pdf, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>");
    for (size_t i = 0; i < count; i++) {
        put_page(&pdf, pages[i]);
    }
    size_t table = out->len - pdf.begin;
    must(buf_printf(out, "xref\n0 %zu\n0000000000 65535 f \n", pdf.count + 1) == ERR_NONE);
    for (size_t i = 0; i < pdf.count; i++) {
        must(buf_printf(out, "%010zu 00000 n \n", pdf.at[i]) == ERR_NONE);
    }
    must(buf_printf(out, "trailer<</Size %zu/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n",
                    pdf.count + 1, table) == ERR_NONE);
    free(kids);
    buf_done(&tree);
}
