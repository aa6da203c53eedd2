/* http/peer_routes: the endpoints of Reacher, ZeroBounce, Kickbox and NeverBounce that verify addresses, as their own clients
 * call them. Members and arguments that they have and we have no use for (the sender, a proxy, the visitor's address) are
 * passed over.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "http/api.h"
#include "http/json_body.h"
#include "http/peer.h"
#include "http/peer_bulk.h"
#include "http/stored.h"

enum {
    ADDRESS_BYTES_MAX = 1024, /* far more than RFC 5321 4.5.3.1.3 has */
    BODY_BYTES_MAX = 16 * 1024,
    BATCH_BODY_BYTES_MAX = 256 * 1024,
    BULK_BODY_BYTES_MAX = 8 << 20,
    BATCH_MAX = 200,              /* ZeroBounce's own limit */
    ZEROBOUNCE_TIMEOUT_S_MIN = 3, /* both documented */
    ZEROBOUNCE_TIMEOUT_S_MAX = 60,
    KICKBOX_TIMEOUT_MS_MAX = 30000,
};

/* ---- keys ---- */

/* "Bearer KEY", "token KEY" (Kickbox) or the key alone (Reacher). */
static struct slice authorization_key(const struct http_request *request)
{
    struct slice value = slice_trim(http_header(request, "Authorization"));
    size_t space = slice_find_byte(value, ' ', 0);
    return space < value.len ? slice_trim(slice_sub(value, space, value.len)) : value;
}

static struct slice key_of(const struct http_request *request)
{
    static const char *const headers[] = {"X-Api-Key", "X-Reacher-Secret"};
    static const char *const arguments[] = {"api_key", "apikey", "key"};
    struct slice key = authorization_key(request);
    for (size_t i = 0; key.len == 0 && i < sizeof headers / sizeof headers[0]; i++) {
        key = slice_trim(http_header(request, headers[i]));
    }
    for (size_t i = 0; key.len == 0 && i < sizeof arguments / sizeof arguments[0]; i++) {
        key = http_argument(request, arguments[i]);
    }
    return key;
}

/* ---- what is asked ---- */

static json_t *read_body(struct http_request *request)
{
    struct problem problem;
    json_t *body = json_body_parse(buf_view(&request->body), &problem);
    if (body == NULL) {
        http_answer_problem(request, &problem);
    }
    return body;
}

/* A text member, for as long as the request lives; empty: there is none. */
static struct slice text_member(struct http_request *request, const json_t *object,
                                const char *name)
{
    struct slice copy = SLICE_NONE;
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value)) {
        return SLICE_NONE;
    }
    struct slice text = slice_make(json_string_value(value), json_string_length(value));
    return arena_copy(&request->arena, text, &copy) == ERR_NONE ? copy : SLICE_NONE;
}

static bool is_address(struct http_request *request, struct slice address, const char *name)
{
    if (address.len == 0) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "%s field is required.", name);
    } else if (address.len > ADDRESS_BYTES_MAX) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "%s is longer than %d bytes", name,
                    ADDRESS_BYTES_MAX);
    }
    return address.len > 0 && address.len <= ADDRESS_BYTES_MAX;
}

/* ---- Reacher ---- */

static void reacher_check_email(struct http_request *request)
{
    json_t *body = read_body(request);
    if (body == NULL) {
        return;
    }
    struct slice address = text_member(request, body, "to_email");
    json_decref(body);
    if (is_address(request, address, "to_email")) {
        peer_ask(request, &peer_reacher, 0, &address, 1);
    }
}

/* "input": ["...", ...]. False: it was answered. */
static bool read_input(struct http_request *request, const json_t *input, struct slice *addresses)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(input, i, entry)
    {
        addresses[i] = slice_make(json_string_value(entry), json_string_length(entry));
        if (!json_is_string(entry) || addresses[i].len > ADDRESS_BYTES_MAX) {
            http_refuse(request, PROBLEM_BAD_ARGUMENT,
                        "input: entry %zu is no text of at most %d bytes", i + 1,
                        ADDRESS_BYTES_MAX);
            return false;
        }
    }
    return true;
}

static void begin_bulk(struct http_request *request, const json_t *body)
{
    const json_t *input = json_object_get(body, "input");
    size_t count = json_array_size(input);
    if (count == 0 || count > PEER_BULK_MAX) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "input: a list of 1 to %d addresses is wanted",
                    PEER_BULK_MAX);
        return;
    }
    struct peer_hook hook;
    if (!peer_hook_read(request, json_object_get(body, "webhook"), &hook)) {
        return;
    }
    struct slice *addresses = calloc(count, sizeof *addresses);
    if (addresses == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    if (read_input(request, input, addresses) && http_charge(request, count - 1)) {
        peer_bulk_begin(request, addresses, count, &hook);
    }
    free(addresses);
}

static void reacher_bulk(struct http_request *request)
{
    json_t *body = http_has_service(request) ? read_body(request) : NULL;
    if (body != NULL) {
        begin_bulk(request, body);
        json_decref(body);
    }
}

static void reacher_bulk_progress(struct http_request *request)
{
    if (http_has_service(request)) {
        peer_bulk_progress(request);
    }
}

static void reacher_bulk_results(struct http_request *request)
{
    if (http_has_service(request)) {
        peer_bulk_results(request);
    }
}

/* ---- ZeroBounce ---- */

