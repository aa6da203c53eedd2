/* engine/batches_run: one batch at work: a bulk run whose questions are put patiently, and which shares the knocker: when it
 * stops, only its own questions are left.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/batches_private.h"
#include "engine/bulk_private.h"

/* One address on its way. */
struct question {
    struct batch *batch;
    uint64_t id;
};

static uint64_t now_ms(const struct batch *batch)
{
    return door_now_ms(batch->batches->door);
}

static void one_less(struct batch *batch)
{
    batch->open--;
    batch->batches->open--;
}

/* What goes with a result that is kept next, once. False: the run has failed. */
static bool keep_beside(struct batch *batch, const struct record *record)
{
    struct store *store = batch->batches->store;
    struct fault fault;
    if (bulk_fault(batch->bulk)->err != ERR_NONE) {
        return false;
    }
    enum err e = batches_keep_now(batch, BATCHES_RESULT, batch->state, record, &fault);
    if (e == ERR_NONE &&
        store_batch_provider_add(store, batch->stored.id, record->provider_name,
                                 record->provider_label, (unsigned)record->status) != ERR_NONE) {
        e = store_why(store, &fault);
    }
    if (e != ERR_NONE) {
        store_take_back(store);
        bulk_fail(batch->bulk, &fault);
    }
    return e == ERR_NONE;
}

static void on_answer(void *context, const struct record *record)
{
    struct question question = *(struct question *)context;
    free(context);
    one_less(question.batch);
    if (bulk_was_cancelled(record) || keep_beside(question.batch, record)) {
        bulk_asked(question.batch->bulk, question.id, record);
    } else {
        bulk_unasked(question.batch->bulk);
    }
}

/* The way of a bulk run: its context is the batch. */

static enum err ask(void *context, struct bulk *bulk, const struct store_item *item)
{
    struct batch *batch = context;
    (void)bulk;
    struct question *question = malloc(sizeof *question);
    if (question == NULL) {
        return ERR_NOMEM;
    }
    *question = (struct question){batch, item->id};
    const struct knocker_wishes wishes = {.is_patient = true,
                                          .age_ms_max = batch->stored.max_age_ms};
    enum err e =
        knocker_ask_with(batch->batches->knocker, item->address, &wishes, on_answer, question);
    if (e != ERR_NONE) {
        free(question);
        return e;
    }
    batch->open++;
    batch->batches->open++;
    return ERR_NONE;
}

static bool is_leaving(void *of, knocker_fn fn, const void *context)
{
    return fn == on_answer && ((const struct question *)context)->batch == of;
}

static void left(void *of, void *context)
{
    struct batch *batch = of;
    free(context);
    one_less(batch);
    bulk_unasked(batch->bulk);
}

static enum err leave(struct batch *batch)
{
    const struct knocker_leaver leaver = {.of = batch, .is_leaving = is_leaving, .left = left};
    return knocker_leave(batch->batches->knocker, &leaver);
}

static void on_leave(void *context)
{
    struct batch *batch = context;
    if (leave(batch) != ERR_NONE) {
        door_timer_start(batch->batches->door, &batch->leave, now_ms(batch) + BATCH_LEAVE_AGAIN_MS);
    }
}

/* It may be an answer that this comes of: the questions are left in a turn of their own. */
static void cancel(void *context)
{
    struct batch *batch = context;
    door_timer_start(batch->batches->door, &batch->leave, now_ms(batch));
}

static void began(void *context, int64_t wall_ms)
{
    (void)context; /* the knocker began when the service did */
    (void)wall_ms;
}

/* Which of those that wait are this batch's is not known: its share of them. */
static unsigned share_of(const struct batch *batch, unsigned waiting)
{
    size_t open = batch->batches->open;
    return open == 0 ? 0 : (unsigned)((uint64_t)waiting * batch->open / open);
}

static void count(void *context, struct knocker_counts *out)
{
    const struct batch *batch = context;
    knocker_count(batch->batches->knocker, out);
    out->waiting = share_of(batch, out->waiting);
    out->parked = share_of(batch, out->parked);
}

/* The run. */

static void put_progress(struct batch *batch)
{
    struct batches *batches = batch->batches;
    batches_show(batch);
    if (store_batch_progress(batches->store, batch->stored.id, batch->stored.job, batch->is_loaded,
                             &batch->stored.counts, door_wall_ms(batches->door)) != ERR_NONE) {
        struct fault fault;
        (void)store_why(batches->store, &fault);
        bulk_fail(batch->bulk, &fault);
    }
    batches_tell(batch, BATCHES_CHANGED);
}

/* What came until now was committed, unless the run has failed. */
static void on_progress(void *context)
{
    struct batch *batch = context;
    if (bulk_fault(batch->bulk)->err == ERR_NONE) {
        batch->rests = 0;
    }
    put_progress(batch);
}

static enum err on_refused(void *context, const struct record *record, struct fault *out_fault)
{
    struct batch *batch = context;
    return batches_keep_now(batch, BATCHES_NO_ADDRESS, batch->state, record, out_fault);
}

/* A disk that is full, a store that others hold: nothing that the batch can be blamed for. */
static bool will_pass(const struct fault *fault)
{
    return fault->err == ERR_STORE || fault->os_errno == ENOSPC || fault->os_errno == EDQUOT;
}

static void on_finished(void *context)
{
    struct batch *batch = context;
    bool is_in_the_way = will_pass(bulk_fault(batch->bulk));
    door_timer_start(batch->batches->door, &batch->end,
                     is_in_the_way ? batch_rest(batch) : now_ms(batch));
}

/* What has become of it: what it is to be from now on. Where the store was in the way it is what it was, and begins again
 * with what is kept. */
