/* http/stored: what the routes over things of the store have in common: whose they are, a store to read them in, and faults
 * of the engine as problems.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_STORED_H
#define HTTP_STORED_H

#include "http/api.h"

/* Whose a thing is that this request makes: the number of its key, as text; empty where nobody needs a key. A key sees its
 * own things; without keys all are seen. */
struct slice http_owner(const struct http_request *request, char out[HTTP_ID_BYTES]);

/* The part of a list of the store that the arguments limit and before ask for, of what the key sees; out_owner is what
 * *out refers to. False: they are not right, which was answered. */
struct http_page_owner {
    struct slice id;
    char text[HTTP_ID_BYTES];
};
bool http_read_page(struct http_request *request, size_t limit_max,
                    struct http_page_owner *out_owner, struct store_page *out);

/* False: the engine is not running, which was answered. */
bool http_has_service(struct http_request *request);
/* A connection to read in; service_give_back_store is owed. False: there is none, which was answered. */
bool http_lend_store(struct http_request *request, struct store **out);

enum { HTTP_WEBHOOK_BYTES_MAX = 1024 }; /* of the URL that a batch, a watch, a bulk job names */

/* On the desk: whether that URL may be told; an empty one is none. ERR_SYNTAX: no, and why; ERR_NOMEM. */
enum err http_check_webhook(struct desk *desk, struct slice url, struct fault *out_fault) MUST_USE;

/* Not found for ERR_CLOSED, a conflict for ERR_STATE, else internal. */
void http_refuse_fault(struct http_request *request, enum err e, const struct fault *fault);
/* The answer, or that; json is done with. */
void http_answer_found(struct http_request *request, unsigned status, enum err e,
                       const struct fault *fault, struct buf *json);

#endif
