/* dns/spf_macro: macro strings (RFC 7208 7): their grammar, and what they come to.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/slice.h"
#include "dns/reverse.h"
#include "dns/spf_private.h"

enum {
    PARTS_MAX = 128,   /* of one value; a domain name has no more labels */
    VALUE_BYTES = 512, /* of one macro: a sender is the longest */
    DIGITS_MAX = 999,
};

enum token_kind { TOKEN_LITERAL, TOKEN_ESCAPE, TOKEN_MACRO };

struct token {
    enum token_kind kind;
    char byte;           /* a literal; of an escape the letter behind the percent sign */
    char letter;         /* of a macro, lower case */
    bool is_url_escaped; /* the letter was upper case */
    bool is_reversed;
    unsigned count;          /* parts from the right that stay; 0: all */
    struct slice delimiters; /* empty: a dot */
};

static bool is_one_of(struct slice all, char c)
{
    return slice_find_byte(all, c, 0) < all.len;
}

static bool is_delimiter(char c)
{
    return is_one_of(SLICE(".-+,/_="), c);
}

/* What is between the braces. */
static bool read_macro(struct slice inside, struct token *out)
{
    struct reader r = reader_over(inside);
    char letter;
    uint64_t count;
    if (!reader_byte(&r, &letter) || !is_one_of(SLICE("slodiphcrtv"), ascii_lower(letter))) {
        return false;
    }
    *out = (struct token){.kind = TOKEN_MACRO,
                          .letter = ascii_lower(letter),
                          .is_url_escaped = ascii_lower(letter) != letter};
    char next = '\0';
    if (reader_peek(&r, &next) && ascii_is_digit(next)) {
        if (!reader_number(&r, DIGITS_MAX, &count) || count == 0) {
            return false;
        }
        out->count = (unsigned)count;
    }
    out->is_reversed = reader_literal_nocase(&r, SLICE("r"));
    out->delimiters = reader_while(&r, is_delimiter);
    return reader_is_done(&r);
}

/* False: what stands there is no macro string. */
static bool next_token(struct reader *r, struct token *out)
{
    struct slice inside;
    char byte;
    if (!reader_byte(r, &byte) || byte < ' ' || byte > '~') {
        return false;
    }
    if (byte != '%') {
        *out = (struct token){.kind = TOKEN_LITERAL, .byte = byte};
        return true;
    }
    if (reader_literal(r, SLICE("{"))) {
        return reader_until(r, '}', &inside) && read_macro(inside, out);
    }
    *out = (struct token){.kind = TOKEN_ESCAPE};
    return reader_byte(r, &out->byte) && is_one_of(SLICE("%_-"), out->byte);
}

/* RFC 7208 7.1: toplabel. Letters, digits and inner hyphens, not digits alone. */
static bool is_top_label(struct slice label)
{
    bool has_other = false;
    for (size_t i = 0; i < label.len; i++) {
        if (!ascii_is_alnum(label.at[i]) && label.at[i] != '-') {
            return false;
        }
        has_other = has_other || !ascii_is_digit(label.at[i]);
    }
    return has_other && label.at[0] != '-' && label.at[label.len - 1] != '-';
}

/* RFC 7208 7.1: domain-end, in the literal text behind the last macro. */
static bool is_domain_end(struct slice tail)
{
    if (tail.len == 0) {
        return true; /* ends with a macro */
    }
    if (slice_ends(tail, SLICE("."))) {
        tail.len--;
    }
    size_t dot = slice_find_last_byte(tail, '.');
    return dot < tail.len && is_top_label(slice_sub(tail, dot + 1, tail.len));
}

bool spf_macro_check(struct slice text, enum spf_macro_place place)
{
    bool is_target = place == SPF_MACRO_TARGET;
    struct reader r = reader_over(text);
    struct slice tail = text;
    while (!reader_is_done(&r)) {
        struct token token;
        if (!next_token(&r, &token)) {
            return false;
        }
        bool is_macro = token.kind == TOKEN_MACRO;
        if (is_macro && is_target && is_one_of(SLICE("crt"), token.letter)) {
            return false;
        }
        if (token.kind == TOKEN_LITERAL && token.byte == ' ' && place != SPF_MACRO_EXPLANATION) {
            return false;
        }
        if (token.kind != TOKEN_LITERAL) {
            tail = r.rest;
        }
    }
    return !is_target || (text.len > 0 && is_domain_end(tail));
}

