/* message/dkim_sign: the field is written twice: with an empty b= to be hashed, then with the signature in it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_sign.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/must.h"
#include "base/slice.h"
#include "dns/tags.h"
#include "message/dkim_private.h"
#include "message/dkim_signature.h"

enum {
    FIELD_BYTES_MAX = 16384,
    LINE_MAX_BYTES = 76,    /* RFC 5322 2.1.1 advises 78 */
    NAMES_BYTES_MAX = 8192, /* of h= */
};

struct dkim_signer {
    const struct crypto *crypto;
    const struct crypto_key *key;
    struct buf domain, selector, identity, names; /* copies; names empty: the usual ones */
    enum dkim_canon header_canon, body_canon;
    int64_t time_s, lifetime_s;
    struct message_header header;
    struct dkim_hash hash; /* of the body */
    struct dkim_body body;
};

/* ---- making one ---- */

static enum err copy(struct buf *to, struct slice text)
{
    buf_init(to, NAMES_BYTES_MAX);
    return buf_append(to, text);
}

static enum err copy_request(struct dkim_signer *signer, const struct dkim_sign_request *request)
{
    signer->key = request->key;
    signer->header_canon = request->header_canon;
    signer->body_canon = request->body_canon;
    signer->time_s = request->time_s;
    signer->lifetime_s = request->lifetime_s;
    enum err e = copy(&signer->domain, request->domain);
    e = e != ERR_NONE ? e : copy(&signer->selector, request->selector);
    e = e != ERR_NONE ? e : copy(&signer->identity, request->identity);
    e = e != ERR_NONE ? e : copy(&signer->names, request->headers);
    return e == ERR_LIMIT ? ERR_SYNTAX : e;
}

/* ---- the field ---- */

static size_t line_bytes(const struct buf *out)
{
    size_t newline = slice_find_last_byte(buf_view(out), '\n');
    return newline == out->len ? out->len : out->len - newline - 1;
}

/* A piece that stays whole, on a line of its own where it does not fit on this one. */
static enum err put_piece(struct buf *out, struct slice piece)
{
    bool is_too_long = line_bytes(out) + piece.len > LINE_MAX_BYTES;
    enum err e = is_too_long ? buf_append(out, SLICE("\r\n\t")) : ERR_NONE;
    return e != ERR_NONE ? e : buf_append(out, piece);
}

/* " NAME=VALUE;" */
static enum err put_tag(struct buf *out, const char *name, struct slice value)
{
    struct buf tag;
    buf_init(&tag, NAMES_BYTES_MAX);
    enum err e = buf_printf(&tag, " %s=%.*s;", name, SLICE_ARG(value));
    e = e != ERR_NONE ? e : put_piece(out, buf_view(&tag));
    buf_done(&tag);
    return e;
}

static enum err put_number(struct buf *out, const char *name, int64_t number)
{
    char room[24];
    struct buf text;
    buf_init(&text, sizeof room);
    enum err e = buf_append_int(&text, number);
    e = e != ERR_NONE ? e : put_tag(out, name, buf_view(&text));
    buf_done(&text);
    return e;
}

/* Letters have no place where they must not be parted. */
static enum err put_letters(struct buf *out, struct slice letters)
{
    enum err e = ERR_NONE;
    while (letters.len > 0 && e == ERR_NONE) {
        size_t used = line_bytes(out);
        if (used >= LINE_MAX_BYTES) {
            e = buf_append(out, SLICE("\r\n\t"));
            used = 1;
        }
        size_t room = LINE_MAX_BYTES - used;
        size_t n = letters.len < room ? letters.len : room;
        e = e != ERR_NONE ? e : buf_append(out, slice_sub(letters, 0, n));
        letters = slice_sub(letters, n, letters.len);
    }
    return e;
}

