/* engine/webhook_sign: secrets and signatures of webhooks in the form of the Standard Webhooks specification, so that
 * receivers may use the libraries there are: `whsec_` and the key in base64; `v1,` and the HMAC-SHA-256 of
 * "id.timestamp.body" in base64.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WEBHOOK_SIGN_H
#define ENGINE_WEBHOOK_SIGN_H

#include "base/base64.h"
#include "net/digest.h"

enum {
    WEBHOOK_KEY_BYTES_MIN = 24, /* as the specification has it */
    WEBHOOK_KEY_BYTES_MAX = 64,
    WEBHOOK_KEY_BYTES = 32, /* of ours */
    WEBHOOK_SECRET_BYTES = 6 + BASE64_BYTES(WEBHOOK_KEY_BYTES_MAX) + 1,
    WEBHOOK_SIGNATURE_BYTES = 3 + BASE64_BYTES(DIGEST_BYTES) + 1,
};

/* Of random bytes. NUL-terminated. */
void webhook_secret_write(const char key[WEBHOOK_KEY_BYTES], char out[WEBHOOK_SECRET_BYTES]);

/* Whether it is a secret: the prefix, and a key of a decent length. */
bool webhook_secret_is_valid(struct slice secret);

struct webhook_message {
    struct slice id; /* without a dot */
    int64_t timestamp_s;
    struct slice body;
};
/* NUL-terminated. ERR_SYNTAX: the secret is none; ERR_NOMEM. */
enum err webhook_sign(const struct digester *digester, struct slice secret,
                      const struct webhook_message *message, char out[WEBHOOK_SIGNATURE_BYTES])
    MUST_USE;

#endif
