/* engine/bulk: feeding those who ask from a job and keeping their answers. Reading and writing of rows is
 * engine/bulk_rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/bulk.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/bulk_private.h"

enum {
    BULK_FETCH = 512,        /* items taken from the store at a time */
    BULK_FETCH_SHARED = 128, /* where others want the loop too */
    BULK_FLUSH_MS = 1000,    /* results are committed at least so often */
};

static void refill_soon(struct bulk *bulk);

void bulk_fail(struct bulk *bulk, const struct fault *fault)
{
    if (bulk->fault.err == ERR_NONE) {
        bulk->fault = *fault;
        bulk_cancel(bulk);
    }
}

/* In the group of the results it speaks of. */
static void tell_progress(struct bulk *bulk)
{
    if (bulk->told_done == bulk->counts.done) {
        return;
    }
    bulk->told_done = bulk->counts.done;
    if (store_job_progress(bulk->job, bulk->counts.items, bulk->counts.done,
                           door_wall_ms(bulk->door)) != ERR_NONE) {
        struct fault fault;
        (void)store_why(bulk->store, &fault);
        bulk_fail(bulk, &fault);
    }
}

/* Others flush too: results that were lost with theirs are not done. */
static enum err flush(struct bulk *bulk, struct fault *out_fault)
{
    enum err e = store_flush(bulk->store, out_fault);
    return e != ERR_NONE ? e : store_kept_since(bulk->store, bulk->losses, out_fault);
}

static void check_finished(struct bulk *bulk)
{
    bool is_through = bulk->is_exhausted || bulk->is_cancelled;
    if (is_through && bulk->open == 0 && !bulk->is_finished) {
        bulk->is_finished = true;
        door_timer_stop(bulk->door, &bulk->flush);
        door_timer_stop(bulk->door, &bulk->refill);
        door_timer_stop(bulk->door, &bulk->watch);
        struct fault fault;
        tell_progress(bulk);
        if (flush(bulk, &fault) != ERR_NONE && bulk->fault.err == ERR_NONE) {
            bulk->fault = fault;
        }
        bulk->config->finished(bulk->config->context);
    }
}

static void keep_result(struct bulk *bulk, uint64_t id, enum verdict_status status,
                        struct slice result)
{
    enum err e = store_job_result_put(bulk->job, id, slice_of(verdict_status_name(status)), result);
    if (e != ERR_NONE) {
        struct fault fault;
        (void)store_why(bulk->store, &fault);
        store_take_back(bulk->store); /* something may have been put beside it */
        bulk_fail(bulk, &fault);
        return;
    }
    bulk->counts.done++;
    bulk->counts.by_status[status]++;
}

static void one_less(struct bulk *bulk)
{
    bulk->open--;
    refill_soon(bulk);
    check_finished(bulk);
}

void bulk_answered(struct bulk *bulk, uint64_t id, enum verdict_status status, struct slice result)
{
    if (bulk->fault.err == ERR_NONE) {
        keep_result(bulk, id, status, result);
    }
    one_less(bulk);
}

void bulk_unasked(struct bulk *bulk)
{
    one_less(bulk);
}

bool bulk_was_cancelled(const struct record *record)
{
    return record->sub == SUB_SKIPPED && record->skip == SKIP_CANCELLED;
}

void bulk_asked(struct bulk *bulk, uint64_t id, const struct record *record)
{
    if (bulk_was_cancelled(record)) {
        bulk_unasked(bulk);
        return;
    }
    struct buf result;
    buf_init(&result, BULK_RESULT_BYTES);
    enum err e = table_result_write(bulk->config->output_format, record, &result);
    if (e == ERR_NONE) {
        bulk_answered(bulk, id, record->status, buf_view(&result));
    } else {
        struct fault fault;
        (void)fault_set(&fault, e, 0, "cannot keep a result in the store: %s", err_name(e));
        bulk_fail(bulk, &fault);
        bulk_unasked(bulk);
    }
    buf_done(&result);
}

