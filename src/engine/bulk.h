/* engine/bulk: a list from first row to last: loads its addresses into a job of the store (each once),
 * has the knocker ask them with a bounded number open at a time, commits each result, and writes the
 * rows back in their order with the results beside them. A job that was stopped or killed goes on
 * with the same call; what is final is not asked again.
 *
 *     bulk_open -> bulk_load -> bulk_start ... (door runs, finished() is called) -> bulk_write -> bulk_close
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BULK_H
#define ENGINE_BULK_H

#include <stdio.h>

#include "engine/knocker.h"
#include "engine/table.h"

struct bulk;

enum {
    BULK_OPEN_MAX = 8192,   /* questions open at once, those that wait for a time not counted */
    BULK_WHOLE_MAX = 65536, /* and counted, but for those that wait as a few bytes (engine/park) */
    BULK_ALIVE_MAX = 1 << 19, /* and those too: with all else below 300 MB */
    BULK_WATCH_MS = 250,      /* so often a run looks whether somebody wants it to stop */
};

/* Who asks for a run: the knocker of its own thread, or a crew of them (engine/crew). */
struct bulk_way {
    void *context;
    /* Then exactly one of bulk_answered, bulk_unasked and bulk_fail follows, never from inside. ERR_NOMEM. */
    enum err (*ask)(void *context, struct bulk *bulk, const struct store_item *item);
    void (*asked)(void *context); /* those were all that there is room for; may be NULL */
    void (*cancel)(void *context);
    void (*began)(void *context,
                  int64_t wall_ms); /* the job, maybe in an earlier run: knocker_began_at */
    void (*count)(void *context, struct knocker_counts *out);
};

struct bulk_config {
    const char *input_path;     /* a regular file */
    struct store_job_name name; /* of the job; its fingerprint holds the input and all options */
    struct table_reader_config table;
    enum table_format output_format;
    const struct bulk_way
        *way; /* copied; NULL: the knocker asks, which else only reads addresses */
    void (*progressed)(void *context); /* now and then while addresses are asked; may be NULL */
    /* Now and then while rows are read or written; false: stop. May be NULL. */
    bool (*may_go_on)(void *context);
    /* A row that has no address, while rows are read; again where reading begins again. Its failure ends the reading. May be
     * NULL. */
    enum err (*refused)(void *context, const struct record *record, struct fault *out_fault);
    void (*finished)(void *context); /* every item has its result, or cancel is through */
    void *context;
};

struct bulk_counts {
    uint64_t rows, bad_rows, invalid_rows; /* read; not usable as rows; no addresses */
    uint64_t items, done, done_before; /* distinct addresses; with a result; of an earlier run */
    uint64_t by_status[4]; /* of items done in this run and before, by enum verdict_status */
    uint64_t written;
};

/* knocker, store and config must outlive it. ERR_STATE: another process runs this job. */
enum err bulk_open(const struct bulk_config *config, struct door *door, struct knocker *knocker,
                   struct store *store, struct bulk **out, struct fault *out_fault) MUST_USE;
void bulk_close(struct bulk *bulk);

int64_t bulk_number(const struct bulk *bulk); /* of the job, as others call it */

/* Reads the input and stores its distinct addresses. Nothing to do where that was done before. ERR_STATE: stopped
 * by may_go_on or a wish; the next bulk_load begins again. */
enum err bulk_load(struct bulk *bulk, struct fault *out_fault) MUST_USE;

/* The same in many calls, each about limit rows, or limit lines of the order in which they will be asked: for who has other
 * things to do. Until *out_is_loaded. */
enum err bulk_load_some(struct bulk *bulk, size_t limit, bool *out_is_loaded,
                        struct fault *out_fault) MUST_USE;

/* The loop has more to do than this run, and the knocker is shared: so many questions may be open at once (BULK_OPEN_MAX at
 * most), and others have their turn between a few of them. May be said again. */
void bulk_share(struct bulk *bulk, size_t open_max);

/* Begins to ask; the rest happens in the door's loop until finished(). */
void bulk_start(struct bulk *bulk);

/* For the way. The result is one row's, as table_result_write makes it. */
void bulk_answered(struct bulk *bulk, uint64_t id, enum verdict_status status, struct slice result);
void bulk_unasked(struct bulk *bulk); /* it was cancelled */
/* The one or the other, as the record says. */
void bulk_asked(struct bulk *bulk, uint64_t id, const struct record *record);
void bulk_fail(struct bulk *bulk, const struct fault *fault); /* stops the run */

/* No more questions; open ones are cancelled; finished() follows. */
void bulk_cancel(struct bulk *bulk);
/* What another process asked for; a run that is asked to stop cancels itself within BULK_WATCH_MS. */
enum store_job_wish bulk_wish(const struct bulk *bulk);

/* All rows in their order, with the results there are. *out_unfinished: how many lack one. ERR_STATE: stopped by
 * may_go_on. */
enum err bulk_write(struct bulk *bulk, FILE *to, uint64_t *out_unfinished, struct fault *out_fault)
    MUST_USE;

/* The run is over: what the list of jobs says of it from now on (paused, cancelled, done). Only bulk_close,
 * bulk_count, bulk_fault, bulk_number and bulk_wish may follow. */
enum err bulk_end(struct bulk *bulk, enum store_job_state state, struct fault *out_fault) MUST_USE;
/* The same, and nothing of it stays. */
enum err bulk_forget(struct bulk *bulk, struct fault *out_fault) MUST_USE;

/* What went wrong while asking (a full disk): the run was stopped for it. err NONE: nothing. */
const struct fault *bulk_fault(const struct bulk *bulk);
void bulk_count(const struct bulk *bulk, struct bulk_counts *out);

#endif
