/* address/plain: nearly every address there is, in one pass: letters, digits and a few marks, and a host name of more
 * than digits. What is anything else, or wrong, is left to the whole parser, whose answer would be the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "address/parse_private.h"
#include "base/slice.h"

enum kind { OTHER, LETTER, DIGIT, MARK, HYPHEN, DOT };

static const unsigned char kinds[UCHAR_MAX + 1] = {
    ['.'] = DOT,    ['-'] = HYPHEN, ['+'] = MARK,   ['_'] = MARK,   ['0'] = DIGIT,  ['1'] = DIGIT,
    ['2'] = DIGIT,  ['3'] = DIGIT,  ['4'] = DIGIT,  ['5'] = DIGIT,  ['6'] = DIGIT,  ['7'] = DIGIT,
    ['8'] = DIGIT,  ['9'] = DIGIT,  ['A'] = LETTER, ['B'] = LETTER, ['C'] = LETTER, ['D'] = LETTER,
    ['E'] = LETTER, ['F'] = LETTER, ['G'] = LETTER, ['H'] = LETTER, ['I'] = LETTER, ['J'] = LETTER,
    ['K'] = LETTER, ['L'] = LETTER, ['M'] = LETTER, ['N'] = LETTER, ['O'] = LETTER, ['P'] = LETTER,
    ['Q'] = LETTER, ['R'] = LETTER, ['S'] = LETTER, ['T'] = LETTER, ['U'] = LETTER, ['V'] = LETTER,
    ['W'] = LETTER, ['X'] = LETTER, ['Y'] = LETTER, ['Z'] = LETTER, ['a'] = LETTER, ['b'] = LETTER,
    ['c'] = LETTER, ['d'] = LETTER, ['e'] = LETTER, ['f'] = LETTER, ['g'] = LETTER, ['h'] = LETTER,
    ['i'] = LETTER, ['j'] = LETTER, ['k'] = LETTER, ['l'] = LETTER, ['m'] = LETTER, ['n'] = LETTER,
    ['o'] = LETTER, ['p'] = LETTER, ['q'] = LETTER, ['r'] = LETTER, ['s'] = LETTER, ['t'] = LETTER,
    ['u'] = LETTER, ['v'] = LETTER, ['w'] = LETTER, ['x'] = LETTER, ['y'] = LETTER, ['z'] = LETTER,
};

static enum kind kind_of(char c)
{
    return (enum kind)kinds[(unsigned char)c];
}

/* 0: not plain, or no @ follows. */
static size_t local_of(struct slice text)
{
    size_t at = 0;
    enum kind before = DOT;
    while (at < text.len) {
        enum kind kind = kind_of(text.at[at]);
        if (kind == OTHER || (kind == DOT && before == DOT)) {
            break;
        }
        before = kind;
        at++;
    }
    bool is_whole = at < text.len && text.at[at] == '@' && at <= HEL_LOCAL_BYTES_MAX;
    return is_whole && before != DOT ? at : 0;
}

/* Two hyphens together may begin an A-label; a last label without a letter may be a number. */
static bool take_domain(struct slice domain, char *to)
{
    size_t label = 0;
    bool has_letter = false;
    enum kind before = DOT;
    for (size_t i = 0; i < domain.len; i++) {
        enum kind kind = kind_of(domain.at[i]);
        if (kind == OTHER || kind == MARK || (kind >= HYPHEN && before >= HYPHEN) ||
            (kind == DOT && i - label > HEL_LABEL_BYTES_MAX)) {
            return false;
        }
        has_letter = kind == LETTER || (has_letter && kind != DOT);
        label = kind == DOT ? i + 1 : label;
        to[i] = kind == LETTER ? (char)(domain.at[i] | 0x20) : domain.at[i];
        before = kind;
    }
    return label > 0 && has_letter && before < HYPHEN && domain.len - label <= HEL_LABEL_BYTES_MAX;
}

bool address_is_plain(struct slice text, struct hel_address *out)
{
    UNFILLED char domain[HEL_ADDRESS_BYTES_MAX];
    size_t local_len = text.len > HEL_ADDRESS_BYTES_MAX ? 0 : local_of(text);
    struct slice given = slice_sub(text, local_len + 1, text.len);
    if (local_len == 0 || !take_domain(given, domain)) {
        return false;
    }
    memcpy(out->wire, text.at, local_len + 1);
    memcpy(out->wire + local_len + 1, domain, given.len);
    memcpy(out->domain_text, domain, given.len);
    out->wire[text.len] = out->domain_text[given.len] = '\0';
    out->wire_len = (unsigned short)text.len;
    out->local_len = (unsigned short)local_len;
    out->domain_text_len = (unsigned short)given.len;
    out->needs_smtputf8 = out->is_quoted = out->is_literal = out->is_idn = false;
    return true;
}
