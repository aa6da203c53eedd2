/* decode/tar: the header of a file in a tar archive (POSIX ustar, GNU).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_TAR_H
#define DECODE_TAR_H

#include <stdbool.h>
#include <stdint.h>

#include "heloise/types.h"

enum { TAR_BLOCK_BYTES = 512 };

struct tar_header {
    struct slice name; /* in the block; the last 100 bytes of a longer one */
    uint64_t size;     /* of what follows, which is filled up to whole blocks */
    bool is_file;
};

/* block: TAR_BLOCK_BYTES of them. False: it is no header. */
bool tar_header_read(struct slice block, struct tar_header *out);

#endif