static enum store_batch_state next_state(const struct batch *batch, const char **out_cause)
{
    const struct fault *fault = bulk_fault(batch->bulk);
    const struct store_batch_counts *counts = &batch->stored.counts;
    bool is_whole = counts->done >= counts->items;
    if (batch->state == STORE_BATCH_DELETED || batch->state == STORE_BATCH_CANCELLED) {
        return batch->state;
    }
    if (will_pass(fault)) {
        return batch->state;
    }
    if (fault->err != ERR_NONE) {
        *out_cause = fault->text;
        return STORE_BATCH_FAILED;
    }
    return is_whole ? STORE_BATCH_DONE : batch->state;
}

/* What the run has come to is in the file, and so is what is told of it. One that was ordered to stop has its state already,
 * and that was told. */
static enum err commit_end(struct batch *batch)
{
    struct store *store = batch->batches->store;
    struct fault fault;
    const char *cause = "";
    enum store_batch_state state = next_state(batch, &cause);
    enum err e = store_batch_progress(store, batch->stored.id, batch->stored.job, true,
                                      &batch->stored.counts, door_wall_ms(batch->batches->door));
    if (e != ERR_NONE) {
        return e;
    }
    return state == batch->state ? store_flush(store, &fault)
                                 : batch_commit(batch, state, cause, &fault);
}

static void on_end(void *context)
{
    struct batch *batch = context;
    struct batches *batches = batch->batches;
    batches_show(batch);
    if (commit_end(batch) != ERR_NONE) {
        door_timer_start(batches->door, &batch->end, batch_rest(batch));
        return;
    }
    batch_close(batch);
    batch_tell_state(batch);
    batches_work_on(batches);
}

enum err batch_begin(struct batch *batch, struct fault *out_fault)
{
    struct batches *batches = batch->batches;
    const struct bulk_way way = {
        .context = batch, .ask = ask, .cancel = cancel, .began = began, .count = count};
    struct buf fingerprint;
    buf_init(&fingerprint, BATCH_PATH_BYTES);
    if (buf_printf(&fingerprint, BATCH_FINGERPRINT "%.*s", SLICE_ARG(batch->stored.id)) !=
        ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    batch->config = (struct bulk_config){
        .input_path = batch->path,
        .name = {.fingerprint = buf_view(&fingerprint), .label = batch->stored.label},
        .table = {.file_name = batch->stored.file_name, .column = batch->stored.column},
        .output_format = TABLE_NDJSON, /* the whole record: any form is made of it */
        .way = &way,
        .progressed = on_progress,
        .refused = on_refused,
        .finished = on_finished,
        .context = batch,
    };
    batch->leave = (struct timer){.fired = on_leave, .context = batch};
    batch->end = (struct timer){.fired = on_end, .context = batch};
    enum err e = bulk_open(&batch->config, batches->door, batches->knocker, batches->store,
                           &batch->bulk, out_fault);
    batch->config.name.fingerprint = SLICE_NONE;
    batch->config.way = NULL; /* it was copied */
    buf_done(&fingerprint);
    if (e == ERR_NONE) {
        batch->stored.job = bulk_number(batch->bulk);
        batch->seen_ms = 0;
    }
    return e;
}

static void begin_asking(struct batch *batch)
{
    batch->is_loaded = true;
    batch->is_asking = true;
    batch_share(batch->batches);
    batches_show(batch);
    put_progress(batch);
    bulk_start(batch->bulk);
}

static void fail(struct batch *batch, const struct fault *fault)
{
    struct fault again;
    batches_show(batch);
    batch_close(batch);
    if (will_pass(fault) ||
        batch_settle(batch, STORE_BATCH_FAILED, fault->text, &again) != ERR_NONE) {
        batch->rest_until_ms = batch_rest(batch);
    }
}

void batch_load_some(struct batch *batch)
{
    struct fault fault = {.err = ERR_NONE};
    bool is_loaded = false;
    enum err e = batch->bulk == NULL ? batch_begin(batch, &fault) : ERR_NONE;
    e = e != ERR_NONE ? e : bulk_load_some(batch->bulk, BATCH_LOAD_ROWS, &is_loaded, &fault);
    if (e == ERR_NONE && is_loaded && batch->state == STORE_BATCH_LOADING) {
        batches_show(batch);
        e = batch_settle(batch, STORE_BATCH_RUNNING, "", &fault);
    }
    if (e != ERR_NONE) {
        fail(batch, &fault);
    } else if (is_loaded) {
        begin_asking(batch);
    }
}

void batch_share(struct batches *batches)
{
    size_t asking = 0;
    struct batch *batch;
    TAILQ_FOREACH(batch, &batches->list, link)
    {
        asking += batch->is_asking ? 1 : 0;
    }
    size_t share = asking == 0 ? BULK_OPEN_MAX : BULK_OPEN_MAX / asking;
    TAILQ_FOREACH(batch, &batches->list, link)
    {
        if (batch->is_asking) {
            bulk_share(batch->bulk, share > BATCH_OPEN_MIN ? share : BATCH_OPEN_MIN);
        }
    }
}

void batch_stop(struct batch *batch)
{
    if (batch->is_asking) {
        bulk_cancel(batch->bulk);
    } else {
        batch_close(batch);
    }
}

void batch_close(struct batch *batch)
{
    struct batches *batches = batch->batches;
    must(batch->open == 0);
    door_timer_stop(batches->door, &batch->leave);
    door_timer_stop(batches->door, &batch->end);
    bulk_close(batch->bulk);
    batch->bulk = NULL;
    batch->is_asking = false;
    batch_share(batches);
}

void batch_leave_now(struct batch *batch)
{
    while (batch->open > 0 && leave(batch) == ERR_LIMIT) {
    }
}
