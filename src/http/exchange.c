/* http/exchange: one request from its first byte to its last: what is looked at in which order, and the answer to what is wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "base/random.h"
#include "base/slice.h"
#include "http/framing.h"
#include "http/server_private.h"

enum {
    ARENA_BYTES_MAX = 128 * 1024,
    DRAINED_BYTES_MAX =
        256 * 1024, /* of a body that is refused: read, so that the client hears why */
    ALLOW_BYTES = 128,
};

uint64_t http_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t http_now_ms(void)
{
    return http_now_us() / 1000;
}

const struct http_auth *http_exchange_auth(const struct http_request *request)
{
    return request->exchange->server->config.auth;
}

struct slice http_header(const struct http_request *request, const char *name)
{
    const struct http_exchange *exchange = request->exchange;
    return slice_of(exchange->server->mhd.MHD_lookup_connection_value(exchange->connection,
                                                                      MHD_HEADER_KIND, name));
}

/* ---- begin ---- */

static struct ip ip_of(const struct sockaddr *address)
{
    struct ip ip = {.family = IP_NONE};
    if (address != NULL && address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        ip.family = IP_V4;
        memcpy(ip.bytes, &v4.sin_addr, 4);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        ip.family = IP_V6;
        memcpy(ip.bytes, &v6.sin6_addr, 16);
    }
    return ip;
}

static void make_id(struct http_server *server, char out[HTTP_ID_BYTES])
{
    uint64_t number = atomic_fetch_add_explicit(&server->id_next, 1, memory_order_relaxed);
    struct random random = {.state = server->id_seed + number};
    (void)snprintf(out, HTTP_ID_BYTES, "%016llx", (unsigned long long)random_next(&random));
}

/* Called with the request line; the header fields are not there yet. */
void *exchange_begin(void *context, const char *target, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        return NULL;
    }
    struct http_request *request = &exchange->request;
    exchange->server = server;
    exchange->connection = connection;
    exchange->began_us = http_now_us();
    exchange->counts = &server->config.metrics->routes[0];
    request->exchange = exchange;
    request->api = server->config.api;
    arena_init(&request->arena, ARENA_BYTES_MAX);
    buf_init(&request->body, 1);
    (void)pthread_mutex_init(&exchange->lock, NULL);
    const union MHD_ConnectionInfo *line =
        server->mhd.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->line = line == NULL ? NULL : line->socket_context;
    make_id(server, request->id);
    if (arena_copy(&request->arena, slice_of(target), &request->target) != ERR_NONE) {
        request->target = SLICE_NONE; /* no route has it */
    }
    (void)atomic_fetch_add(&server->open, 1);
    (void)atomic_fetch_add_explicit(&server->config.metrics->requests_open, 1,
                                    memory_order_relaxed);
    return exchange;
}

/* ---- what is looked at before the body ---- */

static bool same_method(const struct http_route *route, const struct http_exchange *exchange)
{
    struct slice method =
        exchange->is_head && !route->is_stream ? SLICE("GET") : exchange->request.method;
    return slice_equal(slice_of(route->method), method);
}

/* The route, or which methods the path has. */
static const struct http_route *find_route(struct http_exchange *exchange, char allow[ALLOW_BYTES])
{
    const struct http_server *server = exchange->server;
    size_t len = 0;
    struct slice params[URI_PARAMS_MAX];
    allow[0] = '\0';
    for (size_t i = 0; i < server->route_count; i++) {
        const struct http_route *route = server->routes[i];
        if (!uri_matches(route->pattern, exchange->request.path, params)) {
            continue;
        }
        if (same_method(route, exchange)) {
            memcpy(exchange->request.params, params, sizeof params);
            exchange->counts = &server->config.metrics->routes[i + 1];
            return route;
        }
        bool has_head = slice_equal(slice_of(route->method), SLICE("GET")) && !route->is_stream;
        int more = snprintf(allow + len, ALLOW_BYTES - len, "%s%s%s", len > 0 ? ", " : "",
                            route->method, has_head ? ", HEAD" : "");
        len += more > 0 && (size_t)more < ALLOW_BYTES - len ? (size_t)more : 0;
    }
    if (len > 0 && len + sizeof ", OPTIONS" <= ALLOW_BYTES) {
        (void)snprintf(allow + len, ALLOW_BYTES - len, ", OPTIONS");
    }
    return NULL;
}

