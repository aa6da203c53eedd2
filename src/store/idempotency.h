/* store/idempotency: requests that must not be done twice although they are sent twice (Idempotency-Key). The first
 * one begins, does its work and finishes with its outcome; the same request sent again is given that outcome.
 *
 *     begin -> NEW       do the work; finish, in the group in which the work is committed; flush; answer
 *              FINISHED  answer with what is remembered
 *              RUNNING   it is being done just now: the caller is asked to come back
 *              MISMATCH  the same key came with another request: a mistake of the caller
 *
 * Whoever begins is the connection: what a process that died had begun, or a connection that was closed, counts as
 * never begun, for its work was not committed either. Between connections and processes a key begins once.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_IDEMPOTENCY_H
#define STORE_IDEMPOTENCY_H

#include "store/store.h"

enum {
    STORE_IDEMPOTENCY_LIFE_MS =
        24 * 60 * 60 * 1000, /* from its beginning; then the key may be used anew */
    STORE_IDEMPOTENCY_KEY_BYTES_MAX = 255,
};

struct store_request {
    int64_t
        owner; /* number of the API key; 0: none was asked for. Each owner has keys of its own */
    struct slice key;    /* as the caller chose it */
    struct slice digest; /* of all that makes it this request and no other */
};

enum store_request_state {
    STORE_REQUEST_NEW,
    STORE_REQUEST_FINISHED,
    STORE_REQUEST_RUNNING,
    STORE_REQUEST_MISMATCH,
};

struct store_request_standing {
    enum store_request_state state;
    int status;            /* finished: the status code it was answered with, above 0 */
    struct buf *reference; /* finished: appended to it, where it is given: what finish was told */
};

/* A change of its own, committed when it returns. ERR_LIMIT: the key is empty or too long. ERR_STORE, ERR_SYSTEM,
 * ERR_NOMEM. */
enum err store_request_begin(struct store *store, const struct store_request *request,
                             int64_t now_ms, struct store_request_standing *inout_standing,
                             struct fault *out_fault) MUST_USE;

/* A write of the group that is open, so that it is remembered if and only if the work is. reference: where the outcome
 * is found, or the answer's body. */
enum err store_request_finish(struct store *store, const struct store_request *request, int status,
                              struct slice reference) MUST_USE;

/* How one ends, for a change that is to be remembered under it in its own commit. */
struct store_request_end {
    const struct store_request *request;
    int status;
    struct slice reference;
};

/* Nothing was done, so that it may be sent again: another write of the group. */
enum err store_request_drop(struct store *store, const struct store_request *request) MUST_USE;

#endif
