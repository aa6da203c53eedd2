/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

#include "base/slice.h"

size_t text_utf8_next(struct slice s, unsigned *out_code_point)
{
    if (s.len == 0) {
        return 0;
    }
    unsigned lead = (unsigned char)s.at[0];
    if (lead < 0x80) {
        *out_code_point = lead;
        return 1;
    }
    size_t length = lead >= 0xf0 && lead <= 0xf4   ? 4
                    : lead >= 0xe0 && lead <= 0xef ? 3
                    : lead >= 0xc2 && lead <= 0xdf ? 2
                                                   : 0;
    if (length == 0 || s.len < length) {
        return 0;
    }
    unsigned code = lead & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        unsigned next = (unsigned char)s.at[i];
        if ((next & 0xc0u) != 0x80u) {
            return 0;
        }
        code = code << 6 | (next & 0x3fu);
    }
    bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    if (is_overlong || is_surrogate || code > 0x10ffff) {
        return 0;
    }
    *out_code_point = code;
    return length;
}

bool text_is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.at[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

bool text_is_utf8(struct slice s)
{
    unsigned code;
    for (size_t i = 0; i < s.len;) {
        bool is_ascii = (unsigned char)s.at[i] < 0x80;
        size_t length = is_ascii ? 1 : text_utf8_next(slice_sub(s, i, s.len), &code);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

/* Controls, and format characters that reorder or hide text (Unicode 15, categories Cc and Cf that
 * a terminal acts on). */
bool text_is_dangerous(unsigned code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0xad || code == 0x61c ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
           (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe007f);
}

/* Eight bytes from ' ' to '~': none has its high bit set, nor gets it by adding one to what is below 0x80, nor keeps it
 * clear when 0x60 is added. */
static bool is_plain_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones * 0x80;
    uint64_t low = word & ~highs;
    return ((word | (low + ones) | ~(low + ones * 0x60)) & highs) == 0;
}

size_t text_plain_run(struct slice s)
{
    size_t len = 0;
    uint64_t word;
    while (len + sizeof word <= s.len) {
        memcpy(&word, s.at + len, sizeof word);
        if (!is_plain_word(word)) {
            break;
        }
        len += sizeof word;
    }
    while (len < s.len && s.at[len] >= ' ' && s.at[len] <= '~') {
        len++;
    }
    return len;
}

enum err text_append_printable(struct buf *out, struct slice s)
{
    while (s.len > 0) {
        size_t plain = text_plain_run(slice_sub(s, 0, out->max - out->len));
        if (plain > 0) {
            enum err e = buf_append(out, slice_sub(s, 0, plain));
            if (e != ERR_NONE) {
                return e;
            }
            s = slice_sub(s, plain, s.len);
            continue;
        }
        unsigned code = 0;
        size_t length = text_utf8_next(s, &code);
        enum err e;
        if (length == 0) {
            length = 1;
            e = buf_printf(out, "\\x%02x", (unsigned)(unsigned char)s.at[0]);
        } else if (code == '\t') {
            e = buf_append_byte(out, ' ');
        } else if (!text_is_dangerous(code)) {
            e = buf_append(out, slice_sub(s, 0, length));
        } else if (code < 0x100) {
            e = buf_printf(out, "\\x%02x", code);
        } else {
            e = buf_printf(out, "\\u{%x}", code);
        }
        if (e != ERR_NONE) {
            return e;
        }
        s = slice_sub(s, length, s.len);
    }
    return ERR_NONE;
}

size_t text_utf8_write(unsigned code_point, char out[TEXT_UTF8_BYTES])
{
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000)) {
        code_point = TEXT_REPLACEMENT;
    }
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0u | code_point >> 6);
        out[1] = (char)(0x80u | (code_point & 0x3fu));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0u | code_point >> 12);
        out[1] = (char)(0x80u | (code_point >> 6 & 0x3fu));
        out[2] = (char)(0x80u | (code_point & 0x3fu));
        return 3;
    }
    out[0] = (char)(0xf0u | code_point >> 18);
    out[1] = (char)(0x80u | (code_point >> 12 & 0x3fu));
    out[2] = (char)(0x80u | (code_point >> 6 & 0x3fu));
    out[3] = (char)(0x80u | (code_point & 0x3fu));
    return 4;
}

bool text_is_http_token(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL) {
            return false;
        }
    }
    return s.len > 0;
}
