/* base/pack: values as few bytes, for what is kept a million times and never leaves the process. One walk over the
 * fields serves both directions, so that what is written is what is read:
 *
 *     struct pack p = pack_into(&buf);  walk(&p, &value);     the value into the buffer, unchanged
 *     struct pack p = pack_from(bytes); walk(&p, &value);     and back
 *
 * Numbers take seven bits a byte, the low ones first. What is read must have been written by the same walk: anything
 * else is a mistake of ours (must).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/reader.h"

struct pack {
    struct buf *to; /* NULL: reads */
    struct reader from;
    enum err
        err; /* writing: the first failure (ERR_NOMEM, ERR_LIMIT); nothing is written after it */
};

struct pack pack_into(struct buf *to);
struct pack pack_from(struct slice bytes);

void pack_u8(struct pack *p, uint8_t *value);
void pack_u16(struct pack *p, uint16_t *value);
void pack_u32(struct pack *p, uint32_t *value);
void pack_u64(struct pack *p, uint64_t *value);

/* As the distance from a value that both sides know; wraps around. */
void pack_since(struct pack *p, uint64_t *value, uint64_t base);

void pack_raw(struct pack *p, void *at, size_t len);

/* The bytes with their length. Read, they are borrowed from what is read. */
void pack_bytes(struct pack *p, struct slice *bytes);

/* Eight to a byte. */
void pack_flags(struct pack *p, bool *const *flags, size_t count);

#endif
