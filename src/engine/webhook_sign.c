/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhook_sign.h"

#include <string.h>

#include "base/buf.h"
#include "base/slice.h"

enum { STAMP_BYTES_MAX = 256 }; /* the id, two dots and a number */

#define SECRET_PREFIX "whsec_"

struct webhook_key {
    char bytes[WEBHOOK_KEY_BYTES_MAX + 3]; /* base64 comes by threes */
    size_t len;
};

void webhook_secret_write(const char key[WEBHOOK_KEY_BYTES], char out[WEBHOOK_SECRET_BYTES])
{
    size_t len = sizeof SECRET_PREFIX - 1;
    memcpy(out, SECRET_PREFIX, len);
    len += base64_write(slice_make(key, WEBHOOK_KEY_BYTES), out + len);
    out[len] = '\0';
}

static bool read_secret(struct slice secret, struct webhook_key *out)
{
    if (secret.len >= WEBHOOK_SECRET_BYTES || !slice_starts(secret, SLICE(SECRET_PREFIX))) {
        return false;
    }
    struct slice text = slice_sub(secret, sizeof SECRET_PREFIX - 1, secret.len);
    return base64_read(text, out->bytes, &out->len) && out->len >= WEBHOOK_KEY_BYTES_MIN &&
           out->len <= WEBHOOK_KEY_BYTES_MAX;
}

bool webhook_secret_is_valid(struct slice secret)
{
    struct webhook_key key;
    return read_secret(secret, &key);
}

static enum err write_signed(const struct webhook_message *message, struct buf *out)
{
    enum err e = buf_append(out, message->id);
    e = e != ERR_NONE ? e : buf_append_byte(out, '.');
    e = e != ERR_NONE ? e : buf_append_int(out, message->timestamp_s);
    e = e != ERR_NONE ? e : buf_append_byte(out, '.');
    return e != ERR_NONE ? e : buf_append(out, message->body);
}

enum err webhook_sign(const struct digester *digester, struct slice secret,
                      const struct webhook_message *message, char out[WEBHOOK_SIGNATURE_BYTES])
{
    struct webhook_key key;
    struct digest digest;
    if (!read_secret(secret, &key)) {
        return ERR_SYNTAX;
    }
    struct buf text DEFER(buf_done) = {0};
    buf_init(&text, message->id.len + message->body.len + STAMP_BYTES_MAX);
    enum err e = write_signed(message, &text);
    e = e != ERR_NONE ? e
                      : digest_hmac_sha256(digester, slice_make(key.bytes, key.len),
                                           buf_view(&text), &digest);
    if (e != ERR_NONE) {
        return e;
    }
    memcpy(out, "v1,", 3);
    size_t len = 3 + base64_write(slice_make((const char *)digest.bytes, DIGEST_BYTES), out + 3);
    out[len] = '\0';
    return ERR_NONE;
}
