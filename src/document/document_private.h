/* document/document_private: readers, one for each kind, in each other. A reader takes bytes and gives text to a finder, or
 * bytes to the reader of what is in it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_DOCUMENT_PRIVATE_H
#define DOCUMENT_DOCUMENT_PRIVATE_H

#include "base/buf.h"
#include "decode/sniff.h"
#include "document/charset.h"
#include "document/document.h"

enum {
    DOCUMENT_PIECE_BYTES = 65536,
    DOCUMENT_TEXT_BYTES_MAX = 1 << 20, /* decoded at once: a piece, grown by its decoding */
    DOCUMENT_MEMBER_BYTES_MAX = 4096,
};

struct reader;

struct reader_ops {
    enum err (*feed)(struct reader *reader, struct slice bytes);
    enum err (*end)(struct reader *reader);
    void (*free)(struct reader *reader);
};

/* The beginning of each reader. */
struct reader {
    const struct reader_ops *ops;
    struct document *document;
    struct slice member; /* of whoever made the reader */
    unsigned depth;
    bool is_dead; /* it could not be read; the rest of it is passed over */
};

struct document {
    struct document_config config;
    struct reader *root;
    struct buf root_member; /* empty */
    struct charset charset; /* of encoded words */
    uint64_t packed, unpacked;
    uint32_t tools_took_ms;
    bool has_trouble, is_direct; /* read from config.fd */
    struct extract *idle;        /* one that nobody uses */
    struct fault fault;          /* of the reader that fails now */
};

/* Errors that end one reader only are told as trouble here, with the fault it has left. */
enum err reader_feed(struct reader *reader, struct slice bytes) MUST_USE;
enum err reader_end(struct reader *reader) MUST_USE;
void reader_free(struct reader *reader); /* safe on NULL */
void reader_init(struct reader *reader, const struct reader_ops *ops, const struct reader *parent,
                 struct slice member);
/* Leaves a fault for whoever tells it; returns err. */
enum err reader_fail(struct reader *reader, enum err err, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Of an error that reader_fail has left: it is told as trouble, the reader is dead, and all goes on. Others are returned. */
enum err reader_settle(struct reader *reader, enum err e) MUST_USE;
enum err reader_check_go_on(struct reader *reader) MUST_USE;
/* Counts what came out of an archive. ERR_LIMIT: it is too much. */
enum err reader_count_unpacked(struct reader *reader, size_t bytes) MUST_USE;
/* parent's member, a slash, and the name; in *out, which the caller owns. */
enum err reader_member_write(const struct reader *parent, struct slice name, struct buf *out)
    MUST_USE;

/* Makers of readers. member must outlive what they make. ERR_NOMEM. */

/* Whatever its bytes say it is. parent's depth and one. */
enum err any_reader_new(const struct reader *parent, struct slice member, struct reader **out)
    MUST_USE;
/* The rest are of parent's depth. */
enum err text_reader_new(const struct reader *parent, struct reader **out) MUST_USE;
enum err markup_reader_new(const struct reader *parent, enum sniff_kind kind, struct reader **out)
    MUST_USE;
enum err mail_reader_new(const struct reader *parent, bool is_mbox, struct reader **out) MUST_USE;
enum err card_reader_new(const struct reader *parent, enum sniff_kind kind, struct reader **out)
    MUST_USE;
enum err gzip_reader_new(const struct reader *parent, struct reader **out) MUST_USE;
enum err tar_reader_new(const struct reader *parent, struct reader **out) MUST_USE;
/* PDF or ZIP: what needs the whole file. */
enum err whole_reader_new(const struct reader *parent, enum sniff_kind kind, struct reader **out)
    MUST_USE;
/* Text of another charset, as UTF-8 to what reads it then; inner is the new reader's, and freed where there is none. A
 * charset that nobody knows changes nothing. */
enum err charset_reader_new(const struct reader *parent, struct slice charset, struct reader *inner,
                            struct reader **out) MUST_USE;

/* What the whole file is read with; fd stands anywhere. */
enum err zip_read(struct reader *reader, int fd) MUST_USE;
enum err pdf_read(struct reader *reader, int fd) MUST_USE;
/* Each sheet of a workbook. ERR_SYNTAX: it is none. */
enum err workbook_read(struct reader *reader, int fd) MUST_USE;

/* The addresses of a text. */
struct finder {
    struct document *document;
    struct extract *extract;
    struct document_place place;
    bool counts_lines; /* else place.number is that of all of the text */
};

enum err finder_open(struct finder *finder, const struct reader *reader) MUST_USE;
void finder_close(struct finder *finder); /* safe on a zeroed one */
enum err finder_feed(struct finder *finder, struct slice text) MUST_USE;
/* From here on the text's pages are counted, from 1; a form feed ends one, and no address goes over it. */
void finder_begin_pages(struct finder *finder);
enum err finder_feed_pages(struct finder *finder, struct slice text) MUST_USE;
/* The text is over; the next one has nothing to do with it. */
enum err finder_end(struct finder *finder) MUST_USE;

#endif
