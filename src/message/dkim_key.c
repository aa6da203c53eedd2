/* message/dkim_key: the record's tags, and as much of DER (X.690) as tells what is in an RSA key.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_key.h"

#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "dns/tags.h"

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_SEQUENCE = 0x30,
    ED25519_BYTES = 32,
    ED25519_BITS = 256,
};

bool dkim_key_name(struct slice selector, struct slice domain, char out[DNS_NAME_BYTES])
{
    if (selector.len == 0 || domain.len == 0 ||
        selector.len + domain.len + sizeof "._domainkey." > DNS_NAME_BYTES) {
        return false;
    }
    (void)snprintf(out, DNS_NAME_BYTES, "%.*s._domainkey.%.*s", SLICE_ARG(selector),
                   SLICE_ARG(domain));
    return true;
}

/* ---- the size of an RSA key ---- */

/* One value of that tag, whose length is written in one to three bytes. */
static bool der_take(struct reader *r, uint8_t tag, struct slice *out)
{
    struct reader here = *r;
    uint8_t found, first, byte;
    if (!reader_u8(&here, &found) || found != tag || !reader_u8(&here, &first)) {
        return false;
    }
    size_t len = first;
    if (first >= 0x80) {
        len = 0;
        if (first != 0x81 && first != 0x82) {
            return false;
        }
        for (unsigned i = 0; i < (first & 0x7fu); i++) {
            if (!reader_u8(&here, &byte)) {
                return false;
            }
            len = len << 8 | byte;
        }
    }
    if (!reader_take(&here, len, out)) {
        return false;
    }
    *r = here;
    return true;
}

/* RFC 5280 4.1: SubjectPublicKeyInfo has the key in a bit string; RFC 8017 A.1.1: RSAPublicKey is the key. */
static bool find_rsa_key(struct slice bytes, struct slice *out_key)
{
    struct reader r = reader_over(bytes);
    struct slice whole, algorithm, bits;
    if (!der_take(&r, DER_SEQUENCE, &whole) || !reader_is_done(&r)) {
        return false;
    }
    r = reader_over(whole);
    if (!der_take(&r, DER_SEQUENCE, &algorithm)) {
        *out_key = whole;
        return true;
    }
    if (!der_take(&r, DER_BIT_STRING, &bits) || bits.len == 0 || bits.at[0] != 0) {
        return false;
    }
    r = reader_over(slice_sub(bits, 1, bits.len));
    return der_take(&r, DER_SEQUENCE, out_key);
}

/* Of the modulus; 0: it is no RSA key. */
static unsigned rsa_bits(struct slice bytes)
{
    struct slice key, modulus, exponent;
    if (!find_rsa_key(bytes, &key)) {
        return 0;
    }
    struct reader r = reader_over(key);
    if (!der_take(&r, DER_INTEGER, &modulus) || !der_take(&r, DER_INTEGER, &exponent) ||
        !reader_is_done(&r)) {
        return 0;
    }
    while (modulus.len > 0 && modulus.at[0] == 0) {
        modulus = slice_sub(modulus, 1, modulus.len);
    }
    if (modulus.len == 0) {
        return 0;
    }
    unsigned bits = (unsigned)modulus.len * 8;
    for (unsigned mask = 0x80; ((unsigned char)modulus.at[0] & mask) == 0; mask >>= 1) {
        bits--;
    }
    return bits;
}

/* ---- the record ---- */

static bool has_item(struct slice list, struct slice wanted)
{
    struct slice item;
    while (tag_item_next(&list, ':', &item)) {
        if (slice_equal_nocase(item, wanted)) {
            return true;
        }
    }
    return false;
}

/* What stands beside the key. */
static void read_flags(const struct tag_list *tags, struct dkim_key *out)
{
    const struct tag *hashes = tag_find(tags, SLICE("h"));
    const struct tag *services = tag_find(tags, SLICE("s"));
    const struct tag *flags = tag_find(tags, SLICE("t"));
    out->takes_sha256 = hashes == NULL || has_item(hashes->value, SLICE("sha256"));
    out->takes_sha1 = hashes == NULL || has_item(hashes->value, SLICE("sha1"));
    out->is_for_mail = services == NULL || has_item(services->value, SLICE("*")) ||
                       has_item(services->value, SLICE("email"));
    out->is_testing = flags != NULL && has_item(flags->value, SLICE("y"));
    out->is_strict = flags != NULL && has_item(flags->value, SLICE("s"));
    out->has_version = tag_find(tags, SLICE("v")) != NULL;
    out->has_notes = tag_find(tags, SLICE("n")) != NULL;
}