static void on_item(void *context, const struct store_item *item)
{
    struct bulk *bulk = context;
    bulk->open++;
    if (bulk->way.ask(bulk->way.context, bulk, item) != ERR_NONE) {
        bulk->open--;
        struct fault fault;
        (void)fault_set(&fault, ERR_NOMEM, 0, "out of memory");
        bulk_fail(bulk, &fault);
    }
}

static size_t room(const struct bulk *bulk)
{
    struct knocker_counts counts;
    bulk->way.count(bulk->way.context, &counts);
    size_t busy = bulk->open - (counts.waiting < bulk->open ? counts.waiting : bulk->open);
    size_t whole = bulk->open - (counts.parked < bulk->open ? counts.parked : bulk->open);
    if (busy >= bulk->open_max || whole >= BULK_WHOLE_MAX || bulk->open >= BULK_ALIVE_MAX) {
        return 0;
    }
    return bulk->open_max - busy;
}

void bulk_share(struct bulk *bulk, size_t open_max)
{
    bulk->is_shared = true;
    bulk->fetch = BULK_FETCH_SHARED;
    bulk->open_max = open_max < BULK_FETCH_SHARED ? BULK_FETCH_SHARED
                     : open_max > BULK_OPEN_MAX   ? BULK_OPEN_MAX
                                                  : open_max;
}

/* Where others want the loop too it looks at the network first: answers that are stored would be given without end. */
static void refill_soon(struct bulk *bulk)
{
    if (!bulk->is_cancelled && !bulk->is_exhausted && bulk->refill.place == 0) {
        door_timer_start(bulk->door, &bulk->refill,
                         door_now_ms(bulk->door) + (bulk->is_shared ? 1 : 0));
    }
}

static void feed(struct bulk *bulk)
{
    size_t wanted = room(bulk);
    if (wanted < bulk->fetch && bulk->open > 0) {
        return; /* by the handful: the store is asked rarely */
    }
    while (!bulk->is_exhausted && !bulk->is_cancelled && room(bulk) >= bulk->fetch) {
        size_t count = 0;
        enum err e = store_job_next(bulk->job, &bulk->cursor, bulk->fetch, on_item, bulk, &count);
        if (e != ERR_NONE) {
            struct fault fault;
            (void)fault_set(&fault, e, 0, "cannot read the job from the store: %s", err_name(e));
            bulk_fail(bulk, &fault);
            return;
        }
        bulk->is_exhausted = count < bulk->fetch;
        if (bulk->way.asked != NULL) {
            bulk->way.asked(bulk->way.context);
        }
        if (bulk->is_shared) {
            refill_soon(bulk);
            return;
        }
    }
}

static void on_refill(void *context)
{
    struct bulk *bulk = context;
    feed(bulk);
    check_finished(bulk);
}

static void on_flush(void *context)
{
    struct bulk *bulk = context;
    struct fault fault;
    tell_progress(bulk);
    if (flush(bulk, &fault) != ERR_NONE) {
        bulk_fail(bulk, &fault);
    }
    feed(bulk); /* asks that began to wait made room */
    if (bulk->config->progressed != NULL) {
        bulk->config->progressed(bulk->config->context);
    }
    door_timer_start(bulk->door, &bulk->flush, door_now_ms(bulk->door) + BULK_FLUSH_MS);
    check_finished(bulk);
}

bool bulk_is_unwanted(struct bulk *bulk)
{
    if (bulk->is_cancelled || bulk->wish != STORE_WISH_NONE) {
        return false;
    }
    bulk->wish = store_job_wished(bulk->job);
    return bulk->wish != STORE_WISH_NONE;
}

static void on_watch(void *context)
{
    struct bulk *bulk = context;
    if (bulk_is_unwanted(bulk)) {
        bulk_cancel(bulk);
        return;
    }
    door_timer_start(bulk->door, &bulk->watch, door_now_ms(bulk->door) + BULK_WATCH_MS);
}

