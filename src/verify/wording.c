/* In the common part a mark stands for each word of the recipient's; the own part holds these in their order, each
 * with its length. A word that holds a mark itself is one of the recipient's too, and kept as it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/wording.h"

#include <string.h>

#include "base/must.h"
#include "base/pack.h"
#include "base/slice.h"

enum { MARK = 1, DOTS_MIN = 2 };

static bool is_gap(char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

/* "4.7.1", "192.0.2.7": the enhanced code and our own address, which all are told alike. */
static bool is_dotted_number(struct slice word)
{
    size_t dots = 0;
    for (size_t i = 0; i < word.len; i++) {
        bool is_dot = word.at[i] == '.';
        if (!is_dot && !ascii_is_digit(word.at[i])) {
            return false;
        }
        dots += is_dot ? 1 : 0;
    }
    return dots >= DOTS_MIN;
}

static bool is_own(struct slice word)
{
    bool has_digit = false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] == '@' || word.at[i] == MARK) {
            return true;
        }
        has_digit = has_digit || ascii_is_digit(word.at[i]);
    }
    return has_digit && !is_dotted_number(word);
}

/* A piece is its length, twice, and one more where the address stands behind it and another piece follows. */
static enum err put_piece(struct slice piece, bool has_address, struct buf *own)
{
    struct pack p = pack_into(own);
    uint64_t head = piece.len * 2 + (has_address ? 1 : 0);
    pack_u64(&p, &head);
    return p.err != ERR_NONE ? p.err : buf_append(own, piece);
}

static enum err put_own(struct slice word, struct slice address, struct buf *own)
{
    const char *found =
        address.len == 0 ? NULL : memmem(word.at, word.len, address.at, address.len);
    if (found == NULL) {
        return put_piece(word, false, own);
    }
    size_t before = (size_t)(found - word.at);
    enum err e = put_piece(slice_sub(word, 0, before), true, own);
    return e != ERR_NONE ? e
                         : put_piece(slice_sub(word, before + address.len, word.len), false, own);
}

enum err wording_split(struct slice text, struct slice address, struct buf *common, struct buf *own)
{
    enum err e = ERR_NONE;
    for (size_t at = 0; at < text.len && e == ERR_NONE;) {
        size_t end = at;
        while (end < text.len && !is_gap(text.at[end])) {
            end++;
        }
        struct slice word = slice_sub(text, at, end);
        if (is_own(word)) {
            e = put_own(word, address, own);
            e = e != ERR_NONE ? e : buf_append_byte(common, MARK);
        } else {
            e = buf_append(common, word);
        }
        if (end < text.len && e == ERR_NONE) {
            e = buf_append_byte(common, text.at[end]);
        }
        at = end + 1;
    }
    return e;
}

struct joining {
    char *at;
    size_t len, room;
};

static void add(struct joining *out, struct slice piece)
{
    must(piece.len <= out->room - out->len);
    if (piece.len > 0) {
        memcpy(out->at + out->len, piece.at, piece.len);
    }
    out->len += piece.len;
}

static void add_own(struct joining *out, struct pack *own, struct slice address)
{
    bool goes_on = true;
    while (goes_on) {
        uint64_t head = 0;
        struct slice piece = SLICE_NONE;
        pack_u64(own, &head);
        must(reader_take(&own->from, (size_t)(head / 2), &piece));
        add(out, piece);
        goes_on = (head & 1) != 0;
        add(out, goes_on ? address : SLICE_NONE);
    }
}

void wording_join(struct slice common, struct slice own, struct slice address, char *out,
                  size_t out_bytes)
{
    struct joining joining = {out, 0, out_bytes - 1};
    struct pack pieces = pack_from(own);
    for (size_t i = 0; i < common.len; i++) {
        if (common.at[i] == MARK) {
            add_own(&joining, &pieces, address);
        } else {
            add(&joining, slice_sub(common, i, i + 1));
        }
    }
    out[joining.len] = '\0';
}
