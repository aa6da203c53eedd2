/* http/hook_routes: the log of webhooks, sending one again, and the secret that a receiver verifies them with. A key sees
 * what its own batches brought about; without keys all is seen.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhooks.h"

#include <stddef.h>

#include "base/slice.h"
#include "http/api.h"
#include "http/json_body.h"
#include "http/stored.h"

enum {
    JSON_BYTES_MAX = 16 << 20,
    SECRET_BYTES_MAX = 512,
    URL_BYTES_MAX = 2048,
    PAGE_MAX = 200,
    BODY_BYTES_MAX = 8192,
};

/* The log. */

struct logging {
    struct json_writer w;
    int64_t last;
    size_t count;
};

static void write_event(void *context, const struct store_webhook *event)
{
    struct logging *logging = context;
    webhook_log_write(&logging->w, event);
    logging->last = event->number;
    logging->count++;
}

static enum err write_log(struct store *store, const struct store_webhook_page *page,
                          struct buf *out)
{
    struct logging logging = {.count = 0};
    json_begin(&logging.w, out);
    json_open(&logging.w, NULL, '{');
    json_open(&logging.w, "webhooks", '[');
    enum err e = store_webhook_each(store, page, write_event, &logging);
    json_close(&logging.w, ']');
    json_next(&logging.w, logging.count, page->limit, logging.last);
    json_close(&logging.w, '}');
    return e != ERR_NONE ? e : logging.w.err;
}

/* GET /v1/webhooks */
static void get_log(struct http_request *request)
{
    static const char *const names[] = {"limit", "before", "batch", NULL};
    struct http_page_owner owner;
    struct store_page part;
    struct slice batch = http_argument(request, "batch");
    struct store *store;
    if (!http_takes_arguments(request, names) ||
        !http_read_page(request, PAGE_MAX, &owner, &part) || !http_lend_store(request, &store)) {
        return;
    }
    const struct store_webhook_page page = {.owner = part.owner,
                                            .batch = batch.len > 0 ? &batch : NULL,
                                            .before = part.before,
                                            .limit = part.limit};
    struct buf json;
    buf_init(&json, JSON_BYTES_MAX);
    enum err e = write_log(store, &page, &json);
    service_give_back_store(request->api->service, store);
    if (e == ERR_NONE) {
        http_answer_json(request, 200, &json);
    } else {
        http_refuse(request, PROBLEM_INTERNAL, "the log cannot be read: %s", err_name(e));
    }
    buf_done(&json);
}

/* What the desk does. */

struct hooking {
    struct slice owner, id, url, wanted;
    bool is_any_owner; /* nobody has a key */
    struct buf secret;
    enum err err;
    struct fault fault;
};

static void look_at_owner(void *context, const struct store_webhook *event)
{
    struct hooking *hooking = context;
    bool is_theirs = hooking->is_any_owner || slice_equal(event->endpoint.owner, hooking->owner);
    hooking->err = is_theirs ? ERR_NONE : ERR_CLOSED;
}

static void replay_at_desk(struct desk *desk, void *context)
{
    struct hooking *hooking = context;
    hooking->err = ERR_CLOSED;
    (void)fault_set(&hooking->fault, ERR_CLOSED, 0, "there is no webhook of this id");
    enum err e = store_webhook_find(desk->store, hooking->id, look_at_owner, hooking);
    if (e != ERR_NONE || hooking->err != ERR_NONE || desk->webhooks == NULL) {
        hooking->err = ERR_CLOSED;
        return;
    }
    hooking->err = webhooks_replay(desk->webhooks, hooking->id, &hooking->fault);
    if (hooking->err == ERR_NONE) {
        hooking->err = store_flush(desk->store, &hooking->fault);
    }
}

static void secret_at_desk(struct desk *desk, void *context)
{
    struct hooking *hooking = context;
    hooking->err = desk->webhooks == NULL
                       ? fault_set(&hooking->fault, ERR_STATE, 0, "webhooks are not sent here")
                       : webhooks_secret(desk->webhooks, hooking->owner, hooking->url,
                                         hooking->wanted, &hooking->secret, &hooking->fault);
    if (hooking->err == ERR_NONE) {
        hooking->err = store_flush(desk->store, &hooking->fault);
    }
}

