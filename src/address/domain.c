/* address/domain: the part behind the @: a host name in A-labels (RFC 1035 2.3.4, IDNA2008 by libidn2) or an
 * address literal (RFC 5321 4.1.3).
 * SPDX-License-Identifier: Apache-2.0 */
#include <idn2.h>
#include <string.h>

#include "address/parse_private.h"
#include "base/ip.h"
#include "base/slice.h"
#include "base/text.h"

static enum err put_domain(struct parse *parse, struct slice ascii, struct slice text)
{
    struct hel_address *address = parse->out;
    size_t room = sizeof address->wire - address->local_len - 2u;
    if (ascii.len > room || text.len >= sizeof address->domain_text) {
        return address_fail(parse, 0, "the domain is too long (%zu bytes)", ascii.len);
    }
    char *to = address->wire + address->local_len + 1;
    memcpy(to, ascii.at, ascii.len);
    address->wire_len = (unsigned short)(address->local_len + 1u + ascii.len);
    memcpy(address->domain_text, text.at, text.len);
    address->domain_text_len = (unsigned short)text.len;
    return ERR_NONE;
}

static enum err literal(struct parse *parse, size_t at, struct slice domain)
{
    if (domain.at[domain.len - 1] != ']') {
        return address_fail(parse, at, "the bracket that opens here is not closed");
    }
    struct slice inside = slice_sub(domain, 1, domain.len - 1);
    struct ip ip;
    bool is_six = slice_starts_nocase(inside, SLICE("IPv6:"));
    if (is_six) {
        inside = slice_sub(inside, 5, inside.len);
    }
    if (!ip_parse(inside, &ip) || (ip.family == IP_V6) != is_six) {
        return address_fail(parse, at, "this is no address like [192.0.2.1] or [IPv6:2001:db8::1]");
    }
    parse->out->is_literal = true;
    char text[IP_TEXT_BYTES + 8];
    size_t prefix = is_six ? 6 : 1;
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): ip_format writes the rest and its end */
    memcpy(text, "[IPv6:", 6);
    (void)ip_format(&ip, text + prefix);
    size_t len = strlen(text + prefix) + prefix;
    text[len++] = ']';
    return put_domain(parse, slice_make(text, len), slice_make(text, len));
}

/* of_char: how far the place of the error moves with each character of the label, 0 or 1. */
static enum err check_label(struct parse *parse, size_t at, size_t of_char, struct slice label)
{
    if (label.len == 0) {
        return address_fail(parse, at, "the domain has an empty label");
    }
    if (label.len > HEL_LABEL_BYTES_MAX) {
        return address_fail(
            parse, at, "a label of the domain has %zu bytes, at most 63 are allowed", label.len);
    }
    if (label.at[0] == '-' || label.at[label.len - 1] == '-') {
        return address_fail(parse, at, "a label of the domain begins or ends with a hyphen");
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!ascii_is_alnum(label.at[i]) && label.at[i] != '-') {
            unsigned char byte = (unsigned char)label.at[i];
            size_t place = at + i * of_char;
            bool is_shown = byte > ' ' && byte < 0x7f;
            return is_shown
                       ? address_fail(parse, place, "the character '%c' is not allowed in a domain",
                                      byte)
                       : address_fail(parse, place, "a character (%u) is not allowed in a domain",
                                      (unsigned)byte);
        }
    }
    return ERR_NONE;
}

static bool is_numeric(struct slice label)
{
    for (size_t i = 0; i < label.len; i++) {
        if (!ascii_is_digit(label.at[i])) {
            return false;
        }
    }
    return true;
}

/* at: where to point when a label is wrong; of an ASCII domain each label has a place of its own. */
static enum err check_labels(struct parse *parse, size_t at, struct slice ascii, bool is_as_given)
{
    struct slice rest = ascii;
    struct slice label = SLICE_NONE;
    size_t count = 0;
    size_t offset = at;
    while (rest.at != NULL) {
        offset = is_as_given ? at + (ascii.len - rest.len) : at;
        label = slice_cut(&rest, '.');
        enum err e = check_label(parse, offset, is_as_given ? 1 : 0, label);
        if (e != ERR_NONE) {
            return e;
        }
        parse->out->is_idn = parse->out->is_idn || slice_starts_nocase(label, SLICE("xn--"));
        count++;
    }
    if (count < 2) {
        return address_fail(parse, at, "the domain has no dot");
    }
    if (is_numeric(label)) {
        return address_fail(parse, offset, "the last label of the domain is a number");
    }
    if (ascii.len > HEL_DOMAIN_BYTES_MAX - 2) { /* two octets of framing, RFC 1035 3.1 */
        return address_fail(parse, at, "the domain has %zu bytes, at most %d are allowed",
                            ascii.len, HEL_DOMAIN_BYTES_MAX - 2);
    }
    return ERR_NONE;
}

/* A-labels for the wire; ideographic and full-width dots and letters are mapped by IDNA's own tables. */
static enum err to_ascii(struct parse *parse, size_t at, const char *domain, char **out)
{
    int result = idn2_to_ascii_8z(domain, out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (result != IDN2_OK) {
        return result == IDN2_MALLOC
                   ? ERR_NOMEM
                   : address_fail(parse, at, "the domain is no IDN: %s", idn2_strerror(result));
    }
    return ERR_NONE;
}

static enum err international(struct parse *parse, size_t at, const char *domain)
{
    char *ascii = NULL;
    enum err e = to_ascii(parse, at, domain, &ascii);
    if (e != ERR_NONE) {
        return e;
    }
    e = check_labels(parse, at, slice_of(ascii), false);
    char *text = NULL;
    if (e == ERR_NONE && idn2_to_unicode_8z8z(ascii, &text, 0) != IDN2_OK) {
        e = address_fail(parse, at, "an xn-- label of the domain does not stand for a name");
    }
    if (e == ERR_NONE) {
        e = put_domain(parse, slice_of(ascii), slice_of(text));
    }
    idn2_free(text);
    idn2_free(ascii);
    return e;
}

enum err address_parse_domain(struct parse *parse, size_t at)
{
    struct slice domain = slice_sub(slice_make(parse->text, parse->len), at, parse->len);
    if (domain.len == 0) {
        return address_fail(parse, at, "nothing stands behind @");
    }
    size_t second = slice_find_byte(domain, '@', 0);
    if (second < domain.len) {
        return address_fail(parse, at + second, "a second @ stands here");
    }
    if (memchr(domain.at, '\0', domain.len) != NULL) {
        return address_fail(parse, at, "a control character stands in the domain");
    }
    if (domain.at[0] == '[') {
        return literal(parse, at, domain);
    }
    if (!text_is_ascii(domain)) {
        return international(parse, at, parse->text + at);
    }
    UNFILLED char lower[PARSE_TEXT_BYTES_MAX];
    for (size_t i = 0; i < domain.len; i++) {
        lower[i] = ascii_lower(domain.at[i]);
    }
    struct slice ascii = slice_make(lower, domain.len);
    enum err e = check_labels(parse, at, ascii, true);
    if (e != ERR_NONE) {
        return e;
    }
    return parse->out->is_idn ? international(parse, at, parse->text + at)
                              : put_domain(parse, ascii, ascii);
}
