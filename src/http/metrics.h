/* http/metrics: counters of the server and their page in Prometheus' text format 0.0.4. Counting is a few atomic additions,
 * from any thread.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

enum { METRICS_ROUTES_MAX = 128, METRICS_STATUSES = 24, METRICS_BUCKETS = 14 };

struct metrics_route {
    const char *method, *pattern; /* borrowed; NULL: free */
    _Atomic uint64_t by_status[METRICS_STATUSES];
    _Atomic uint64_t buckets[METRICS_BUCKETS]; /* each for itself; the page adds up */
    _Atomic uint64_t micros;
};

struct http_metrics {
    struct metrics_route routes[METRICS_ROUTES_MAX];
    _Atomic int64_t connections, requests_open, streams_open;
    _Atomic uint64_t connections_total, bytes_out, too_slow, left;
};

void metrics_count(struct metrics_route *route, unsigned status, uint64_t micros);

/* ERR_NOMEM, ERR_LIMIT. */
enum err metrics_write(const struct http_metrics *metrics, struct buf *out) MUST_USE;

/* One more value on the page: its head with help and type, then the value. */
enum err metrics_write_value(struct buf *out, const char *name, const char *type, const char *help,
                             uint64_t value) MUST_USE;

#endif
