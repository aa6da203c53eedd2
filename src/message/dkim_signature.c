/* message/dkim_signature: tags into values (RFC 6376 3.5), in the order in which a verifier wants to know of faults.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_signature.h"

#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "dns/tags.h"

enum { LENGTH_DIGITS_MAX = 76, TIME_MAX_DIGITS = 12 }; /* RFC 6376 3.5: l= and t= */

struct reading {
    struct tag_list tags;
    struct dkim_signature *out;
    const char *bad; /* the tag under way */
};

/* What is asked for by name; NULL: it is not there. */
static const struct tag *find(struct reading *reading, const char *name)
{
    reading->bad = name;
    return tag_find(&reading->tags, slice_of(name));
}

/* ---- names ---- */

static bool is_label_byte(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_';
}

/* RFC 6376 3.5: labels of letters, digits and hyphens; underscores stand in real ones. Lower case. */
static bool copy_name(struct slice text, char out[DNS_NAME_BYTES])
{
    struct reader r = reader_over(text);
    if (text.len == 0 || text.len >= DNS_NAME_BYTES - 1) {
        return false;
    }
    do {
        size_t len = reader_while(&r, is_label_byte).len;
        if (len == 0 || len > 63) {
            return false;
        }
    } while (reader_literal(&r, SLICE(".")));
    if (!reader_is_done(&r)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        out[i] = ascii_lower(text.at[i]);
    }
    out[text.len] = '\0';
    return true;
}

static enum dkim_fault read_names(struct reading *reading)
{
    struct dkim_signature *out = reading->out;
    const struct tag *domain = find(reading, "d");
    if (domain == NULL) {
        return DKIM_FAULT_TAG_MISSING;
    }
    if (!copy_name(domain->value, out->domain)) {
        return DKIM_FAULT_DOMAIN;
    }
    const struct tag *selector = find(reading, "s");
    if (selector == NULL) {
        return DKIM_FAULT_TAG_MISSING;
    }
    return copy_name(selector->value, out->selector) ? DKIM_FAULT_NONE : DKIM_FAULT_DOMAIN;
}

/* RFC 6376 3.5, i=: the domain behind the last "@" is that of d= or below it. */
static enum dkim_fault read_identity(struct reading *reading)
{
    struct dkim_signature *out = reading->out;
    const struct tag *identity = find(reading, "i");
    struct slice signer = slice_of(out->domain);
    if (identity == NULL) {
        return DKIM_FAULT_NONE;
    }
    out->identity = identity->value;
    size_t at = slice_find_last_byte(identity->value, '@');
    struct slice domain = slice_sub(identity->value, at + 1, identity->value.len);
    if (at == identity->value.len || !slice_ends_nocase(domain, signer)) {
        return DKIM_FAULT_IDENTITY;
    }
    out->is_identity_below = domain.len > signer.len;
    bool is_cut_at_dot = !out->is_identity_below || domain.at[domain.len - signer.len - 1] == '.';
    return is_cut_at_dot ? DKIM_FAULT_NONE : DKIM_FAULT_IDENTITY;
}

/* ---- methods ---- */

static enum dkim_fault read_version(struct reading *reading)
{
    const struct tag *version = find(reading, "v");
    if (version == NULL) {
        return DKIM_FAULT_TAG_MISSING;
    }
    return slice_equal(version->value, SLICE("1")) ? DKIM_FAULT_NONE : DKIM_FAULT_VERSION;
}

static enum dkim_fault read_algorithm(struct reading *reading)
{
    static const enum dkim_algorithm known[] = {DKIM_RSA_SHA256, DKIM_ED25519_SHA256,
                                                DKIM_RSA_SHA1};
    const struct tag *algorithm = find(reading, "a");
    if (algorithm == NULL) {
        return DKIM_FAULT_TAG_MISSING;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (slice_equal_nocase(algorithm->value, slice_of(dkim_algorithm_name(known[i])))) {
            reading->out->algorithm = known[i];
            return DKIM_FAULT_NONE;
        }
    }
    return DKIM_FAULT_ALGORITHM;
}

static bool read_canon(struct slice word, enum dkim_canon *out)
{
    *out = slice_equal_nocase(word, SLICE("relaxed")) ? DKIM_RELAXED : DKIM_SIMPLE;
    return *out == DKIM_RELAXED || slice_equal_nocase(word, SLICE("simple"));
}

/* RFC 6376 3.5, c=: the body's is simple where it is left out. */
static enum dkim_fault read_canons(struct reading *reading)
{
    struct dkim_signature *out = reading->out;
    const struct tag *canon = find(reading, "c");
    out->header_canon = DKIM_SIMPLE;
    out->body_canon = DKIM_SIMPLE;
    if (canon == NULL) {
        return DKIM_FAULT_NONE;
    }
    struct slice rest = canon->value;
    struct slice header = slice_trim(slice_cut(&rest, '/'));
    bool is_right = read_canon(header, &out->header_canon) &&
                    (rest.at == NULL || read_canon(slice_trim(rest), &out->body_canon));
    return is_right ? DKIM_FAULT_NONE : DKIM_FAULT_CANON;
}

static enum dkim_fault read_query(struct reading *reading)
{
    const struct tag *query = find(reading, "q");
    if (query == NULL) {
        return DKIM_FAULT_NONE;
    }
    struct slice rest = query->value;
    struct slice method;
    while (tag_item_next(&rest, ':', &method)) {
        if (slice_equal_nocase(method, SLICE("dns/txt"))) {
            return DKIM_FAULT_NONE;
        }
    }
    return DKIM_FAULT_QUERY;
}

