/* SPDX-License-Identifier: Apache-2.0 */
#include "http/peer_hook.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/slice.h"
#include "engine/webhook_headers.h"
#include "http/stored.h"

static bool keep(struct http_request *request, struct slice text, struct slice *out)
{
    if (arena_copy(&request->arena, text, out) == ERR_NONE) {
        return true;
    }
    http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    return false;
}

static bool read_url(struct http_request *request, const json_t *url, struct peer_hook *out)
{
    size_t len = json_string_length(url);
    if (len == 0 || len > HTTP_WEBHOOK_BYTES_MAX) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "webhook.on_each_email.url: a URL of at most %d bytes is wanted",
                    HTTP_WEBHOOK_BYTES_MAX);
        return false;
    }
    return keep(request, slice_make(json_string_value(url), len), &out->url);
}

/* Into lines. */
static bool read_header(struct http_request *request, const char *name, const json_t *value,
                        struct buf *lines)
{
    struct fault fault = {.err = ERR_NONE};
    if (!json_is_string(value)) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "webhook.on_each_email.headers: values are texts");
        return false;
    }
    enum err e = webhook_headers_add(
        lines, slice_of(name), slice_make(json_string_value(value), json_string_length(value)),
        &fault);
    if (e != ERR_NONE) {
        http_refuse(request, e == ERR_SYNTAX ? PROBLEM_BAD_ARGUMENT : PROBLEM_INTERNAL,
                    "webhook.on_each_email.headers: %s", fault.text);
    }
    return e == ERR_NONE;
}

static bool read_headers(struct http_request *request, json_t *headers, struct peer_hook *out)
{
    if (headers != NULL && !json_is_null(headers) && !json_is_object(headers)) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "webhook.on_each_email.headers: an object of texts is wanted");
        return false;
    }
    struct buf lines;
    const char *name;
    json_t *value;
    bool is_good = true;
    buf_init(&lines, WEBHOOK_HEADERS_BYTES_MAX);
    json_object_foreach(headers, name, value)
    {
        is_good = is_good && read_header(request, name, value, &lines);
    }
    is_good = is_good && keep(request, buf_view(&lines), &out->headers);
    buf_done(&lines);
    return is_good;
}

static bool read_extra(struct http_request *request, const json_t *extra, struct peer_hook *out)
{
    char *text = extra == NULL ? NULL : json_dumps(extra, JSON_COMPACT | JSON_ENCODE_ANY);
    struct slice json = text == NULL ? SLICE("null") : slice_of(text);
    bool is_short = json.len <= PEER_HOOK_EXTRA_BYTES_MAX;
    if (!is_short) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "webhook.on_each_email.extra: at most %d bytes go with each result",
                    PEER_HOOK_EXTRA_BYTES_MAX);
    }
    bool is_good = is_short && keep(request, json, &out->extra);
    free(text);
    return is_good;
}

bool peer_hook_read(struct http_request *request, const struct json_t *webhook,
                    struct peer_hook *out)
{
    const json_t *each = json_object_get(webhook, "on_each_email");
    *out = (struct peer_hook){.url = SLICE_NONE};
    bool is_none = webhook == NULL || json_is_null(webhook) ||
                   (json_is_object(webhook) && (each == NULL || json_is_null(each)));
    if (is_none) {
        return true;
    }
    if (!json_is_object(each)) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "webhook: {\"on_each_email\": {\"url\": ...}} is wanted");
        return false;
    }
    return read_url(request, json_object_get(each, "url"), out) &&
           read_headers(request, json_object_get(each, "headers"), out) &&
           read_extra(request, json_object_get(each, "extra"), out);
}
