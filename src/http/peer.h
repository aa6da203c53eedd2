/* http/peer: other services' endpoints, so that who switches to this one changes an address and a key: what one of those
 * services calls an answer and a problem, and one or many addresses asked for it.
 *
 * Private to the files peer_*.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include "engine/format.h"
#include "http/request.h"

enum {
    PEER_ANSWER_BYTES_MAX = 64 * 1024, /* one record in any of the shapes */
    PEER_PROBLEM_BYTES_MAX = 4096,
    /* There are no credits here; clients that warn of few, and stop at none, are told of many. */
    PEER_CREDITS = 1000000,
};

struct peer_questions;

struct peer {
    enum err (*write)(const struct record *record, struct buf *out);
    /* Puts the answers into one body, and adds the headers that theirs has. */
    enum err (*join)(struct peer_questions *questions, struct buf *out);
    uint32_t timeout_ms; /* where the caller does not say: what is known by then is the answer */
};

struct peer_slot {
    struct peer_questions *all;
    struct service_ticket *ticket; /* NULL: none is owed */
    struct slice address;          /* of the request */
    struct buf answer;             /* empty: it could not be written */
};

struct peer_questions {
    struct http_request *request;
    const struct peer *peer;
    uint64_t began_ms;
    _Atomic size_t open;
    size_t count;
    struct peer_slot slots[];
};

/* Asks all of them and answers the request when all are known, or timeout_ms is over; 0: the peer's. Addresses live as long as
 * the request. A problem is answered as the route's. */
void peer_ask(struct http_request *request, const struct peer *peer, uint32_t timeout_ms,
              const struct slice *addresses, size_t count);

extern const struct peer peer_reacher, peer_zerobounce, peer_zerobounce_batch, peer_kickbox,
    peer_neverbounce; /* peer_join.c */

/* Their words for a problem: the routes' `complain`. */
void peer_complain_reacher(struct http_request *request, const struct problem *problem);
void peer_complain_zerobounce(struct http_request *request, const struct problem *problem);
void peer_complain_kickbox(struct http_request *request, const struct problem *problem);
void peer_complain_neverbounce(struct http_request *request, const struct problem *problem);

#endif
