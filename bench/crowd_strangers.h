/* bench/crowd_strangers: the memory of a greylist: which recipients a client asked for, and when first.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CROWD_STRANGERS_H
#define BENCH_CROWD_STRANGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stranger;

/* Zeroed is empty. It ends the program where there is no memory. */
struct strangers {
    struct stranger *places;
    size_t count, place_count;
    uint64_t moved, early; /* asked for again by another client; too soon */
};

/* Whether the client asked for the recipient at least wait_ms ago. One that comes from another client than before is a
 * stranger anew. */
bool strangers_pass(struct strangers *strangers, const char *rcpt, size_t len, unsigned client,
                    uint32_t wait_ms, uint32_t now_ms);

#endif
