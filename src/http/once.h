/* http/once: requests that may be sent again without being done again: Idempotency-Key, as
 * draft-ietf-httpapi-idempotency-key-header has it. A key holds for 24 hours, for whoever has the same API key, and over any
 * death of the service. What its first request was is compared before the body is read: method, path, query, media type
 * and length; who has read the body compares that too, by a mark of his own.
 *
 *     http_once_begin -> a first time: the work, committed with an end of http_once_request; http_once_is_done
 *                     -> is_again: the body is read, compared, and what is known answered
 *     http_once_end   in any case
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_ONCE_H
#define HTTP_ONCE_H

#include "engine/batches.h"
#include "http/request.h"

enum { HTTP_ONCE_DIGEST_BYTES = 33, HTTP_ONCE_KNOWN_BYTES_MAX = 128 * 1024 };

struct http_once {
    struct http_request *request;
    struct slice key; /* empty: none was sent, and all of this does nothing */
    char digest[HTTP_ONCE_DIGEST_BYTES];
    bool is_held;     /* nobody else may begin it */
    bool is_again;    /* it was done */
    struct buf known; /* then: what its end was told as the reference */
};

/* Before the body is read; out is owed to http_once_end in any case. False: it was answered: the key is none (400), its
 * request is under way (409), it came with another request (422). */
bool http_once_begin(struct http_once *out, struct http_request *request) MUST_USE;

/* For the commit of the work; with a key only. Lives as long as once does. */
struct store_request http_once_request(const struct http_once *once);

void http_once_is_done(struct http_once *once); /* that was committed */
/* What was begun and not done may be sent again at once. Before the answer; twice is fine, as is a zeroed one. */
void http_once_end(struct http_once *once);

#endif