static enum err put_names(struct buf *out, struct slice names)
{
    struct slice rest = names;
    struct slice name;
    enum err e = put_piece(out, SLICE(" h="));
    bool is_first = true;
    while (e == ERR_NONE && tag_item_next(&rest, ':', &name)) {
        e = is_first ? ERR_NONE : buf_append_byte(out, ':');
        e = e != ERR_NONE ? e : put_piece(out, name);
        is_first = false;
    }
    return e != ERR_NONE ? e : buf_append_byte(out, ';');
}

static const char *algorithm_of(const struct dkim_signer *signer)
{
    bool is_rsa = signer->crypto->key_kind(signer->key) == CRYPTO_RSA;
    return dkim_algorithm_name(is_rsa ? DKIM_RSA_SHA256 : DKIM_ED25519_SHA256);
}

/* All up to the signature's bytes. */
static enum err write_field(const struct dkim_signer *signer, struct slice names,
                            const struct crypto_digest *body_hash, struct buf *out)
{
    char letters[BASE64_BYTES(CRYPTO_DIGEST_BYTES)];
    size_t len =
        base64_write(slice_make((const char *)body_hash->bytes, sizeof body_hash->bytes), letters);
    enum err e = buf_append(out, SLICE("DKIM-Signature: v=1;"));
    e = e != ERR_NONE ? e : put_tag(out, "a", slice_of(algorithm_of(signer)));
    e = e != ERR_NONE ? e
                      : buf_printf(out, " c=%s/%s;", dkim_canon_name(signer->header_canon),
                                   dkim_canon_name(signer->body_canon));
    e = e != ERR_NONE ? e : put_tag(out, "d", buf_view(&signer->domain));
    e = e != ERR_NONE ? e : put_tag(out, "s", buf_view(&signer->selector));
    if (signer->identity.len > 0) {
        e = e != ERR_NONE ? e : put_tag(out, "i", buf_view(&signer->identity));
    }
    if (signer->time_s > 0) {
        e = e != ERR_NONE ? e : put_number(out, "t", signer->time_s);
    }
    if (signer->time_s > 0 && signer->lifetime_s > 0) {
        e = e != ERR_NONE ? e : put_number(out, "x", signer->time_s + signer->lifetime_s);
    }
    e = e != ERR_NONE ? e : put_names(out, names);
    e = e != ERR_NONE ? e : put_tag(out, "bh", slice_make(letters, len));
    return e != ERR_NONE ? e : put_piece(out, SLICE(" b="));
}

/* The name as often as it is there. */
static enum err put_present(const struct message_header *header, struct slice name, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t count = message_header_count(header, name); count > 0 && e == ERR_NONE; count--) {
        e = out->len == 0 ? ERR_NONE : buf_append_byte(out, ':');
        e = e != ERR_NONE ? e : buf_append(out, name);
    }
    return e;
}

/* RFC 6376 5.4: From once more than it is there, so that none can be put above it. */
static enum err default_names(const struct message_header *header, struct buf *out)
{
    struct slice rest = SLICE(DKIM_HEADERS_DEFAULT);
    struct slice name;
    enum err e = ERR_NONE;
    while (e == ERR_NONE && tag_item_next(&rest, ':', &name)) {
        e = put_present(header, name, out);
    }
    return e != ERR_NONE ? e : buf_append(out, SLICE(":from"));
}

/* ---- the caller's side ---- */

/* A field with all that the request says must be one that a verifier takes. */
static bool is_sound(const struct dkim_signer *signer)
{
    static const struct crypto_digest nothing;
    struct slice names = signer->names.len > 0 ? buf_view(&signer->names) : SLICE("from");
    struct dkim_signature read;
    struct buf field;
    buf_init(&field, FIELD_BYTES_MAX);
    bool is_written = write_field(signer, names, &nothing, &field) == ERR_NONE &&
                      buf_append(&field, SLICE("AAAA")) == ERR_NONE;
    struct slice value = slice_sub(buf_view(&field), sizeof "DKIM-Signature:" - 1, field.len);
    bool is_right = is_written && dkim_signature_read(value, &read, NULL) == DKIM_FAULT_NONE &&
                    slice_equal_nocase(slice_of(read.domain), buf_view(&signer->domain)) &&
                    slice_equal(read.identity, buf_view(&signer->identity));
    buf_done(&field);
    return is_right;
}

