/* http/peer_bulk: Reacher's bulk jobs, worked off as batches of ours.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PEER_BULK_H
#define HTTP_PEER_BULK_H

#include "http/peer_hook.h"

enum { PEER_BULK_MAX = 100000 }; /* addresses of one job */

/* Makes a job of the addresses and answers with its number. Safe on the disk by then. hook: who is told of each result. */
void peer_bulk_begin(struct http_request *request, const struct slice *addresses, size_t count,
                     const struct peer_hook *hook);

/* Handlers of routes with the number as their part. */
void peer_bulk_progress(struct http_request *request);
void peer_bulk_results(struct http_request *request);

#endif
