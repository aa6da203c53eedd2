/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"

enum {
    BUF_FIRST_BYTES = 64, /* small lines fit at once, empty buffers cost nothing */
    INT_BYTES = 20,       /* -9223372036854775808 */
    PRINT_BYTES = 256,    /* what is printed is nearly always shorter */
};

void buf_init(struct buf *b, size_t max)
{
    must(max > 0);
    *b = (struct buf){.max = max};
}

void buf_init_in(struct buf *b, char *room, size_t room_bytes, size_t max)
{
    buf_init(b, max);
    b->at = room;
    b->cap = room_bytes < max ? room_bytes : max;
    b->is_lent = true;
}

void buf_done(struct buf *b)
{
    if (!b->is_lent) {
        free(b->at);
    }
    *b = (struct buf){.max = b->max};
}

void buf_done_wipe(struct buf *b)
{
    if (b->at != NULL) {
        explicit_bzero(b->at, b->cap);
    }
    buf_done(b);
}

/* Its bytes in memory of its own, of so many; b is as it was. NULL: no memory. */
static char *resized(const struct buf *b, size_t bytes)
{
    if (!b->is_lent) {
        return realloc(b->at, bytes);
    }
    char *own = malloc(bytes);
    if (own != NULL) {
        memcpy(own, b->at, b->len);
    }
    return own;
}

enum err buf_reserve(struct buf *b, size_t extra)
{
    must(b->max > 0);
    if (extra > b->max - b->len) {
        return ERR_LIMIT;
    }
    size_t need = b->len + extra;
    if (need <= b->cap) {
        return ERR_NONE;
    }
    size_t cap = b->cap < BUF_FIRST_BYTES ? BUF_FIRST_BYTES : b->cap;
    while (cap < need) {
        cap = cap > b->max / 2 ? b->max : cap * 2;
    }
    if (cap > b->max) {
        cap = b->max;
    }
    char *grown = resized(b, cap);
    if (grown == NULL) {
        return ERR_NOMEM;
    }
    b->at = grown;
    b->cap = cap;
    b->is_lent = false;
    return ERR_NONE;
}

enum err buf_append(struct buf *b, struct slice s)
{
    enum err e = s.len <= b->cap - b->len ? ERR_NONE : buf_reserve(b, s.len);
    if (e != ERR_NONE) {
        return e;
    }
    if (s.len > 0) {
        memcpy(b->at + b->len, s.at, s.len);
        b->len += s.len;
    }
    return ERR_NONE;
}

enum err buf_append_byte(struct buf *b, char byte)
{
    return buf_append(b, slice_make(&byte, 1));
}

enum err buf_append_int(struct buf *b, int64_t value)
{
    char digits[INT_BYTES];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    return buf_append(b, slice_make(digits + at, sizeof digits - at));
}

/* vsnprintf ends with a NUL, for which there may be no room below the ceiling. */
static PRINTF_LIKE(3, 0) enum err
    print_long(struct buf *b, size_t len, const char *format, va_list args)
{
    if (len > b->max - b->len) {
        return ERR_LIMIT;
    }
    char *text = malloc(len + 1);
    if (text == NULL) {
        return ERR_NOMEM;
    }
    (void)vsnprintf(text, len + 1, format, args);
    enum err e = buf_append(b, slice_make(text, len));
    free(text);
    return e;
}

enum err buf_vprintf(struct buf *b, const char *format, va_list args)
{
    char text[PRINT_BYTES];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(text, sizeof text, format, args);
    must(len >= 0);
    enum err e = (size_t)len < sizeof text ? buf_append(b, slice_make(text, (size_t)len))
                                           : print_long(b, (size_t)len, format, again);
    va_end(again);
    return e;
}

enum err buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum err e = buf_vprintf(b, format, args);
    va_end(args);
    return e;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

void buf_drop_front(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->at, b->at + n, b->len - n);
    b->len -= n;
}

struct slice buf_view(const struct buf *b)
{
    return b->len == 0 ? SLICE_NONE : slice_make(b->at, b->len);
}

char *buf_take_text(struct buf *b)
{
    char *text = resized(b, b->len + 1);
    if (text == NULL) {
        return NULL;
    }
    text[b->len] = '\0';
    *b = (struct buf){.max = b->max};
    return text;
}
