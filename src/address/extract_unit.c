/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "address/extract_private.h"
#include "base/reader.h"
#include "base/slice.h"
#include "base/text.h"

enum {
    REFERENCE_BYTES_MAX = 16, /* &#x0000000040; */
    GAP_BYTES_MAX = 8,        /* spaces around a word */
    CONTROL_SEQUENCE_INTRODUCER = 0x9b,
    FULLWIDTH_AT = 0xff20,
};

static bool hex_digit(char c, unsigned *out)
{
    char lower = ascii_lower(c);
    bool is_letter = lower >= 'a' && lower <= 'f';
    if (!is_letter && !ascii_is_digit(c)) {
        return false;
    }
    *out = is_letter ? (unsigned)(lower - 'a') + 10 : (unsigned)(c - '0');
    return true;
}

static struct extract_unit one(unsigned code, size_t len)
{
    return (struct extract_unit){.code = code, .len = len};
}

/* The digits of &#64; and &#x40; text begins behind the '#'. */
static bool numeric_reference(struct slice text, unsigned *out_code, size_t *out_len)
{
    bool is_hex = text.len > 0 && ascii_lower(text.at[0]) == 'x';
    size_t at = is_hex ? 1 : 0;
    size_t begin = at;
    unsigned code = 0;
    unsigned digit;
    while (at < text.len && at < REFERENCE_BYTES_MAX && hex_digit(text.at[at], &digit) &&
           (is_hex || digit < 10)) {
        code = code > 0x110000 ? code : code * (is_hex ? 16 : 10) + digit;
        at++;
    }
    if (at == begin || at == text.len || text.at[at] != ';' || code == 0 || code > 0x10ffff) {
        return false;
    }
    *out_code = code;
    *out_len = at + 1;
    return true;
}

/* Of HTML's named references those that occur in or around addresses. */
static struct extract_unit reference_at(struct slice text)
{
    static const struct {
        struct slice name;
        unsigned code;
    } named[] = {
        {SLICE_LITERAL("&commat;"), '@'}, {SLICE_LITERAL("&period;"), '.'},
        {SLICE_LITERAL("&lowbar;"), '_'}, {SLICE_LITERAL("&plus;"), '+'},
        {SLICE_LITERAL("&lt;"), '<'},     {SLICE_LITERAL("&gt;"), '>'},
        {SLICE_LITERAL("&quot;"), '"'},   {SLICE_LITERAL("&apos;"), '\''},
        {SLICE_LITERAL("&nbsp;"), ' '},   {SLICE_LITERAL("&amp;"), '&'},
        {SLICE_LITERAL("&lt"), '<'},      {SLICE_LITERAL("&gt"), '>'},
        {SLICE_LITERAL("&quot"), '"'},    {SLICE_LITERAL("&nbsp"), ' '},
    };
    unsigned code;
    size_t len;
    if (text.len > 2 && text.at[1] == '#' &&
        numeric_reference(slice_sub(text, 2, text.len), &code, &len)) {
        return one(code, len + 2);
    }
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (slice_starts(text, named[i].name)) {
            return one(named[i].code, named[i].name.len);
        }
    }
    return one('&', 1);
}

/* What is encoded everywhere in a URL because it would part it there; '+' would be a space. */
static bool is_separator(unsigned code)
{
    return code <= ' ' || (code < 0x80 && strchr("\"&()+,/:;<=>?[]{}|", (char)code) != NULL);
}

/* Only ASCII: what else is percent-encoded is rare in addresses, and ends them. Elsewhere than in a URL '%' is a
 * character as others, but before what would never stand there. */
static struct extract_unit percent_at(struct slice text, bool is_url)
{
    unsigned high;
    unsigned low;
    if (text.len < 3 || !hex_digit(text.at[1], &high) || !hex_digit(text.at[2], &low)) {
        return one('%', 1);
    }
    unsigned code = high << 4 | low;
    if (!is_url && !is_separator(code)) {
        return one('%', 1);
    }
    struct extract_unit unit = one(code < 0x80 ? code : 0, 3);
    unit.is_encoded = true;
    return unit;
}

