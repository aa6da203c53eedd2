/* http/insight_routes: what is known: of an address and its past, of a domain, of the ways out and the far ends. Nobody is
 * asked for it. What the desk's thread has is written there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/insight.h"

#include "base/slice.h"
#include "engine/erase.h"
#include "http/stored.h"

enum { BYTES_MAX = 8 << 20 };

static const char *const no_arguments[] = {NULL};

static bool is_possible(struct http_request *request, const char *const arguments[])
{
    return http_takes_arguments(request, arguments) && http_has_service(request);
}

/* GET /v1/addresses/{address}: the stored answer that is still alive. */
static void get_address(struct http_request *request)
{
    struct service_cached cached;
    struct buf body;
    if (!is_possible(request, no_arguments)) {
        return;
    }
    buf_init(&body, BYTES_MAX);
    if (service_find_cached(request->api->service, request->params[0], &body, &cached)) {
        http_answer_json(request, 200, &body);
    } else {
        http_refuse(
            request, PROBLEM_NOT_FOUND,
            "no answer that is still alive is stored for this address; POST /v1/verify asks");
    }
    buf_done(&body);
}

static void answer_written(struct http_request *request, enum err e, const char *what,
                           struct buf *body)
{
    if (e == ERR_SYNTAX) {
        http_refuse(request, PROBLEM_BAD_TARGET, "the path holds no %s", what);
    } else if (e != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "the %s cannot be told: %s", what,
                    e == ERR_STORE ? "the store cannot be read" : "no memory");
    } else {
        http_answer_json(request, 200, body);
    }
}

/* GET /v1/addresses/{address}/history */
static void get_history(struct http_request *request)
{
    static const char *const arguments[] = {"limit", NULL};
    uint64_t limit = INSIGHT_FACTS_MAX;
    struct service *service = request->api->service;
    struct store *store;
    struct fault fault;
    struct buf body;
    if (!is_possible(request, arguments) ||
        !http_count_argument(request, "limit", 1, INSIGHT_FACTS_MAX, &limit)) {
        return;
    }
    if (service_lend_store(service, &store, &fault) != ERR_NONE) {
        http_refuse(request, PROBLEM_NOT_READY, "%s", fault.text);
        return;
    }
    buf_init(&body, BYTES_MAX);
    enum err e = insight_write_history(store, request->params[0], (size_t)limit, &body);
    service_give_back_store(service, store);
    answer_written(request, e, "address", &body);
    buf_done(&body);
}

/* What the desk writes. */
struct writing {
    enum err (*write)(struct knocker *knocker, struct buf *out);
    struct slice domain; /* of the other kind */
    struct buf body;
    enum err err;
};

static void write_at_desk(struct desk *desk, void *context)
{
    struct writing *writing = context;
    writing->err = writing->write != NULL
                       ? writing->write(desk->knocker, &writing->body)
                       : insight_write_domain(desk->knocker, writing->domain, &writing->body);
}

static void answer_from_desk(struct http_request *request, struct writing *writing,
                             const char *what)
{
    if (!is_possible(request, no_arguments)) {
        return;
    }
    buf_init(&writing->body, BYTES_MAX);
    if (service_call(request->api->service, write_at_desk, writing)) {
        answer_written(request, writing->err, what, &writing->body);
    } else {
        http_refuse(request, PROBLEM_NOT_READY, "the server is stopping");
    }
    buf_done(&writing->body);
}

static void get_domain(struct http_request *request)
{
    struct writing writing = {.domain = request->params[0]};
    answer_from_desk(request, &writing, "domain");
}

/* What the desk erases. */
struct erasing {
    struct slice address;
    struct store_erased erased;
    struct fault fault;
    enum err err;
};

static void erase_at_desk(struct desk *desk, void *context)
{
    struct erasing *erasing = context;
    erasing->err = erase_address(desk->store, erasing->address, &erasing->erased, &erasing->fault);
    if (erasing->err == ERR_NONE) {
        erasing->err = store_flush(desk->store, &erasing->fault);
    }
}

/* DELETE /v1/addresses/{address}: all that is stored of it; also where that is nothing. */
static void delete_address(struct http_request *request)
{
    struct erasing erasing = {.address = request->params[0]};
    if (!is_possible(request, no_arguments)) {
        return;
    }
    if (!service_call(request->api->service, erase_at_desk, &erasing)) {
        http_refuse(request, PROBLEM_NOT_READY, "the server is stopping");
        return;
    }
    service_forget(request->api->service, erasing.address);
    if (erasing.err == ERR_NONE) {
        http_answer_empty(request, 204);
    } else {
        http_refuse(request, erasing.err == ERR_SYNTAX ? PROBLEM_BAD_TARGET : PROBLEM_INTERNAL,
                    "%s", erasing.fault.text);
    }
}

static void get_egresses(struct http_request *request)
{
    struct writing writing = {.write = insight_write_egresses};
    answer_from_desk(request, &writing, "list of egresses");
}

static void get_sites(struct http_request *request)
{
    struct writing writing = {.write = insight_write_sites};
    answer_from_desk(request, &writing, "list of sites");
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/v1/addresses/{address}", .scope = "read", .handle = get_address},
    {.method = "DELETE",
     .pattern = "/v1/addresses/{address}",
     .scope = "admin",
     .handle = delete_address},
    {.method = "GET",
     .pattern = "/v1/addresses/{address}/history",
     .scope = "read",
     .handle = get_history},
    {.method = "GET", .pattern = "/v1/domains/{domain}", .scope = "read", .handle = get_domain},
    {.method = "GET", .pattern = "/v1/egresses", .scope = "read", .handle = get_egresses},
    {.method = "GET", .pattern = "/v1/sites", .scope = "read", .handle = get_sites},
};

const struct http_routes http_insight_routes = {routes, sizeof routes / sizeof *routes};
