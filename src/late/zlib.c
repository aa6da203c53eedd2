/* late/zlib: zlib, which packed files and pages need.
 * SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    gives(uLong, crc32_z, (uLong crc, const Bytef *bytes, z_size_t len), (crc, bytes, len)) \
    gives(int, deflate, (z_streamp stream, int flush), (stream, flush)) \
    gives(uLong, deflateBound, (z_streamp stream, uLong len), (stream, len)) \
    gives(int, deflateEnd, (z_streamp stream), (stream)) \
    gives(int, deflateInit2_, \
          (z_streamp stream, int level, int method, int window, int memory, int strategy, const char *version, \
           int size), \
          (stream, level, method, window, memory, strategy, version, size)) \
    gives(int, inflate, (z_streamp stream, int flush), (stream, flush)) \
    gives(int, inflateEnd, (z_streamp stream), (stream)) \
    gives(int, inflateInit2_, (z_streamp stream, int window, const char *version, int size), \
          (stream, window, version, size)) \
    gives(int, inflateReset, (z_streamp stream), (stream))
/* clang-format on */

LATE_LIBRARY(FUNCTIONS, "zlib1g", "libz.so.1")
