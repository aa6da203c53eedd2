/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/key_size.h"

#include "base/reader.h"
#include "base/slice.h"

enum { DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_SEQUENCE = 0x30 };

/* A value of that type at the reader (X.690 8.1.3: lengths of one to three bytes are enough here). */
static bool read_value(struct reader *r, uint8_t type, struct slice *out)
{
    uint8_t found;
    uint8_t first;
    uint16_t len;
    if (!reader_u8(r, &found) || found != type || !reader_u8(r, &first)) {
        return false;
    }
    len = first;
    if (first == 0x81) {
        uint8_t byte;
        if (!reader_u8(r, &byte)) {
            return false;
        }
        len = byte;
    } else if (first == 0x82) {
        if (!reader_u16(r, &len)) {
            return false;
        }
    } else if (first >= 0x80) {
        return false;
    }
    return reader_take(r, len, out);
}

static unsigned bits_of(struct slice number)
{
    while (number.len > 0 && number.at[0] == '\0') {
        number = slice_sub(number, 1, number.len);
    }
    unsigned bits = (unsigned)number.len * 8;
    for (unsigned mask = 0x80; number.len > 0 && ((unsigned char)number.at[0] & mask) == 0;
         mask >>= 1) {
        bits--;
    }
    return bits;
}

static unsigned modulus_bits(struct slice key)
{
    struct reader r = reader_over(key);
    struct slice modulus;
    return read_value(&r, DER_INTEGER, &modulus) ? bits_of(modulus) : 0;
}

unsigned dns_rsa_bits(struct slice der)
{
    struct reader r = reader_over(der);
    struct slice all;
    struct slice part;
    struct slice key;
    if (!read_value(&r, DER_SEQUENCE, &all)) {
        return 0;
    }
    r = reader_over(all);
    if (!read_value(&r, DER_SEQUENCE, &part)) {
        return modulus_bits(all);
    }
    if (!read_value(&r, DER_BIT_STRING, &part) || part.len == 0) {
        return 0;
    }
    r = reader_over(slice_sub(part, 1, part.len)); /* the count of unused bits, which is 0 */
    return read_value(&r, DER_SEQUENCE, &key) ? modulus_bits(key) : 0;
}
