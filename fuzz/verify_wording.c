/* fuzz/verify_wording: any address, a line feed, and any text of a reply: split and joined it is the same text.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "verify/evidence.h"
#include "verify/wording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PART_BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make((const char *)data, size);
    struct slice address = slice_cut(&rest, '\n');
    struct slice text = rest.at == NULL ? SLICE_NONE : slice_sub(rest, 0, EVIDENCE_TEXT_BYTES - 1);
    char joined[EVIDENCE_TEXT_BYTES];
    struct buf common, own;
    buf_init(&common, PART_BYTES_MAX);
    buf_init(&own, PART_BYTES_MAX);
    must(wording_split(text, address, &common, &own) == ERR_NONE);
    wording_join(buf_view(&common), buf_view(&own), address, joined, sizeof joined);
    must(memcmp(joined, text.at, text.len) == 0 && joined[text.len] == '\0');
    buf_done(&common);
    buf_done(&own);
    return 0;
}
