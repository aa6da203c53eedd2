/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/batch_hooks.h"

#include "address/normal.h"
#include "base/slice.h"
#include "engine/batch_json.h"
#include "engine/format.h"
#include "engine/record_json.h"

enum { ONCE_BYTES_MAX = 32 * 1024 }; /* of an address, or the line of a job that has none */

static enum err say(enum err e, struct fault *out_fault)
{
    return fault_set(out_fault, e, 0, "the event of a webhook cannot be made: %s", err_name(e));
}

/* False: nobody is told of it. */
static bool kind_of(enum store_batch_state state, enum webhook_kind *out)
{
    switch (state) {
    case STORE_BATCH_DONE: *out = WEBHOOK_BATCH_DONE; return true;
    case STORE_BATCH_FAILED: *out = WEBHOOK_BATCH_FAILED; return true;
    case STORE_BATCH_PAUSED: *out = WEBHOOK_BATCH_PAUSED; return true;
    case STORE_BATCH_LOADING:
    case STORE_BATCH_RUNNING:
    case STORE_BATCH_CANCELLED:
    case STORE_BATCH_DELETED:
    case STORE_BATCH_STATE_COUNT: break;
    }
    return false;
}

/* What an event speaks of. */
struct subject {
    struct slice name;  /* tells it from others of its kind */
    struct slice about; /* an address's key; empty: none */
};

/* A name may hold any bytes: a line of a list that has no address. */
static enum err write_once(const struct batches_news *news, enum webhook_kind kind,
                           struct slice name, struct buf *out)
{
    enum err e = buf_printf(out, "%.*s %s ", SLICE_ARG(news->id), webhook_kind_name(kind));
    return e == ERR_NONE ? buf_append(out, name) : e;
}

/* A batch is done once; it may be paused again, and fail again after it was resumed. */
static bool may_repeat(enum webhook_kind kind)
{
    return kind == WEBHOOK_BATCH_PAUSED || kind == WEBHOOK_BATCH_FAILED;
}

static enum err put(const struct batch_hooks *hooks, const struct batches_news *news,
                    enum webhook_kind kind, const struct subject *subject, const struct buf *data,
                    struct fault *out_fault)
{
    struct buf once;
    buf_init(&once, ONCE_BYTES_MAX);
    enum err e = may_repeat(kind) ? ERR_NONE : write_once(news, kind, subject->name, &once);
    if (e == ERR_NONE) {
        const struct webhook_event event = {
            .kind = kind,
            .owner = news->owner,
            .url = news->webhook,
            .batch = news->id,
            .about = subject->about,
            .once = buf_view(&once),
            .data = buf_view(data),
            .headers = news->batch->webhook_headers,
        };
        e = webhooks_put(hooks->webhooks, &event, out_fault);
    } else {
        e = say(e, out_fault);
    }
    buf_done(&once);
    return e;
}

static enum err put_end(const struct batch_hooks *hooks, const struct batches_news *news,
                        enum webhook_kind kind, struct fault *out_fault)
{
    const struct subject none = {SLICE_NONE, SLICE_NONE};
    struct buf data;
    buf_init(&data, WEBHOOK_BODY_BYTES_MAX);
    struct store_batch batch = *news->batch;
    struct batches_live live = *news->live;
    batch.state = live.state = news->state; /* as it is about to be */
    enum err e = batch_write_json(&batch, &live, NULL, &data);
    e = e == ERR_NONE ? put(hooks, news, kind, &none, &data, out_fault) : say(e, out_fault);
    buf_done(&data);
    return e;
}

static enum err write_result(const struct batches_news *news, struct buf *out)
{
    enum err e = buf_printf(out, "{\"batch\":\"%.*s\",\"result\":", SLICE_ARG(news->id));
    e = e == ERR_NONE ? record_write_json(news->record, out) : e;
    return e == ERR_NONE ? buf_append_byte(out, '}') : e;
}

/* Their `result` and, beside it, what the uploader wants back. */
static enum err write_reacher(const struct batches_news *news, struct buf *out)
{
    enum err e = buf_append(out, SLICE("{\"result\":"));
    e = e == ERR_NONE ? record_write_reacher(news->record, out) : e;
    return e == ERR_NONE
               ? buf_printf(out, ",\"extra\":%.*s}", SLICE_ARG(news->batch->webhook_extra))
               : e;
}

static enum err put_result(const struct batch_hooks *hooks, const struct batches_news *news,
                           enum webhook_kind kind, const struct subject *subject,
                           struct fault *out_fault)
{
    struct buf data;
    buf_init(&data, WEBHOOK_BODY_BYTES_MAX);
    enum err e =
        kind == WEBHOOK_REACHER_RESULT ? write_reacher(news, &data) : write_result(news, &data);
    e = e == ERR_NONE ? put(hooks, news, kind, subject, &data, out_fault) : say(e, out_fault);
    buf_done(&data);
    return e;
}

static enum err put_answer(const struct batch_hooks *hooks, const struct batches_news *news,
                           enum webhook_kind kind, struct fault *out_fault)
{
    struct hel_address address;
    struct hel_address_error error;
    char key[HEL_WIRE_BYTES];
    enum err e = hel_address_parse(news->record->ascii, HEL_ADDRESS_PRACTICAL, &address, &error);
    if (e != ERR_NONE) {
        return say(e, out_fault);
    }
    address_key(&address, key);
    const struct subject subject = {slice_of(key), slice_of(key)};
    return put_result(hooks, news, kind, &subject, out_fault);
}

static enum err put_no_address(const struct batch_hooks *hooks, const struct batches_news *news,
                               struct fault *out_fault)
{
    const struct subject text = {news->record->email, SLICE_NONE};
    return put_result(hooks, news, WEBHOOK_REACHER_RESULT, &text, out_fault);
}

/* Results alone: of addresses, and of rows that have none. */
static enum err put_for_reacher(const struct batch_hooks *hooks, const struct batches_news *news,
                                struct fault *out_fault)
{
    return news->event == BATCHES_RESULT
               ? put_answer(hooks, news, WEBHOOK_REACHER_RESULT, out_fault)
           : news->event == BATCHES_NO_ADDRESS ? put_no_address(hooks, news, out_fault)
                                               : ERR_NONE;
}

/* Rows that have no address have no event. */
static enum err put_ours(const struct batch_hooks *hooks, const struct batches_news *news,
                         struct fault *out_fault)
{
    enum webhook_kind kind;
    if (news->event == BATCHES_SETTLING && kind_of(news->state, &kind)) {
        return put_end(hooks, news, kind, out_fault);
    }
    return news->event == BATCHES_RESULT && news->batch->tells_results
               ? put_answer(hooks, news, WEBHOOK_BATCH_RESULT, out_fault)
               : ERR_NONE;
}

static enum err keep(void *context, const struct batches_news *news, struct fault *out_fault)
{
    const struct batch_hooks *hooks = context;
    if (news->webhook.len == 0) {
        return ERR_NONE;
    }
    return news->batch->webhook_extra.len > 0 ? put_for_reacher(hooks, news, out_fault)
                                              : put_ours(hooks, news, out_fault);
}

void batch_hooks_start(struct batch_hooks *hooks, struct batches *batches,
                       struct webhooks *webhooks)
{
    *hooks = (struct batch_hooks){
        .keeper = {.keep = keep, .context = hooks}, .batches = batches, .webhooks = webhooks};
    batches_keep(batches, &hooks->keeper);
}

void batch_hooks_stop(struct batch_hooks *hooks)
{
    if (hooks->batches != NULL) {
        batches_keep(hooks->batches, NULL);
        hooks->batches = NULL;
    }
}
