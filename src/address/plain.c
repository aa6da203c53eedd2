/* address/plain: nearly every address there is, in one pass: letters, digits and a few marks, and a host name of more
 * than digits. What is anything else, or wrong, is left to the whole parser, whose answer would be the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "address/parse_private.h"
#include "base/slice.h"

/* 0: not plain, or no @ follows. */
static size_t local_of(struct slice text)
{
    size_t at = 0;
    char before = '.';
    while (at < text.len && at <= HEL_LOCAL_BYTES_MAX && text.at[at] != '@') {
        char c = text.at[at];
        bool is_dot = c == '.';
        bool is_mark = c == '-' || c == '_' || c == '+';
        if (is_dot ? before == '.' : !is_mark && !ascii_is_alnum(c)) {
            return 0;
        }
        before = c;
        at++;
    }
    bool is_whole = at < text.len && at <= HEL_LOCAL_BYTES_MAX && before != '.';
    return is_whole ? at : 0;
}

/* Two hyphens together may begin an A-label; a last label without a letter may be a number. */
static bool take_domain(struct slice domain, char *to)
{
    size_t label = 0;
    bool has_dot = false;
    bool has_letter = false;
    char before = '.';
    for (size_t i = 0; i < domain.len; i++) {
        char c = ascii_lower(domain.at[i]);
        if (c == '.' || c == '-') {
            if (before == '.' || before == '-' || i - label > HEL_LABEL_BYTES_MAX) {
                return false;
            }
            has_dot = has_dot || c == '.';
            has_letter = has_letter && c != '.';
            label = c == '.' ? i + 1 : label;
        } else if (c >= 'a' && c <= 'z') {
            has_letter = true;
        } else if (!ascii_is_digit(c)) {
            return false;
        }
        to[i] = before = c;
    }
    return has_dot && has_letter && before != '-' && domain.len - label <= HEL_LABEL_BYTES_MAX;
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
