/* engine/bulk_private: the fields of a bulk run, for bulk.c (asking) and bulk_rows.c (reading, writing).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BULK_PRIVATE_H
#define ENGINE_BULK_PRIVATE_H

#include "engine/bulk.h"
#include "net/door.h"

struct bulk {
    const struct bulk_config *config;
    struct door *door;
    struct knocker *knocker;
    struct bulk_way way;
    struct store *store;
    struct store_job *job;
    struct store_job_info info;
    uint64_t cursor;
    size_t open, open_max, fetch;
    bool is_shared; /* the loop, and the knocker */
    struct {
        FILE *file;
        struct table_reader *reader;
        bool is_read; /* all rows are in */
    } load;           /* step by step */
    bool is_exhausted, is_cancelled, is_finished;
    struct timer refill, flush, watch;
    enum store_job_wish wish;
    uint64_t told_done; /* as the list of jobs has it */
    uint64_t losses;    /* of the store, when the job was opened */
    struct fault fault;
    struct bulk_counts counts;
};

enum { BULK_RESULT_BYTES = 4 << 20 };

/* The way of a single knocker (bulk_direct.c). */
struct bulk_way bulk_direct(struct knocker *knocker);

/* Whether the record is that of a question that a stop ended. */
bool bulk_was_cancelled(const struct record *record);

void bulk_leave_input(struct bulk *bulk); /* that is being loaded */

/* What is said of a row that could not be read: nothing was asked. Borrows from the row. */
void bulk_describe_bad_row(const struct table_row *row, int64_t wall_ms, struct record *out);

/* Whether another process wants to stop the run, where nobody has yet. */
bool bulk_is_unwanted(struct bulk *bulk);

#endif
