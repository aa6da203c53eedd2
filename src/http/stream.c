/* SPDX-License-Identifier: Apache-2.0 */
#include "http/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "http/server_private.h"

enum { BLOCK_BYTES = 16 * 1024, BEAT_MS = 15000 };

/* Under the exchange's lock. */
struct http_stream {
    struct http_exchange *exchange;
    struct http_stream_config config;
    struct buf bytes; /* not sent yet */
    uint64_t written_at_ms;
    bool has_ended;
};

/* What is there, or -1 at the end; 0: it is suspended. */
static ssize_t take(struct http_stream *stream, char *room, size_t bytes_max)
{
    struct http_exchange *exchange = stream->exchange;
    size_t count = stream->bytes.len < bytes_max ? stream->bytes.len : bytes_max;
    if (exchange->is_gone) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (count > 0) {
        memcpy(room, stream->bytes.at, count);
        buf_drop_front(&stream->bytes, count);
        exchange->bytes_out += count;
        return (ssize_t)count;
    }
    if (stream->has_ended) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    return exchange_suspend(exchange) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t read_stream(void *context, uint64_t at, char *room, size_t bytes_max)
{
    struct http_stream *stream = context;
    (void)at;
    (void)pthread_mutex_lock(&stream->exchange->lock);
    ssize_t count = take(stream, room, bytes_max);
    (void)pthread_mutex_unlock(&stream->exchange->lock);
    if (count > 0 && stream->config.has_room != NULL) {
        stream->config.has_room(stream->config.context);
    }
    return count;
}

struct http_stream *http_stream_open(struct http_request *request,
                                     const struct http_stream_config *config)
{
    struct http_exchange *exchange = request->exchange;
    struct http_stream *stream = calloc(1, sizeof *stream);
    struct MHD_Response *response = NULL;
    if (stream != NULL) {
        response = exchange->server->mhd.MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream, NULL);
    }
    if (response == NULL) {
        free(stream);
        http_refuse(request, PROBLEM_INTERNAL, "no memory for a stream");
        return NULL;
    }
    stream->exchange = exchange;
    stream->config = *config;
    stream->written_at_ms = http_now_ms();
    buf_init(&stream->bytes, config->bytes_max);
    exchange->stream = stream;
    http_add_header(request, "X-Accel-Buffering", SLICE("no")); /* nginx would gather events */
    answer_give(exchange, 200, config->content_type, response);
    (void)atomic_fetch_add(&exchange->server->config.metrics->streams_open, 1);
    return stream;
}

static enum err append(struct http_stream *stream, struct slice bytes)
{
    if (stream->has_ended || stream->exchange->is_gone) {
        return ERR_CLOSED;
    }
    enum err e = buf_append(&stream->bytes, bytes);
    if (e == ERR_NONE) {
        stream->written_at_ms = http_now_ms();
        exchange_resume(stream->exchange);
    }
    return e;
}

enum err http_stream_write(struct http_stream *stream, struct slice bytes)
{
    (void)pthread_mutex_lock(&stream->exchange->lock);
    enum err e = append(stream, bytes);
    (void)pthread_mutex_unlock(&stream->exchange->lock);
    return e;
}

enum err http_stream_event(struct http_stream *stream, const char *name, struct slice data)
{
    struct buf event;
    buf_init(&event, stream->config.bytes_max);
    enum err e = buf_printf(&event, "event: %s\n", name);
    while (data.at != NULL && e == ERR_NONE) {
        struct slice line = slice_cut(&data, '\n');
        e = buf_append(&event, SLICE("data: "));
        e = e != ERR_NONE ? e : buf_append(&event, line);
        e = e != ERR_NONE ? e : buf_append_byte(&event, '\n');
    }
    e = e != ERR_NONE ? e : buf_append_byte(&event, '\n');
    e = e != ERR_NONE ? e : http_stream_write(stream, buf_view(&event));
    buf_done(&event);
    return e;
}

size_t http_stream_unsent(struct http_stream *stream)
{
    (void)pthread_mutex_lock(&stream->exchange->lock);
    size_t count = stream->bytes.len;
    (void)pthread_mutex_unlock(&stream->exchange->lock);
    return count;
}

void http_stream_offer(struct http_stream *stream, size_t full_bytes, const char *name,
                       struct slice data)
{
    if (http_stream_unsent(stream) < full_bytes) {
        (void)(http_stream_event(stream, name, data) == ERR_NONE);
    }
}

void http_stream_offer_text(struct http_stream *stream, size_t full_bytes, const char *name,
                            struct slice text)
{
    struct buf data;
    struct json_writer w;
    buf_init(&data, stream->config.bytes_max);
    json_begin(&w, &data);
    json_open(&w, NULL, '{');
    json_string(&w, "text", text);
    json_close(&w, '}');
    if (w.err == ERR_NONE) {
        http_stream_offer(stream, full_bytes, name, buf_view(&data));
    }
    buf_done(&data);
}

void http_stream_end(struct http_stream *stream)
{
    (void)pthread_mutex_lock(&stream->exchange->lock);
    stream->has_ended = true;
    exchange_resume(stream->exchange);
    (void)pthread_mutex_unlock(&stream->exchange->lock);
}

void stream_beat(struct http_stream *stream, uint64_t now_ms)
{
    if (stream->config.beats && now_ms >= stream->written_at_ms + BEAT_MS &&
        append(stream, SLICE(":\n\n")) != ERR_NONE) {
        stream->written_at_ms = now_ms; /* it is full, or at its end */
    }
}

void stream_free(struct http_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    (void)atomic_fetch_sub(&stream->exchange->server->config.metrics->streams_open, 1);
    buf_done(&stream->bytes);
    free(stream);
}
