/* smtp/sasl_scram: SCRAM (RFC 5802 3, 5, 7): both sides prove that they know the password, and neither says it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/base64.h"
#include "base/reader.h"
#include "base/slice.h"
#include "smtp/sasl_private.h"

enum { SCRAM_SALT_BYTES = 1024 };

bool sasl_is_scram(enum sasl_mechanism mechanism)
{
    return mechanism == SASL_SCRAM_SHA_1 || mechanism == SASL_SCRAM_SHA_256;
}

static enum sasl_hash hash_of(const struct sasl *sasl)
{
    return sasl->config->mechanism == SASL_SCRAM_SHA_1 ? SASL_SHA_1 : SASL_SHA_256;
}

/* RFC 5802 5.1: comma and equals sign in a name. */
static enum err append_name(struct buf *out, struct slice name)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < name.len && e == ERR_NONE; i++) {
        char byte = name.at[i];
        e = byte == ','   ? buf_append(out, SLICE("=2C"))
            : byte == '=' ? buf_append(out, SLICE("=3D"))
                          : buf_append_byte(out, byte);
    }
    return e;
}

/* gs2-header: no channel binding, and as whom to act. */
static enum err append_gs2(const struct sasl *sasl, struct buf *out)
{
    enum err e = buf_append(out, SLICE("n,"));
    if (e == ERR_NONE && sasl->config->authorization.len > 0) {
        e = buf_append(out, SLICE("a="));
        e = e != ERR_NONE ? e : append_name(out, sasl->config->authorization);
    }
    return e != ERR_NONE ? e : buf_append_byte(out, ',');
}

enum err sasl_scram_first(struct sasl *sasl)
{
    enum err e = buf_append(&sasl->bare, SLICE("n="));
    e = e != ERR_NONE ? e : append_name(&sasl->bare, sasl->config->user);
    e = e != ERR_NONE ? e : buf_append(&sasl->bare, SLICE(",r="));
    e = e != ERR_NONE ? e : buf_append(&sasl->bare, sasl->config->nonce);
    e = e != ERR_NONE ? e : append_gs2(sasl, &sasl->out);
    return e != ERR_NONE ? e : buf_append(&sasl->out, buf_view(&sasl->bare));
}

/* What the server's first message says. */
struct server_first {
    struct slice nonce, salt;
    uint32_t iterations;
    char salt_room[SCRAM_SALT_BYTES];
};

/* RFC 5802 7: r=...,s=...,i=... in this order; extensions may follow. */
static enum err read_first(const struct sasl *sasl, struct slice text, struct server_first *out)
{
    struct slice rest = text;
    struct slice nonce = slice_cut(&rest, ',');
    struct slice salt = rest.at == NULL ? SLICE_NONE : slice_cut(&rest, ',');
    struct slice count = rest.at == NULL ? SLICE_NONE : slice_cut(&rest, ',');
    struct slice own = sasl->config->nonce;
    struct reader r = reader_over(slice_sub(count, 2, count.len));
    uint64_t iterations;
    size_t salt_len;
    if (!slice_starts(nonce, SLICE("r=")) || !slice_starts(salt, SLICE("s=")) ||
        !slice_starts(count, SLICE("i=")) || !reader_number(&r, UINT32_MAX, &iterations) ||
        !reader_is_done(&r) || iterations == 0) {
        return ERR_SYNTAX;
    }
    out->nonce = slice_sub(nonce, 2, nonce.len);
    salt = slice_sub(salt, 2, salt.len);
    if (salt.len / 4 * 3 > sizeof out->salt_room || iterations > SASL_ITERATIONS_MAX) {
        return ERR_LIMIT;
    }
    /* RFC 5802 5.1: the nonce begins with ours and goes on. */
    if (!slice_starts(out->nonce, own) || out->nonce.len == own.len ||
        !base64_read(salt, out->salt_room, &salt_len)) {
        return ERR_SYNTAX;
    }
    out->salt = slice_make(out->salt_room, salt_len);
    out->iterations = (uint32_t)iterations;
    return ERR_NONE;
}

/* c=...,r=...: the final message without its proof. */
static enum err append_final(const struct sasl *sasl, const struct server_first *server,
                             struct buf *out)
{
    struct buf gs2;
    buf_init(&gs2, SASL_BYTES_MAX);
    enum err e = append_gs2(sasl, &gs2);
    e = e != ERR_NONE ? e : buf_append(out, SLICE("c="));
    e = e != ERR_NONE ? e : buf_reserve(out, BASE64_BYTES(gs2.len));
    if (e == ERR_NONE) {
        out->len += base64_write(buf_view(&gs2), out->at + out->len);
        e = buf_append(out, SLICE(",r="));
    }
    buf_done(&gs2);
    return e != ERR_NONE ? e : buf_append(out, server->nonce);
}

