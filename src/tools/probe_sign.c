/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_sign.h"

#include "base/slice.h"
#include "message/dkim_sign.h"
#include "net/crypto.h"

enum { FIELD_BYTES_MAX = 16384 };

static bool read_canon(struct slice text, enum dkim_canon *out)
{
    bool is_relaxed = slice_equal_nocase(text, SLICE("relaxed"));
    *out = is_relaxed ? DKIM_RELAXED : DKIM_SIMPLE;
    return is_relaxed || slice_equal_nocase(text, SLICE("simple"));
}

bool probe_canon_parse(struct slice text, enum dkim_canon *out_header, enum dkim_canon *out_body)
{
    struct slice rest = text;
    struct slice header = slice_cut(&rest, '/');
    enum dkim_canon of_header, of_body = DKIM_SIMPLE;
    if (!read_canon(header, &of_header) || (rest.at != NULL && !read_canon(rest, &of_body))) {
        return false;
    }
    *out_header = of_header;
    *out_body = of_body;
    return true;
}

/* ---- signing ---- */

static enum err complain(enum err e, struct fault *out_fault)
{
    return fault_set(out_fault, e, 0,
                     e == ERR_LIMIT    ? "the header of the message is too large to be signed"
                     : e == ERR_NOMEM  ? "out of memory"
                     : e == ERR_SYNTAX ? "a message without From cannot be signed with DKIM"
                                       : "OpenSSL could not sign the message");
}

static enum err write_field(const struct crypto *crypto, const struct crypto_key *key,
                            const struct probe_signing *signing, struct slice message,
                            struct buf *out, struct fault *out_fault)
{
    const struct dkim_sign_request request = {
        .key = key,
        .domain = signing->domain,
        .selector = signing->selector,
        .header_canon = signing->header_canon,
        .body_canon = signing->body_canon,
        .time_s = signing->now_s,
    };
    struct dkim_signer *signer;
    enum err e = dkim_signer_new(crypto, &request, &signer);
    if (e == ERR_SYNTAX) {
        return fault_set(out_fault, e, 0,
                         "the domain or the selector cannot stand in a DKIM signature: both are "
                         "host names, such as example.com and mail2026");
    }
    if (e != ERR_NONE) {
        return complain(e, out_fault);
    }
    e = dkim_signer_feed(signer, message);
    e = e != ERR_NONE ? e : dkim_signer_finish(signer, out);
    dkim_signer_free(signer);
    return e != ERR_NONE ? complain(e, out_fault) : ERR_NONE;
}

static enum err make_field(const struct probe_signing *signing, struct slice message,
                           struct buf *out, struct fault *out_fault)
{
    struct crypter *crypter;
    struct crypto_key *key;
    enum err e = crypter_new(&crypter, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = crypter_key_read(crypter, signing->key, &key, out_fault);
    if (e == ERR_NOMEM) {
        e = complain(e, out_fault);
    }
    if (e == ERR_NONE) {
        e = write_field(crypter_interface(crypter), key, signing, message, out, out_fault);
        crypto_key_free(key);
    }
    crypter_free(crypter);
    return e;
}

/* For show, lines end with LF alone. */
static enum err show_field(struct slice field, struct buf *out)
{
    struct slice rest = field;
    enum err e = ERR_NONE;
    while (rest.at != NULL && rest.len > 0 && e == ERR_NONE) {
        struct slice line = slice_cut(&rest, '\n');
        e = buf_append(out, slice_sub(line, 0, line.len > 0 ? line.len - 1 : 0));
        e = e != ERR_NONE ? e : buf_append_byte(out, '\n');
    }
    return e;
}

enum err probe_sign(const struct probe_signing *signing, struct probe_message *message,
                    struct fault *out_fault)
{
    struct buf field, bytes;
    size_t shown = message->added.len;
    buf_init(&field, FIELD_BYTES_MAX);
    buf_init(&bytes, PROBE_MESSAGE_BYTES + FIELD_BYTES_MAX);
    enum err e = make_field(signing, buf_view(&message->bytes), &field, out_fault);
    if (e == ERR_NONE) {
        e = buf_append(&bytes, buf_view(&field));
        e = e != ERR_NONE ? e : buf_append(&bytes, buf_view(&message->bytes));
        e = e != ERR_NONE ? e : show_field(buf_view(&field), &message->added);
        e = e != ERR_NONE ? complain(e, out_fault) : ERR_NONE;
    }
    if (e == ERR_NONE) {
        struct buf unsigned_bytes = message->bytes;
        message->bytes = bytes;
        bytes = unsigned_bytes;
    } else {
        message->added.len = shown;
    }
    buf_done(&field);
    buf_done(&bytes);
    return e;
}
