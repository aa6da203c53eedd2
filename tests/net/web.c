/* SPDX-License-Identifier: Apache-2.0 */
#include "web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reader.h"
#include "base/slice.h"

struct web_link {
    struct web *web;
    struct link *link;
    struct buf bytes;
    bool is_over;
};

/* The body's length, where the head is there as a whole; the head's own length goes to *out_head. */
static bool is_whole(struct slice bytes, size_t *out_head, size_t *out_body)
{
    size_t end = slice_find_nocase(bytes, SLICE("\r\n\r\n"));
    if (end == bytes.len) {
        return false;
    }
    struct slice head = slice_sub(bytes, 0, end + 4);
    size_t at = slice_find_nocase(head, SLICE("\r\ncontent-length:"));
    uint64_t len = 0;
    if (at < head.len) {
        struct slice value = slice_sub(head, at + 17, head.len);
        struct reader reader = {slice_trim(slice_sub(value, 0, slice_find_byte(value, '\r', 0)))};
        assert_true(reader_number(&reader, WEB_BODY_BYTES - 1, &len));
    }
    *out_head = head.len;
    *out_body = (size_t)len;
    return bytes.len >= head.len + len;
}

static struct web_request *keep(struct web *web, struct slice head, struct slice body)
{
    assert_true(web->count < WEB_REQUESTS_MAX);
    assert_true(head.len < WEB_HEAD_BYTES && body.len < WEB_BODY_BYTES);
    struct web_request *request = &web->requests[web->count++];
    struct slice rest = head;
    struct slice method = slice_cut(&rest, ' ');
    struct slice path = slice_cut(&rest, ' ');
    (void)snprintf(request->method, sizeof request->method, "%.*s", SLICE_ARG(method));
    (void)snprintf(request->path, sizeof request->path, "%.*s", SLICE_ARG(path));
    memcpy(request->head, head.at, head.len);
    memcpy(request->body, body.at, body.len);
    request->body_len = body.len;
    return request;
}

static void on_received(void *context, struct slice bytes)
{
    struct web_link *side = context;
    struct web *web = side->web;
    size_t head, body;
    assert_int_equal(buf_append(&side->bytes, bytes), ERR_NONE);
    while (is_whole(buf_view(&side->bytes), &head, &body)) {
        struct slice all = buf_view(&side->bytes);
        struct web_request *request =
            keep(web, slice_sub(all, 0, head), slice_sub(all, head, head + body));
        buf_drop_front(&side->bytes, head + body);
        struct slice reply = web->reply(web->context, request);
        if (reply.at != NULL) {
            assert_int_equal(link_send(side->link, reply), ERR_NONE);
        }
    }
    door_stop(web->rig->door);
}

static void on_connected(void *context)
{
    (void)context;
}

static void on_secured(void *context, const struct tls_info *info)
{
    (void)context;
    (void)info;
}

static void on_ended(void *context, enum link_end why, const char *detail)
{
    (void)why;
    (void)detail;
    struct web_link *side = context;
    side->is_over = true;
    link_close(side->link);
    side->link = NULL;
    door_stop(side->web->rig->door);
}

static const struct link_handler handler = {on_connected, on_received, on_secured, on_ended};

static void on_accepted(void *context, struct link *link)
{
    struct web *web = context;
    assert_true(web->link_count < WEB_LINKS_MAX);
    struct web_link *side = calloc(1, sizeof *side);
    assert_non_null(side);
    side->web = web;
    side->link = link;
    buf_init(&side->bytes, WEB_HEAD_BYTES + WEB_BODY_BYTES);
    web->links[web->link_count++] = side;
    link_set_handler(link, &handler, side);
    if (web->tls != NULL) {
        link_accept_tls(link, web->tls);
    }
}

void web_open(struct web *web, struct rig *rig, const char *ip, web_reply_fn reply, void *context)
{
    struct net_place place = {.ip = rig_ip(ip)};
    struct fault fault = {0};
    *web = (struct web){.rig = rig, .reply = reply, .context = context};
    web->requests = calloc(WEB_REQUESTS_MAX, sizeof *web->requests);
    assert_non_null(web->requests);
    if (net_listen(rig->door, &place, on_accepted, web, &web->listener, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
}

void web_close(struct web *web)
{
    listener_close(web->listener);
    for (size_t i = 0; i < web->link_count; i++) {
        link_close(web->links[i]->link);
        buf_done(&web->links[i]->bytes);
        free(web->links[i]);
    }
    free(web->requests);
}

const char *web_url(const struct web *web, const char *host, const char *path, char out[256])
{
    (void)snprintf(out, 256, "%s://%s:%u%s", web->tls == NULL ? "http" : "https", host,
                   (unsigned)listener_port(web->listener), path);
    return out;
}

const struct web_request *web_request(const struct web *web, size_t i)
{
    assert_true(i < web->count);
    return &web->requests[i];
}

const char *web_header(const struct web_request *request, const char *name, char out[512])
{
    char start[128];
    (void)snprintf(start, sizeof start, "\r\n%s:", name);
    struct slice head = slice_of(request->head);
    size_t at = slice_find_nocase(head, slice_of(start));
    struct slice value = SLICE_NONE;
    if (at < head.len) {
        struct slice rest = slice_sub(head, at + strlen(start), head.len);
        value = slice_trim(slice_sub(rest, 0, slice_find_byte(rest, '\r', 0)));
    }
    (void)snprintf(out, 512, "%.*s", SLICE_ARG(value));
    return out;
}