static void count_status(void *context, struct slice status, uint64_t count)
{
    struct bulk *bulk = context;
    enum verdict_status known;
    if (verdict_status_parse(status, &known)) {
        bulk->counts.by_status[known] += count;
    }
}

enum err bulk_open(const struct bulk_config *config, struct door *door, struct knocker *knocker,
                   struct store *store, struct bulk **out, struct fault *out_fault)
{
    struct bulk *bulk = calloc(1, sizeof *bulk);
    if (bulk == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    bulk->config = config;
    bulk->door = door;
    bulk->knocker = knocker;
    bulk->way = config->way != NULL ? *config->way : bulk_direct(knocker);
    bulk->store = store;
    bulk->open_max = BULK_OPEN_MAX;
    bulk->fetch = BULK_FETCH;
    bulk->refill = (struct timer){.fired = on_refill, .context = bulk};
    bulk->flush = (struct timer){.fired = on_flush, .context = bulk};
    bulk->watch = (struct timer){.fired = on_watch, .context = bulk};
    enum err e = store_job_open(store, &config->name, door_wall_ms(door), &bulk->job, out_fault);
    if (e == ERR_NONE && store_job_count_statuses(bulk->job, count_status, bulk) != ERR_NONE) {
        store_job_close(bulk->job);
        e = fault_set(out_fault, ERR_STORE, 0, "cannot read the job from the store");
    }
    if (e != ERR_NONE) {
        free(bulk);
        return e;
    }
    bulk->info = store_job_info(bulk->job);
    bulk->way.began(bulk->way.context, bulk->info.begun_ms);
    bulk->counts.items = bulk->info.item_count;
    bulk->counts.done = bulk->info.done_count;
    bulk->counts.done_before = bulk->info.done_count;
    bulk->told_done = bulk->info.done_count;
    bulk->losses = store_losses(store);
    *out = bulk;
    return ERR_NONE;
}

void bulk_close(struct bulk *bulk)
{
    if (bulk == NULL) {
        return;
    }
    door_timer_stop(bulk->door, &bulk->refill);
    door_timer_stop(bulk->door, &bulk->flush);
    door_timer_stop(bulk->door, &bulk->watch);
    bulk_leave_input(bulk);
    store_job_close(bulk->job);
    free(bulk);
}

void bulk_start(struct bulk *bulk)
{
    door_timer_start(bulk->door, &bulk->refill, door_now_ms(bulk->door));
    door_timer_start(bulk->door, &bulk->flush, door_now_ms(bulk->door) + BULK_FLUSH_MS);
    door_timer_start(bulk->door, &bulk->watch, door_now_ms(bulk->door));
}

void bulk_cancel(struct bulk *bulk)
{
    if (bulk->is_cancelled) {
        return;
    }
    bulk->is_cancelled = true;
    bulk->way.cancel(bulk->way.context);
    door_timer_start(bulk->door, &bulk->refill,
                     door_now_ms(bulk->door)); /* where nothing is open */
}

enum err bulk_end(struct bulk *bulk, enum store_job_state state, struct fault *out_fault)
{
    struct store_job *job = bulk->job;
    bulk->job = NULL;
    return store_job_end(job, state, door_wall_ms(bulk->door), out_fault);
}

enum err bulk_forget(struct bulk *bulk, struct fault *out_fault)
{
    struct store_job *job = bulk->job;
    bulk->job = NULL;
    return store_job_delete(job, out_fault);
}

const struct fault *bulk_fault(const struct bulk *bulk)
{
    return &bulk->fault;
}

int64_t bulk_number(const struct bulk *bulk)
{
    return bulk->info.id;
}

enum store_job_wish bulk_wish(const struct bulk *bulk)
{
    return bulk->wish;
}

void bulk_count(const struct bulk *bulk, struct bulk_counts *out)
{
    *out = bulk->counts;
}
