/* fuzz/store_pack: any bytes as a packed record, and any bytes as a record. The first are refused or unpacked, within
 * memory; the second come back as they were.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "store/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pack pack = {.state = NULL};
    struct slice bytes = slice_make((const char *)data, size);
    struct buf text, packed;
    bool is_packed = false;
    buf_init(&text, BYTES_MAX);
    buf_init(&packed, BYTES_MAX);
    enum err e = store_unpack(bytes, &text);
    must(e == ERR_NONE || (text.len == 0 && e != ERR_NOMEM));
    buf_clear(&text);
    e = store_pack(&pack, bytes, &packed, &is_packed);
    must(e == ERR_LIMIT || is_packed == (packed.len > 0));
    if (is_packed) {
        must(packed.len < size);
        must(store_unpack(buf_view(&packed), &text) == ERR_NONE);
        must(slice_equal(buf_view(&text), bytes));
    }
    buf_done(&text);
    buf_done(&packed);
    store_pack_done(&pack);
    return 0;
}
