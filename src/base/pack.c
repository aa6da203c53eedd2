/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pack.h"

#include <string.h>

#include "base/must.h"
#include "base/slice.h"

enum { NUMBER_BYTES_MAX = 10 };

struct pack pack_into(struct buf *to)
{
    return (struct pack){.to = to, .from = {SLICE_NONE}};
}

struct pack pack_from(struct slice bytes)
{
    return (struct pack){.from = reader_over(bytes)};
}

static void append(struct pack *p, const void *at, size_t len)
{
    if (p->err == ERR_NONE && len > 0) {
        p->err = buf_append(p->to, slice_make(at, len));
    }
}

static struct slice take(struct pack *p, size_t len)
{
    struct slice bytes = SLICE_NONE;
    must(reader_take(&p->from, len, &bytes));
    return bytes;
}

static void write_number(struct pack *p, uint64_t value)
{
    unsigned char bytes[NUMBER_BYTES_MAX];
    size_t len = 0;
    while (value >= 0x80) {
        bytes[len++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (unsigned char)value;
    append(p, bytes, len);
}

static uint64_t read_number(struct pack *p)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        must(shift < 64);
        unsigned char byte = (unsigned char)take(p, 1).at[0];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
}

void pack_u64(struct pack *p, uint64_t *value)
{
    if (p->to != NULL) {
        write_number(p, *value);
    } else {
        *value = read_number(p);
    }
}

void pack_u32(struct pack *p, uint32_t *value)
{
    uint64_t wide = *value;
    pack_u64(p, &wide);
    *value = (uint32_t)wide;
}

void pack_u16(struct pack *p, uint16_t *value)
{
    uint64_t wide = *value;
    pack_u64(p, &wide);
    *value = (uint16_t)wide;
}

void pack_u8(struct pack *p, uint8_t *value)
{
    pack_raw(p, value, 1);
}

void pack_since(struct pack *p, uint64_t *value, uint64_t base)
{
    uint64_t distance = *value - base;
    pack_u64(p, &distance);
    *value = base + distance;
}

void pack_raw(struct pack *p, void *at, size_t len)
{
    if (p->to != NULL) {
        append(p, at, len);
    } else {
        memcpy(at, take(p, len).at, len);
    }
}

void pack_bytes(struct pack *p, struct slice *bytes)
{
    uint64_t len = bytes->len;
    pack_u64(p, &len);
    if (p->to != NULL) {
        append(p, bytes->at, bytes->len);
    } else {
        *bytes = take(p, (size_t)len);
    }
}

void pack_flags(struct pack *p, bool *const *flags, size_t count)
{
    for (size_t at = 0; at < count; at += 8) {
        size_t bits = count - at < 8 ? count - at : 8;
        uint8_t byte = 0;
        for (size_t i = 0; i < bits; i++) {
            byte = (uint8_t)(byte | (*flags[at + i] ? 1u << i : 0));
        }
        pack_u8(p, &byte);
        for (size_t i = 0; i < bits; i++) {
            *flags[at + i] = (byte >> i & 1) != 0;
        }
    }
}
