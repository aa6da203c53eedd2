/* http/batch_routes: what the files of the batches' routes share: batch_upload_route.c (POST /v1/batches),
 * batch_events_route.c (GET .../events), batch_routes.c (the rest).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_BATCH_ROUTES_H
#define HTTP_BATCH_ROUTES_H

#include "http/api.h"

void batch_post_begin(struct http_request *request);
void batch_post_received(struct http_request *request, struct slice piece);
void batch_post_handle(struct http_request *request);

void batch_get_events(struct http_request *request);

/* Whether there is such a batch and the request's key may see it; false: answered with 404 or another problem. */
bool batch_is_theirs(struct http_request *request, struct slice id);

#endif
