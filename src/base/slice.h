/* base/slice: questions about borrowed bytes. ASCII only, without locale; nothing here allocates.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define SLICE_LITERAL(text)      \
    {                            \
        (text), sizeof(text) - 1 \
    }
#define SLICE(text) ((struct slice){(text), sizeof(text) - 1})
#define SLICE_NONE  ((struct slice){"", 0})

/* For printf's "%.*s": precision and pointer. */
#define SLICE_ARG(s) (int)(s).len, (s).at

/* A view of a NUL-terminated string; NULL gives the empty slice. */
struct slice slice_of(const char *text);

static inline struct slice slice_make(const char *at, size_t len)
{
    return (struct slice){at, len};
}

/* from and to are clamped to the slice. */
struct slice slice_sub(struct slice s, size_t from, size_t to);

bool slice_equal(struct slice a, struct slice b);
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
bool slice_ends_nocase(struct slice s, struct slice suffix);
int slice_compare(struct slice a, struct slice b);

/* Index of the first match at or after from; s.len when there is none. */
size_t slice_find_byte(struct slice s, char byte, size_t from);
size_t slice_find_last_byte(struct slice s, char byte);
size_t slice_count_byte(struct slice s, char byte);
size_t slice_find_nocase(struct slice s, struct slice needle);

/* Without spaces, tabs, CR and LF at both ends. */
struct slice slice_trim(struct slice s);

/* Cuts *rest at the next separator: the part before it is returned, *rest is what follows.
 * At the end *rest becomes empty with at == NULL, so that `while (rest.at != NULL)` walks all parts,
 * empty ones included. */
struct slice slice_cut(struct slice *rest, char separator);

/* 64-bit hash (FNV-1a with a final mix), the same on every machine. seed separates uses; a table fed
 * by strangers takes a random one. */
uint64_t slice_hash(struct slice s, uint64_t seed);
/* The same for tables in memory, several times as fast: it depends on the machine, and is not to be kept. */
uint64_t slice_mix(struct slice s, uint64_t seed);

bool ascii_is_digit(char c);
bool ascii_is_alpha(char c);
bool ascii_is_alnum(char c);
bool ascii_is_space(char c); /* space, tab, CR, LF */
char ascii_lower(char c);

#endif
