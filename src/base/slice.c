/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <string.h>

struct slice slice_of(const char *text)
{
    return text == NULL ? SLICE_NONE : slice_make(text, strlen(text));
}

struct slice slice_sub(struct slice s, size_t from, size_t to)
{
    size_t end = to < s.len ? to : s.len;
    size_t start = from < end ? from : end;
    /* NULL + 0 is undefined in C, and an empty slice may hold NULL. */
    return slice_make(start == 0 ? s.at : s.at + start, end - start);
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    return a.len == b.len && slice_starts_nocase(a, b);
}

bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_equal(slice_sub(s, 0, prefix.len), prefix);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
    if (s.len < prefix.len) {
        return false;
    }
    for (size_t i = 0; i < prefix.len; i++) {
        if (ascii_lower(s.at[i]) != ascii_lower(prefix.at[i])) {
            return false;
        }
    }
    return true;
}

bool slice_ends(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len && slice_equal(slice_sub(s, s.len - suffix.len, s.len), suffix);
}

bool slice_ends_nocase(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           slice_equal_nocase(slice_sub(s, s.len - suffix.len, s.len), suffix);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared == 0 ? 0 : memcmp(a.at, b.at, shared);
    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

size_t slice_find_byte(struct slice s, char byte, size_t from)
{
    if (from >= s.len) {
        return s.len;
    }
    const char *found = memchr(s.at + from, byte, s.len - from);
    return found == NULL ? s.len : (size_t)(found - s.at);
}

size_t slice_find_last_byte(struct slice s, char byte)
{
    const char *found = s.len == 0 ? NULL : memrchr(s.at, byte, s.len);
    return found == NULL ? s.len : (size_t)(found - s.at);
}

/* Eight bytes at a time: each that matches becomes zero, and only those keep their high bit clear. Matches are added up
 * in eight counters of a byte each, which are emptied before one of them can overflow. */
size_t slice_count_byte(struct slice s, char byte)
{
    enum { ROUNDS_MAX = 255 };
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t low = ones * 0x7f;
    const uint64_t pattern = (unsigned char)byte * ones;
    size_t count = 0;
    size_t i = 0;
    while (i + sizeof ones <= s.len) {
        uint64_t counters = 0;
        for (size_t round = 0; round < ROUNDS_MAX && i + sizeof ones <= s.len; round++) {
            uint64_t word;
            memcpy(&word, s.at + i, sizeof word);
            word ^= pattern;
            counters += ~(((word & low) + low) | word) >> 7 & ones;
            i += sizeof word;
        }
        const uint64_t pairs = UINT64_C(0x00ff00ff00ff00ff);
        uint64_t sums = (counters & pairs) + (counters >> 8 & pairs);
        count += (sums * UINT64_C(0x0001000100010001)) >> 48;
    }
    for (; i < s.len; i++) {
        count += s.at[i] == byte ? 1 : 0;
    }
    return count;
}

size_t slice_find_nocase(struct slice s, struct slice needle)
{
    if (needle.len == 0) {
        return 0;
    }
    if (s.len < needle.len) {
        return s.len;
    }
    char low = ascii_lower(needle.at[0]);
    char up = low >= 'a' && low <= 'z' ? (char)(low - ('a' - 'A')) : low;
    size_t low_at = slice_find_byte(s, low, 0);
    size_t up_at = slice_find_byte(s, up, 0);
    while (true) {
        size_t i = low_at < up_at ? low_at : up_at;
        if (i == s.len || s.len - i < needle.len) {
            return s.len;
        }
        if (slice_starts_nocase(slice_sub(s, i, s.len), needle)) {
            return i;
        }
        low_at = i == low_at ? slice_find_byte(s, low, i + 1) : low_at;
        up_at = i == up_at ? slice_find_byte(s, up, i + 1) : up_at;
    }
}

struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && ascii_is_space(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && ascii_is_space(s.at[s.len - 1])) {
        s.len--;
    }
    return s;
}

struct slice slice_cut(struct slice *rest, char separator)
{
    size_t end = slice_find_byte(*rest, separator, 0);
    struct slice part = slice_sub(*rest, 0, end);
    if (end == rest->len) {
        *rest = slice_make(NULL, 0);
    } else {
        *rest = slice_make(rest->at + end + 1, rest->len - end - 1);
    }
    return part;
}

uint64_t slice_hash(struct slice s, uint64_t seed)
{
    uint64_t hash = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < s.len; i++) {
        hash = (hash ^ (unsigned char)s.at[i]) * 0x100000001b3u;
    }
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ (hash >> 32);
}

/* Both halves of the product of 128 bits, laid over each other. */
static uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef UINT128
    UINT128 product = a;
    product *= b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t a_low = (uint32_t)a, a_high = a >> 32;
    uint64_t b_low = (uint32_t)b, b_high = b >> 32;
    uint64_t cross = a_high * b_low;
    uint64_t middle = a_low * b_high + (a_low * b_low >> 32) + (uint32_t)cross;
    return a * b ^ (a_high * b_high + (cross >> 32) + (middle >> 32));
#endif
}

/* The last eight bytes, or, where there are fewer, all of them. */
static uint64_t last_word(struct slice s)
{
    uint64_t word = 0;
    if (s.len >= sizeof word) {
        memcpy(&word, s.at + s.len - sizeof word, sizeof word);
        return word;
    }
    for (size_t i = 0; i < s.len; i++) {
        word = word << 8 | (unsigned char)s.at[i];
    }
    return word;
}

/* Eight bytes at a time; the last ones overlap those before. What is put in is multiplied by what only the seed tells,
 * and all bits of the product count: without it nobody can say which keys fall together. */
uint64_t slice_mix(struct slice s, uint64_t seed)
{
    uint64_t secret = (seed ^ UINT64_C(0x9e3779b97f4a7c15)) | 1;
    uint64_t hash = seed ^ s.len;
    for (size_t at = 0; at + sizeof hash < s.len; at += sizeof hash) {
        uint64_t word;
        memcpy(&word, s.at + at, sizeof word);
        hash = fold(hash ^ word, secret);
    }
    hash = fold(hash ^ last_word(s), secret);
    return fold(hash ^ secret, UINT64_C(0xd6e8feb86659fd93));
}

bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ascii_is_alnum(char c)
{
    return ascii_is_digit(c) || ascii_is_alpha(c);
}

bool ascii_is_space(char c)
{
    /* Nearly every byte of a text is above the space. */
    return (unsigned char)c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
