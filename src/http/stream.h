/* http/stream: an answer that grows: server-sent events or NDJSON, written from any thread through a buffer with a ceiling
 * while the client reads at its own pace. A client that goes away is noticed within seconds even while nothing is
 * written: the state's `leave` is called.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "http/request.h"

struct http_stream;

struct http_stream_config {
    const char *content_type;
    size_t bytes_max; /* unsent; a client that does not read costs no more */
    bool
        beats; /* ":\n\n" when nothing was said for 15 s, for proxies that close what is silent (SSE) */
    /* Called after the client took bytes, from the library's thread: there is room for more. NULL: nobody cares. */
    void (*has_room)(void *context);
    void *context;
};

/* Answers the request with 200 and the stream; request->state is set before. NULL: no memory, which was answered. It lives
 * until the state's `free`. */
struct http_stream *http_stream_open(struct http_request *request,
                                     const struct http_stream_config *config);

/* From any thread. ERR_LIMIT: no room, nothing was taken; ERR_NOMEM; ERR_CLOSED: after the end. */
enum err http_stream_write(struct http_stream *stream, struct slice bytes) MUST_USE;

/* One event of text/event-stream; data is one line or several. ERR_... as above. */
enum err http_stream_event(struct http_stream *stream, const char *name, struct slice data)
    MUST_USE;

size_t http_stream_unsent(struct http_stream *stream);

/* An event that who reads slowly may miss: it is left out where so many bytes wait already, or memory fails. */
void http_stream_offer(struct http_stream *stream, size_t full_bytes, const char *name,
                       struct slice data);
/* Such an event with one member: {"text": text}. */
void http_stream_offer_text(struct http_stream *stream, size_t full_bytes, const char *name,
                            struct slice text);

/* Nothing more comes; what was written is still sent. */
void http_stream_end(struct http_stream *stream);

#endif
