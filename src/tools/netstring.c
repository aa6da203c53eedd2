/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/netstring.h"

#include "base/slice.h"

enum { DIGITS_MAX = 9 };

void netstring_init(struct netstring *out, size_t bytes_max)
{
    buf_init(&out->text, bytes_max);
    netstring_clear(out);
}

void netstring_done(struct netstring *netstring)
{
    buf_done(&netstring->text);
}

void netstring_clear(struct netstring *netstring)
{
    buf_clear(&netstring->text);
    netstring->length = 0;
    netstring->digits = 0;
    netstring->has_length = false;
    netstring->has_begun = false;
}

/* A digit of the length, or the colon behind it; no zero in front of others. */
static bool take_head(struct netstring *netstring, char c)
{
    if (c == ':') {
        netstring->has_length = netstring->digits > 0;
        return netstring->has_length && netstring->length <= netstring->text.max;
    }
    bool is_padded = netstring->digits > 0 && netstring->length == 0;
    if (!ascii_is_digit(c) || is_padded || ++netstring->digits > DIGITS_MAX) {
        return false;
    }
    netstring->length = netstring->length * 10 + (size_t)(c - '0');
    return true;
}

static enum netstring_progress feed_text(struct netstring *netstring, struct slice bytes,
                                         size_t *used)
{
    size_t missing = netstring->length - netstring->text.len;
    struct slice piece = slice_sub(bytes, *used, *used + missing);
    if (buf_append(&netstring->text, piece) != ERR_NONE) {
        return NETSTRING_INVALID;
    }
    *used += piece.len;
    if (*used == bytes.len) {
        return NETSTRING_MORE;
    }
    return bytes.at[(*used)++] == ',' ? NETSTRING_WHOLE : NETSTRING_INVALID;
}

enum netstring_progress netstring_feed(struct netstring *netstring, struct slice bytes,
                                       size_t *out_used)
{
    size_t used = 0;
    netstring->has_begun = netstring->has_begun || bytes.len > 0;
    while (!netstring->has_length && used < bytes.len) {
        if (!take_head(netstring, bytes.at[used++])) {
            *out_used = used;
            return NETSTRING_INVALID;
        }
    }
    enum netstring_progress progress =
        netstring->has_length ? feed_text(netstring, bytes, &used) : NETSTRING_MORE;
    *out_used = used;
    return progress;
}

enum err netstring_write(struct slice text, struct buf *out)
{
    enum err e = buf_printf(out, "%zu:", text.len);
    e = e != ERR_NONE ? e : buf_append(out, text);
    return e != ERR_NONE ? e : buf_append_byte(out, ',');
}
