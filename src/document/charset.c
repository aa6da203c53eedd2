/* SPDX-License-Identifier: Apache-2.0 */
#include "document/charset.h"

#include <errno.h>
#include <string.h>

#include "base/slice.h"

enum { PIECE_BYTES = 16384 };

static const struct slice replacement = SLICE_LITERAL("\xef\xbf\xbd");

/* iconv gives meaning to slashes, and to no name at all. */
static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.at[i]) && strchr("-_.:+", name.at[i]) == NULL) {
            return false;
        }
    }
    return name.len > 0 && name.len <= CHARSET_NAME_BYTES;
}

bool charset_is_foreign(struct slice name)
{
    static const struct slice ours[] = {SLICE_LITERAL("utf-8"), SLICE_LITERAL("utf8"),
                                        SLICE_LITERAL("us-ascii"), SLICE_LITERAL("ascii")};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (slice_equal_nocase(name, ours[i])) {
            return false;
        }
    }
    return is_name(name);
}

/* What says it is Latin-1 is Windows-1252 where it matters (WHATWG Encoding 4.2). */
static const char *known_as(const char *name)
{
    struct slice given = slice_of(name);
    bool is_latin1 = slice_equal_nocase(given, SLICE("iso-8859-1")) ||
                     slice_equal_nocase(given, SLICE("latin1"));
    return is_latin1 ? "WINDOWS-1252" : name;
}

void charset_done(struct charset *charset)
{
    if (charset->is_open) {
        (void)iconv_close(charset->converter);
    }
    *charset = (struct charset){.is_open = false};
}

void charset_set(struct charset *charset, struct slice name)
{
    if (charset->is_open && slice_equal(slice_of(charset->name), name)) {
        (void)iconv(charset->converter, NULL, NULL, NULL, NULL); /* NOLINT: cannot fail so */
        charset->held_len = 0;
        return;
    }
    charset_done(charset);
    if (charset_is_foreign(name)) {
        memcpy(charset->name, name.at, name.len);
        charset->name[name.len] = '\0';
        charset->converter = iconv_open("UTF-8", known_as(charset->name));
        charset->is_open = charset->converter != (iconv_t)-1; /* NOLINT: iconv's word for none */
    }
}

/* As much of text as can be converted; *out_used says how much. What stops it is no character, or cut. */
static enum err convert(struct charset *charset, struct slice text, size_t *out_used,
                        bool *out_is_cut, struct buf *out)
{
    enum err e = buf_reserve(out, text.len * 4 + 16);
    if (e != ERR_NONE) {
        return e;
    }
    union {
        const char *given;
        char *taken;
    } same = {.given = text.at}; /* iconv does not write there */
    char *from = same.taken;
    size_t left = text.len;
    char *to = out->at + out->len;
    size_t room = text.len * 4 + 16;
    size_t before = room;
    errno = 0;
    size_t result = iconv(charset->converter, &from, &left, &to, &room);
    out->len += before - room;
    *out_used = text.len - left;
    *out_is_cut = result == (size_t)-1 && errno == EINVAL;
    return ERR_NONE;
}

static enum err convert_all(struct charset *charset, struct slice text, struct buf *out)
{
    while (text.len > 0) {
        size_t used;
        bool is_cut;
        enum err e = convert(charset, text, &used, &is_cut, out);
        if (e != ERR_NONE) {
            return e;
        }
        text = slice_sub(text, used, text.len);
        if (is_cut && text.len <= CHARSET_HELD_BYTES / 2) {
            memcpy(charset->held, text.at, text.len);
            charset->held_len = text.len;
            return ERR_NONE;
        }
        if (text.len > 0) {
            e = buf_append(out, replacement);
            text = slice_sub(text, 1, text.len);
        }
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

enum err charset_feed(struct charset *charset, struct slice bytes, struct buf *out)
{
    if (!charset->is_open) {
        return buf_append(out, bytes);
    }
    enum err e = ERR_NONE;
    while (bytes.len > 0 && e == ERR_NONE) {
        char piece[PIECE_BYTES + CHARSET_HELD_BYTES];
        size_t len = bytes.len < PIECE_BYTES ? bytes.len : PIECE_BYTES;
        size_t held = charset->held_len;
        memcpy(piece, charset->held, held);
        memcpy(piece + held, bytes.at, len);
        charset->held_len = 0;
        bytes = slice_sub(bytes, len, bytes.len);
        e = convert_all(charset, slice_make(piece, held + len), out);
    }
    return e;
}

enum err charset_end(struct charset *charset, struct buf *out)
{
    bool is_cut = charset->held_len > 0;
    charset->held_len = 0;
    return is_cut ? buf_append(out, replacement) : ERR_NONE;
}
