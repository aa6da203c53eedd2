/* address/lists_filter: which words are on no list at all, told by one look at a table of bits, so that what is on none,
 * as nearly every domain, costs no search. It may say yes of a word that is on none, and never says no of one that is.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "address/lists_private.h"

/* The bytes at `at` as one number; those beyond the word count as 0. */
static uint64_t eight_at(struct slice word, size_t at)
{
    uint64_t eight = 0;
    size_t left = word.len - at;
    if (left >= sizeof eight) {
        memcpy(&eight, word.at + at, sizeof eight);
    } else if (left > 0) {
        memcpy(&eight, word.at + at, left);
    }
    return eight;
}

/* Both ends and the length: of names that differ in their middle alone a search tells. */
static uint64_t hash_of(struct slice word)
{
    uint64_t first = eight_at(word, 0);
    uint64_t last = word.len > sizeof first ? eight_at(word, word.len - sizeof first) : 0;
    uint64_t hash = (first ^ word.len) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32 ^ last) * UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}

/* Two bits of one word of the table: one line of memory for each look. */
static uint64_t bits_of(uint64_t hash)
{
    return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63);
}

static size_t place_of(uint64_t hash)
{
    return (size_t)(hash >> 12) % LIST_FILTER_WORDS;
}

void list_filter_add(struct list_filter *filter, struct slice entry)
{
    uint64_t hash = hash_of(entry);
    filter->words[place_of(hash)] |= bits_of(hash);
}

void list_filter_add_all(struct list_filter *filter, const struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        list_filter_add(filter, entries->at[i]);
    }
}

bool list_filter_may_have(const struct list_filter *filter, struct slice word)
{
    uint64_t hash = hash_of(word);
    uint64_t bits = bits_of(hash);
    return (filter->words[place_of(hash)] & bits) == bits;
}