/* The bits of a key that is there; 0: it is none. RFC 8463 4.2: Ed25519 as its bytes alone. */
static unsigned key_bits(const struct dkim_key *key)
{
    struct slice bytes = slice_make((const char *)key->bytes, key->byte_count);
    if (key->kind == CRYPTO_RSA) {
        return rsa_bits(bytes);
    }
    return bytes.len == ED25519_BYTES ? ED25519_BITS : 0;
}

static enum dkim_fault read_kind(const struct tag_list *tags, enum crypto_kind *out)
{
    const struct tag *kind = tag_find(tags, SLICE("k"));
    if (kind == NULL || slice_equal(kind->value, SLICE("rsa"))) {
        *out = CRYPTO_RSA;
        return DKIM_FAULT_NONE;
    }
    if (slice_equal(kind->value, SLICE("ed25519"))) {
        *out = CRYPTO_ED25519;
        return DKIM_FAULT_NONE;
    }
    return DKIM_FAULT_KEY_KIND;
}

/* The tags that decide; *out_tag is the one at fault. */
static enum dkim_fault read_tags(const struct tag_list *tags, struct dkim_key *out,
                                 struct slice *out_tag)
{
    const struct tag *version = tag_find(tags, SLICE("v"));
    const struct tag *key = tag_find(tags, SLICE("p"));
    read_flags(tags, out);
    *out_tag = SLICE("v");
    if (version != NULL &&
        (version != &tags->at[0] || !slice_equal(version->value, SLICE("DKIM1")))) {
        return DKIM_FAULT_KEY_VERSION;
    }
    *out_tag = SLICE("p");
    if (key == NULL) {
        return DKIM_FAULT_KEY_MISSING;
    }
    out->is_revoked = key->value.len == 0;
    if (out->is_revoked) {
        return DKIM_FAULT_KEY_REVOKED;
    }
    *out_tag = SLICE("k");
    enum dkim_fault fault = read_kind(tags, &out->kind);
    if (fault != DKIM_FAULT_NONE) {
        return fault;
    }
    *out_tag = SLICE("p");
    if (!tag_base64(key->value, (char *)out->bytes, sizeof out->bytes, &out->byte_count)) {
        out->byte_count = 0;
        return DKIM_FAULT_KEY_BROKEN;
    }
    out->bits = key_bits(out);
    return out->bits == 0 ? DKIM_FAULT_KEY_BROKEN : DKIM_FAULT_NONE;
}

enum dkim_fault dkim_key_read(struct slice text, struct dkim_key *out, struct slice *out_bad)
{
    struct tag_list tags;
    struct slice bad;
    *out = (struct dkim_key){0};
    enum tag_fault listed = tag_list_read(text, &tags, &bad);
    enum dkim_fault fault = read_tags(&tags, out, &bad);
    if (listed != TAG_FAULT_NONE && fault != DKIM_FAULT_KEY_VERSION) {
        fault = DKIM_FAULT_KEY_SYNTAX;
        (void)tag_list_read(text, &tags, &bad);
    }
    if (out_bad != NULL) {
        *out_bad = fault == DKIM_FAULT_NONE ? SLICE_NONE : bad;
    }
    return fault;
}

/* ---- the answer ---- */

/* False: it is too long. */
static bool join_strings(const struct dns_record *record, char out[DKIM_KEY_TEXT_BYTES],
                         size_t *out_len)
{
    struct slice rest = record->text;
    struct slice string;
    size_t len = 0;
    while (dns_text_next(&rest, &string)) {
        if (len + string.len > DKIM_KEY_TEXT_BYTES) {
            return false;
        }
        memcpy(out + len, string.at, string.len);
        len += string.len;
    }
    *out_len = len;
    return true;
}

/* Something else, as a wildcard brings it in: no key, and no version that says so. */
static bool is_other(enum dkim_fault fault)
{
    return fault == DKIM_FAULT_KEY_SYNTAX || fault == DKIM_FAULT_KEY_VERSION ||
           fault == DKIM_FAULT_KEY_MISSING;
}

enum dkim_fault dkim_key_answer(const struct dns_answer *answer, struct dkim_key *out)
{
    char text[DKIM_KEY_TEXT_BYTES];
    size_t len;
    enum dkim_fault fault =
        answer->kind == DNS_ANSWER_ERROR ? DKIM_FAULT_KEY_DNS : DKIM_FAULT_KEY_NONE;
    bool has_key = false;
    *out = (struct dkim_key){0};
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        struct dkim_key key = {0};
        bool is_whole = join_strings(record, text, &len);
        enum dkim_fault this =
            is_whole ? dkim_key_read(slice_make(text, len), &key, NULL) : DKIM_FAULT_KEY_SYNTAX;
        if (has_key && !is_other(this)) {
            return DKIM_FAULT_KEY_SEVERAL;
        }
        if (!has_key) {
            *out = key;
            fault = this;
            has_key = !is_other(this);
        }
    }
    return fault;
}
