/* http/answer: answers as the library's responses, with the headers that all of them have.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "http/server_private.h"

enum { PROBLEM_BYTES_MAX = 16 * 1024, PULL_BLOCK_BYTES = 64 * 1024 };

static void add(const struct http_exchange *exchange, struct MHD_Response *response,
                const char *name, const char *value)
{
    /* A header less is better than no answer; without memory there is neither. */
    enum MHD_Result unused UNUSED =
        exchange->server->mhd.MHD_add_response_header(response, name, value);
}

static void add_cors(struct http_exchange *exchange, struct MHD_Response *response)
{
    const struct http_origins *origins = &exchange->server->config.cors_origins;
    if (origins->count == 0) {
        return;
    }
    add(exchange, response, "Vary", "Origin");
    struct slice origin = http_header(&exchange->request, "Origin");
    if (origin.len > 0 && http_origin_is_listed(origins, origin)) {
        add(exchange, response, "Access-Control-Allow-Origin", origin.at);
        add(exchange, response, "Access-Control-Expose-Headers",
            "X-Request-Id, Retry-After, Location");
    }
}

static bool has_header(const struct http_exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->header_count; i++) {
        if (strcasecmp(exchange->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void answer_add_headers(struct http_exchange *exchange, struct MHD_Response *response,
                        const char *type)
{
    for (size_t i = 0; i < exchange->header_count; i++) {
        add(exchange, response, exchange->headers[i].name, exchange->headers[i].value);
    }
    if (type != NULL) {
        add(exchange, response, "Content-Type", type);
    }
    add(exchange, response, "X-Request-Id", exchange->request.id);
    add(exchange, response, "X-Content-Type-Options", "nosniff");
    if (!has_header(exchange, "Cache-Control")) {
        add(exchange, response, "Cache-Control", "no-store");
    }
    if (!has_header(exchange, "Content-Security-Policy")) {
        add(exchange, response, "Content-Security-Policy",
            "default-src 'none'; frame-ancestors 'none'");
    }
    if (exchange->server->tls_key != NULL) {
        add(exchange, response, "Strict-Transport-Security", "max-age=31536000");
    }
    add_cors(exchange, response);
    if (exchange->closes ||
        atomic_load_explicit(&exchange->server->is_stopping, memory_order_relaxed)) {
        add(exchange, response, "Connection", "close");
    }
}

void answer_give(struct http_exchange *exchange, unsigned status, const char *type,
                 struct MHD_Response *response)
{
    if (response != NULL) {
        answer_add_headers(exchange, response, type);
    }
    if (!exchange->is_held) {
        if (exchange->response != NULL) {
            exchange->server->mhd.MHD_destroy_response(exchange->response);
        }
        exchange->response = response;
        exchange->status = status;
        return;
    }
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->response = response;
    exchange->status = status;
    exchange_resume(exchange);
    (void)pthread_mutex_unlock(&exchange->lock);
}

void http_answer(struct http_request *request, unsigned status, const char *type,
                 struct slice bytes)
{
    struct http_exchange *exchange = request->exchange;
    exchange->bytes_out = bytes.len;
    /* The library takes a pointer to what it copies as one it might write to. */
    char *copy = malloc(bytes.len + 1);
    if (copy == NULL) {
        answer_give(exchange, status, type, NULL);
        return;
    }
    memcpy(copy, bytes.at, bytes.len);
    answer_give(exchange, status, type,
                exchange->server->mhd.MHD_create_response_from_buffer(bytes.len, copy,
                                                                      MHD_RESPMEM_MUST_FREE));
}

void http_answer_buf(struct http_request *request, unsigned status, const char *type,
                     struct buf *body)
{
    struct http_exchange *exchange = request->exchange;
    exchange->bytes_out = body->len;
    struct MHD_Response *response = exchange->server->mhd.MHD_create_response_from_buffer(
        body->len, body->at, MHD_RESPMEM_MUST_FREE);
    if (response != NULL) {
        buf_init(body, body->max);
    }
    answer_give(exchange, status, type, response);
}

void http_answer_json(struct http_request *request, unsigned status, struct buf *body)
{
    http_answer_buf(request, status, "application/json", body);
}

void http_answer_static(struct http_request *request, unsigned status, const char *type,
                        struct slice bytes)
{
    request->exchange->bytes_out = bytes.len;
    union {
        const char *from;
        void *to;
    } same = {.from = bytes.at}; /* the library only reads what is persistent */
    answer_give(request->exchange, status, type,
                request->exchange->server->mhd.MHD_create_response_from_buffer(
                    bytes.len, same.to, MHD_RESPMEM_PERSISTENT));
}

void http_answer_empty(struct http_request *request, unsigned status)
{
    http_answer_static(request, status, NULL, SLICE_NONE);
}

void http_answer_problem(struct http_request *request, const struct problem *problem)
{
    struct buf body;
    buf_init(&body, PROBLEM_BYTES_MAX);
    if (problem->retry_after_s > 0) {
        char seconds[16];
        int len = snprintf(seconds, sizeof seconds, "%u", problem->retry_after_s);
        http_add_header(request, "Retry-After", slice_make(seconds, (size_t)len));
    }
    if (request->route != NULL && request->route->complain != NULL) {
        request->route->complain(request, problem);
        return;
    }
    if (problem_write(problem, slice_of(request->id), &body) != ERR_NONE) {
        buf_clear(&body);
    }
    http_answer_buf(request, problem_status(problem->kind), "application/problem+json", &body);
    buf_done(&body);
}

void http_refuse(struct http_request *request, enum problem_kind kind, const char *detail, ...)
{
    struct problem problem;
    char text[PROBLEM_DETAIL_BYTES];
    va_list args;
    va_start(args, detail);
    (void)vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    problem_set(&problem, kind, "%s", text);
    http_answer_problem(request, &problem);
}

void http_add_header(struct http_request *request, const char *name, struct slice value)
{
    struct http_exchange *exchange = request->exchange;
    char *copy = exchange->header_count == HTTP_HEADERS_MAX ? NULL : malloc(value.len + 1);
    if (copy == NULL) {
        return;
    }
    if (value.len > 0) {
        memcpy(copy, value.at, value.len);
    }
    copy[value.len] = '\0';
    exchange->headers[exchange->header_count++] = (struct exchange_header){name, copy};
}

/* ---- pulled ---- */

struct pulled {
    struct http_pull pull;
    struct http_exchange *exchange;
};

static ssize_t pull_more(void *context, uint64_t at, char *room, size_t bytes_max)
{
    struct pulled *pulled = context;
    (void)at;
    int64_t count = pulled->pull.pull(pulled->pull.context, room, bytes_max);
    if (count == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (count < 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    pulled->exchange->bytes_out += (uint64_t)count;
    return (ssize_t)count;
}

static void pull_done(void *context)
{
    struct pulled *pulled = context;
    if (pulled->pull.done != NULL) {
        pulled->pull.done(pulled->pull.context);
    }
    free(pulled);
}

void http_answer_pull(struct http_request *request, unsigned status, const char *type,
                      const struct http_pull *pull)
{
    struct pulled *pulled = malloc(sizeof *pulled);
    if (pulled == NULL) {
        if (pull->done != NULL) {
            pull->done(pull->context);
        }
        answer_give(request->exchange, status, type, NULL);
        return;
    }
    *pulled = (struct pulled){*pull, request->exchange};
    struct MHD_Response *response =
        request->exchange->server->mhd.MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, PULL_BLOCK_BYTES, pull_more, pulled, pull_done);
    if (response == NULL) {
        pull_done(pulled);
    }
    answer_give(request->exchange, status, type, response);
}