static bool is_gap(char c)
{
    return c == ' ' || c == '\t';
}

static size_t gap_at(struct slice text, size_t at)
{
    size_t len = 0;
    while (at + len < text.len && len < GAP_BYTES_MAX && is_gap(text.at[at + len])) {
        len++;
    }
    return len;
}

static char closing_of(char open)
{
    switch (open) {
    case '[': return ']';
    case '(': return ')';
    case '{': return '}';
    default: return '\0';
    }
}

/* " [at] ", "(dot)", " at ": with the spaces on both sides. Bare words need them. */
static bool word_at(struct slice text, struct extract_unit *out)
{
    static const struct {
        struct slice word;
        unsigned code;
    } words[] = {{SLICE_LITERAL("at"), '@'}, {SLICE_LITERAL("dot"), '.'}};
    size_t before = gap_at(text, 0);
    char closing = before < text.len ? closing_of(text.at[before]) : '\0';
    size_t at = closing != '\0' ? before + 1 : before;
    at += closing != '\0' ? gap_at(text, at) : 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!slice_starts_nocase(slice_sub(text, at, text.len), words[i].word)) {
            continue;
        }
        size_t end = at + words[i].word.len;
        size_t gap = gap_at(text, end);
        if (closing != '\0') {
            end += gap;
            bool is_closed = end < text.len && text.at[end] == closing;
            gap = is_closed ? gap_at(text, end + 1) : 0;
            end += is_closed ? 1 : 0;
            *out = (struct extract_unit){.code = words[i].code, .len = end + gap, .is_word = true};
            return is_closed;
        }
        *out = (struct extract_unit){
            .code = words[i].code, .len = end + gap, .is_word = true, .is_bare_word = true};
        return before > 0 && gap > 0;
    }
    return false;
}

/* Soft hyphens, joiners, marks of byte order and of direction. */
static bool is_invisible(unsigned code)
{
    return code == 0xad || code == 0x200b || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) ||
           code == 0xfeff;
}

static struct extract_unit character_at(struct slice text)
{
    unsigned code;
    size_t len = text_utf8_next(text, &code);
    if (len == 0) {
        return one('\0', 1);
    }
    struct extract_unit unit = one(code, len);
    if (code == CONTROL_SEQUENCE_INTRODUCER) {
        unit = extract_sequence_at(slice_sub(text, len, text.len));
        unit.len += len;
    } else if (code == FULLWIDTH_AT) {
        unit.code = '@';
    } else {
        unit.is_nothing = code >= 0x80 && is_invisible(code);
    }
    return unit;
}

static bool may_begin_escape(char byte, struct extract_rules rules)
{
    return byte == '\x1b' || byte == '#' || byte == '^' || (byte == '\\' && !rules.is_path);
}

struct extract_unit extract_unit_at(struct slice text, struct extract_rules rules)
{
    struct extract_unit unit;
    if (text.len == 0) {
        return one('\0', 0);
    }
    char first = text.at[0];
    if (ascii_is_alnum(first)) { /* most are */
        return one((unsigned char)first, 1);
    }
    if (rules.has_words && (is_gap(first) || closing_of(first) != '\0') && word_at(text, &unit)) {
        return unit;
    }
    if (first == '&') {
        return reference_at(text);
    }
    if (first == '%') {
        return percent_at(text, rules.has_percent);
    }
    if (may_begin_escape(first, rules)) {
        unit = extract_escape_at(text);
        return unit.len > 0 ? unit : one((unsigned char)first, 1);
    }
    return character_at(text);
}

bool extract_may_begin_at_sign(char byte)
{
    return (byte != '\0' && strchr(EXTRACT_SIGN_BYTES, byte) != NULL) || is_gap(byte) ||
           closing_of(byte) != '\0';
}