/* RFC 9110 9.3.7, and what a browser asks before a request of another origin's page. */
static void answer_options(struct http_exchange *exchange, const char *allow)
{
    struct http_request *request = &exchange->request;
    http_add_header(request, "Allow", slice_of(allow));
    struct slice origin = http_header(request, "Origin");
    if (origin.len > 0 && http_origin_is_listed(&exchange->server->config.cors_origins, origin)) {
        http_add_header(request, "Access-Control-Allow-Methods", slice_of(allow));
        http_add_header(request, "Access-Control-Allow-Headers",
                        SLICE("Authorization, Content-Type, Idempotency-Key, X-Api-Key"));
        http_add_header(request, "Access-Control-Max-Age", SLICE("600"));
    }
    http_answer_empty(request, 204);
}

static void answer_no_route(struct http_exchange *exchange, const char *allow)
{
    struct http_request *request = &exchange->request;
    bool is_options = slice_equal(request->method, SLICE("OPTIONS"));
    bool is_read = exchange->is_head || slice_equal(request->method, SLICE("GET"));
    const struct static_files *files = exchange->server->config.files;
    if (is_options && (allow[0] != '\0' || slice_equal(request->target, SLICE("*")))) {
        answer_options(exchange, allow[0] != '\0' ? allow : "GET, HEAD, POST, DELETE, OPTIONS");
    } else if (allow[0] != '\0') {
        http_add_header(request, "Allow", slice_of(allow));
        http_refuse(request, PROBLEM_METHOD, "this path takes %s", allow);
    } else if (!is_read || files == NULL || !static_files_answer(files, request)) {
        http_refuse(request, PROBLEM_NOT_FOUND, "no such path; /openapi.json lists all");
    }
}

static bool read_target(struct http_request *request)
{
    struct slice query = SLICE_NONE;
    struct slice name = SLICE_NONE;
    for (size_t i = 0; i < URI_PARAMS_MAX; i++) {
        if (request->params[i].len > 0 &&
            uri_decode(request->params[i], &request->arena, &request->params[i]) != ERR_NONE) {
            http_refuse(
                request, PROBLEM_BAD_TARGET,
                "a part of the path is no percent-encoded UTF-8, or holds a control character");
            return false;
        }
    }
    uri_split(request->target, &request->path, &query);
    enum err e = uri_query_read(query, &request->arena, &request->query, &name);
    if (e == ERR_LIMIT) {
        http_refuse(request, PROBLEM_BAD_TARGET, "the query has more than %d arguments",
                    URI_ARGUMENTS_MAX);
    } else if (e != ERR_NONE) {
        http_refuse(request, PROBLEM_BAD_TARGET,
                    "the query cannot be read near '%.*s': it is no percent-encoded UTF-8, holds a "
                    "control character, or says an argument twice",
                    (int)(name.len < 40 ? name.len : 40), name.at);
    }
    return e == ERR_NONE;
}

bool http_admit(struct http_request *request, struct slice key)
{
    const struct http_server_config *config = &request->exchange->server->config;
    return http_auth_passes(request, config->auth, &config->cors_origins,
                            key.len > 0 ? key : http_sent_key(request));
}

/* "application/json; charset=utf-8" is application/json. */
static bool is_json(struct slice type)
{
    struct slice media = slice_trim(slice_sub(type, 0, slice_find_byte(type, ';', 0)));
    return slice_equal_nocase(media, SLICE("application/json"));
}

/* The length that was announced; false: none was. */
static bool body_length(const struct http_request *request, bool *out_has_body,
                        uint64_t *out_length)
{
    struct slice length = http_header(request, "Content-Length");
    bool is_chunked = http_header(request, "Transfer-Encoding").len > 0;
    *out_length = is_chunked || length.len == 0 ? 0 : strtoull(length.at, NULL, 10);
    *out_has_body = is_chunked || *out_length > 0;
    return is_chunked || length.len > 0;
}

