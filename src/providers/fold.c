/* providers/fold: see the header. One pass writes the folded bytes; masking then shrinks in place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/fold.h"

#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "base/text.h"

enum {
    LATIN_FIRST = 0xC0,
    LATIN_END = 0x180,
    CYRILLIC_CAPITAL_IO = 0x401,
    CYRILLIC_SMALL_IO = 0x451,
    CYRILLIC_CAPITAL_FIRST = 0x410,
    CYRILLIC_SMALL_FIRST = 0x430,
    CYRILLIC_SMALL_IE = 0x435,
    ENHANCED_DETAIL_MAX = 999, /* RFC 3463 2: up to three digits */
};

/* Base letters of U+00C0 to U+017F; "." where there is none. */
static const char latin_base[] = "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
                                 "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
                                 "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
_Static_assert(sizeof latin_base - 1 == LATIN_END - LATIN_FIRST, "one letter each");

struct folder {
    char *out;
    size_t len, cap;
    bool is_blank_due; /* a blank was read and stands between words */
};

static void put(struct folder *f, const char *at, size_t len)
{
    size_t blank = f->is_blank_due && f->len > 0 ? 1 : 0;
    if (f->len + blank + len > f->cap) {
        f->cap = f->len; /* full: nothing more, not even what is shorter */
        return;
    }
    if (blank == 1) {
        f->out[f->len++] = ' ';
    }
    f->is_blank_due = false;
    memcpy(f->out + f->len, at, len);
    f->len += len;
}

static void put_cyrillic(struct folder *f, unsigned point)
{
    unsigned small = point == CYRILLIC_CAPITAL_IO || point == CYRILLIC_SMALL_IO
                         ? CYRILLIC_SMALL_IE
                         : point + (CYRILLIC_SMALL_FIRST - CYRILLIC_CAPITAL_FIRST);
    char bytes[2] = {(char)(0xC0 | (small >> 6)), (char)(0x80 | (small & 0x3F))};
    put(f, bytes, sizeof bytes);
}

static void put_point(struct folder *f, struct slice raw, unsigned point)
{
    if (point == 0xA0 || point == 0x3000) { /* no-break and ideographic space */
        f->is_blank_due = true;
    } else if (point == 0xDF) {
        put(f, "ss", 2);
    } else if (point >= LATIN_FIRST && point < LATIN_END) {
        put(f, &latin_base[point - LATIN_FIRST], 1);
    } else if (point == 0x2018 || point == 0x2019) {
        put(f, "'", 1);
    } else if (point == CYRILLIC_CAPITAL_IO || point == CYRILLIC_SMALL_IO ||
               (point >= CYRILLIC_CAPITAL_FIRST && point < CYRILLIC_SMALL_FIRST)) {
        put_cyrillic(f, point);
    } else {
        put(f, raw.at, raw.len);
    }
}

/* One character, however many bytes; what is not UTF-8 is read as Latin-1. Returns bytes used. */
static size_t fold_one(struct folder *f, struct slice rest)
{
    unsigned char byte = (unsigned char)rest.at[0];
    if (byte <= ' ' || byte == 0x7F) {
        f->is_blank_due = true;
        return 1;
    }
    if (byte < 0x80) {
        char lower = ascii_lower((char)byte);
        put(f, &lower, 1);
        return 1;
    }
    unsigned point = 0;
    size_t used = text_utf8_next(rest, &point);
    if (used == 0) {
        put_point(f, slice_sub(rest, 0, 1), byte);
        return 1;
    }
    put_point(f, slice_sub(rest, 0, used), point);
    return used;
}

/* Most of a text: printable ASCII up to the next blank or other character, which is folded like all else. */
static size_t fold_ascii_run(struct folder *f, struct slice rest)
{
    size_t n = 0;
    size_t room = f->is_blank_due ? 0 : f->cap - f->len;
    while (n < rest.len && n < room && rest.at[n] > ' ' && rest.at[n] < 0x7F) {
        f->out[f->len++] = ascii_lower(rest.at[n++]);
    }
    return n;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written to through the folder */
size_t fold_text(struct slice text, char *out, size_t cap)
{
    struct folder f = {.out = out, .cap = cap};
    while (text.at != NULL && f.len < f.cap) {
        struct slice line = slice_trim(slice_cut(&text, '\n'));
        struct hel_enhanced ignored;
        size_t skip = 0;
        if (fold_enhanced(line, &ignored, &skip)) {
            line = slice_sub(line, skip, line.len);
        }
        f.is_blank_due = true;
        while (line.len > 0 && f.len < f.cap) {
            line = slice_sub(line, fold_one(&f, line), line.len);
            line = slice_sub(line, fold_ascii_run(&f, line), line.len);
        }
    }
    return f.len;
}

/* ---- masking ---- */

static bool is_word_byte(char c)
{
    return ascii_is_alnum(c) || (unsigned char)c >= 0x80;
}

static bool is_local_byte(char c)
{
    return is_word_byte(c) || (c != '\0' && strchr(".!#$%&*+-=?^_`{|}~", c) != NULL);
}

static bool is_domain_byte(char c)
{
    return is_word_byte(c) || c == '.' || c == '-';
}

/* text[from, to) becomes "@"; the tail moves up. Returns the new length. */
static size_t cut_to_mark(char *text, size_t len, size_t from, size_t to)
{
    text[from] = '@';
    memmove(text + from + 1, text + to, len - to);
    return len - (to - from) + 1;
}

static size_t mask_addresses(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '@') {
            continue;
        }
        size_t from = i;
        size_t to = i + 1;
        while (from > 0 && is_local_byte(text[from - 1])) {
            from--;
        }
        while (to < len && is_domain_byte(text[to])) {
            to++;
        }
        while (to > i + 1 && text[to - 1] == '.') {
            to--;
        }
        len = cut_to_mark(text, len, from, to);
        i = from;
    }
    return len;
}

