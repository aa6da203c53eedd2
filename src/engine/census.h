/* engine/census: what stands in a list, before anything is asked: its rows, the distinct addresses that will have
 * to be asked, and how many of them each domain has. Rows are read as bulk reads them. Memory grows with the
 * number of domains, and by some sixteen bytes an address.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CENSUS_H
#define ENGINE_CENSUS_H

#include "base/arena.h"
#include "base/hash_set.h"
#include "base/map.h"
#include "engine/knocker.h"
#include "engine/table.h"

struct census_domain {
    struct slice name; /* A-labels, NUL-terminated; or an address literal */
    uint64_t addresses;
    unsigned shapes; /* bits by control_shape of their local parts */
    struct census_domain *next;
};

struct census {
    uint64_t rows, bad_rows, invalid_rows; /* read; not usable as rows; no addresses */
    uint64_t duplicates;                   /* rows with an address that stood before */
    uint64_t fresh;              /* addresses with a verdict in the store that still holds */
    uint64_t addresses;          /* to be asked */
    struct census_domain *first; /* in the order of the list; owned by the census */
    size_t domain_count;
    /* its own: */
    struct census_domain **last;
    struct arena arena;
    struct map domains;
    struct hash_set seen;
    uint64_t seed;
};

struct census_config {
    const struct knocker_config *knocker; /* address mode; whether and how old verdicts count */
    struct store *store;                  /* NULL: there are no verdicts */
    int64_t wall_ms;                      /* now, Unix */
    uint64_t seed;                        /* random: strangers choose the addresses */
    struct table_reader_config table;
};

/* file stays the caller's. ERR_SYNTAX, ERR_SYSTEM, ERR_STATE as table_reader_*; ERR_NOMEM, ERR_LIMIT. census_done is
 * owed in any case. */
enum err census_take(const struct census_config *config, FILE *file, struct census *out,
                     struct fault *out_fault) MUST_USE;
void census_done(struct census *census); /* safe on a zeroed one */

#endif
