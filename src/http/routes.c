/* http/routes: the tables of routes; a group of endpoints adds its line here and in http/api.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/api.h"

const struct http_routes *const http_all_routes[] = {
    &http_batch_routes, &http_status_routes,  &http_verify_routes,  &http_peer_routes,
    &http_hook_routes,  &http_insight_routes, &http_extract_routes, &http_watch_routes,
    &http_dns_routes,   &http_list_routes,    &http_outcome_routes, &http_probe_routes,
};

/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers */
const size_t http_all_routes_count = sizeof http_all_routes / sizeof *http_all_routes;