bool spf_macro_uses(struct slice text, char letter)
{
    struct reader r = reader_over(text);
    struct token token;
    while (next_token(&r, &token)) {
        if (token.kind == TOKEN_MACRO && token.letter == letter) {
            return true;
        }
    }
    return false;
}

/* RFC 7208 7.3: dotted; the nibbles of IPv6 each a part (in capitals, as the public test suite reads them). */
static struct slice address_value(const struct ip *ip, char room[VALUE_BYTES])
{
    if (ip->family == IP_V4) {
        return slice_of(ip_format(ip, room));
    }
    static const char digits[] = "0123456789ABCDEF";
    size_t len = 0;
    for (size_t i = 0; i < 16; i++) {
        room[len++] = digits[ip->bytes[i] >> 4];
        room[len++] = '.';
        room[len++] = digits[ip->bytes[i] & 0xf];
        room[len++] = '.';
    }
    return slice_make(room, len - 1);
}

static struct slice time_value(int64_t now_s, char room[VALUE_BYTES])
{
    (void)snprintf(room, VALUE_BYTES, "%lld", (long long)now_s);
    return slice_of(room);
}

static struct slice value_of(char letter, const struct spf_names *names, char room[VALUE_BYTES])
{
    switch (letter) {
    case 's': return names->sender;
    case 'l': return names->local;
    case 'o': return names->sender_domain;
    case 'd': return names->domain;
    case 'h': return names->helo;
    case 'p': return names->validated;
    case 'i': return address_value(&names->ip, room);
    case 'v': return names->ip.family == IP_V6 ? SLICE("ip6") : SLICE("in-addr");
    case 'c': return slice_of(ip_format(&names->ip, room));
    case 'r': return names->receiver.len == 0 ? SLICE("unknown") : names->receiver;
    default: return time_value(names->now_s, room); /* t */
    }
}

/* Cuts the value at its delimiters; the last part takes what is beyond the ceiling. */
static size_t split(struct slice value, struct slice delimiters, struct slice parts[PARTS_MAX])
{
    size_t count = 0;
    size_t start = 0;
    for (size_t i = 0; i < value.len && count + 1 < PARTS_MAX; i++) {
        if (is_one_of(delimiters, value.at[i])) {
            parts[count++] = slice_sub(value, start, i);
            start = i + 1;
        }
    }
    parts[count++] = slice_sub(value, start, value.len);
    return count;
}

static enum err put(struct buf *out, struct slice text, bool is_url_escaped)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool is_plain = !is_url_escaped || ascii_is_alnum(c) || is_one_of(SLICE("-._~"), c);
        enum err e = is_plain ? buf_append_byte(out, c)
                              : buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}

static enum err expand_macro(const struct token *token, const struct spf_names *names,
                             struct buf *out)
{
    char room[VALUE_BYTES];
    struct slice parts[PARTS_MAX];
    struct slice delimiters = token->delimiters.len == 0 ? SLICE(".") : token->delimiters;
    size_t count = split(value_of(token->letter, names, room), delimiters, parts);
    size_t first = token->count == 0 || token->count >= count ? 0 : count - token->count;
    enum err e = ERR_NONE;
    for (size_t i = first; i < count && e == ERR_NONE; i++) {
        if (i > first) {
            e = buf_append_byte(out, '.');
        }
        size_t from = token->is_reversed ? count - 1 - i : i;
        e = e != ERR_NONE ? e : put(out, parts[from], token->is_url_escaped);
    }
    return e;
}

static enum err expand_escape(char byte, struct buf *out)
{
    return buf_append(out, byte == '%' ? SLICE("%") : byte == '_' ? SLICE(" ") : SLICE("%20"));
}

enum err spf_macro_expand(struct slice text, const struct spf_names *names, struct buf *out)
{
    struct reader r = reader_over(text);
    struct token token;
    while (next_token(&r, &token)) {
        enum err e = token.kind == TOKEN_MACRO    ? expand_macro(&token, names, out)
                     : token.kind == TOKEN_ESCAPE ? expand_escape(token.byte, out)
                                                  : buf_append_byte(out, token.byte);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return ERR_NONE;
}
