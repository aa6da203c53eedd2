/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* With padding. */
static size_t write_with(const char *alphabet, struct slice bytes, char *out)
{
    size_t len = 0;
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t left = bytes.len - at;
        uint32_t group = 0;
        for (size_t i = 0; i < 3; i++) {
            group = group << 8 | (i < left ? (uint8_t)bytes.at[at + i] : 0);
        }
        for (size_t i = 0; i < 4; i++) { /* one byte makes two letters, two make three */
            out[len++] = i <= left ? alphabet[group >> (18 - 6 * i) & 63] : '=';
        }
    }
    return len;
}

size_t base64_write(struct slice bytes, char *out)
{
    return write_with(letters, bytes, out);
}

size_t base64_write_url(struct slice bytes, char *out)
{
    size_t len = write_with(url_letters, bytes, out);
    while (len > 0 && out[len - 1] == '=') {
        len--;
    }
    return len;
}

/* 64 where it is none. */
static uint32_t value_of(char letter)
{
    uint32_t value = 0;
    while (value < 64 && letters[value] != letter) {
        value++;
    }
    return value;
}

/* One group of four, of which the last padding ones are '='. */
static bool read_group(const char *at, size_t padding, char *out)
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = i < 4 - padding ? value_of(at[i]) : 0;
        if (value == 64) {
            return false;
        }
        group = group << 6 | value;
    }
    for (size_t i = 0; i < 3 - padding; i++) {
        out[i] = (char)(group >> (16 - 8 * i) & 255);
    }
    return (group & ((UINT32_C(1) << 8 * padding) - 1)) == 0;
}

bool base64_read(struct slice text, char *out, size_t *out_len)
{
    size_t len = 0;
    if (text.len % 4 != 0) {
        return false;
    }
    for (size_t at = 0; at < text.len; at += 4) {
        bool is_last = at + 4 == text.len;
        size_t padding = !is_last || text.at[at + 3] != '=' ? 0 : text.at[at + 2] != '=' ? 1 : 2;
        if (!read_group(text.at + at, padding, out + len)) {
            return false;
        }
        len += 3 - padding;
    }
    *out_len = len;
    return true;
}
