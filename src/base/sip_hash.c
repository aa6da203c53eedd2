/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sip_hash.h"

#include <endian.h>
#include <string.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t word, unsigned by)
{
    return word << by | word >> (64 - by);
}

static void round_once(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void mix(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    round_once(s);
    round_once(s);
    s->v0 ^= word;
}

/* Up to eight bytes, the first one lowest. */
static uint64_t word_of(const char *at, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, at, len);
    return le64toh(word);
}

uint64_t sip_hash(struct slice s, uint64_t key0, uint64_t key1)
{
    struct sip sip = {0x736f6d6570736575u ^ key0, 0x646f72616e646f6du ^ key1,
                      0x6c7967656e657261u ^ key0, 0x7465646279746573u ^ key1};
    size_t whole = s.len - s.len % 8;
    for (size_t i = 0; i < whole; i += 8) {
        mix(&sip, word_of(s.at + i, sizeof(uint64_t)));
    }
    mix(&sip, word_of(s.at + whole, s.len - whole) | (uint64_t)s.len << 56);
    sip.v2 ^= 0xff;
    for (unsigned i = 0; i < 4; i++) {
        round_once(&sip);
    }
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}
