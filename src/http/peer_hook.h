/* http/peer_hook: the `webhook` of Reacher's bulk jobs: {"on_each_email": {"url", "headers", "extra"}}. Each result goes to the
 * URL as {"result": ..., "extra": ...} with those headers, by engine/webhooks.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PEER_HOOK_H
#define HTTP_PEER_HOOK_H

#include "http/request.h"

struct json_t; /* of jansson */

enum { PEER_HOOK_EXTRA_BYTES_MAX = 4096 }; /* it goes with every result */

/* Texts are the request's. */
struct peer_hook {
    struct slice url;     /* empty: nobody is told */
    struct slice headers; /* as engine/webhook_headers has them */
    struct slice extra;   /* JSON */
};

/* The member `webhook` of a job's body, where NULL and null mean none. Members that are not known are passed over, as theirs
 * does. False: it was answered. */
bool peer_hook_read(struct http_request *request, const struct json_t *webhook,
                    struct peer_hook *out);

#endif
