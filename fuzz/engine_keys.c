/* fuzz/engine_keys: any text as what is said of an API key, and as the secret that a caller shows. The first byte says
 * which. What is read is within its range, and scopes that are written read as themselves.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/span.h"
#include "engine/key_issue.h"
#include "engine/key_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_scopes(struct slice text)
{
    unsigned scopes = 0;
    unsigned again = 0;
    struct fault why;
    struct buf written;
    if (key_scopes_read(text, &scopes, &why) != ERR_NONE) {
        return;
    }
    buf_init(&written, 100);
    must(scopes != 0 && key_scopes_write(scopes, &written) == ERR_NONE);
    must(key_scopes_read(buf_view(&written), &again, &why) == ERR_NONE && again == scopes);
    buf_done(&written);
}

static void read_limits(struct slice text)
{
    struct fault why;
    uint32_t rate = 1;
    uint64_t quota = 1;
    uint64_t ms = 0;
    bool is_rate = key_rate_read(text, &rate, &why) == ERR_NONE;
    bool is_quota = key_quota_read(text, &quota, &why) == ERR_NONE;
    must(!(is_rate && is_quota));
    must(rate > 0 && rate <= KEY_RATE_MAX && quota > 0 && quota <= KEY_QUOTA_MAX);
    must(!span_read(text, true, 1000, &ms) || ms <= 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct slice text = slice_make((const char *)data + 1, size - 1);
    switch (data[0] % 3) {
    case 0: read_scopes(text); break;
    case 1: read_limits(text); break;
    default: must(!key_secret_has_form(text) || text.len == KEY_SECRET_BYTES); break;
    }
    return 0;
}