/* ---- what is signed ---- */

static bool is_field_byte(char c)
{
    return c > ' ' && c < 0x7f && c != ';' && c != ':';
}

static enum dkim_fault read_headers(struct reading *reading)
{
    const struct tag *headers = find(reading, "h");
    if (headers == NULL) {
        return DKIM_FAULT_TAG_MISSING;
    }
    struct slice rest = headers->value;
    struct slice name;
    size_t count = 0;
    bool has_from = false;
    while (tag_item_next(&rest, ':', &name)) {
        struct reader r = reader_over(name);
        if (reader_while(&r, is_field_byte).len == 0 || !reader_is_done(&r) ||
            ++count > DKIM_HEADERS_MAX) {
            return DKIM_FAULT_HEADERS;
        }
        has_from = has_from || slice_equal_nocase(name, SLICE("from"));
    }
    reading->out->headers = headers->value;
    return has_from ? DKIM_FAULT_NONE : DKIM_FAULT_NO_FROM;
}

static enum dkim_fault read_hash(struct reading *reading)
{
    struct crypto_digest *hash = &reading->out->body_hash;
    size_t len;
    const struct tag *tag = find(reading, "bh");
    if (tag == NULL) {
        return DKIM_FAULT_TAG_MISSING;
    }
    bool is_right = tag_base64(tag->value, (char *)hash->bytes, sizeof hash->bytes, &len) &&
                    (len == sizeof hash->bytes || reading->out->algorithm == DKIM_RSA_SHA1);
    return is_right ? DKIM_FAULT_NONE : DKIM_FAULT_BODY_HASH;
}

static enum dkim_fault read_signature(struct reading *reading)
{
    struct dkim_signature *out = reading->out;
    const struct tag *tag = find(reading, "b");
    if (tag == NULL) {
        return DKIM_FAULT_TAG_MISSING;
    }
    bool is_right = tag_base64(tag->value, (char *)out->signature, sizeof out->signature,
                               &out->signature_bytes) &&
                    out->signature_bytes > 0;
    return is_right ? DKIM_FAULT_NONE : DKIM_FAULT_SIGNATURE;
}

/* A number, or one that is beyond all that we count. */
static bool read_digits(struct slice digits, size_t digits_max, uint64_t *out)
{
    struct reader r = reader_over(digits);
    if (reader_while(&r, ascii_is_digit).len != digits.len || digits.len == 0 ||
        digits.len > digits_max) {
        return false;
    }
    r = reader_over(digits);
    if (!reader_number(&r, UINT64_MAX, out)) {
        *out = UINT64_MAX;
    }
    return true;
}

static enum dkim_fault read_length(struct reading *reading)
{
    struct dkim_signature *out = reading->out;
    const struct tag *length = find(reading, "l");
    out->has_length = length != NULL;
    bool is_right = length == NULL || read_digits(length->value, LENGTH_DIGITS_MAX, &out->length);
    return is_right ? DKIM_FAULT_NONE : DKIM_FAULT_LENGTH;
}

static enum dkim_fault read_times(struct reading *reading)
{
    struct dkim_signature *out = reading->out;
    const struct tag *time = find(reading, "t");
    out->has_time = time != NULL;
    if (time != NULL && !read_digits(time->value, TIME_MAX_DIGITS, &out->time_s)) {
        return DKIM_FAULT_TIME;
    }
    const struct tag *expiry = find(reading, "x");
    out->has_expiry = expiry != NULL;
    if (expiry != NULL && !read_digits(expiry->value, TIME_MAX_DIGITS, &out->expiry_s)) {
        return DKIM_FAULT_TIME;
    }
    bool is_late = out->has_time && out->has_expiry && out->expiry_s <= out->time_s;
    return is_late ? DKIM_FAULT_TIME : DKIM_FAULT_NONE;
}

/* ---- all of it ---- */

static enum dkim_fault read_list(struct reading *reading, struct slice value)
{
    struct slice bad;
    switch (tag_list_read(value, &reading->tags, &bad)) {
    case TAG_FAULT_NONE: return DKIM_FAULT_NONE;
    case TAG_FAULT_DOUBLE: return DKIM_FAULT_TAG_DOUBLE;
    case TAG_FAULT_SYNTAX:
    case TAG_FAULT_TOO_MANY: break;
    }
    return DKIM_FAULT_SYNTAX;
}

enum dkim_fault dkim_signature_read(struct slice value, struct dkim_signature *out,
                                    const char **out_bad)
{
    static enum dkim_fault (*const steps[])(struct reading *) = {
        read_names,    read_version, read_algorithm, read_canons, read_query, read_headers,
        read_identity, read_hash,    read_signature, read_length, read_times,
    };
    struct reading reading = {.out = out, .bad = ""};
    *out = (struct dkim_signature){.identity = SLICE_NONE, .headers = SLICE_NONE};
    enum dkim_fault fault = read_list(&reading, value);
    if (fault != DKIM_FAULT_NONE) {
        (void)read_names(&reading); /* so that it can be told whose signature it is */
        reading.bad = "";
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps && fault == DKIM_FAULT_NONE; i++) {
        fault = steps[i](&reading);
    }
    if (out_bad != NULL) {
        *out_bad = fault == DKIM_FAULT_NONE ? "" : reading.bad;
    }
    return fault;
}
