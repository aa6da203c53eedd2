/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "base/text.h"
#include "decode/markup_private.h"
#include "decode/reference.h"
#include "decode/transfer.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static bool is_listed(const struct slice *names, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal_nocase(names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Phrasing content that is no picture, control or line break. */
static bool is_style(struct slice name)
{
    static const struct slice names[] = {
        SLICE_LITERAL("b"),      SLICE_LITERAL("span"),    SLICE_LITERAL("i"),
        SLICE_LITERAL("em"),     SLICE_LITERAL("strong"),  SLICE_LITERAL("font"),
        SLICE_LITERAL("u"),      SLICE_LITERAL("wbr"),     SLICE_LITERAL("small"),
        SLICE_LITERAL("mark"),   SLICE_LITERAL("code"),    SLICE_LITERAL("tt"),
        SLICE_LITERAL("sup"),    SLICE_LITERAL("sub"),     SLICE_LITERAL("big"),
        SLICE_LITERAL("s"),      SLICE_LITERAL("strike"),  SLICE_LITERAL("abbr"),
        SLICE_LITERAL("bdi"),    SLICE_LITERAL("bdo"),     SLICE_LITERAL("ins"),
        SLICE_LITERAL("del"),    SLICE_LITERAL("kbd"),     SLICE_LITERAL("samp"),
        SLICE_LITERAL("var"),    SLICE_LITERAL("nobr"),    SLICE_LITERAL("cite"),
        SLICE_LITERAL("dfn"),    SLICE_LITERAL("data"),    SLICE_LITERAL("time"),
        SLICE_LITERAL("center"), SLICE_LITERAL("acronym"), SLICE_LITERAL("label"),
    };
    return is_listed(names, COUNT(names), name);
}

/* Paragraphs, cells and breaks of word processors, spreadsheets and slides. */
static bool is_office_break(struct slice name)
{
    static const struct slice names[] = {
        SLICE_LITERAL("p"),          SLICE_LITERAL("tab"),
        SLICE_LITERAL("br"),         SLICE_LITERAL("cr"),
        SLICE_LITERAL("h"),          SLICE_LITERAL("si"),
        SLICE_LITERAL("c"),          SLICE_LITERAL("is"),
        SLICE_LITERAL("tc"),         SLICE_LITERAL("tr"),
        SLICE_LITERAL("row"),        SLICE_LITERAL("s"),
        SLICE_LITERAL("table-cell"), SLICE_LITERAL("table-row"),
        SLICE_LITERAL("line-break"), SLICE_LITERAL("instrText"),
        SLICE_LITERAL("comment"),    SLICE_LITERAL("list-item"),
        SLICE_LITERAL("annotation"), SLICE_LITERAL("Relationship"),
    };
    return is_listed(names, COUNT(names), name);
}

/* Two links side by side are two addresses; a link may begin inside one. */
bool markup_tag_joins(enum markup_dialect dialect, struct slice name, bool is_closing)
{
    bool is_link = slice_equal_nocase(name, SLICE("a")) ||
                   (dialect == MARKUP_OFFICE && slice_equal(name, SLICE("hyperlink")));
    switch (dialect) {
    case MARKUP_HTML: return is_link ? !is_closing : is_style(name);
    case MARKUP_OFFICE: return is_link ? !is_closing : !is_office_break(name);
    case MARKUP_XML: return false;
    }
    return false;
}

static enum err append_resolved(struct slice value, struct buf *out)
{
    enum err e = ERR_NONE;
    while (value.len > 0 && e == ERR_NONE) {
        unsigned code;
        size_t len = slice_find_byte(value, '&', 0);
        if (len > 0) {
            e = buf_append(out, slice_sub(value, 0, len));
        } else if (reference_read(value, &code, &len)) {
            char bytes[TEXT_UTF8_BYTES];
            e = buf_append(out, slice_make(bytes, text_utf8_write(code, bytes)));
        } else {
            len = 1;
            e = buf_append_byte(out, '&');
        }
        value = slice_sub(value, len, value.len);
    }
    return e;
}

/* In place: it only gets shorter. */
static void resolve_percent(struct buf *text, size_t from)
{
    size_t to = from;
    for (size_t i = from; i < text->len; i++) {
        bool is_encoded = text->at[i] == '%' && i + 2 < text->len &&
                          hex_value(text->at[i + 1]) < 16 && hex_value(text->at[i + 2]) < 16;
        text->at[to++] = is_encoded
                             ? (char)(hex_value(text->at[i + 1]) << 4 | hex_value(text->at[i + 2]))
                             : text->at[i];
        i += is_encoded ? 2 : 0;
    }
    text->len = to;
}

enum err markup_value_append(struct slice value, struct buf *out)
{
    size_t from = out->len;
    enum err e = append_resolved(slice_trim(value), out);
    if (e == ERR_NONE &&
        slice_starts_nocase(slice_sub(buf_view(out), from, out->len), SLICE("mailto:"))) {
        resolve_percent(out, from);
    }
    return e;
}
