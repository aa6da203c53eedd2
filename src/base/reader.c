/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"

#include "base/slice.h"

static void advance(struct reader *r, size_t n)
{
    r->rest = slice_sub(r->rest, n, r->rest.len);
}

bool reader_peek(const struct reader *r, char *out_byte)
{
    if (r->rest.len == 0) {
        return false;
    }
    *out_byte = r->rest.at[0];
    return true;
}

bool reader_byte(struct reader *r, char *out_byte)
{
    if (!reader_peek(r, out_byte)) {
        return false;
    }
    advance(r, 1);
    return true;
}

bool reader_take(struct reader *r, size_t n, struct slice *out)
{
    if (r->rest.len < n) {
        return false;
    }
    *out = slice_sub(r->rest, 0, n);
    advance(r, n);
    return true;
}

bool reader_literal(struct reader *r, struct slice text)
{
    if (!slice_starts(r->rest, text)) {
        return false;
    }
    advance(r, text.len);
    return true;
}

bool reader_literal_nocase(struct reader *r, struct slice text)
{
    if (!slice_starts_nocase(r->rest, text)) {
        return false;
    }
    advance(r, text.len);
    return true;
}

bool reader_until(struct reader *r, char delimiter, struct slice *out)
{
    size_t end = slice_find_byte(r->rest, delimiter, 0);
    if (end == r->rest.len) {
        return false;
    }
    *out = slice_sub(r->rest, 0, end);
    advance(r, end + 1);
    return true;
}

bool reader_line(struct reader *r, struct slice *out)
{
    if (reader_is_done(r)) {
        return false;
    }
    struct slice line;
    if (!reader_until(r, '\n', &line)) {
        line = r->rest;
        advance(r, line.len);
    }
    if (line.len > 0 && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    *out = line;
    return true;
}

struct slice reader_while(struct reader *r, bool (*accept)(char byte))
{
    size_t n = 0;
    while (n < r->rest.len && accept(r->rest.at[n])) {
        n++;
    }
    struct slice run = slice_sub(r->rest, 0, n);
    advance(r, n);
    return run;
}

bool reader_number(struct reader *r, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    size_t n = 0;
    while (n < r->rest.len && ascii_is_digit(r->rest.at[n])) {
        uint64_t digit = (uint64_t)(r->rest.at[n] - '0');
        if (digit > max || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
        n++;
    }
    if (n == 0) {
        return false;
    }
    advance(r, n);
    *out = value;
    return true;
}

bool reader_u8(struct reader *r, uint8_t *out)
{
    char byte;
    if (!reader_byte(r, &byte)) {
        return false;
    }
    *out = (uint8_t)byte;
    return true;
}

bool reader_u16(struct reader *r, uint16_t *out)
{
    struct slice bytes;
    if (!reader_take(r, 2, &bytes)) {
        return false;
    }
    *out = (uint16_t)((unsigned char)bytes.at[0] << 8 | (unsigned char)bytes.at[1]);
    return true;
}

bool reader_u32(struct reader *r, uint32_t *out)
{
    struct slice bytes;
    if (!reader_take(r, 4, &bytes)) {
        return false;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        value = value << 8 | (unsigned char)bytes.at[i];
    }
    *out = value;
    return true;
}
