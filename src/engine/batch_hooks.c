/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/batch_hooks.h"

#include "address/normal.h"
#include "base/slice.h"
#include "engine/batch_json.h"
#include "engine/record_json.h"

enum { ONCE_BYTES_MAX = HEL_WIRE_BYTES + 256 };

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

static enum err put(struct batch_hooks *hooks, const struct batches_news *news,
                    enum webhook_kind kind, struct slice about, const struct buf *data)
{
    struct buf once;
    struct fault fault;
    buf_init(&once, ONCE_BYTES_MAX);
    enum err e = ERR_NONE;
    if (kind != WEBHOOK_BATCH_PAUSED) { /* which may happen again */
        e = buf_printf(&once, "%.*s %s %.*s", SLICE_ARG(news->id), webhook_kind_name(kind),
                       SLICE_ARG(about));
    }
    if (e == ERR_NONE) {
        const struct webhook_event event = {
            .kind = kind,
            .owner = news->owner,
            .url = news->webhook,
            .batch = news->id,
            .about = about,
            .once = buf_view(&once),
            .data = buf_view(data),
        };
        e = webhooks_put(hooks->webhooks, &event, &fault);
    }
    buf_done(&once);
    return e;
}

static enum err put_end(struct batch_hooks *hooks, const struct batches_news *news,
                        enum webhook_kind kind)
{
    struct buf data;
    buf_init(&data, WEBHOOK_BODY_BYTES_MAX);
    struct store_batch batch = *news->batch;
    struct batches_live live = *news->live;
    batch.state = live.state = news->state; /* as it is about to be */
    enum err e = batch_write_json(&batch, &live, NULL, &data);
    e = e == ERR_NONE ? put(hooks, news, kind, SLICE_NONE, &data) : e;
    buf_done(&data);
    return e;
}

/* Of an address: the rows of a list that are none have no event. */
static enum err put_result(struct batch_hooks *hooks, const struct batches_news *news)
{
    struct hel_address address;
    struct hel_address_error error;
    struct buf data;
    char key[HEL_WIRE_BYTES];
    enum err e = hel_address_parse(news->record->ascii, HEL_ADDRESS_PRACTICAL, &address, &error);
    if (e != ERR_NONE) {
        return e;
    }
    address_key(&address, key);
    buf_init(&data, WEBHOOK_BODY_BYTES_MAX);
    e = buf_printf(&data, "{\"batch\":\"%.*s\",\"result\":", SLICE_ARG(news->id));
    e = e == ERR_NONE ? record_write_json(news->record, &data) : e;
    e = e == ERR_NONE ? buf_append_byte(&data, '}') : e;
    e = e == ERR_NONE ? put(hooks, news, WEBHOOK_BATCH_RESULT, slice_of(key), &data) : e;
    buf_done(&data);
    return e;
}

static void told(void *context, const struct batches_news *news)
{
    struct batch_hooks *hooks = context;
    enum webhook_kind kind;
    enum err e = ERR_NONE;
    if (news->webhook.len == 0) {
        return;
    }
    if (news->event == BATCHES_SETTLING && kind_of(news->state, &kind)) {
        e = put_end(hooks, news, kind);
    } else if (news->event == BATCHES_RESULT && news->batch->tells_results) {
        e = put_result(hooks, news);
    }
    hooks->lost += e == ERR_NONE ? 0 : 1;
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
