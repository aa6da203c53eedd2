/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/tar.h"

#include "base/slice.h"

enum {
    NAME_BYTES = 100,
    SIZE_AT = 124,
    SIZE_BYTES = 12,
    SUM_AT = 148,
    SUM_BYTES = 8,
    TYPE_AT = 156,
};
#define SIZE_MAX_BYTES (UINT64_C(1) << 50) /* more is no size */

static bool read_octal(struct slice field, uint64_t *out)
{
    uint64_t value = 0;
    size_t i = 0;
    while (i < field.len && field.at[i] == ' ') {
        i++;
    }
    size_t begin = i;
    for (; i < field.len && field.at[i] >= '0' && field.at[i] <= '7'; i++) {
        value = value << 3 | (uint64_t)(field.at[i] - '0');
    }
    *out = value;
    return i > begin && (i == field.len || field.at[i] == ' ' || field.at[i] == '\0');
}

/* GNU: a set high bit means a binary number, for what octal digits cannot hold. */
static bool read_size(struct slice field, uint64_t *out)
{
    if (((unsigned char)field.at[0] & 0x80u) == 0) {
        return read_octal(field, out);
    }
    uint64_t value = 0;
    for (size_t i = 1; i < field.len; i++) {
        if (value >= SIZE_MAX_BYTES) {
            return false;
        }
        value = value << 8 | (unsigned char)field.at[i];
    }
    *out = value;
    return true;
}

bool tar_header_read(struct slice block, struct tar_header *out)
{
    uint64_t told;
    uint64_t size;
    if (block.len < TAR_BLOCK_BYTES || block.at[0] == '\0' ||
        !read_octal(slice_sub(block, SUM_AT, SUM_AT + SUM_BYTES), &told) ||
        !read_size(slice_sub(block, SIZE_AT, SIZE_AT + SIZE_BYTES), &size) ||
        size > SIZE_MAX_BYTES) {
        return false;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
        bool is_sum = i >= SUM_AT && i < SUM_AT + SUM_BYTES;
        sum += is_sum ? ' ' : (unsigned char)block.at[i];
    }
    if (sum != told) {
        return false;
    }
    char type = block.at[TYPE_AT];
    struct slice name = slice_sub(block, 0, NAME_BYTES);
    out->name = slice_sub(name, 0, slice_find_byte(name, '\0', 0));
    out->size = size;
    out->is_file = type == '0' || type == '\0' || type == '7';
    return true;
}
