/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/key_issue.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "engine/keys.h"

enum { RANDOM_BYTES = 32 };

static const struct slice mark = SLICE_LITERAL("hel_");

static bool is_url_letter(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_';
}

bool key_secret_has_form(struct slice secret)
{
    if (secret.len != KEY_SECRET_BYTES || !slice_starts(secret, mark)) {
        return false;
    }
    for (size_t i = mark.len; i < secret.len; i++) {
        if (!is_url_letter(secret.at[i])) {
            return false;
        }
    }
    return true;
}

static enum err make_secret(char out[KEY_SECRET_BYTES + 1], struct fault *out_fault)
{
    char bytes[RANDOM_BYTES];
    char text[BASE64_BYTES(RANDOM_BYTES)];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "the system gives no random bytes");
    }
    size_t len = base64_write_url(slice_make(bytes, sizeof bytes), text);
    must(len == KEY_SECRET_BYTES - mark.len);
    memcpy(out, mark.at, mark.len);
    memcpy(out + mark.len, text, len);
    out[KEY_SECRET_BYTES] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(text, sizeof text);
    return ERR_NONE;
}

static bool is_label(struct slice label)
{
    if (label.len == 0 || label.len > KEY_LABEL_BYTES_MAX) {
        return false;
    }
    for (struct slice rest = label; rest.len > 0;) {
        unsigned code_point = 0;
        size_t len = text_utf8_next(rest, &code_point);
        if (len == 0 || text_is_dangerous(code_point)) {
            return false;
        }
        rest = slice_sub(rest, len, rest.len);
    }
    return true;
}

enum err key_issue(struct store *store, const struct digester *digester,
                   const struct key_grant *grant, int64_t now_ms, struct key_issued *out,
                   struct fault *out_fault)
{
    struct key_issued issued;
    struct digest digest;
    if (!is_label(grant->label)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "a label has 1 to %d bytes of UTF-8 and no control characters",
                         (int)KEY_LABEL_BYTES_MAX);
    }
    enum err e = make_secret(issued.secret, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    struct slice secret = slice_make(issued.secret, KEY_SECRET_BYTES);
    if (digest_sha256(digester, secret, &digest) != ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    const struct store_key key = {
        .label = grant->label,
        .prefix = slice_sub(secret, 0, KEY_PREFIX_BYTES),
        .digest = slice_make((const char *)digest.bytes, DIGEST_BYTES),
        .scopes = grant->scopes,
        .created_at_ms = now_ms,
        .expires_at_ms = grant->life_ms == 0 ? 0 : now_ms + (int64_t)grant->life_ms,
        .rate_per_minute = grant->rate_per_minute,
        .quota_per_day = grant->quota_per_day,
    };
    e = store_key_add(store, &key, &issued.id, out_fault);
    if (e == ERR_NONE) {
        *out = issued;
    }
    explicit_bzero(&issued, sizeof issued);
    return e;
}
