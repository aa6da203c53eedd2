/* dns/spf_record: the terms of an SPF record (RFC 7208 4.6.1, 5, 6, 12).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "dns/spf_private.h"

static const struct {
    const char *name;
    enum spf_kind kind;
} mechanisms[] = {
    {"all", SPF_ALL}, {"include", SPF_INCLUDE}, {"a", SPF_A},     {"mx", SPF_MX},
    {"ptr", SPF_PTR}, {"ip4", SPF_IP4},         {"ip6", SPF_IP6}, {"exists", SPF_EXISTS},
};

static bool is_name_byte(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_' || c == '.';
}

static bool is_not_space(char c)
{
    return c != ' ';
}

static enum spf_result read_qualifier(struct reader *r)
{
    if (reader_literal(r, SLICE("-"))) {
        return SPF_FAIL;
    }
    if (reader_literal(r, SLICE("~"))) {
        return SPF_SOFTFAIL;
    }
    if (reader_literal(r, SLICE("?"))) {
        return SPF_NEUTRAL;
    }
    (void)reader_literal(r, SLICE("+"));
    return SPF_PASS;
}

/* RFC 7208 5.6: no zero in front. */
static bool read_bits(struct slice digits, uint8_t max, uint8_t *out)
{
    struct reader r = reader_over(digits);
    uint64_t bits;
    if (!reader_number(&r, max, &bits) || !reader_is_done(&r) ||
        (digits.len > 1 && digits.at[0] == '0')) {
        return false;
    }
    *out = (uint8_t)bits;
    return true;
}

static bool is_number(struct slice s)
{
    struct reader r = reader_over(s);
    return reader_while(&r, ascii_is_digit).len == s.len;
}

/* Where the text ends with a slash and digits, or with a slash alone. */
static bool find_length(struct slice text, size_t *out_slash)
{
    *out_slash = slice_find_last_byte(text, '/');
    return *out_slash < text.len && is_number(slice_sub(text, *out_slash + 1, text.len));
}

/* RFC 7208 5.6: dual-cidr-length at the end of *text, which is cut off. */
static bool read_dual_length(struct slice *text, struct spf_term *out)
{
    size_t slash;
    out->bits_v4 = 32;
    out->bits_v6 = 128;
    if (find_length(*text, &slash) && slash > 0 && text->at[slash - 1] == '/') {
        if (!read_bits(slice_sub(*text, slash + 1, text->len), 128, &out->bits_v6)) {
            return false;
        }
        *text = slice_sub(*text, 0, slash - 1);
    }
    if (find_length(*text, &slash)) {
        if (!read_bits(slice_sub(*text, slash + 1, text->len), 32, &out->bits_v4)) {
            return false;
        }
        *text = slice_sub(*text, 0, slash);
    }
    return true;
}

/* ":" and a domain-spec, or nothing where that is allowed. */
static bool read_target(struct slice rest, bool is_needed, struct spf_term *out)
{
    if (rest.len == 0) {
        return !is_needed;
    }
    out->domain_spec = slice_sub(rest, 1, rest.len);
    return rest.at[0] == ':' && spf_macro_check(out->domain_spec, SPF_MACRO_TARGET);
}

/* RFC 7208 5.6: ":" and a network. */
static bool read_network(struct slice rest, uint8_t family, struct spf_term *out)
{
    struct slice text = slice_sub(rest, 1, rest.len);
    size_t slash = slice_find_byte(text, '/', 0);
    uint8_t bits_max = family == IP_V4 ? 32 : 128;
    out->net.bits = bits_max;
    return rest.len > 0 && rest.at[0] == ':' && ip_parse(slice_sub(text, 0, slash), &out->net.ip) &&
           out->net.ip.family == family &&
           (slash == text.len ||
            read_bits(slice_sub(text, slash + 1, text.len), bits_max, &out->net.bits));
}

static bool read_mechanism(struct reader *r, struct spf_term *out)
{
    out->result = read_qualifier(r);
    struct slice name = reader_while(r, is_name_byte);
    struct slice rest = r->rest;
    size_t i = 0;
    size_t count = sizeof mechanisms / sizeof *mechanisms;
    while (i < count && !slice_equal_nocase(name, slice_of(mechanisms[i].name))) {
        i++;
    }
    if (i == count) {
        return false;
    }
    out->kind = mechanisms[i].kind;
    switch (out->kind) {
    case SPF_ALL: return rest.len == 0;
    case SPF_INCLUDE:
    case SPF_EXISTS: return read_target(rest, true, out);
    case SPF_A:
    case SPF_MX: return read_dual_length(&rest, out) && read_target(rest, false, out);
    case SPF_PTR: return read_target(rest, false, out);
    case SPF_IP4: return read_network(rest, IP_V4, out);
    case SPF_IP6: return read_network(rest, IP_V6, out);
    case SPF_REDIRECT:
    case SPF_EXPLANATION:
    case SPF_MODIFIER: break;
    }
    return false;
}

/* RFC 7208 6: name "=" macro-string. */
static bool read_modifier(struct slice name, struct slice value, struct spf_term *out)
{
    out->kind = slice_equal_nocase(name, SLICE("redirect")) ? SPF_REDIRECT
                : slice_equal_nocase(name, SLICE("exp"))    ? SPF_EXPLANATION
                                                            : SPF_MODIFIER;
    out->domain_spec = value;
    return spf_macro_check(value, out->kind == SPF_MODIFIER ? SPF_MACRO_VALUE : SPF_MACRO_TARGET);
}

static bool read_term(struct spf_term *out)
{
    struct reader r = reader_over(out->text);
    struct slice name = reader_while(&r, is_name_byte);
    if (name.len > 0 && ascii_is_alpha(name.at[0]) && reader_literal(&r, SLICE("="))) {
        return read_modifier(name, r.rest, out);
    }
    r = reader_over(out->text);
    return read_mechanism(&r, out);
}

enum spf_read spf_term_next(struct reader *r, struct spf_term *out)
{
    while (reader_literal(r, SLICE(" "))) {
    }
    if (reader_is_done(r)) {
        return SPF_READ_END;
    }
    *out = (struct spf_term){.text = reader_while(r, is_not_space)};
    return read_term(out) ? SPF_READ_TERM : SPF_READ_BAD;
}

bool spf_record_check(struct slice terms, struct spf_modifiers *out, struct slice *out_bad)
{
    struct reader r = reader_over(terms);
    struct spf_modifiers modifiers = {0};
    struct spf_term term;
    enum spf_read read = spf_term_next(&r, &term);
    for (; read == SPF_READ_TERM; read = spf_term_next(&r, &term)) {
        struct spf_term *place = term.kind == SPF_REDIRECT      ? &modifiers.redirect
                                 : term.kind == SPF_EXPLANATION ? &modifiers.explanation
                                                                : NULL;
        if (place != NULL && place->text.len > 0) { /* RFC 7208 6: at most once each */
            *out_bad = term.text;
            return false;
        }
        if (place != NULL) {
            *place = term;
        }
    }
    *out = modifiers;
    *out_bad = read == SPF_READ_BAD ? term.text : SLICE_NONE;
    return read == SPF_READ_END;
}
