/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/batch_hooks.h"

#include "address/normal.h"
#include "base/slice.h"
#include "engine/batch_json.h"
#include "engine/format.h"
#include "engine/record_json.h"

enum { ONCE_BYTES_MAX = 2048 }; /* of an address, or what stands in its place */

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

static enum err put(struct batch_hooks *hooks, const struct batches_news *news,
                    enum webhook_kind kind, const struct subject *subject, const struct buf *data)
{
    struct buf once;
    struct fault fault;
    buf_init(&once, ONCE_BYTES_MAX);
    enum err e = ERR_NONE;
    if (kind != WEBHOOK_BATCH_PAUSED) { /* which may happen again */
        e = buf_printf(&once, "%.*s %s %.*s", SLICE_ARG(news->id), webhook_kind_name(kind),
                       SLICE_ARG(subject->name));
    }
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
        e = webhooks_put(hooks->webhooks, &event, &fault);
    }
    buf_done(&once);
    return e;
}

static enum err put_end(struct batch_hooks *hooks, const struct batches_news *news,
                        enum webhook_kind kind)
{
    const struct subject none = {SLICE_NONE, SLICE_NONE};
    struct buf data;
    buf_init(&data, WEBHOOK_BODY_BYTES_MAX);
    struct store_batch batch = *news->batch;
    struct batches_live live = *news->live;
    batch.state = live.state = news->state; /* as it is about to be */
    enum err e = batch_write_json(&batch, &live, NULL, &data);
    e = e == ERR_NONE ? put(hooks, news, kind, &none, &data) : e;
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

static enum err put_result(struct batch_hooks *hooks, const struct batches_news *news,
                           enum webhook_kind kind, const struct subject *subject)
{
    struct buf data;
    buf_init(&data, WEBHOOK_BODY_BYTES_MAX);
    enum err e =
        kind == WEBHOOK_REACHER_RESULT ? write_reacher(news, &data) : write_result(news, &data);
    e = e == ERR_NONE ? put(hooks, news, kind, subject, &data) : e;
    buf_done(&data);
    return e;
}

static enum err put_answer(struct batch_hooks *hooks, const struct batches_news *news,
                           enum webhook_kind kind)
{
    struct hel_address address;
    struct hel_address_error error;
    char key[HEL_WIRE_BYTES];
    enum err e = hel_address_parse(news->record->ascii, HEL_ADDRESS_PRACTICAL, &address, &error);
    if (e != ERR_NONE) {
        return e;
    }
    address_key(&address, key);
    const struct subject subject = {slice_of(key), slice_of(key)};
    return put_result(hooks, news, kind, &subject);
}

static enum err put_no_address(struct batch_hooks *hooks, const struct batches_news *news)
{
    const struct subject text = {news->record->email, SLICE_NONE};
    return put_result(hooks, news, WEBHOOK_REACHER_RESULT, &text);
}

/* Results alone: of addresses, and of rows that have none. */
static enum err put_for_reacher(struct batch_hooks *hooks, const struct batches_news *news)
{
    return news->event == BATCHES_RESULT       ? put_answer(hooks, news, WEBHOOK_REACHER_RESULT)
           : news->event == BATCHES_NO_ADDRESS ? put_no_address(hooks, news)
                                               : ERR_NONE;
}

/* Rows that have no address have no event. */
static enum err put_ours(struct batch_hooks *hooks, const struct batches_news *news)
{
    enum webhook_kind kind;
    if (news->event == BATCHES_SETTLING && kind_of(news->state, &kind)) {
        return put_end(hooks, news, kind);
    }
    return news->event == BATCHES_RESULT && news->batch->tells_results
               ? put_answer(hooks, news, WEBHOOK_BATCH_RESULT)
               : ERR_NONE;
}

static void told(void *context, const struct batches_news *news)
{
    struct batch_hooks *hooks = context;
    if (news->webhook.len > 0) {
        enum err e = news->batch->webhook_extra.len > 0 ? put_for_reacher(hooks, news)
                                                        : put_ours(hooks, news);
        hooks->lost += e == ERR_NONE ? 0 : 1;
    }
}

void batch_hooks_start(struct batch_hooks *hooks, struct batches *batches,
                       struct webhooks *webhooks)
{
    *hooks = (struct batch_hooks){
        .listener = {.told = told, .context = hooks}, .batches = batches, .webhooks = webhooks};
    batches_subscribe(batches, &hooks->listener);
}

void batch_hooks_stop(struct batch_hooks *hooks)
{
    if (hooks->batches != NULL) {
        batches_unsubscribe(hooks->batches, &hooks->listener);
        hooks->batches = NULL;
    }
}
