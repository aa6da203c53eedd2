/* base/reader: the one place that walks over bytes. Every parser reads through it; none moves a
 * pointer by itself. A call that does not find what it asks for returns false and consumes nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct reader {
    struct slice rest;
};

static inline struct reader reader_over(struct slice s)
{
    return (struct reader){s};
}

static inline bool reader_is_done(const struct reader *r)
{
    return r->rest.len == 0;
}

bool reader_peek(const struct reader *r, char *out_byte);
bool reader_byte(struct reader *r, char *out_byte);
bool reader_take(struct reader *r, size_t n, struct slice *out); /* exactly n bytes */
bool reader_literal(struct reader *r, struct slice text);
bool reader_literal_nocase(struct reader *r, struct slice text);

/* Up to the delimiter, which is consumed but not part of *out. */
bool reader_until(struct reader *r, char delimiter, struct slice *out);

/* A line up to LF; a CR before it is cut. The last line may lack its LF. False at the end. */
bool reader_line(struct reader *r, struct slice *out);

/* The longest run (maybe empty) of bytes for which accept says yes. */
struct slice reader_while(struct reader *r, bool (*accept)(char byte));

/* Decimal digits without sign, at most max; more than that consumes nothing. */
bool reader_number(struct reader *r, uint64_t max, uint64_t *out);

/* Big-endian, as on the network. */
bool reader_u8(struct reader *r, uint8_t *out);
bool reader_u16(struct reader *r, uint16_t *out);
bool reader_u32(struct reader *r, uint32_t *out);

#endif
