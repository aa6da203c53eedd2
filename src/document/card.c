/* document/card: vCards and LDIF, a line at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "decode/folded.h"
#include "document/document_private.h"

struct card_reader {
    struct reader base;
    struct folded *lines;
    struct finder finder;
    struct buf text;
};

/* UID, and what points at one, are made up by programs. */
static bool is_made_up(struct slice name)
{
    struct slice word = slice_sub(name, 0, slice_find_byte(name, ';', 0));
    size_t dot = slice_find_last_byte(word, '.');
    word = dot < word.len ? slice_sub(word, dot + 1, word.len) : word;
    return slice_equal_nocase(word, SLICE("UID")) || slice_equal_nocase(word, SLICE("PHOTO")) ||
           slice_equal_nocase(word, SLICE("LOGO")) || slice_equal_nocase(word, SLICE("SOUND")) ||
           slice_equal_nocase(word, SLICE("jpegPhoto")) ||
           slice_equal_nocase(word, SLICE("userCertificate"));
}

static enum err take_line(struct card_reader *card, const struct folded_line *line)
{
    if (is_made_up(line->name)) {
        return ERR_NONE;
    }
    struct charset *charset = &card->base.document->charset;
    card->finder.place.number = line->number;
    buf_clear(&card->text);
    charset_set(charset, line->charset);
    enum err e = charset_feed(charset, line->value, &card->text);
    e = e == ERR_NONE ? charset_end(charset, &card->text) : e;
    e = e == ERR_NONE ? finder_feed(&card->finder, buf_view(&card->text)) : e;
    return e == ERR_NONE ? finder_end(&card->finder) : e;
}

static enum err take_lines(struct card_reader *card)
{
    for (;;) {
        struct folded_line line;
        bool is_line;
        enum err e = folded_next(card->lines, &line, &is_line);
        if (e != ERR_NONE || !is_line) {
            return e;
        }
        e = take_line(card, &line);
        if (e != ERR_NONE) {
            return e;
        }
    }
}

static enum err feed(struct reader *reader, struct slice bytes)
{
    struct card_reader *card = (struct card_reader *)reader;
    folded_feed(card->lines, bytes);
    return take_lines(card);
}

static enum err end(struct reader *reader)
{
    struct card_reader *card = (struct card_reader *)reader;
    folded_end(card->lines);
    return take_lines(card);
}

static void card_free(struct reader *reader)
{
    struct card_reader *card = (struct card_reader *)reader;
    finder_close(&card->finder);
    folded_free(card->lines);
    buf_done(&card->text);
    free(card);
}

enum err card_reader_new(const struct reader *parent, enum sniff_kind kind, struct reader **out)
{
    static const struct reader_ops ops = {.feed = feed, .end = end, .free = card_free};
    struct card_reader *card = calloc(1, sizeof *card);
    if (card == NULL) {
        return ERR_NOMEM;
    }
    reader_init(&card->base, &ops, parent, parent->member);
    buf_init(&card->text, DOCUMENT_TEXT_BYTES_MAX);
    enum err e = folded_new(kind == SNIFF_VCARD ? FOLDED_VCARD : FOLDED_LDIF, &card->lines);
    e = e == ERR_NONE ? finder_open(&card->finder, &card->base) : e;
    card->finder.counts_lines = false;
    if (e != ERR_NONE) {
        card_free(&card->base);
        return e;
    }
    *out = &card->base;
    return ERR_NONE;
}
