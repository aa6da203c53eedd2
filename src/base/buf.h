/* base/buf: a growing byte buffer with a ceiling that its maker names.
 * Appending past the ceiling is ERR_LIMIT and leaves the content as it was. Owns its bytes, but for a first room that its
 * maker may lend it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct buf {
    char *at;
    size_t len;
    size_t cap;
    size_t max;   /* the ceiling in bytes */
    bool is_lent; /* what `at` points to is its maker's */
};

/* max must be above zero. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
/* The same, with room for its first bytes, which outlives it: nothing is allocated while they are enough. */
void buf_init_in(struct buf *b, char *room, size_t room_bytes, size_t max);
void buf_done(struct buf *b);      /* safe on a zeroed buf and twice */
void buf_done_wipe(struct buf *b); /* the same, content overwritten first */

/* Each returns ERR_NONE, ERR_LIMIT or ERR_NOMEM. */
enum err buf_append(struct buf *b, struct slice s) MUST_USE;
enum err buf_append_byte(struct buf *b, char byte) MUST_USE;
enum err buf_append_int(struct buf *b, int64_t value) MUST_USE; /* decimal */
enum err buf_printf(struct buf *b, const char *format, ...) MUST_USE PRINTF_LIKE(2, 3);
enum err buf_vprintf(struct buf *b, const char *format, va_list args) MUST_USE PRINTF_LIKE(2, 0);

/* Room for extra more bytes at b->at + b->len, for a reader that fills it and adds to len. */
enum err buf_reserve(struct buf *b, size_t extra) MUST_USE;

void buf_clear(struct buf *b);                /* keeps the memory */
void buf_drop_front(struct buf *b, size_t n); /* n is clamped to len */
struct slice buf_view(const struct buf *b);   /* valid until the next change */

/* The content as a NUL-terminated string owned by the caller; b is empty afterwards. NULL: no memory. */
char *buf_take_text(struct buf *b) MUST_USE;

#endif
