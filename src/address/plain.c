/* address/plain: nearly every address there is, in one pass: letters, digits and a few marks, and a host name of more
 * than digits. What is anything else, or wrong, is left to the whole parser, whose answer would be the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "address/parse_private.h"
#include "base/slice.h"

/* What stands for each byte: letters in lower case, digits, hyphen and dot for themselves, a plus sign for other marks of a
 * local part, 0 for all that is not plain. Letters and digits are those from '0' on. */
static const char plain[UCHAR_MAX + 1] = {
    ['.'] = '.', ['-'] = '-', ['+'] = '+', ['_'] = '+', ['0'] = '0', ['1'] = '1', ['2'] = '2',
    ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g',
    ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n',
    ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u',
    ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z', ['a'] = 'a', ['b'] = 'b',
    ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p',
    ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w',
    ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

static char plain_of(char c)
{
    return plain[(unsigned char)c];
}

/* 0: not plain, or no @ follows. */
static size_t local_of(struct slice text)
{
    size_t at = 0;
    char before = '.';
    while (at < text.len) {
        char c = plain_of(text.at[at]);
        if (c == '\0' || (c == '.' && before == '.')) {
            break;
        }
        before = c;
        at++;
    }
    bool is_whole = at < text.len && text.at[at] == '@' && at <= HEL_LOCAL_BYTES_MAX;
    return is_whole && before != '.' ? at : 0;
}

static bool has_letter(struct slice label)
{
    for (size_t i = 0; i < label.len; i++) {
        if (label.at[i] >= 'a') {
            return true;
        }
    }
    return false;
}

/* Two hyphens together may begin an A-label; a last label without a letter may be a number. */
static bool take_domain(struct slice domain, char *to)
{
    size_t label = 0;
    size_t run = 0; /* of letters and digits, which has to have one */
    for (size_t i = 0; i < domain.len; i++) {
        char c = plain_of(domain.at[i]);
        to[i] = c;
        if (c >= '0') {
            continue;
        }
        bool is_host = c == '.' || c == '-';
        if (!is_host || i == run || i - label > HEL_LABEL_BYTES_MAX) {
            return false;
        }
        run = i + 1;
        label = c == '.' ? run : label;
    }
    struct slice last = slice_make(to + label, domain.len - label);
    return label > 0 && run < domain.len && last.len <= HEL_LABEL_BYTES_MAX && has_letter(last);
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
