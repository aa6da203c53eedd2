/* fuzz/tools_policy: what a stranger may send to the policy server: its questions and netstrings. The first byte says
 * into how large pieces the rest is cut: the same must come of it as of the whole.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "tools/netstring.h"
#include "tools/policy_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STRING_BYTES_MAX = 4096 };

static enum policy_progress feed_request(struct policy_request *request, struct slice bytes,
                                         size_t piece, size_t *out_used)
{
    enum policy_progress progress = POLICY_MORE;
    *out_used = 0;
    while (progress == POLICY_MORE && *out_used < bytes.len) {
        size_t used;
        progress =
            policy_request_feed(request, slice_sub(bytes, *out_used, *out_used + piece), &used);
        must(used > 0 && used <= piece);
        *out_used += used;
    }
    return progress;
}

static void check_request(struct slice bytes, size_t piece)
{
    static struct policy_request whole, parts;
    size_t whole_used, parts_used;
    policy_request_init(&whole);
    policy_request_init(&parts);
    enum policy_progress progress = feed_request(&whole, bytes, bytes.len + 1, &whole_used);
    enum policy_progress in_parts = feed_request(&parts, bytes, piece, &parts_used);
    must(progress == in_parts);
    for (int i = 0; progress == POLICY_WHOLE && i < POLICY_ATTRIBUTE_COUNT; i++) {
        must(slice_equal(policy_request_value(&whole, (enum policy_attribute)i),
                         policy_request_value(&parts, (enum policy_attribute)i)));
        must(whole_used == parts_used);
    }
    policy_request_done(&whole);
    policy_request_done(&parts);
}

static enum netstring_progress feed_string(struct netstring *string, struct slice bytes,
                                           size_t piece, size_t *out_used)
{
    enum netstring_progress progress = NETSTRING_MORE;
    *out_used = 0;
    while (progress == NETSTRING_MORE && *out_used < bytes.len) {
        size_t used;
        progress = netstring_feed(string, slice_sub(bytes, *out_used, *out_used + piece), &used);
        must(used > 0 && used <= piece);
        *out_used += used;
    }
    return progress;
}

static void check_string(struct slice bytes, size_t piece)
{
    struct netstring whole, parts;
    size_t whole_used, parts_used;
    netstring_init(&whole, STRING_BYTES_MAX);
    netstring_init(&parts, STRING_BYTES_MAX);
    enum netstring_progress progress = feed_string(&whole, bytes, bytes.len + 1, &whole_used);
    must(progress == feed_string(&parts, bytes, piece, &parts_used));
    must(progress != NETSTRING_WHOLE ||
         (whole_used == parts_used && whole_used > whole.text.len &&
          slice_equal(buf_view(&whole.text), buf_view(&parts.text))));
    netstring_done(&whole);
    netstring_done(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct slice bytes = slice_make((const char *)data + 1, size - 1);
    size_t piece = (size_t)data[0] + 1;
    check_request(bytes, piece);
    check_string(bytes, piece);
    return 0;
}
