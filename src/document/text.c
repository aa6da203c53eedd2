/* document/text: plain text, HTML and XML, and text of other charsets.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "decode/markup.h"
#include "document/document_private.h"

enum { STEP_BYTES = 65536 }; /* what is decoded at once */

/* Plain text. */

struct text_reader {
    struct reader base;
    struct finder finder;
};

static enum err text_feed(struct reader *reader, struct slice bytes)
{
    return finder_feed(&((struct text_reader *)reader)->finder, bytes);
}

static enum err text_end(struct reader *reader)
{
    return finder_end(&((struct text_reader *)reader)->finder);
}

static void text_free(struct reader *reader)
{
    finder_close(&((struct text_reader *)reader)->finder);
    free(reader);
}

enum err text_reader_new(const struct reader *parent, struct reader **out)
{
    static const struct reader_ops ops = {.feed = text_feed, .end = text_end, .free = text_free};
    struct text_reader *text = calloc(1, sizeof *text);
    if (text == NULL) {
        return ERR_NOMEM;
    }
    reader_init(&text->base, &ops, parent, parent->member);
    enum err e = finder_open(&text->finder, &text->base);
    if (e != ERR_NONE) {
        free(text);
        return e;
    }
    *out = &text->base;
    return ERR_NONE;
}

/* HTML and XML. */

struct markup_reader {
    struct reader base;
    struct finder finder;
    struct markup *markup;
    struct buf text;
};

static enum err give_text(struct markup_reader *markup, enum err e)
{
    e = e == ERR_NONE ? finder_feed(&markup->finder, buf_view(&markup->text)) : e;
    buf_clear(&markup->text);
    return e;
}

static enum err markup_reader_feed(struct reader *reader, struct slice bytes)
{
    struct markup_reader *markup = (struct markup_reader *)reader;
    enum err e = ERR_NONE;
    while (bytes.len > 0 && e == ERR_NONE) {
        e = markup_feed(markup->markup, slice_sub(bytes, 0, STEP_BYTES), &markup->text);
        e = give_text(markup, e);
        bytes = slice_sub(bytes, STEP_BYTES, bytes.len);
    }
    return e;
}

static enum err markup_reader_end(struct reader *reader)
{
    struct markup_reader *markup = (struct markup_reader *)reader;
    enum err e = give_text(markup, markup_end(markup->markup, &markup->text));
    return e == ERR_NONE ? finder_end(&markup->finder) : e;
}

static void markup_reader_free(struct reader *reader)
{
    struct markup_reader *markup = (struct markup_reader *)reader;
    finder_close(&markup->finder);
    markup_free(markup->markup);
    buf_done(&markup->text);
    free(markup);
}

enum err markup_reader_new(const struct reader *parent, enum sniff_kind kind, struct reader **out)
{
    static const struct reader_ops ops = {
        .feed = markup_reader_feed, .end = markup_reader_end, .free = markup_reader_free};
    const struct markup_config config = {
        .dialect = kind == SNIFF_HTML     ? MARKUP_HTML
                   : kind == SNIFF_OFFICE ? MARKUP_OFFICE
                                          : MARKUP_XML,
        .wants_hidden = parent->document->config.wants_hidden,
    };
    struct markup_reader *markup = calloc(1, sizeof *markup);
    if (markup == NULL) {
        return ERR_NOMEM;
    }
    reader_init(&markup->base, &ops, parent, parent->member);
    buf_init(&markup->text, DOCUMENT_TEXT_BYTES_MAX);
    enum err e = markup_new(&config, &markup->markup);
    e = e == ERR_NONE ? finder_open(&markup->finder, &markup->base) : e;
    if (e != ERR_NONE) {
        markup_reader_free(&markup->base);
        return e;
    }
    *out = &markup->base;
    return ERR_NONE;
}

/* Another charset. */

struct charset_reader {
    struct reader base;
    struct reader *inner;
    struct charset charset;
    struct buf text;
};

static enum err give_converted(struct charset_reader *reader, enum err e)
{
    e = e == ERR_NONE ? reader_feed(reader->inner, buf_view(&reader->text)) : e;
    buf_clear(&reader->text);
    return e;
}

static enum err charset_reader_feed(struct reader *base, struct slice bytes)
{
    struct charset_reader *reader = (struct charset_reader *)base;
    enum err e = ERR_NONE;
    while (bytes.len > 0 && e == ERR_NONE) {
        e = charset_feed(&reader->charset, slice_sub(bytes, 0, STEP_BYTES), &reader->text);
        e = give_converted(reader, e);
        bytes = slice_sub(bytes, STEP_BYTES, bytes.len);
    }
    return e;
}

static enum err charset_reader_end(struct reader *base)
{
    struct charset_reader *reader = (struct charset_reader *)base;
    enum err e = give_converted(reader, charset_end(&reader->charset, &reader->text));
    return e == ERR_NONE ? reader_end(reader->inner) : e;
}

static void charset_reader_free(struct reader *base)
{
    struct charset_reader *reader = (struct charset_reader *)base;
    reader_free(reader->inner);
    charset_done(&reader->charset);
    buf_done(&reader->text);
    free(reader);
}

enum err charset_reader_new(const struct reader *parent, struct slice charset, struct reader *inner,
                            struct reader **out)
{
    static const struct reader_ops ops = {
        .feed = charset_reader_feed, .end = charset_reader_end, .free = charset_reader_free};
    struct charset_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        reader_free(inner);
        *out = NULL;
        return ERR_NOMEM;
    }
    reader_init(&reader->base, &ops, parent, parent->member);
    reader->inner = inner;
    buf_init(&reader->text, DOCUMENT_TEXT_BYTES_MAX);
    charset_set(&reader->charset, charset);
    *out = &reader->base;
    return ERR_NONE;
}
