/* providers/provider_private: what the files of the book share: provider.c (questions), provider_read.c
 * (files to entries), provider_settings.c (the kinds of values, their defaults, and who said what).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_PROVIDER_PRIVATE_H
#define PROVIDERS_PROVIDER_PRIVATE_H

#include "base/arena.h"
#include "base/map.h"
#include "providers/provider.h"

enum {
    PROVIDER_HOST_BYTES_MAX = 255, /* RFC 1035 2.3.4 */
    PROVIDER_SOURCES_MAX = 512,
};

/* A line of a source, which a person can be sent to. */
struct provider_place {
    uint16_t source; /* from 1; 0: nobody said it, and it is what traits or defaults make of it */
    uint8_t trait;   /* with source 0: the number of the trait that implies the value, plus 1 */
    uint32_t line;
};

struct provider_origin {
    struct provider_place entry, label, class, source, date;
    struct provider_place limits[PROVIDER_LIMIT_COUNT];
    struct provider_place timeouts[HEL_SMTP_STAGE_COUNT];
    struct provider_place traits[PROVIDER_TRAIT_COUNT];
};

/* A name that tells a provider: a host suffix, domain, alias, or a fragment of a banner. */
struct provider_name {
    struct provider_name *next; /* in lists */
    struct slice text;
    struct provider *provider;
    struct provider_place place;
};

/* Sources of ours have level 0; each of a user's lies over those before it. */
struct provider_level {
    struct slice name;
    unsigned level;
};

struct provider_book {
    struct arena arena;
    struct map names, suffixes, domains; /* -> struct provider_name */
    struct provider_name *globs;         /* host suffixes with `*` for one label */
    struct provider_name *banners;
    struct provider *fallback;
    struct provider **all;
    size_t count, cap;
    struct provider_level *sources;
    size_t source_count;
    struct provider_counts counts;
};

/* provider_settings.c */

/* The kind of limit that a key names; PROVIDER_LIMIT_COUNT: none. */
enum provider_limit provider_limit_of(struct slice key);
const char *provider_limit_key(size_t limit);
void provider_limit_range(enum provider_limit limit, unsigned *out_min, unsigned *out_max);
/* The number of a trait; PROVIDER_TRAIT_COUNT: there is none of this name. */
size_t provider_trait_of(struct slice name);
const char *provider_trait_name(size_t trait);
/* Gives every limit that no line set its value: what a trait implies, else the usual one. A trait that a
 * later file sets goes before a limit of an earlier one. */
void provider_settle(const struct provider_book *book, struct provider *provider);

unsigned provider_level_of(const struct provider_book *book, struct provider_place place);
void provider_place_write(const struct provider_book *book, struct provider_place place,
                          char out[PROVIDER_WHERE_BYTES]);

#endif
