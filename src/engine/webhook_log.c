/* engine/webhook_log: events as people read them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "engine/webhooks.h"

const char *webhook_kind_name(enum webhook_kind kind)
{
    static const char *const names[WEBHOOK_KIND_COUNT] = {
        [WEBHOOK_BATCH_DONE] = "batch.done",         [WEBHOOK_BATCH_FAILED] = "batch.failed",
        [WEBHOOK_BATCH_PAUSED] = "batch.paused",     [WEBHOOK_BATCH_RESULT] = "batch.result",
        [WEBHOOK_REACHER_RESULT] = "reacher.result", [WEBHOOK_WATCH_CHANGED] = "watch.changed",
    };
    return names[kind];
}

const char *webhook_state_name(enum store_webhook_state state)
{
    switch (state) {
    case STORE_WEBHOOK_WAITING: return "waiting";
    case STORE_WEBHOOK_DELIVERED: return "delivered";
    case STORE_WEBHOOK_FAILED: return "failed";
    }
    return "unknown";
}

void webhook_log_write(struct json_writer *w, const struct store_webhook *event)
{
    json_open(w, NULL, '{');
    json_int(w, "number", event->number);
    json_string(w, "id", event->id);
    json_string(w, "type", event->kind);
    json_text(w, "batch", event->batch);
    json_string(w, "url", event->endpoint.url);
    json_string(w, "state", slice_of(webhook_state_name(event->state)));
    json_int(w, "tries", event->tries);
    json_time(w, "created_at", event->created_at_ms);
    json_time(w, "changed_at", event->changed_at_ms);
    if (event->state == STORE_WEBHOOK_WAITING) {
        json_time(w, "next_at", event->next_at_ms);
    } else {
        json_null(w, "next_at");
    }
    if (event->last_status == 0) {
        json_null(w, "last_status");
    } else {
        json_int(w, "last_status", event->last_status);
    }
    json_text(w, "last_error", event->last_error);
    json_raw(w, "body", event->body);
    json_close(w, '}');
}
