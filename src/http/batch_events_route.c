/* http/batch_events_route: GET /v1/batches/{id}/events: how far a batch is, as server-sent events, until it is over.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "engine/batch_json.h"
#include "http/batch_routes.h"
#include "http/stream.h"

enum {
    EVENT_BYTES_MAX = 64 * 1024,
    STREAM_BYTES_MAX = 256 * 1024,
};

/* Who watches one batch. */
struct watcher {
    struct service *service;
    struct http_stream *stream;
    struct slice id; /* in the request's arena */
    struct batches_listener listener;
    struct store *store; /* the desk's, while subscribed */
    bool is_subscribed;  /* the desk's */
};

static void send(struct watcher *watcher, const char *name, const struct buf *data)
{
    /* One that does not read misses some; the next one tells all. */
    (void)(http_stream_event(watcher->stream, name, buf_view(data)) == ERR_NONE);
}

static void on_news(void *context, const struct batches_news *news)
{
    struct watcher *watcher = context;
    struct buf data;
    bool is_wanted = news->event == BATCHES_CHANGED || news->event == BATCHES_OVER;
    if (!is_wanted || !slice_equal(news->id, watcher->id)) {
        return;
    }
    buf_init(&data, EVENT_BYTES_MAX);
    bool is_over = news->event == BATCHES_OVER || news->state == STORE_BATCH_DELETED;
    if (batch_write_json(news->batch, news->live, watcher->store, &data) == ERR_NONE) {
        send(watcher, is_over ? "over" : "progress", &data);
    }
    buf_done(&data);
    if (is_over) {
        http_stream_end(watcher->stream);
    }
}

/* On the desk: first what is so now, then what changes. */
static void subscribe(struct desk *desk, void *context)
{
    struct watcher *watcher = context;
    struct batches_live live;
    struct fault fault;
    struct buf data;
    buf_init(&data, EVENT_BYTES_MAX);
    bool is_live = desk->batches != NULL && batches_live(desk->batches, watcher->id, &live);
    if (batch_find_json(desk->store, desk->batches, watcher->id, &data, &fault) == ERR_NONE) {
        send(watcher, is_live ? "progress" : "over", &data);
    }
    buf_done(&data);
    if (is_live) {
        watcher->listener = (struct batches_listener){.told = on_news, .context = watcher};
        batches_subscribe(desk->batches, &watcher->listener);
        watcher->store = desk->store;
        watcher->is_subscribed = true;
    } else {
        http_stream_end(watcher->stream);
    }
}

static void unsubscribe(struct desk *desk, void *context)
{
    struct watcher *watcher = context;
    if (watcher->is_subscribed && desk->batches != NULL) {
        batches_unsubscribe(desk->batches, &watcher->listener);
    }
    watcher->is_subscribed = false;
}

static void leave(void *state)
{
    struct watcher *watcher = state;
    if (!service_call(watcher->service, unsubscribe, watcher)) {
        return; /* the desk is gone, and nobody writes any more */
    }
}

static void free_watcher(void *state)
{
    free(state);
}

void batch_get_events(struct http_request *request)
{
    static const struct http_state_ops ops = {leave, free_watcher};
    static const char *const none[] = {NULL};
    static const struct http_stream_config config = {
        .content_type = "text/event-stream", .bytes_max = STREAM_BYTES_MAX, .beats = true};
    if (!http_takes_arguments(request, none) || !batch_is_theirs(request, request->params[0])) {
        return;
    }
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    watcher->service = request->api->service;
    watcher->id = request->params[0];
    request->state = watcher;
    request->state_ops = &ops;
    watcher->stream = http_stream_open(request, &config);
    if (watcher->stream != NULL && !service_call(watcher->service, subscribe, watcher)) {
        http_stream_end(watcher->stream);
    }
}
