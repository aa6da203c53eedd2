/* SPDX-License-Identifier: Apache-2.0 */
#include "http/once.h"

#include <stdio.h>

#include "base/sip_hash.h"
#include "base/slice.h"
#include "http/api.h"

enum { DIGESTED_BYTES_MAX = 64 * 1024 };

/* The draft has it in quotation marks; many send it without them. */
static bool read_key(struct slice value, struct slice *out)
{
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"') {
        value = slice_sub(value, 1, value.len - 1);
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < ' ' || value.at[i] > '~') {
            return false;
        }
    }
    *out = value;
    return value.len > 0 && value.len <= STORE_IDEMPOTENCY_KEY_BYTES_MAX;
}

static enum err write_digest(struct http_once *once)
{
    const struct http_request *request = once->request;
    struct slice rest = request->content_type;
    struct slice type = slice_trim(slice_cut(&rest, ';'));
    struct buf text;
    buf_init(&text, DIGESTED_BYTES_MAX);
    enum err e = buf_printf(&text, "%.*s\n%.*s\n%.*s\n%.*s", SLICE_ARG(request->method),
                            SLICE_ARG(request->target), SLICE_ARG(type),
                            SLICE_ARG(http_header(request, "Content-Length")));
    if (e == ERR_NONE) {
        (void)snprintf(once->digest, sizeof once->digest, "%016llx%016llx",
                       (unsigned long long)sip_hash(buf_view(&text), 0, 0),
                       (unsigned long long)sip_hash(buf_view(&text), 1, 1));
    }
    buf_done(&text);
    return e;
}

struct store_request http_once_request(const struct http_once *once)
{
    return (struct store_request){
        .owner = once->request->key_id, .key = once->key, .digest = slice_of(once->digest)};
}

/* On the desk, whose connection is the one that begins. */
struct beginning {
    struct store_request request;
    struct store_request_standing standing;
    struct fault fault;
    enum err err;
};

static void begin_at_desk(struct desk *desk, void *context)
{
    struct beginning *beginning = context;
    beginning->err = store_request_begin(desk->store, &beginning->request, door_wall_ms(desk->door),
                                         &beginning->standing, &beginning->fault);
}

static void drop_at_desk(struct desk *desk, void *context)
{
    const struct store_request *request = context;
    /* Where the store says no, the key is free when this process ends. */
    if (store_request_drop(desk->store, request) == ERR_NONE) {
        (void)(store_flush(desk->store, NULL) == ERR_NONE);
    }
}

static bool take_standing(struct http_once *once, const struct beginning *beginning)
{
    struct http_request *request = once->request;
    if (beginning->err != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "%s", beginning->fault.text);
        return false;
    }
    switch (beginning->standing.state) {
    case STORE_REQUEST_NEW: once->is_held = true; return true;
    case STORE_REQUEST_FINISHED: once->is_again = true; return true;
    case STORE_REQUEST_RUNNING:
        http_refuse(request, PROBLEM_CONFLICT,
                    "the first request with this Idempotency-Key is still under way");
        return false;
    case STORE_REQUEST_MISMATCH:
        http_refuse(request, PROBLEM_INVALID,
                    "this Idempotency-Key came with another request before; take a new one");
        return false;
    }
    return false;
}

bool http_once_begin(struct http_once *out, struct http_request *request)
{
    *out = (struct http_once){.request = request};
    struct slice value = http_header(request, "Idempotency-Key");
    if (value.len == 0) {
        return true;
    }
    buf_init(&out->known, HTTP_ONCE_KNOWN_BYTES_MAX);
    if (!read_key(slice_trim(value), &out->key)) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "an Idempotency-Key has 1 to %d printable characters of ASCII",
                    (int)STORE_IDEMPOTENCY_KEY_BYTES_MAX);
        return false;
    }
    if (arena_copy(&request->arena, out->key, &out->key) != ERR_NONE ||
        write_digest(out) != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return false;
    }
    struct beginning beginning = {.request = http_once_request(out),
                                  .standing = {.reference = &out->known}};
    if (!service_call(request->api->service, begin_at_desk, &beginning)) {
        http_refuse(request, PROBLEM_NOT_READY, "the server is stopping");
        return false;
    }
    return take_standing(out, &beginning);
}

void http_once_is_done(struct http_once *once)
{
    once->is_held = false;
}

void http_once_end(struct http_once *once)
{
    if (once->is_held) {
        struct store_request request = http_once_request(once);
        once->is_held = false;
        (void)!service_call(once->request->api->service, drop_at_desk, &request);
    }
    buf_done(&once->known);
}
