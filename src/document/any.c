/* document/any: waits for enough bytes to tell what they are, then hands all on to the reader of that kind.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "document/document_private.h"

struct any_reader {
    struct reader base;
    struct buf head;
    struct reader *inner;
    bool is_utf8; /* a charset was converted already: what it says of itself counts no more */
};

static enum err new_of_kind(struct any_reader *any, enum sniff_kind kind, struct reader **out)
{
    const struct reader *base = &any->base;
    switch (kind) {
    case SNIFF_TEXT: return text_reader_new(base, out);
    case SNIFF_HTML:
    case SNIFF_XML:
    case SNIFF_OFFICE: return markup_reader_new(base, kind, out);
    case SNIFF_MAIL: return mail_reader_new(base, false, out);
    case SNIFF_MBOX: return mail_reader_new(base, true, out);
    case SNIFF_VCARD:
    case SNIFF_LDIF: return card_reader_new(base, kind, out);
    case SNIFF_PDF:
    case SNIFF_ZIP: return whole_reader_new(base, kind, out);
    case SNIFF_GZIP: return gzip_reader_new(base, out);
    case SNIFF_TAR: return tar_reader_new(base, out);
    }
    return ERR_STATE;
}

static bool is_container(enum sniff_kind kind)
{
    return kind == SNIFF_MAIL || kind == SNIFF_MBOX || kind == SNIFF_ZIP || kind == SNIFF_GZIP ||
           kind == SNIFF_TAR;
}

static enum err choose_inner(struct any_reader *any)
{
    struct slice head = buf_view(&any->head);
    size_t mark = 0;
    struct slice wide = any->is_utf8 ? SLICE_NONE : sniff_wide_charset(head, &mark);
    if (wide.len > 0) {
        struct reader *text;
        enum err e = any_reader_new(&any->base, any->base.member, &text);
        if (e != ERR_NONE) {
            return e;
        }
        text->depth = any->base.depth;
        ((struct any_reader *)text)->is_utf8 = true;
        buf_drop_front(&any->head, mark);
        return charset_reader_new(&any->base, wide, text, &any->inner);
    }
    enum sniff_kind kind = sniff_kind_of(head);
    if (is_container(kind) && any->base.depth > any->base.document->config.limits.depth_max) {
        return reader_fail(&any->base, ERR_LIMIT, "it is packed too often; unpack it first");
    }
    enum err e = new_of_kind(any, kind, &any->inner);
    bool is_markup = kind == SNIFF_HTML || kind == SNIFF_XML || kind == SNIFF_OFFICE;
    struct slice charset = is_markup && !any->is_utf8 ? sniff_declared_charset(head) : SLICE_NONE;
    return e == ERR_NONE && charset_is_foreign(charset)
               ? charset_reader_new(&any->base, charset, any->inner, &any->inner)
               : e;
}

static enum err begin_inner(struct any_reader *any)
{
    enum err e = choose_inner(any);
    e = e == ERR_NONE ? reader_feed(any->inner, buf_view(&any->head)) : e;
    buf_done(&any->head);
    return e;
}

static enum err feed(struct reader *reader, struct slice bytes)
{
    struct any_reader *any = (struct any_reader *)reader;
    if (any->inner != NULL) {
        return reader_feed(any->inner, bytes);
    }
    struct slice first = slice_sub(bytes, 0, SNIFF_BYTES - any->head.len);
    enum err e = buf_append(&any->head, first);
    if (e == ERR_NONE && sniff_is_decided(buf_view(&any->head))) {
        e = begin_inner(any);
        bytes = slice_sub(bytes, first.len, bytes.len);
        e = e == ERR_NONE && bytes.len > 0 ? reader_feed(any->inner, bytes) : e;
    }
    return e;
}

static enum err end(struct reader *reader)
{
    struct any_reader *any = (struct any_reader *)reader;
    enum err e = any->inner == NULL ? begin_inner(any) : ERR_NONE;
    return e == ERR_NONE ? reader_end(any->inner) : e;
}

static void any_free(struct reader *reader)
{
    struct any_reader *any = (struct any_reader *)reader;
    reader_free(any->inner);
    buf_done(&any->head);
    free(any);
}

enum err any_reader_new(const struct reader *parent, struct slice member, struct reader **out)
{
    static const struct reader_ops ops = {.feed = feed, .end = end, .free = any_free};
    struct any_reader *any = calloc(1, sizeof *any);
    if (any == NULL) {
        return ERR_NOMEM;
    }
    reader_init(&any->base, &ops, parent, member);
    any->base.depth++;
    buf_init(&any->head, SNIFF_BYTES);
    *out = &any->base;
    return ERR_NONE;
}
