/* decode/split: an input fed whole, cut in two at every place, and byte by byte, gives the same text each time.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_SPLIT_H
#define DECODE_SPLIT_H

#include "base/buf.h"

/* Feeds input in pieces of first and then of step bytes, and appends what comes out as text. */
typedef void (*split_fn)(const void *how, struct slice input, size_t first, size_t step,
                         struct buf *out);

/* How many of the ways gave something else than expected; each is said. */
size_t split_check(const char *name, split_fn run, const void *how, struct slice input,
                   struct slice expected);
/* The next piece of input, which begins at *at; a copy, so that reading past it is seen. The caller frees it. */
char *split_piece(struct slice input, size_t *at, size_t first, size_t step, struct slice *out);

#endif
