/* http/request: one request and its answer, as the handlers of routes see them.
 *
 * A handler is called on a thread of the HTTP library, when all of the body is there. It answers at once (http_answer*), or
 * holds the request (http_hold) and lets any thread answer later with the same functions, or opens a stream
 * (http/stream.h). What it keeps meanwhile is the request's state: `leave` is called once, from some thread: when the client
 * has gone, when the server stops, at the latest at the end; it sees to it that nobody answers or writes any more once it
 * returns. `free` is called after it, at the very end.
 *
 * Routes stand in tables, one file for a group of endpoints; http/routes.c lists the tables.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"
#include "http/problem.h"
#include "http/uri.h"

struct http_api;
struct http_request;
struct MHD_Connection;
struct MHD_Response;

enum {
    HTTP_ID_BYTES = 40,    /* of a request, with its NUL */
    HTTP_LABEL_BYTES = 64, /* of a key, for logs */
    HTTP_HEADERS_MAX = 8,  /* that a handler adds */
};

enum http_body {
    HTTP_BODY_NONE,   /* what comes is refused */
    HTTP_BODY_JSON,   /* application/json, whole in request->body */
    HTTP_BODY_ANY,    /* any type, whole */
    HTTP_BODY_STREAM, /* any type, given to `received` piece by piece */
};

struct http_route {
    const char *method;  /* "GET" answers HEAD as well, unless it is a stream */
    const char *pattern; /* see uri_matches */
    const char *scope;   /* what a key must be allowed to do; NULL: anybody may */
    enum http_body body;
    uint64_t body_bytes_max;
    bool is_stream;     /* the answer is an event stream: no HEAD */
    bool takes_no_body; /* of a route with a body: it may be missing */
    /* Where the key may stand beside the usual headers; NULL: nowhere. */
    struct slice (*key)(const struct http_request *request);
    bool is_key_late; /* the key stands in the body: the handler calls http_admit before all else */
    /* Answers with a problem in another service's words; NULL: problem+json. */
    void (*complain)(struct http_request *request, const struct problem *problem);
    void (*handle)(struct http_request *request);
    /* HTTP_BODY_STREAM: before the first piece, and each piece. Either may answer, with a problem: nothing more is called
     * then. */
    void (*begin)(struct http_request *request);
    void (*received)(struct http_request *request, struct slice piece);
};

struct http_routes {
    const struct http_route *at;
    size_t count;
};

struct http_state_ops {
    void (*leave)(void *state); /* may be NULL */
    void (*free)(void *state);
};

struct http_request {
    struct http_api *api; /* what handlers work with */
    const struct http_route *route;
    struct slice method, target; /* as they came */
    struct slice path;
    struct slice params[URI_PARAMS_MAX]; /* decoded */
    struct uri_query query;
    struct slice content_type; /* as it came; empty: none */
    struct buf body;
    struct ip client; /* behind trusted proxies */
    char id[HTTP_ID_BYTES];
    char key_label[HTTP_LABEL_BYTES]; /* of the key that was used; empty: none */
    int64_t key_id;                   /* 0: none */
    struct arena arena;               /* for what lives as long as the request */
    void *state;
    const struct http_state_ops *state_ops;
    struct http_exchange *exchange; /* the server's part: http/server_private.h */
};

/* A header of the request by name; empty: it has none. */
struct slice http_header(const struct http_request *request, const char *name);

/* An argument of the query; empty where there is none. */
struct slice http_argument(const struct http_request *request, const char *name);

/* Answers with 400 and returns false where the query has an argument that is none of these (NULL ends them). */
bool http_takes_arguments(struct http_request *request, const char *const names[]);

/* An argument yes/no/true/false/1/0, or a number: false, with 400 answered, where it is something else. Missing: *out stays. */
bool http_flag_argument(struct http_request *request, const char *name, bool *out);
bool http_count_argument(struct http_request *request, const char *name, uint64_t min, uint64_t max,
                         uint64_t *out);

/* For the answer; before it. Both are copied. Where memory is short it is left out. */
void http_add_header(struct http_request *request, const char *name, struct slice value);

/* The answer; exactly one of these (or of http/stream.h) is called for a request. Bytes are copied; http_answer_buf takes
 * the content of body, which is empty then. */
void http_answer(struct http_request *request, unsigned status, const char *type,
                 struct slice bytes);
void http_answer_json(struct http_request *request, unsigned status, struct buf *body);
void http_answer_buf(struct http_request *request, unsigned status, const char *type,
                     struct buf *body);
void http_answer_empty(struct http_request *request, unsigned status);
/* Bytes that live as long as the server. */
void http_answer_static(struct http_request *request, unsigned status, const char *type,
                        struct slice bytes);
void http_answer_problem(struct http_request *request, const struct problem *problem);
/* One of kind with that detail. */
void http_refuse(struct http_request *request, enum problem_kind kind, const char *detail, ...)
    PRINTF_LIKE(3, 4);

/* Large answers, made as the client takes them, on the library's thread: pull fills at most bytes_max and returns how many;
 * 0: the end; -1: broken off. done is called once, at the end of all, after the request's end; context does not lie in the
 * request. */
struct http_pull {
    int64_t (*pull)(void *context, char *at, size_t bytes_max);
    void (*done)(void *context);
    void *context;
};
void http_answer_pull(struct http_request *request, unsigned status, const char *type,
                      const struct http_pull *pull);

/* The answer comes later, from any thread; request->state is set before. False: the server is stopping, which was answered. */
bool http_hold(struct http_request *request) MUST_USE;

/* Of a route whose key is late: whether that key may do this; empty: the usual places are looked at. False: it was answered. */
bool http_admit(struct http_request *request, struct slice key) MUST_USE;

/* Counts `units` more against the key's rate and quota (one was counted when the request came); false: answered with 429. */
bool http_charge(struct http_request *request, uint64_t units);

#endif