static bool takes_body(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    const struct http_route *route = request->route;
    struct slice coding = http_header(request, "Content-Encoding");
    bool has_body;
    uint64_t length;
    bool is_known = body_length(request, &has_body, &length);
    if (route->body == HTTP_BODY_NONE) {
        if (has_body) {
            http_refuse(request, PROBLEM_TOO_LARGE, "this request takes no body");
        }
        return !has_body;
    }
    if (!is_known && !route->takes_no_body) {
        http_refuse(request, PROBLEM_NO_LENGTH, "send a body with Content-Length, or chunked");
        return false;
    }
    if (length > route->body_bytes_max) {
        http_refuse(request, PROBLEM_TOO_LARGE, "at most %llu bytes are taken here",
                    (unsigned long long)route->body_bytes_max);
        return false;
    }
    if (coding.len > 0 && !slice_equal_nocase(coding, SLICE("identity"))) {
        http_refuse(request, PROBLEM_MEDIA_TYPE, "send the body without Content-Encoding");
        return false;
    }
    if (route->body == HTTP_BODY_JSON && has_body && !is_json(request->content_type)) {
        http_refuse(request, PROBLEM_MEDIA_TYPE, "send it as Content-Type: application/json");
        return false;
    }
    if (route->body != HTTP_BODY_STREAM) {
        buf_init(&request->body, (size_t)route->body_bytes_max);
    }
    return true;
}

static struct ip client_of(struct http_exchange *exchange)
{
    const union MHD_ConnectionInfo *info = exchange->server->mhd.MHD_get_connection_info(
        exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct ip peer = ip_of(info == NULL ? NULL : info->client_addr);
    const struct forwarded_nets *nets = &exchange->server->config.trusted_proxies;
    if (!forwarded_is_trusted(nets, &peer)) {
        return peer;
    }
    return forwarded_client(nets, &peer, http_header(&exchange->request, "Forwarded"),
                            http_header(&exchange->request, "X-Forwarded-For"));
}

static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_bytes, const char *value, size_t value_bytes)
{
    (void)kind;
    framing_take(context, slice_make(name, name_bytes), slice_make(value, value_bytes));
    return MHD_YES;
}

/* False: it was answered, and nothing more is read from the connection. */
static bool has_one_reading(struct http_exchange *exchange, const char *version)
{
    struct framing framing = {.hosts = 0};
    (void)exchange->server->mhd.MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND,
                                                            take_field, &framing);
    const char *fault = framing_fault(&framing, slice_of(version));
    if (fault != NULL) {
        exchange->closes = true;
        http_refuse(&exchange->request, PROBLEM_BAD_FRAMING, "%s", fault);
    }
    return fault == NULL;
}

/* The header fields are there. */
static void look_at(struct http_exchange *exchange, const char *method, const char *version)
{
    struct http_request *request = &exchange->request;
    struct slice query;
    char allow[ALLOW_BYTES];
    uint64_t now_ms = exchange->began_us / 1000;
    if (exchange->line != NULL) {
        atomic_store_explicit(&exchange->line->deadline_ms, now_ms + HTTP_BODY_GRACE_MS,
                              memory_order_relaxed);
    }
    if (arena_copy(&request->arena, slice_of(method), &request->method) != ERR_NONE) {
        request->method = SLICE_NONE;
    }
    exchange->is_head = slice_equal(request->method, SLICE("HEAD"));
    request->client = client_of(exchange);
    request->content_type = http_header(request, "Content-Type");
    uri_split(request->target, &request->path, &query);
    if (!has_one_reading(exchange, version)) {
        return;
    }
    request->route = find_route(exchange, allow);
    if (request->route == NULL) {
        answer_no_route(exchange, allow);
        return;
    }
    if (!read_target(request) ||
        (!request->route->is_key_late && !http_admit(request, SLICE_NONE)) ||
        !takes_body(exchange)) {
        return;
    }
    if (request->route->begin != NULL) {
        request->route->begin(request);
    }
}

/* ---- body ---- */

static bool is_answered(const struct http_exchange *exchange)
{
    return exchange->response != NULL;
}

static enum MHD_Result queue(struct http_exchange *exchange)
{
    struct MHD_Response *response = exchange->response;
    exchange->response = NULL;
    exchange->stage = EXCHANGE_QUEUED;
    if (exchange->line != NULL) {
        atomic_store_explicit(&exchange->line->deadline_ms, 0, memory_order_relaxed);
    }
    if (response == NULL) {
        return MHD_NO; /* no memory, or nobody is there any more */
    }
    enum MHD_Result result =
        exchange->server->mhd.MHD_queue_response(exchange->connection, exchange->status, response);
    exchange->server->mhd.MHD_destroy_response(response);
    return result;
}