static void zerobounce_validate(struct http_request *request)
{
    uint64_t timeout_s = ZEROBOUNCE_TIMEOUT_S_MAX;
    struct slice address = http_argument(request, "email");
    if (is_address(request, address, "email") &&
        http_count_argument(request, "timeout", ZEROBOUNCE_TIMEOUT_S_MIN, ZEROBOUNCE_TIMEOUT_S_MAX,
                            &timeout_s)) {
        peer_ask(request, &peer_zerobounce, (uint32_t)timeout_s * 1000, &address, 1);
    }
}

/* "email_batch": [{"email_address": "..."}]. False: it was answered. */
static bool read_batch(struct http_request *request, const json_t *batch,
                       struct slice addresses[BATCH_MAX])
{
    size_t count = json_array_size(batch);
    if (count == 0 || count > BATCH_MAX) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "email_batch: 1 to %d entries are wanted",
                    BATCH_MAX);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        addresses[i] = text_member(request, json_array_get(batch, i), "email_address");
        if (!is_address(request, addresses[i], "email_address")) {
            return false;
        }
    }
    return true;
}

static void zerobounce_validate_batch(struct http_request *request)
{
    struct slice addresses[BATCH_MAX];
    json_t *body = read_body(request);
    if (body == NULL) {
        return;
    }
    const json_t *batch = json_object_get(body, "email_batch");
    size_t count = json_array_size(batch);
    bool is_good = http_admit(request, text_member(request, body, "api_key")) &&
                   read_batch(request, batch, addresses) && http_charge(request, count - 1);
    json_decref(body);
    if (is_good) {
        peer_ask(request, &peer_zerobounce_batch, 0, addresses, count);
    }
}

static void zerobounce_credits(struct http_request *request)
{
    char text[48];
    int len = snprintf(text, sizeof text, "{\"Credits\":\"%d\"}", PEER_CREDITS);
    http_answer(request, 200, "application/json", slice_make(text, (size_t)len));
}

/* ---- Kickbox ---- */

static void kickbox_verify(struct http_request *request)
{
    uint64_t timeout_ms = 0;
    struct slice address = http_argument(request, "email");
    if (is_address(request, address, "email") &&
        http_count_argument(request, "timeout", 1, KICKBOX_TIMEOUT_MS_MAX, &timeout_ms)) {
        peer_ask(request, &peer_kickbox, (uint32_t)timeout_ms, &address, 1);
    }
}

/* ---- NeverBounce ---- */

static void neverbounce_check(struct http_request *request)
{
    struct slice address = http_argument(request, "email");
    if (is_address(request, address, "email")) {
        peer_ask(request, &peer_neverbounce, 0, &address, 1);
    }
}

/* Their client posts what the documentation has in the query. */
static void neverbounce_check_posted(struct http_request *request)
{
    json_t *body = read_body(request);
    if (body == NULL) {
        return;
    }
    struct slice key = text_member(request, body, "key");
    struct slice address = text_member(request, body, "email");
    json_decref(body);
    if (http_admit(request, key) && is_address(request, address, "email")) {
        peer_ask(request, &peer_neverbounce, 0, &address, 1);
    }
}

/* ---- routes ---- */

#define REACHER      .scope = "verify", .key = key_of, .complain = peer_complain_reacher
#define REACHER_BULK .scope = "batch", .key = key_of, .complain = peer_complain_reacher
#define ZEROBOUNCE   .scope = "verify", .key = key_of, .complain = peer_complain_zerobounce
#define KICKBOX      .scope = "verify", .key = key_of, .complain = peer_complain_kickbox
#define NEVERBOUNCE  .scope = "verify", .key = key_of, .complain = peer_complain_neverbounce
#define BODY         .body = HTTP_BODY_ANY, .body_bytes_max = BODY_BYTES_MAX

static const struct http_route routes[] = {
    {.method = "POST", .pattern = "/v0/check_email", REACHER, BODY, .handle = reacher_check_email},
    {.method = "POST", .pattern = "/v1/check_email", REACHER, BODY, .handle = reacher_check_email},
    {.method = "POST",
     .pattern = "/v1/bulk",
     REACHER_BULK,
     .body = HTTP_BODY_ANY,
     .body_bytes_max = BULK_BODY_BYTES_MAX,
     .handle = reacher_bulk},
    {.method = "GET", .pattern = "/v1/bulk/{id}", REACHER_BULK, .handle = reacher_bulk_progress},
    {.method = "GET",
     .pattern = "/v1/bulk/{id}/results",
     REACHER_BULK,
     .handle = reacher_bulk_results},
    {.method = "GET", .pattern = "/v2/validate", ZEROBOUNCE, .handle = zerobounce_validate},
    {.method = "GET", .pattern = "/v2/getcredits", ZEROBOUNCE, .handle = zerobounce_credits},
    {.method = "POST",
     .pattern = "/v2/validatebatch",
     ZEROBOUNCE,
     .is_key_late = true,
     .body = HTTP_BODY_ANY,
     .body_bytes_max = BATCH_BODY_BYTES_MAX,
     .handle = zerobounce_validate_batch},
    {.method = "GET", .pattern = "/v2/verify", KICKBOX, .handle = kickbox_verify},
    {.method = "GET", .pattern = "/v4/single/check", NEVERBOUNCE, .handle = neverbounce_check},
    {.method = "GET", .pattern = "/v4.2/single/check", NEVERBOUNCE, .handle = neverbounce_check},
    {.method = "POST",
     .pattern = "/v4.2/single/check",
     NEVERBOUNCE,
     .is_key_late = true,
     BODY,
     .handle = neverbounce_check_posted},
};

const struct http_routes http_peer_routes = {routes, sizeof routes / sizeof routes[0]};
