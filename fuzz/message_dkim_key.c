/* fuzz/message_dkim_key: any bytes as a DKIM key record. What is without fault has a key of a size.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "message/dkim_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct dkim_key key;
    struct slice bad;
    enum dkim_fault fault = dkim_key_read(text, &key, &bad);
    must(key.byte_count <= DKIM_KEY_BYTES_MAX && key.bits <= 8 * DKIM_KEY_BYTES_MAX);
    must(fault != DKIM_FAULT_NONE || (key.bits > 0 && !key.is_revoked && bad.len == 0));
    must(fault != DKIM_FAULT_KEY_REVOKED || key.is_revoked);
    return 0;
}