/* What was refused before its body: a small one is read over, so that the client is not cut off while it sends. */
static bool is_worth_draining(struct http_exchange *exchange)
{
    bool has_body;
    uint64_t length;
    (void)body_length(&exchange->request, &has_body, &length);
    if (exchange->closes) {
        return false;
    }
    bool waits =
        slice_equal_nocase(http_header(&exchange->request, "Expect"), SLICE("100-continue"));
    return !has_body || (!waits && length > 0 && length <= DRAINED_BYTES_MAX);
}

static void take_piece(struct http_exchange *exchange, struct slice piece)
{
    struct http_request *request = &exchange->request;
    uint64_t grace_ms = HTTP_BODY_GRACE_MS + exchange->body_seen * 1000 / HTTP_BODY_RATE_MIN;
    uint64_t deadline_ms = exchange->began_us / 1000 + grace_ms;
    exchange->body_seen += piece.len;
    if (exchange->line != NULL) {
        atomic_store_explicit(&exchange->line->deadline_ms, deadline_ms, memory_order_relaxed);
    }
    if (exchange->body_seen > request->route->body_bytes_max) {
        exchange->closes = true;
        http_refuse(request, PROBLEM_TOO_LARGE, "at most %llu bytes are taken here",
                    (unsigned long long)request->route->body_bytes_max);
        return;
    }
    if (request->route->body == HTTP_BODY_STREAM) {
        request->route->received(request, piece);
    } else if (buf_append(&request->body, piece) != ERR_NONE) {
        exchange->closes = true;
        http_refuse(request, PROBLEM_INTERNAL, "no memory for the body");
    }
}

static enum MHD_Result take_body(struct http_exchange *exchange, const char *upload, size_t *bytes)
{
    if (!is_answered(exchange)) {
        take_piece(exchange, slice_make(upload, *bytes));
    } else {
        exchange->body_seen += *bytes;
    }
    *bytes = 0;
    bool is_long = exchange->body_seen > DRAINED_BYTES_MAX;
    return is_answered(exchange) && is_long ? queue(exchange) : MHD_YES;
}

/* ---- handler ---- */

