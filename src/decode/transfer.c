/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/transfer.h"

#include <string.h>

#include "base/slice.h"

enum { NO_HEX = 16, NO_LETTER = 64 };

unsigned hex_value(char c)
{
    char lower = ascii_lower(c);
    if (ascii_is_digit(c)) {
        return (unsigned)(c - '0');
    }
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : NO_HEX;
}

void transfer_init(struct transfer *transfer, enum transfer_kind kind)
{
    *transfer = (struct transfer){.kind = kind};
}

enum transfer_kind transfer_by_name(struct slice name)
{
    if (slice_equal_nocase(name, SLICE("base64")) || slice_equal_nocase(name, SLICE("b"))) {
        return TRANSFER_BASE64;
    }
    return slice_equal_nocase(name, SLICE("quoted-printable")) ? TRANSFER_QUOTED_PRINTABLE
                                                               : TRANSFER_PLAIN;
}

static unsigned letter_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (unsigned)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (unsigned)(c - 'a') + 26;
    }
    if (ascii_is_digit(c)) {
        return (unsigned)(c - '0') + 52;
    }
    switch (c) {
    case '+':
    case '-': return 62;
    case '/':
    case '_': return 63;
    default: return NO_LETTER;
    }
}

/* Padding ends a group: what follows it begins another text, as where several were joined. */
static enum err feed_base64(struct transfer *transfer, struct slice bytes, struct buf *out)
{
    enum err e = buf_reserve(out, bytes.len);
    if (e != ERR_NONE) {
        return e;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned value = letter_value(bytes.at[i]);
        if (bytes.at[i] == '=') {
            transfer->bits = transfer->bit_count = 0;
        }
        if (value == NO_LETTER) {
            continue;
        }
        transfer->bits = (transfer->bits << 6 | value) & 0xfffu;
        transfer->bit_count += 6;
        if (transfer->bit_count >= 8) {
            transfer->bit_count -= 8;
            out->at[out->len++] = (char)(transfer->bits >> transfer->bit_count & 0xffu);
        }
    }
    return ERR_NONE;
}

enum held {
    HELD_OPEN, /* more is needed */
    HELD_GONE, /* a soft line break */
    HELD_BYTE, /* two digits */
    HELD_NONE, /* nothing that means anything: it stays */
};

static enum held judge(const struct transfer *transfer, char *out_byte)
{
    const char *held = transfer->held;
    bool is_cr = transfer->held_len > 1 && held[1] == '\r';
    if (transfer->held_len == 1) {
        return HELD_OPEN;
    }
    if (held[1] == '\n') {
        return HELD_GONE;
    }
    if (transfer->held_len == 2) {
        return is_cr || hex_value(held[1]) < NO_HEX ? HELD_OPEN : HELD_NONE;
    }
    if (is_cr) {
        return held[2] == '\n' ? HELD_GONE : HELD_NONE;
    }
    unsigned low = hex_value(held[2]);
    *out_byte = (char)(hex_value(held[1]) << 4 | (low & 0xfu));
    return low < NO_HEX ? HELD_BYTE : HELD_NONE;
}

/* An '=' among what means nothing begins anew; so what is held never begins with another byte. */
static enum err hold(struct transfer *transfer, char byte, struct buf *out)
{
    transfer->held[transfer->held_len++] = byte;
    char decoded = '\0';
    enum err e = ERR_NONE;
    switch (judge(transfer, &decoded)) {
    case HELD_OPEN: return ERR_NONE;
    case HELD_GONE: break;
    case HELD_BYTE: e = buf_append_byte(out, decoded); break;
    case HELD_NONE:
        if (byte == '=') {
            e = buf_append(out, slice_make(transfer->held, transfer->held_len - 1));
            transfer->held_len = 1;
            return e;
        }
        e = buf_append(out, slice_make(transfer->held, transfer->held_len));
        break;
    }
    transfer->held_len = 0;
    return e;
}

static enum err feed_quoted(struct transfer *transfer, struct slice bytes, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < bytes.len && e == ERR_NONE;) {
        if (transfer->held_len > 0 || bytes.at[i] == '=') {
            e = hold(transfer, bytes.at[i++], out);
            continue;
        }
        size_t end = slice_find_byte(bytes, '=', i);
        e = buf_append(out, slice_sub(bytes, i, end));
        i = end;
    }
    return e;
}

enum err transfer_feed(struct transfer *transfer, struct slice bytes, struct buf *out)
{
    switch (transfer->kind) {
    case TRANSFER_PLAIN: return buf_append(out, bytes);
    case TRANSFER_QUOTED_PRINTABLE: return feed_quoted(transfer, bytes, out);
    case TRANSFER_BASE64: return feed_base64(transfer, bytes, out);
    }
    return ERR_NONE;
}

enum err transfer_end(struct transfer *transfer, struct buf *out)
{
    enum err e = buf_append(out, slice_make(transfer->held, transfer->held_len));
    transfer_init(transfer, transfer->kind);
    return e;
}
