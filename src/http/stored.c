/* SPDX-License-Identifier: Apache-2.0 */
#include "http/stored.h"

#include <stdio.h>

#include "base/slice.h"
#include "engine/webhooks.h"

enum { PAGE = 50 };

struct slice http_owner(const struct http_request *request, char out[HTTP_ID_BYTES])
{
    if (request->key_id == 0) {
        return SLICE_NONE;
    }
    (void)snprintf(out, HTTP_ID_BYTES, "%lld", (long long)request->key_id);
    return slice_of(out);
}

bool http_read_page(struct http_request *request, size_t limit_max,
                    struct http_page_owner *out_owner, struct store_page *out)
{
    uint64_t limit = PAGE;
    uint64_t before = 0;
    if (!http_count_argument(request, "limit", 1, limit_max, &limit) ||
        !http_count_argument(request, "before", 1, INT64_MAX, &before)) {
        return false;
    }
    out_owner->id = http_owner(request, out_owner->text);
    *out = (struct store_page){.owner = request->key_id != 0 ? &out_owner->id : NULL,
                               .before = (int64_t)before,
                               .limit = limit};
    return true;
}

bool http_has_service(struct http_request *request)
{
    if (request->api->service == NULL) {
        http_refuse(request, PROBLEM_NOT_READY, "the engine is not running");
        return false;
    }
    return true;
}

bool http_lend_store(struct http_request *request, struct store **out)
{
    struct fault fault = {.err = ERR_NONE};
    if (!http_has_service(request)) {
        return false;
    }
    if (service_lend_store(request->api->service, out, &fault) != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "%s", fault.text);
        return false;
    }
    return true;
}

enum err http_check_webhook(struct desk *desk, struct slice url, struct fault *out_fault)
{
    struct fault fault = {.err = ERR_NONE};
    if (url.len == 0) {
        return ERR_NONE;
    }
    if (desk->webhooks == NULL) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "webhook: none are sent here");
    }
    enum err e = webhooks_check_url(desk->webhooks, url, &fault);
    return e == ERR_NONE ? e : fault_set(out_fault, e, 0, "webhook: %s", fault.text);
}

void http_refuse_fault(struct http_request *request, enum err e, const struct fault *fault)
{
    http_refuse(request,
                e == ERR_CLOSED  ? PROBLEM_NOT_FOUND
                : e == ERR_STATE ? PROBLEM_CONFLICT
                                 : PROBLEM_INTERNAL,
                "%s", fault->text);
}

void http_answer_found(struct http_request *request, unsigned status, enum err e,
                       const struct fault *fault, struct buf *json)
{
    if (e == ERR_NONE) {
        http_answer_json(request, status, json);
    } else {
        http_refuse_fault(request, e, fault);
    }
    buf_done(json);
}
