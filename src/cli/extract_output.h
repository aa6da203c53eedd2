/* cli/extract_output: what `heloise extract` writes: each address once or at each place, counted or not, as text, CSV or
 * NDJSON.
 *
 * Memory is bounded. What was seen is known by 64 bits of a seeded hash, eight to sixteen bytes for each, up to
 * EXTRACT_SEEN_MAX addresses; behind that addresses are written whether or not they came before, which is said. Counts
 * take up to 40 bytes for each; what they belong to waits in a temporary file.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXTRACT_OUTPUT_H
#define CLI_EXTRACT_OUTPUT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/hash_set.h"
#include "document/document.h"

enum {
    EXTRACT_SEEN_MAX = 1 << 26,
    EXTRACT_COUNTED_MAX = 1 << 25,
};

enum extract_format { EXTRACT_TEXT, EXTRACT_CSV, EXTRACT_JSON };

struct extract_output_config {
    enum extract_format format;
    bool wants_all;   /* places of the same address too */
    bool wants_count; /* written at the end */
    bool wants_place; /* in text */
};

struct count_slot {
    uint64_t hash; /* 0: free */
    uint64_t index;
};

struct extract_output {
    struct extract_output_config config;
    uint64_t seed;
    uint64_t found, written;
    bool is_full; /* more addresses than are remembered */
    struct hash_set seen;
    struct count_slot *slots;
    size_t slot_count, count_count;
    uint64_t *counts; /* by index, in the order in which they were found */
    FILE *waiting;    /* rows that wait for their counts */
    struct buf line;
};

/* Writes the header of CSV. ERR_SYSTEM (errno: standard output or a temporary file cannot be written). */
enum err extract_output_open(const struct extract_output_config *config, struct extract_output *out)
    MUST_USE;
void extract_output_close(struct extract_output *out);

/* One address of that file. ERR_NOMEM, ERR_SYSTEM. */
enum err extract_output_add(struct extract_output *out, struct slice file,
                            const struct extract_found *found, const struct document_place *place)
    MUST_USE;
/* All is found: writes what waits for its count. ERR_NOMEM, ERR_SYSTEM. */
enum err extract_output_finish(struct extract_output *out) MUST_USE;

#endif
