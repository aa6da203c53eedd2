/* fuzz/smtp_sasl: a server that says anything while we log in. The first byte chooses the mechanism; challenges follow,
 * each up to the next 0xFF. Checked all along: answers are bounded, and no server is proven without the signature that
 * the hashes (here: sums of bytes) give.
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/sasl.h"

#include <string.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err digest(void *context, enum sasl_hash hash, struct slice bytes, uint8_t *out)
{
    unsigned sum = 1;
    (void)context;
    for (size_t i = 0; i < bytes.len; i++) {
        sum = sum * 31 + (unsigned char)bytes.at[i];
    }
    memset(out, (int)(sum & 0xff), sasl_hash_bytes(hash));
    return ERR_NONE;
}

static enum err hmac(void *context, enum sasl_hash hash, struct slice key, struct slice bytes,
                     uint8_t *out)
{
    (void)key;
    return digest(context, hash, bytes, out);
}

static enum err derive(void *context, enum sasl_hash hash, struct slice password, struct slice salt,
                       uint32_t iterations, uint8_t *out)
{
    (void)salt;
    must(iterations > 0 && iterations <= SASL_ITERATIONS_MAX);
    return digest(context, hash, password, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sasl_hashes hashes = {NULL, digest, hmac, derive};
    struct reader r = reader_over(slice_make((const char *)data, size));
    char first;
    if (!reader_byte(&r, &first)) {
        return 0;
    }
    const struct sasl_config config = {
        .mechanism = (enum sasl_mechanism)((unsigned char)first % SASL_MECHANISM_COUNT),
        .user = SLICE("u,=ser"),
        .password = SLICE("secret"),
        .nonce = SLICE("abc"),
        .hashes = &hashes,
    };
    struct sasl *sasl;
    must(sasl_new(&config, &sasl) == ERR_NONE);
    (void)sasl_first(sasl);
    unsigned answered = 0;
    for (struct slice challenge; r.rest.len > 0;) {
        struct slice answer;
        if (!reader_until(&r, '\xff', &challenge)) {
            (void)reader_take(&r, r.rest.len, &challenge);
        }
        if (sasl_answer(sasl, challenge, &answer) == ERR_NONE) {
            must(answer.len <= SASL_BYTES_MAX);
            must(++answered <= 3);
        }
    }
    sasl_free(sasl);
    return 0;
}
