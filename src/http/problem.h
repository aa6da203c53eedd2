/* http/problem: what went wrong, as application/problem+json (RFC 9457). One row of a table for each kind: its status,
 * its type (urn:heloise:problem:NAME) and its title; detail says what is wrong here and what to do.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include <stdint.h>

#include "base/buf.h"

enum problem_kind {
    PROBLEM_BAD_FRAMING,    /* 400: where the request ends, or whom it is for, is not clear */
    PROBLEM_BAD_TARGET,     /* 400: path or query cannot be read */
    PROBLEM_BAD_ARGUMENT,   /* 400: an argument of the query */
    PROBLEM_BAD_JSON,       /* 400 */
    PROBLEM_NO_KEY,         /* 401 */
    PROBLEM_BAD_KEY,        /* 401: unknown, revoked, expired */
    PROBLEM_WRONG_SCOPE,    /* 403 */
    PROBLEM_WRONG_ORIGIN,   /* 403: another site's page */
    PROBLEM_NOT_FOUND,      /* 404 */
    PROBLEM_METHOD,         /* 405 */
    PROBLEM_NOT_ACCEPTABLE, /* 406 */
    PROBLEM_TOO_SLOW,       /* 408 */
    PROBLEM_CONFLICT,       /* 409 */
    PROBLEM_NO_LENGTH,      /* 411 */
    PROBLEM_TOO_LARGE,      /* 413 */
    PROBLEM_MEDIA_TYPE,     /* 415 */
    PROBLEM_WRONG_HOST,     /* 421 */
    PROBLEM_INVALID,        /* 422: the body was read, and a value in it is wrong */
    PROBLEM_TOO_MANY,       /* 429: rate */
    PROBLEM_QUOTA,          /* 429: used up for today */
    PROBLEM_INTERNAL,       /* 500 */
    PROBLEM_NOT_READY,      /* 503 */
    PROBLEM_KINDS
};

enum { PROBLEM_DETAIL_BYTES = 400, PROBLEM_POINTER_BYTES = 128 };

struct problem {
    enum problem_kind kind;
    char detail[PROBLEM_DETAIL_BYTES];
    char pointer
        [PROBLEM_POINTER_BYTES]; /* into a JSON body (RFC 6901): "/timeout_ms"; empty: none */
    uint64_t row, column;        /* of a list, or line and column of a text; from 1; 0: none */
    uint32_t retry_after_s;      /* 0: not said */
};

/* Without pointer, row or time. What does not fit is cut. */
void problem_set(struct problem *out, enum problem_kind kind, const char *detail, ...)
    PRINTF_LIKE(3, 4);
/* The same at a place in a JSON body. */
void problem_set_at(struct problem *out, enum problem_kind kind, const char *pointer,
                    const char *detail, ...) PRINTF_LIKE(4, 5);

unsigned problem_status(enum problem_kind kind);

/* As JSON. ERR_NOMEM, ERR_LIMIT. */
enum err problem_write(const struct problem *problem, struct slice request_id, struct buf *out)
    MUST_USE;

#endif
