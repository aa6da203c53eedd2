/* http/server: the API's server on libmicrohttpd: a pool of epoll threads for each listening socket, routes, limits, the
 * answers' common headers, logs and metrics. A request goes: target, route, method, key, length and type of the body, body,
 * handler; the first thing wrong is the answer (http/problem).
 *
 * Bounded: connections, in all and of one client; bytes of a header block (HTTP_LINE_BYTES_MAX) and of a body (its
 * route's); time to send a header block (idle_ms from the connection's begin or its last answer on, however slowly
 * bytes drip), and for a body (a grace, then HTTP_BODY_RATE_MIN). What is no HTTP at all gets the library's own plain
 * answer.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/err.h"
#include "http/auth.h"
#include "http/forwarded.h"
#include "http/log.h"
#include "http/metrics.h"
#include "http/request.h"
#include "http/static_files.h"

enum {
    HTTP_LISTENERS_MAX = 16,
    HTTP_LINE_BYTES_MAX =
        32 * 1024,             /* a request line with its header block, and a piece of a body */
    HTTP_BODY_RATE_MIN = 1000, /* bytes a second, after the grace */
    HTTP_BODY_GRACE_MS = 20000,
};

struct http_server_config {
    const int *sockets; /* listening; borrowed, not closed */
    size_t socket_count;
    unsigned threads;                /* for each socket; 1 at least */
    unsigned connections_max;        /* of each socket */
    unsigned connections_client_max; /* of one address; 0: no limit */
    uint32_t idle_ms;
    const char *tls_certificate, *tls_key; /* PEM, both or none; must outlive the server */
    struct forwarded_nets trusted_proxies;
    struct http_origins cors_origins;
    const struct http_auth *auth; /* NULL: this machine only */
    const struct http_routes *const *routes;
    size_t routes_count;
    const struct static_files *files; /* NULL: none */
    struct http_metrics *metrics;
    struct http_log *log;
    struct http_api *api;
};

struct http_server;

/* What config points to is borrowed until the close. ERR_SYSTEM, ERR_NOMEM with what is wrong. */
enum err http_server_open(const struct http_server_config *config, struct http_server **out,
                          struct fault *out_fault) MUST_USE;

/* Takes no new connections; requests under way have grace_ms, then they are told 503, streams end. NULL is fine. */
void http_server_close(struct http_server *server, uint32_t grace_ms);

#endif