static bool is_done(struct http_request *request, struct hooking *hooking,
                    void (*fn)(struct desk *desk, void *context))
{
    if (!service_call(request->api->service, fn, hooking)) {
        http_refuse(request, PROBLEM_NOT_READY, "the server is stopping");
        return false;
    }
    if (hooking->err != ERR_NONE) {
        http_refuse(request,
                    hooking->err == ERR_CLOSED   ? PROBLEM_NOT_FOUND
                    : hooking->err == ERR_SYNTAX ? PROBLEM_INVALID
                                                 : PROBLEM_INTERNAL,
                    "%s", hooking->fault.text);
    }
    return hooking->err == ERR_NONE;
}

/* POST /v1/webhooks/{id}/replay */
static void post_replay(struct http_request *request)
{
    static const char *const names[] = {NULL};
    char text[HTTP_ID_BYTES];
    struct hooking hooking = {.owner = http_owner(request, text),
                              .id = request->params[0],
                              .is_any_owner = request->key_id == 0};
    if (http_takes_arguments(request, names) && http_has_service(request) &&
        is_done(request, &hooking, replay_at_desk)) {
        http_answer_empty(request, 202);
    }
}

static void answer_secret(struct http_request *request, const struct hooking *hooking)
{
    struct buf json;
    struct json_writer w;
    buf_init(&json, JSON_BYTES_MAX);
    json_begin(&w, &json);
    json_open(&w, NULL, '{');
    json_string(&w, "url", hooking->url);
    json_string(&w, "secret", buf_view(&hooking->secret));
    json_close(&w, '}');
    if (w.err == ERR_NONE) {
        http_answer_json(request, 200, &json);
    } else {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    }
    buf_done(&json);
}

struct wanted {
    struct slice url, secret;
};
static const struct json_member wanted_members[] = {
    {"url", JSON_BODY_TEXT, true, 1, URL_BYTES_MAX, offsetof(struct wanted, url)},
    {"secret", JSON_BODY_TEXT, false, 1, SECRET_BYTES_MAX, offsetof(struct wanted, secret)},
};

/* POST /v1/webhooks/secret {"url": ..., "secret": ...}: the secret of that receiver, made where there is none; one that
 * is given replaces it. */
static void post_secret(struct http_request *request)
{
    static const char *const names[] = {NULL};
    char text[HTTP_ID_BYTES];
    struct wanted wanted = {.url = SLICE_NONE, .secret = SLICE_NONE};
    struct json_t *parsed;
    struct problem problem;
    if (!http_takes_arguments(request, names) || !http_has_service(request)) {
        return;
    }
    if (!json_body_read(buf_view(&request->body), wanted_members,
                        sizeof wanted_members / sizeof *wanted_members, &wanted, &parsed,
                        &problem)) {
        http_answer_problem(request, &problem);
        return;
    }
    struct hooking hooking = {
        .owner = http_owner(request, text), .url = wanted.url, .wanted = wanted.secret};
    buf_init(&hooking.secret, SECRET_BYTES_MAX);
    if (is_done(request, &hooking, secret_at_desk)) {
        answer_secret(request, &hooking);
    }
    buf_done_wipe(&hooking.secret);
    json_body_free(parsed);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/v1/webhooks", .scope = "batch", .handle = get_log},
    {.method = "POST",
     .pattern = "/v1/webhooks/{id}/replay",
     .scope = "batch",
     .handle = post_replay},
    {.method = "POST",
     .pattern = "/v1/webhooks/secret",
     .scope = "batch",
     .body = HTTP_BODY_JSON,
     .body_bytes_max = BODY_BYTES_MAX,
     .handle = post_secret},
};

const struct http_routes http_hook_routes = {routes, sizeof routes / sizeof *routes};
