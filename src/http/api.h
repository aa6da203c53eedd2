/* http/api: what the handlers of all routes work with, and the list of their tables.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_API_H
#define HTTP_API_H

#include <stdatomic.h>

#include "engine/service.h"
#include "http/metrics.h"
#include "http/request.h"
#include "tools/health_desk.h"
#include "tools/list_desk.h"

struct probe_desk;
struct probe_terms;

struct http_api {
    struct service *service;
    struct health_desk *health; /* NULL: nobody asks about domains */
    struct list_desk *lists;    /* NULL: nobody sees or changes them */
    struct probe_desk *probes;  /* NULL: nobody tests mail servers; probes_obstacle says why */
    const struct probe_terms *probe_terms;
    const char *probes_obstacle;
    const struct config *config; /* that holds */
    struct http_metrics *metrics;
    struct slice openapi;  /* the document; lives as long as the server */
    int64_t started_at_ms; /* Unix time */
    atomic_bool is_ready;  /* not while it starts, nor when it stops */
};

/* One for each group of endpoints; *_routes.c. */
extern const struct http_routes http_batch_routes;
extern const struct http_routes http_status_routes;
extern const struct http_routes http_verify_routes;
extern const struct http_routes http_peer_routes;
extern const struct http_routes http_hook_routes;
extern const struct http_routes http_insight_routes;
extern const struct http_routes http_extract_routes;
extern const struct http_routes http_watch_routes;
extern const struct http_routes http_dns_routes;
extern const struct http_routes http_list_routes;
extern const struct http_routes http_outcome_routes;
extern const struct http_routes http_probe_routes;

/* All of them. */
extern const struct http_routes *const http_all_routes[];
extern const size_t http_all_routes_count;

#endif