/* The keeper looks after it from here on. */
static void watch(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (exchange->line == NULL) {
        return;
    }
    atomic_store_explicit(&exchange->line->deadline_ms, 0, memory_order_relaxed);
    (void)pthread_mutex_lock(&server->lock);
    exchange->line->watched = exchange;
    (void)pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result handle(struct http_exchange *exchange)
{
    exchange->stage = EXCHANGE_HANDLED;
    if (!is_answered(exchange)) {
        exchange->request.route->handle(&exchange->request);
    }
    if (exchange->is_held) {
        watch(exchange);
        return MHD_YES;
    }
    enum MHD_Result result = queue(exchange);
    if (exchange->stream != NULL) {
        watch(exchange);
    }
    return result;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are the library's */
enum MHD_Result exchange_step(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **slot)
{
    struct http_exchange *exchange = *slot;
    (void)context, (void)connection, (void)url;
    if (exchange == NULL) {
        return MHD_NO; /* no memory */
    }
    switch (exchange->stage) {
    case EXCHANGE_NEW:
        exchange->stage = EXCHANGE_BODY;
        look_at(exchange, method, version);
        if (is_answered(exchange) && !is_worth_draining(exchange)) {
            return queue(exchange);
        }
        return MHD_YES;
    case EXCHANGE_BODY:
        return *upload_bytes > 0 ? take_body(exchange, upload, upload_bytes) : handle(exchange);
    case EXCHANGE_HANDLED: return queue(exchange);
    case EXCHANGE_QUEUED: break;
    }
    *upload_bytes = 0; /* of a body that was answered early */
    return MHD_YES;
}

/* ---- waiting ---- */

bool exchange_suspend(struct http_exchange *exchange)
{
    if (atomic_load(&exchange->server->is_over)) {
        return false;
    }
    exchange->is_suspended = true;
    exchange->server->mhd.MHD_suspend_connection(exchange->connection);
    return true;
}

void exchange_resume(struct http_exchange *exchange)
{
    if (exchange->is_with_keeper) {
        exchange->wants_resume = true;
    } else if (exchange->is_suspended) {
        exchange->is_suspended = false;
        exchange->server->mhd.MHD_resume_connection(exchange->connection);
    }
}

void exchange_leave(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    if (exchange->has_left) {
        return;
    }
    exchange->has_left = true;
    if (request->state_ops != NULL && request->state_ops->leave != NULL) {
        request->state_ops->leave(request->state);
    }
}

bool http_hold(struct http_request *request)
{
    struct http_exchange *exchange = request->exchange;
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->is_held = exchange_suspend(exchange);
    (void)pthread_mutex_unlock(&exchange->lock);
    if (!exchange->is_held) {
        http_refuse(request, PROBLEM_NOT_READY, "the server is stopping");
    }
    return exchange->is_held;
}

/* ---- end ---- */

static void log_end(const struct http_exchange *exchange, uint64_t micros, bool is_broken)
{
    const struct http_request *request = &exchange->request;
    char client[IP_TEXT_BYTES] = "";
    struct http_log *log = exchange->server->config.log;
    if (log->has_addresses && request->client.family != IP_NONE) {
        (void)ip_format(&request->client, client);
    }
    /* Such a route takes keys out of the query: they are nobody's to read. */
    bool has_key_in_query = request->route != NULL && request->route->key != NULL;
    const struct http_log_request line = {
        .id = slice_of(request->id),
        .method = request->method,
        .route = slice_of(exchange->counts->pattern),
        .target = has_key_in_query ? request->path : request->target,
        .client = slice_of(client),
        .key = slice_of(request->key_label),
        .status = exchange->status,
        .micros = micros,
        .bytes = exchange->bytes_out,
        .is_broken = is_broken,
    };
    http_log_request(log, &line);
}

static void free_exchange(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    /* Whoever resumed it did so under the lock, and may not have let go yet. */
    (void)pthread_mutex_lock(&exchange->lock);
    (void)pthread_mutex_unlock(&exchange->lock);
    if (request->state_ops != NULL && request->state_ops->free != NULL) {
        request->state_ops->free(request->state);
    }
    for (size_t i = 0; i < exchange->header_count; i++) {
        free(exchange->headers[i].value);
    }
    if (exchange->response != NULL) {
        exchange->server->mhd.MHD_destroy_response(exchange->response);
    }
    stream_free(exchange->stream);
    buf_done(&request->body);
    arena_done(&request->arena);
    (void)pthread_mutex_destroy(&exchange->lock);
    free(exchange);
}

void exchange_end(void *context, struct MHD_Connection *connection, void **slot,
                  enum MHD_RequestTerminationCode how)
{
    struct http_server *server = context;
    struct http_exchange *exchange = *slot;
    struct http_metrics *metrics = server->config.metrics;
    (void)connection;
    if (exchange == NULL) {
        return;
    }
    *slot = NULL;
    bool is_broken = how != MHD_REQUEST_TERMINATED_COMPLETED_OK;
    uint64_t now_us = http_now_us();
    if (exchange->line != NULL) {
        if (exchange->is_held || exchange->stream != NULL) {
            (void)pthread_mutex_lock(&server->lock);
            exchange->line->watched = NULL;
            (void)pthread_mutex_unlock(&server->lock);
        }
        atomic_store_explicit(&exchange->line->deadline_ms, now_us / 1000 + server->config.idle_ms,
                              memory_order_relaxed);
    }
    exchange_leave(exchange);
    metrics_count(exchange->counts, exchange->status, now_us - exchange->began_us);
    (void)atomic_fetch_add_explicit(&metrics->bytes_out, exchange->bytes_out, memory_order_relaxed);
    (void)atomic_fetch_sub_explicit(&metrics->requests_open, 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&metrics->left, is_broken ? 1 : 0, memory_order_relaxed);
    log_end(exchange, now_us - exchange->began_us, is_broken);
    free_exchange(exchange);
    if (atomic_fetch_sub(&server->open, 1) == 1 && atomic_load(&server->is_stopping)) {
        (void)pthread_mutex_lock(&server->lock);
        (void)pthread_cond_broadcast(&server->wake);
        (void)pthread_mutex_unlock(&server->lock);
    }
}
