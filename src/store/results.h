/* store/results: results of jobs on their way into the file. They come in the order in which servers answer, so they wait
 * for the end of their group and are then appended in the order of the list: a group writes few pages, and who reads the
 * results of a list finds neighbours side by side.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_RESULTS_H
#define STORE_RESULTS_H

#include <stdbool.h>

#include "base/buf.h"

struct store;
struct result_row;

struct results {
    struct buf texts;
    struct result_row *rows;
    size_t count, cap;
};

void results_init(struct results *results);
void results_done(struct results *results);

/* In the group that is open: a turn's result, in place of an older one. Nothing is kept of an item that was erased.
 * ERR_STORE. */
enum err store_results_keep(struct store *store, int64_t turn, struct slice status,
                            struct slice result) MUST_USE;
/* Whether one waits whose turn is at least first and less than end. */
bool store_results_wait(const struct store *store, int64_t first, int64_t end);
/* Writes those that wait: before the group is committed, and before results are read. */
enum err store_results_write(struct store *store) MUST_USE;
/* The group that is open was taken back. */
void store_results_forget(struct store *store);

#endif
