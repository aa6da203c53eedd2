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
