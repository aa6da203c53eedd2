/* fuzz/engine_signal: answers of external services. The first byte chooses the service, the second the status; the rest is
 * the body. What was read is YES or NO, or nothing was.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/signal_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned statuses[] = {200, 404, 429, 401, 403, 500, 0};
    if (size < 2) {
        return 0;
    }
    const struct http_client_answer answer = {
        .end = HTTP_CLIENT_END_ANSWERED,
        .status = statuses[data[1] % (sizeof statuses / sizeof statuses[0])],
        .body = slice_make((const char *)data + 2, size - 2),
        .detail = "",
    };
    struct verify_signal told = {.result = SIGNAL_NO_ANSWER};
    const struct signal_kind *kind =
        signal_kind_of((enum signal_service)(data[0] % SIGNAL_SERVICE_COUNT));
    bool is_read = kind->read(&answer, &told) == SIGNAL_READ;
    must(is_read == (told.result == SIGNAL_YES || told.result == SIGNAL_NO));
    return 0;
}