enum err dkim_signer_new(const struct crypto *crypto, const struct dkim_sign_request *request,
                         struct dkim_signer **out)
{
    struct dkim_signer *signer = calloc(1, sizeof *signer);
    if (signer == NULL) {
        return ERR_NOMEM;
    }
    signer->crypto = crypto;
    message_header_init(&signer->header);
    dkim_body_init(&signer->body, request->body_canon, dkim_hash_write, &signer->hash);
    enum err e = copy_request(signer, request);
    e = e != ERR_NONE || is_sound(signer) ? e : ERR_SYNTAX;
    e = e != ERR_NONE ? e : dkim_hash_begin(&signer->hash, crypto);
    if (e != ERR_NONE) {
        dkim_signer_free(signer);
        return e;
    }
    *out = signer;
    return ERR_NONE;
}

void dkim_signer_free(struct dkim_signer *signer)
{
    if (signer == NULL) {
        return;
    }
    buf_done(&signer->domain);
    buf_done(&signer->selector);
    buf_done(&signer->identity);
    buf_done(&signer->names);
    message_header_done(&signer->header);
    dkim_hash_done(&signer->hash);
    free(signer);
}

enum err dkim_signer_feed(struct dkim_signer *signer, struct slice bytes)
{
    enum err e = message_header_feed(&signer->header, &bytes);
    return e != ERR_NONE || bytes.len == 0 ? e : dkim_body_feed(&signer->body, bytes);
}

/* The bytes of the signature in letters behind the field without them, and the end of the line. */
static enum err sign_field(const struct dkim_signer *signer, struct slice names, struct buf *field)
{
    uint8_t signature[CRYPTO_SIGNATURE_BYTES_MAX];
    char letters[BASE64_BYTES(CRYPTO_SIGNATURE_BYTES_MAX)];
    struct crypto_digest digest;
    size_t len = 0;
    enum err e = buf_append(field, SLICE("\r\n"));
    if (e != ERR_NONE) {
        return e;
    }
    struct slice raw = buf_view(field);
    size_t name = sizeof "DKIM-Signature" - 1;
    struct dkim_header_hash what = {
        signer->crypto,
        signer->header_canon,
        &signer->header,
        names,
        {raw, slice_sub(raw, 0, name), slice_sub(raw, name + 1, raw.len - 2)}};
    e = dkim_header_digest(&what, &digest);
    e = e != ERR_NONE ? e : signer->crypto->sign(signer->key, &digest, signature, &len);
    if (e != ERR_NONE) {
        return e;
    }
    field->len -= 2;
    size_t letter_count = base64_write(slice_make((const char *)signature, len), letters);
    e = put_letters(field, slice_make(letters, letter_count));
    return e != ERR_NONE ? e : buf_append(field, SLICE("\r\n"));
}

enum err dkim_signer_finish(struct dkim_signer *signer, struct buf *out)
{
    struct crypto_digest body_hash;
    struct buf field;
    enum err e = message_header_finish(&signer->header);
    e = e != ERR_NONE ? e : dkim_body_finish(&signer->body);
    e = e != ERR_NONE ? e : dkim_hash_end(&signer->hash, &body_hash);
    if (e == ERR_NONE && message_header_count(&signer->header, SLICE("from")) == 0) {
        e = ERR_SYNTAX;
    }
    if (e == ERR_NONE && signer->names.len == 0) {
        e = default_names(&signer->header, &signer->names);
    }
    buf_init(&field, FIELD_BYTES_MAX);
    struct slice names = buf_view(&signer->names);
    e = e != ERR_NONE ? e : write_field(signer, names, &body_hash, &field);
    e = e != ERR_NONE ? e : sign_field(signer, names, &field);
    e = e != ERR_NONE ? e : buf_append(out, buf_view(&field));
    buf_done(&field);
    return e;
}
