/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/encoded_word.h"

#include "base/slice.h"
#include "decode/transfer.h"

enum { CHARSET_BYTES_MAX = 64 };

bool encoded_word_read(struct slice text, struct encoded_word *out, size_t *out_len)
{
    if (!slice_starts(text, SLICE("=?"))) {
        return false;
    }
    size_t charset_end = slice_find_byte(slice_sub(text, 0, 2 + CHARSET_BYTES_MAX), '?', 2);
    if (charset_end + 3 >= text.len || text.at[charset_end] != '?' ||
        text.at[charset_end + 2] != '?') {
        return false;
    }
    char encoding = ascii_lower(text.at[charset_end + 1]);
    size_t begin = charset_end + 3;
    size_t end = slice_find_byte(text, '?', begin);
    if ((encoding != 'b' && encoding != 'q') || end + 1 >= text.len || text.at[end + 1] != '=') {
        return false;
    }
    struct slice charset = slice_sub(text, 2, charset_end);
    out->charset = slice_sub(charset, 0, slice_find_byte(charset, '*', 0));
    out->text = slice_sub(text, begin, end);
    out->is_base64 = encoding == 'b';
    *out_len = end + 2;
    return true;
}

/* RFC 2047 4.2: an underscore is a space. */
static enum err decode_q(struct slice text, struct transfer *transfer, struct buf *out)
{
    enum err e = ERR_NONE;
    while (text.at != NULL && e == ERR_NONE) {
        e = transfer_feed(transfer, slice_cut(&text, '_'), out);
        if (e == ERR_NONE && text.at != NULL) {
            e = transfer_feed(transfer, SLICE(" "), out);
        }
    }
    return e;
}

enum err encoded_word_decode(const struct encoded_word *word, struct buf *out)
{
    struct transfer transfer;
    transfer_init(&transfer, word->is_base64 ? TRANSFER_BASE64 : TRANSFER_QUOTED_PRINTABLE);
    enum err e = word->is_base64 ? transfer_feed(&transfer, word->text, out)
                                 : decode_q(word->text, &transfer, out);
    return e == ERR_NONE ? transfer_end(&transfer, out) : e;
}
