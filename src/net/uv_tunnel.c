/* net/uv_tunnel: the dialogue of a link with its proxy, from the connection to the proxy until the link is up to
 * the destination. Whatever the proxy does wrong ends as LINK_END_PROXY or LINK_END_LOCAL; only what it says of
 * the destination is the destination's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "net/uv_private.h"

enum { TUNNEL_TEXT_BYTES = 200 };

/* "SOCKS5 proxy 192.0.2.1:1080: what". The tunnel ends with the link: its timer must not keep the loop. */
static void end(struct uv_link *link, enum link_end why, const char *what, unsigned code)
{
    char name[PROXY_NAME_BYTES];
    char number[16] = "";
    char text[TUNNEL_TEXT_BYTES];
    if (code != 0) {
        (void)snprintf(number, sizeof number, " (%u)", code);
    }
    (void)snprintf(text, sizeof text, "%s: %s%s", proxy_describe(link->tunnel->proxy, name), what,
                   number);
    uv_tunnel_free(link);
    uv_link_end(link, why, text);
}

static enum link_end end_of_failure(enum proxy_failure failure)
{
    switch (failure) {
    case PROXY_FAILURE_PROTOCOL:
    case PROXY_FAILURE_AUTH_WANTED:
    case PROXY_FAILURE_AUTH: return LINK_END_PROXY;
    case PROXY_FAILURE_DENIED:
    case PROXY_FAILURE_UNSUPPORTED:
    case PROXY_FAILURE_GENERAL: return LINK_END_LOCAL;
    case PROXY_FAILURE_REFUSED: return LINK_END_REFUSED;
    case PROXY_FAILURE_UNREACHABLE:
    case PROXY_FAILURE_TIMEOUT: return LINK_END_UNREACHABLE;
    }
    return LINK_END_LOCAL;
}

static void on_limit(void *context)
{
    end(context, LINK_END_PROXY, "does not answer", 0);
}

enum err uv_tunnel_new(struct uv_link *link, const struct link_request *request)
{
    struct uv_tunnel *tunnel = calloc(1, sizeof *tunnel);
    if (tunnel == NULL) {
        return ERR_NOMEM;
    }
    tunnel->proxy = request->proxy;
    tunnel->target = (struct proxy_target){request->ip, request->port, request->source};
    tunnel->limit = (struct timer){.fired = on_limit, .context = link};
    link->tunnel = tunnel;
    if (request->proxy_limit_ms != 0) {
        struct door *door = link->link.door;
        door_timer_start(door, &tunnel->limit, door_now_ms(door) + request->proxy_limit_ms);
    }
    return ERR_NONE;
}

void uv_tunnel_free(struct uv_link *link)
{
    struct uv_tunnel *tunnel = link->tunnel;
    if (tunnel == NULL) {
        return;
    }
    link->tunnel = NULL;
    door_timer_stop(link->link.door, &tunnel->limit);
    proxy_done(&tunnel->dialogue);
    free(tunnel);
}

/* False: the link ended. */
static bool follow(struct uv_link *link, const struct proxy_step *step)
{
    struct uv_tunnel *tunnel = link->tunnel;
    if (step->status == PROXY_FAILED) {
        end(link, end_of_failure(step->failure), proxy_failure_text(step->failure), step->code);
        return false;
    }
    if (uv_link_write(link, step->send) != ERR_NONE) {
        end(link, LINK_END_PROXY, "the line broke", 0);
        return false;
    }
    if (tunnel->dialogue.has_asked) {
        door_timer_stop(link->link.door, &tunnel->limit);
    }
    return true;
}

/* The owner may do anything in connected(). */
static void hand_over(struct uv_link *link, struct slice rest)
{
    uv_tunnel_free(link);
    uv_link_up(link);
    if (rest.len > 0 && link->state == UV_LINK_OPEN && link->tls == NULL) {
        link->handler->received(link->context, rest);
    }
}

void uv_tunnel_begin(struct uv_link *link)
{
    struct uv_tunnel *tunnel = link->tunnel;
    link->state = UV_LINK_TUNNELLING;
    struct proxy_step step = proxy_begin(&tunnel->dialogue, tunnel->proxy, &tunnel->target);
    if (follow(link, &step) && step.status == PROXY_DONE) {
        hand_over(link, SLICE_NONE);
    }
}

void uv_tunnel_received(struct uv_link *link, struct slice bytes)
{
    struct proxy_step step = proxy_received(&link->tunnel->dialogue, bytes);
    if (follow(link, &step) && step.status == PROXY_DONE) {
        hand_over(link, slice_sub(bytes, step.consumed, bytes.len));
    }
}

void uv_tunnel_broke(struct uv_link *link, int uv_error)
{
    bool is_ours = uv_link_end_of(uv_error) == LINK_END_LOCAL;
    end(link, is_ours ? LINK_END_LOCAL : LINK_END_PROXY,
        uv_error == UV_EOF ? "hung up before it answered" : uv_strerror(uv_error), 0);
}
