/* SPDX-License-Identifier: Apache-2.0 */
#include "http/log.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/slice.h"
#include "engine/json_write.h"

enum { GATHERED_BYTES_MAX = 1 << 20, LINE_BYTES_MAX = 64 * 1024 };

void http_log_init(struct http_log *out, int fd)
{
    *out = (struct http_log){.fd = fd, .has_requests = true};
    (void)pthread_mutex_init(&out->lock, NULL);
    buf_init(&out->lines, GATHERED_BYTES_MAX);
    buf_init(&out->spare, GATHERED_BYTES_MAX);
}

void http_log_done(struct http_log *log)
{
    http_log_flush(log);
    buf_done(&log->lines);
    buf_done(&log->spare);
    (void)pthread_mutex_destroy(&log->lock);
}

static void begin_line(struct json_writer *w, struct buf *line, const char *level,
                       const char *event)
{
    struct timespec now;
    char time[DATE_TIME_BYTES];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    json_begin(w, line);
    json_open(w, NULL, '{');
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    json_string(w, "time", slice_of(date_time_text(now_ms, time)));
    json_string(w, "level", slice_of(level));
    json_string(w, "event", slice_of(event));
}

/* Whole or not at all. */
static void end_line(struct http_log *log, struct json_writer *w, struct buf *line)
{
    json_close(w, '}');
    enum err e = w->err != ERR_NONE ? w->err : buf_append_byte(line, '\n');
    (void)pthread_mutex_lock(&log->lock);
    if (e != ERR_NONE || buf_append(&log->lines, buf_view(line)) != ERR_NONE) {
        log->lost++;
    }
    (void)pthread_mutex_unlock(&log->lock);
}

void http_log_request(struct http_log *log, const struct http_log_request *request)
{
    struct json_writer w;
    struct buf line;
    if (!log->has_requests) {
        return;
    }
    buf_init(&line, LINE_BYTES_MAX);
    begin_line(&w, &line, "info", "request");
    json_string(&w, "id", request->id);
    json_string(&w, "method", request->method);
    json_string(&w, "route", request->route);
    json_int(&w, "status", request->status);
    json_int(&w, "micros", (int64_t)request->micros);
    json_int(&w, "bytes", (int64_t)request->bytes);
    if (request->key.len > 0) {
        json_string(&w, "key", request->key);
    }
    if (request->is_broken) {
        json_bool(&w, "broken", true);
    }
    if (log->has_addresses) {
        json_string(&w, "client", request->client);
        json_string(&w, "target", request->target);
    }
    end_line(log, &w, &line);
    buf_done(&line);
}

void http_log_event(struct http_log *log, const char *level, const char *event, struct slice detail)
{
    struct json_writer w;
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    begin_line(&w, &line, level, event);
    json_string(&w, "detail", detail);
    end_line(log, &w, &line);
    buf_done(&line);
}

static void write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.at, bytes.len);
        if (written < 0 && errno != EINTR) {
            return; /* whoever reads the log has gone; the service goes on */
        }
        bytes = slice_sub(bytes, written > 0 ? (size_t)written : 0, bytes.len);
    }
}

void http_log_flush(struct http_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    struct buf full = log->lines;
    log->lines = log->spare;
    log->spare = full;
    uint64_t lost = log->lost;
    log->lost = 0;
    (void)pthread_mutex_unlock(&log->lock);
    write_all(log->fd, buf_view(&log->spare));
    buf_clear(&log->spare);
    if (lost > 0) {
        char text[64];
        int len =
            snprintf(text, sizeof text, "%llu log lines found no room", (unsigned long long)lost);
        http_log_event(log, "warning", "log", slice_make(text, (size_t)len));
    }
}
