/* SPDX-License-Identifier: Apache-2.0 */
#include "http/metrics.h"

#include "base/must.h"

static const unsigned statuses[METRICS_STATUSES] = {0,   200, 201, 202, 204, 206, 301, 304,
                                                    400, 401, 403, 404, 405, 406, 408, 409,
                                                    411, 413, 415, 421, 422, 429, 500, 503};

/* Upper ends in microseconds, and as Prometheus writes them; the last is without end. */
static const struct {
    uint64_t micros;
    const char *le;
} buckets[METRICS_BUCKETS] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},      {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"},     {1000000, "1"},
    {2500000, "2.5"}, {10000000, "10"}, {60000000, "60"}, {UINT64_MAX, "+Inf"},
};

static size_t status_index(unsigned status)
{
    for (size_t i = 1; i < METRICS_STATUSES; i++) {
        if (statuses[i] == status) {
            return i;
        }
    }
    return 0; /* "other" */
}

void metrics_count(struct metrics_route *route, unsigned status, uint64_t micros)
{
    size_t bucket = 0;
    while (micros > buckets[bucket].micros) {
        bucket++;
    }
    must(bucket < METRICS_BUCKETS);
    (void)atomic_fetch_add_explicit(&route->by_status[status_index(status)], 1,
                                    memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&route->buckets[bucket], 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&route->micros, micros, memory_order_relaxed);
}

static enum err write_head(struct buf *out, const char *name, const char *type, const char *help)
{
    return buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

enum err metrics_write_value(struct buf *out, const char *name, const char *type, const char *help,
                             uint64_t value)
{
    enum err e = write_head(out, name, type, help);
    return e != ERR_NONE ? e : buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static enum err write_statuses(const struct metrics_route *route, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < METRICS_STATUSES && e == ERR_NONE; i++) {
        uint64_t count = atomic_load_explicit(&route->by_status[i], memory_order_relaxed);
        if (count > 0) {
            e = buf_printf(
                out, "heloise_http_requests_total{method=\"%s\",route=\"%s\",code=\"%u\"} %llu\n",
                route->method, route->pattern, statuses[i], (unsigned long long)count);
        }
    }
    return e;
}

static enum err write_histogram(const struct metrics_route *route, struct buf *out)
{
    enum err e = ERR_NONE;
    uint64_t sum = 0;
    uint64_t micros = atomic_load_explicit(&route->micros, memory_order_relaxed);
    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        sum += atomic_load_explicit(&route->buckets[i], memory_order_relaxed);
    }
    uint64_t total = sum;
    sum = 0;
    for (size_t i = 0; i < METRICS_BUCKETS && e == ERR_NONE && total > 0; i++) {
        sum += atomic_load_explicit(&route->buckets[i], memory_order_relaxed);
        sum = sum < total ? sum : total; /* what was counted meanwhile waits for the next page */
        e = buf_printf(
            out, "heloise_http_request_seconds_bucket{method=\"%s\",route=\"%s\",le=\"%s\"} %llu\n",
            route->method, route->pattern, buckets[i].le, (unsigned long long)sum);
    }
    if (e != ERR_NONE || total == 0) {
        return e;
    }
    return buf_printf(out,
                      "heloise_http_request_seconds_sum{method=\"%s\",route=\"%s\"} %llu.%06llu\n"
                      "heloise_http_request_seconds_count{method=\"%s\",route=\"%s\"} %llu\n",
                      route->method, route->pattern, (unsigned long long)(micros / 1000000),
                      (unsigned long long)(micros % 1000000), route->method, route->pattern,
                      (unsigned long long)total);
}

static enum err write_routes(const struct http_metrics *metrics, struct buf *out)
{
    enum err e = write_head(out, "heloise_http_requests_total", "counter", "Requests answered.");
    for (size_t i = 0; i < METRICS_ROUTES_MAX && metrics->routes[i].method != NULL && e == ERR_NONE;
         i++) {
        e = write_statuses(&metrics->routes[i], out);
    }
    e = e != ERR_NONE ? e
                      : write_head(out, "heloise_http_request_seconds", "histogram",
                                   "Time from the request's header to the end of its answer.");
    for (size_t i = 0; i < METRICS_ROUTES_MAX && metrics->routes[i].method != NULL && e == ERR_NONE;
         i++) {
        e = write_histogram(&metrics->routes[i], out);
    }
    return e;
}

static uint64_t gauge(const _Atomic int64_t *value)
{
    int64_t now = atomic_load_explicit(value, memory_order_relaxed);
    return now > 0 ? (uint64_t)now : 0;
}

enum err metrics_write(const struct http_metrics *metrics, struct buf *out)
{
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } values[] = {
        {"heloise_http_connections", "gauge", "Open connections.", gauge(&metrics->connections)},
        {"heloise_http_connections_total", "counter", "Connections accepted.",
         atomic_load(&metrics->connections_total)},
        {"heloise_http_requests_open", "gauge", "Requests under way.",
         gauge(&metrics->requests_open)},
        {"heloise_http_streams_open", "gauge", "Event streams under way.",
         gauge(&metrics->streams_open)},
        {"heloise_http_answer_bytes_total", "counter", "Bytes of answers' bodies.",
         atomic_load(&metrics->bytes_out)},
        {"heloise_http_slow_connections_total", "counter", "Connections closed for being too slow.",
         atomic_load(&metrics->too_slow)},
        {"heloise_http_clients_left_total", "counter",
         "Clients that went away before their answer.", atomic_load(&metrics->left)},
    };
    enum err e = write_routes(metrics, out);
    for (size_t i = 0; i < sizeof values / sizeof *values && e == ERR_NONE; i++) {
        e = metrics_write_value(out, values[i].name, values[i].type, values[i].help,
                                values[i].value);
    }
    return e;
}
