/* engine/signal_gravatar: https://docs.gravatar.com/sdk/images/ : the picture of an address, known by the SHA-256 of
 * the address in lower case; d=404 asks for 404 instead of somebody else's picture.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "engine/signal_private.h"

static enum err lower(struct slice text, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < text.len && e == ERR_NONE; i++) {
        e = buf_append_byte(out, ascii_lower(text.at[i]));
    }
    return e;
}

static enum err write_path(const struct signal_question *question, struct buf *url)
{
    struct digest digest;
    char hex[DIGEST_HEX_BYTES];
    struct buf text DEFER(buf_done) = {0};
    buf_init(&text, question->ascii.len + 1);
    enum err e = lower(question->ascii, &text);
    e = e != ERR_NONE ? e : digest_sha256(question->digester, buf_view(&text), &digest);
    if (e != ERR_NONE) {
        return e;
    }
    digest_write_hex(&digest, hex);
    return buf_printf(url, "/avatar/%.*s?d=404&s=1", DIGEST_HEX_BYTES, hex);
}

static void add_headers(const struct signal_question *question, struct signal_headers *out)
{
    (void)question;
    (void)out;
}

static enum signal_reading read_answer(const struct http_client_answer *answer,
                                       struct verify_signal *out)
{
    if (answer->status == 200) {
        *out = (struct verify_signal){.result = SIGNAL_YES, .number = 1};
        return SIGNAL_READ;
    }
    if (answer->status == 404) {
        *out = (struct verify_signal){.result = SIGNAL_NO};
        return SIGNAL_READ;
    }
    return signal_read_status(answer->status);
}

const struct signal_kind signal_gravatar = {
    .config = {.base_url = SLICE_LITERAL("https://gravatar.com"),
               .timeout_ms = 5000,
               .cache_ms = UINT64_C(7) * 86400 * 1000,
               .per_minute = 120},
    .write_path = write_path,
    .add_headers = add_headers,
    .read = read_answer,
};
