/* late/lz4: LZ4, which packs what is stored.
 * SPDX-License-Identifier: Apache-2.0 */
/* Else its functions would be seen by all libraries of the program. */
#define LZ4LIB_VISIBILITY
#include <lz4.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    gives(int, LZ4_compress_fast_continue, \
          (LZ4_stream_t *stream, const char *text, char *out, int len, int room, int acceleration), \
          (stream, text, out, len, room, acceleration)) \
    gives(int, LZ4_decompress_safe_usingDict, \
          (const char *block, char *out, int len, int room, const char *known, int known_len), \
          (block, out, len, room, known, known_len)) \
    gives(LZ4_stream_t *, LZ4_initStream, (void *at, size_t len), (at, len)) \
    gives(int, LZ4_loadDict, (LZ4_stream_t *stream, const char *known, int len), (stream, known, len))
/* clang-format on */

LATE_LIBRARY(FUNCTIONS, "liblz4-1", "liblz4.so.1")