static struct slice bytes_of(const uint8_t *bytes, size_t len)
{
    return slice_make((const char *)bytes, len);
}

/* RFC 5802 3: the proof in *proof, and what the server must say in the end. */
static enum err prove(struct sasl *sasl, const struct server_first *server,
                      struct slice auth_message, uint8_t *proof)
{
    const struct sasl_hashes *h = sasl->config->hashes;
    enum sasl_hash hash = hash_of(sasl);
    size_t len = sasl_hash_bytes(hash);
    uint8_t salted[SASL_HASH_BYTES], key[SASL_HASH_BYTES], stored[SASL_HASH_BYTES],
        signature[SASL_HASH_BYTES];
    enum err e = h->derive(h->context, hash, sasl->config->password, server->salt,
                           server->iterations, salted);
    if (e == ERR_NONE) {
        e = h->hmac(h->context, hash, bytes_of(salted, len), SLICE("Client Key"), key);
    }
    e = e != ERR_NONE ? e : h->digest(h->context, hash, bytes_of(key, len), stored);
    e = e != ERR_NONE ? e
                      : h->hmac(h->context, hash, bytes_of(stored, len), auth_message, signature);
    for (size_t i = 0; i < len && e == ERR_NONE; i++) {
        proof[i] = key[i] ^ signature[i];
    }
    if (e == ERR_NONE) {
        e = h->hmac(h->context, hash, bytes_of(salted, len), SLICE("Server Key"), key);
    }
    if (e == ERR_NONE) {
        e = h->hmac(h->context, hash, bytes_of(key, len), auth_message, sasl->server_signature);
    }
    explicit_bzero(salted, sizeof salted);
    explicit_bzero(key, sizeof key);
    return e;
}

static enum err answer_first(struct sasl *sasl, struct slice challenge)
{
    struct server_first server;
    struct buf message; /* AuthMessage */
    uint8_t proof[SASL_HASH_BYTES] = {0};
    enum err e = read_first(sasl, challenge, &server);
    if (e != ERR_NONE) {
        return e;
    }
    buf_init(&message, (size_t)4 * SASL_BYTES_MAX);
    e = append_final(sasl, &server, &sasl->out);
    e = e != ERR_NONE ? e : buf_append(&message, buf_view(&sasl->bare));
    e = e != ERR_NONE ? e : buf_append_byte(&message, ',');
    e = e != ERR_NONE ? e : buf_append(&message, challenge);
    e = e != ERR_NONE ? e : buf_append_byte(&message, ',');
    e = e != ERR_NONE ? e : buf_append(&message, buf_view(&sasl->out));
    e = e != ERR_NONE ? e : prove(sasl, &server, buf_view(&message), proof);
    buf_done(&message);
    e = e != ERR_NONE ? e : buf_append(&sasl->out, SLICE(",p="));
    size_t len = sasl_hash_bytes(hash_of(sasl));
    e = e != ERR_NONE ? e : buf_reserve(&sasl->out, BASE64_BYTES(len));
    if (e == ERR_NONE) {
        sasl->out.len += base64_write(bytes_of(proof, len), sasl->out.at + sasl->out.len);
    }
    return e;
}

/* v=...: the server's proof; e=...: what is wrong. */
static enum err answer_last(struct sasl *sasl, struct slice challenge)
{
    char text[BASE64_BYTES(SASL_HASH_BYTES)];
    size_t len =
        base64_write(bytes_of(sasl->server_signature, sasl_hash_bytes(hash_of(sasl))), text);
    struct slice said = slice_sub(challenge, 2, slice_find_byte(challenge, ',', 0));
    sasl->is_proven =
        slice_starts(challenge, SLICE("v=")) && slice_equal(said, slice_make(text, len));
    return sasl->is_proven ? ERR_NONE : ERR_SYNTAX;
}

enum err sasl_scram_answer(struct sasl *sasl, struct slice challenge)
{
    if (sasl->challenges == 0) {
        return answer_first(sasl, challenge);
    }
    return sasl->challenges == 1 ? answer_last(sasl, challenge) : ERR_SYNTAX;
}