/* Every place where word stands and fits says yes becomes "@". */
static size_t mask_word(char *text, size_t len, struct slice word,
                        bool (*fits)(struct slice text, size_t at, size_t word_len))
{
    for (size_t i = 0; word.len > 0 && i + word.len <= len; i++) {
        if (memcmp(text + i, word.at, word.len) == 0 && fits(slice_make(text, len), i, word.len)) {
            len = cut_to_mark(text, len, i, i + word.len);
        }
    }
    return len;
}

static bool fits_anywhere(struct slice text, size_t at, size_t word_len)
{
    return at + word_len <= text.len;
}

static bool fits_in_quotes(struct slice text, size_t at, size_t word_len)
{
    if (at == 0 || at + word_len >= text.len) {
        return false;
    }
    char before = text.at[at - 1];
    char after = text.at[at + word_len];
    return (before == '<' && after == '>') || (before == '(' && after == ')') ||
           (before == '[' && after == ']') ||
           (before == after && (before == '"' || before == '\''));
}

static bool fits_as_word(struct slice text, size_t at, size_t word_len)
{
    size_t end = at + word_len;
    return (at == 0 || !is_word_byte(text.at[at - 1])) &&
           (end == text.len || !is_word_byte(text.at[end]));
}

/* Whether a byte is there that an address, a domain, or something quoted has at least one of. */
bool fold_may_echo(struct slice text)
{
    static const char marks[] = "@.<([\"'";
    for (size_t i = 0; i + 1 < sizeof marks; i++) {
        if (slice_find_byte(text, marks[i], 0) < text.len) {
            return true;
        }
    }
    return false;
}

size_t fold_mask(char *text, size_t len, struct slice rcpt)
{
    if (!fold_may_echo(slice_make(text, len))) {
        return len;
    }
    UNFILLED char folded[FOLD_BYTES_MAX];
    struct slice whole = slice_make(folded, fold_text(rcpt, folded, sizeof folded));
    size_t at = slice_find_last_byte(whole, '@');
    bool has_parts = at > 0 && at < whole.len;
    if (has_parts) {
        len = mask_word(text, len, whole, fits_anywhere);
    }
    len = mask_addresses(text, len);
    if (has_parts) {
        struct slice domain = slice_sub(whole, at + 1, whole.len);
        struct slice local = slice_sub(whole, 0, at);
        bool is_quoted = local.len > 2 && local.at[0] == '"' && local.at[at - 1] == '"';
        len = mask_word(text, len, is_quoted ? slice_sub(local, 1, at - 1) : local, fits_in_quotes);
        if (slice_find_byte(domain, '.', 0) < domain.len) {
            len = mask_word(text, len, domain, fits_as_word);
        }
    }
    return len;
}

bool fold_has_word(struct slice text, struct slice word)
{
    for (size_t i = 0; word.len > 0 && i + word.len <= text.len; i++) {
        if (memcmp(text.at + i, word.at, word.len) == 0 && fits_as_word(text, i, word.len)) {
            return true;
        }
    }
    return false;
}

/* ---- enhanced codes ---- */

bool fold_enhanced(struct slice text, struct hel_enhanced *out, size_t *out_len)
{
    if (text.len < 5 || text.at[1] != '.' ||
        (text.at[0] != '2' && text.at[0] != '4' && text.at[0] != '5')) {
        return false;
    }
    struct reader r = reader_over(slice_sub(text, 2, text.len));
    uint64_t subject = 0;
    uint64_t detail = 0;
    if (!reader_number(&r, ENHANCED_DETAIL_MAX, &subject) || !reader_literal(&r, SLICE(".")) ||
        !reader_number(&r, ENHANCED_DETAIL_MAX, &detail)) {
        return false;
    }
    char next = ' ';
    if (reader_peek(&r, &next) && (next == '.' || ascii_is_alnum(next))) {
        return false;
    }
    *out = (struct hel_enhanced){(uint8_t)(text.at[0] - '0'), (uint16_t)subject, (uint16_t)detail};
    *out_len = text.len - r.rest.len;
    return true;
}

bool fold_enhanced_within(struct slice text, struct hel_enhanced *out)
{
    for (size_t i = 0; i + 6 <= text.len; i++) {
        size_t ignored = 0;
        if ((text.at[i] == '#' || text.at[i] == '(') &&
            fold_enhanced(slice_sub(text, i + 1, text.len), out, &ignored)) {
            return true;
        }
    }
    return false;
}
