/* address/clean: takes off what people paste around an address: names and brackets, mailto:, byte order
 * marks, spaces of all kinds, trailing punctuation, full-width characters. The same for every door.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "address/parse_private.h"
#include "base/slice.h"
#include "base/text.h"

static bool is_blank(unsigned code)
{
    return code == ' ' || code == '\t' || code == '\r' || code == '\n' || code == 0xa0 ||
           (code >= 0x2000 && code <= 0x200f) || code == 0x202f || code == 0x205f ||
           code == 0x2060 || code == 0x3000 || code == 0xfeff;
}

/* What is cut in front moves the first column. */
static struct slice cut_front(struct parse *parse, struct slice s, size_t bytes)
{
    struct slice cut = slice_sub(s, 0, bytes);
    while (cut.len > 0) {
        unsigned code;
        size_t step = text_utf8_next(cut, &code);
        cut = slice_sub(cut, step == 0 ? 1 : step, cut.len);
        parse->first_column++;
    }
    return slice_sub(s, bytes, s.len);
}

/* The length of the last character, and its code. */
static size_t last_char(struct slice s, unsigned *out_code)
{
    if (s.len > 0 && (unsigned char)s.at[s.len - 1] < 0x80) {
        *out_code = (unsigned char)s.at[s.len - 1];
        return 1;
    }
    for (size_t n = 1; n <= 4 && n <= s.len; n++) {
        if (text_utf8_next(slice_sub(s, s.len - n, s.len), out_code) == n) {
            return n;
        }
    }
    return 0;
}

static struct slice trim(struct parse *parse, struct slice s)
{
    unsigned code = 0;
    size_t step = text_utf8_next(s, &code);
    while (step > 0 && is_blank(code)) {
        s = cut_front(parse, s, step);
        step = text_utf8_next(s, &code);
    }
    step = last_char(s, &code);
    while (step > 0 && is_blank(code)) {
        s.len -= step;
        step = last_char(s, &code);
    }
    return s;
}

static struct slice trim_punctuation(struct parse *parse, struct slice s)
{
    for (;;) {
        s = trim(parse, s);
        unsigned code = 0;
        size_t step = last_char(s, &code);
        bool is_cut = s.len > step && (code == ';' || code == ',' || code == '.' || code == 0x3002);
        if (!is_cut) {
            return s;
        }
        s.len -= step;
    }
}

/* Where the byte first stands outside of quotes; s.len: nowhere. */
static size_t find_unquoted(struct slice s, char byte)
{
    bool is_quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        if (is_quoted && s.at[i] == '\\') {
            i++;
        } else if (s.at[i] == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && s.at[i] == byte) {
            return i;
        }
    }
    return s.len;
}

/* `Name <a@b>`: what stands between the '<' and the '>' at the end, RFC 5322 3.4. A name with a single quote
 * in it (5" disk) is no quoted string: then the last '<' counts. */
static enum err inside_brackets(struct parse *parse, struct slice *s)
{
    if (s->len == 0 || s->at[s->len - 1] != '>') {
        return ERR_NONE;
    }
    size_t open = find_unquoted(*s, '<');
    open = open == s->len ? slice_find_last_byte(*s, '<') : open;
    if (open == s->len) {
        return ERR_NONE;
    }
    struct slice name = slice_sub(*s, 0, open);
    *s = cut_front(parse, *s, open + 1);
    s->len--;
    bool is_more = find_unquoted(*s, '<') < s->len || find_unquoted(*s, '>') < s->len ||
                   find_unquoted(name, '>') < name.len;
    if (is_more) {
        return address_fail(parse, 0, "more than one address stands here");
    }
    *s = trim(parse, *s);
    return ERR_NONE;
}

/* Line ends at both ends of the text were cut as spaces; anywhere else they are no part of an address. */
static enum err check_lines(struct parse *parse, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '\r' || s.at[i] == '\n' || s.at[i] == '\0') {
            (void)cut_front(parse, s, i);
            return address_fail(parse, 0, "a control character (%d) stands here", s.at[i]);
        }
    }
    return ERR_NONE;
}

static int hex(char c)
{
    if (ascii_is_digit(c)) {
        return c - '0';
    }
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* mailto: (RFC 6068): its %XX are decoded, its headers cut. Nowhere else is a % anything but itself. */
static size_t decode_mailto(struct slice s, char *to)
{
    size_t len = 0;
    for (size_t i = 0; i < s.len && s.at[i] != '?'; i++) {
        bool is_escape =
            s.at[i] == '%' && i + 2 < s.len && hex(s.at[i + 1]) >= 0 && hex(s.at[i + 2]) >= 0;
        if (is_escape) {
            to[len++] = (char)(hex(s.at[i + 1]) * 16 + hex(s.at[i + 2]));
            i += 2;
        } else {
            to[len++] = s.at[i];
        }
    }
    return len;
}

static enum err open_mailto(struct parse *parse, struct slice *s)
{
    *s = cut_front(parse, *s, 7);
    size_t len = decode_mailto(*s, parse->text);
    *s = slice_make(parse->text, len);
    if (!text_is_utf8(*s)) {
        return address_fail(parse, 0, "the text behind mailto: is not UTF-8");
    }
    return check_lines(parse, *s);
}

static bool has_ascii_at(struct slice s)
{
    return slice_find_byte(s, '@', 0) < s.len;
}

/* Full-width and small commercial at (U+FF20, U+FE6B) where no plain one stands. */
static void narrow_at(struct parse *parse)
{
    struct slice all = slice_make(parse->text, parse->len);
    if (has_ascii_at(all)) {
        return;
    }
    for (size_t i = 0; i + 3 <= parse->len; i++) {
        bool is_wide = memcmp(parse->text + i, "\xef\xbc\xa0", 3) == 0 ||
                       memcmp(parse->text + i, "\xef\xb9\xab", 3) == 0;
        if (is_wide) {
            parse->text[i] = '@';
            memmove(parse->text + i + 1, parse->text + i + 3, parse->len - i - 3);
            parse->len -= 2;
            return;
        }
    }
}

enum err address_clean(struct slice given, struct parse *parse)
{
    if (given.len > PARSE_TEXT_BYTES_MAX) {
        return address_fail(parse, 0, "the text is longer than %d bytes",
                            (int)PARSE_TEXT_BYTES_MAX);
    }
    if (!text_is_utf8(given)) {
        return address_fail(parse, 0, "the text is not UTF-8");
    }
    struct slice s = trim_punctuation(parse, given);
    enum err e = check_lines(parse, s);
    if (e == ERR_NONE) {
        e = inside_brackets(parse, &s);
    }
    if (e == ERR_NONE && slice_starts_nocase(s, SLICE("mailto:"))) {
        e = open_mailto(parse, &s);
    }
    if (e != ERR_NONE) {
        return e;
    }
    s = trim_punctuation(parse, s);
    if (s.len > 0) {
        memmove(parse->text, s.at, s.len);
    }
    parse->len = s.len;
    narrow_at(parse);
    parse->text[parse->len] = '\0';
    if (parse->len == 0) {
        return address_fail(parse, 0, "there is no address");
    }
    return ERR_NONE;
}
