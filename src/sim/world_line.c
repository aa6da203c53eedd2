/* sim/world_line: one TCP connection of the virtual network. What each side does reaches the other as parcels
 * that arrive in order, a latency later.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "net/proxy.h"
#include "sim/world_private.h"

enum parcel_kind {
    PARCEL_UP, /* towards the peer: the SYN; towards us: the line is up */
    PARCEL_BYTES,
    PARCEL_HELLO, /* towards the peer: the first TLS record; towards us: TLS is up */
    PARCEL_END,   /* closed, reset or refused */
};

struct parcel {
    struct parcel *next;
    uint64_t due_ms;
    enum parcel_kind kind;
    enum link_end why;
    size_t len;
    char bytes[];
};

/* One direction. */
struct wire {
    struct parcel *first, *last;
    struct timer timer;
    uint64_t last_due_ms;
};

enum line_state { LINE_CONNECTING, LINE_OPEN, LINE_ENDED, LINE_LEFT };

struct world_line {
    struct link link; /* first */
    struct world_line *next, **place;
    struct world *world;
    struct world_place *host; /* NULL: a stray */
    const struct link_handler *handler;
    void *context;
    enum line_state state;
    uint32_t id;
    bool is_shaking, is_peer_gone, is_counted;
    struct ip client;
    struct peer *peer;
    struct timer wake;
    struct wire to_us, to_peer;
};

static struct world_line *of(struct link *link)
{
    return (struct world_line *)(void *)link;
}

static void note(struct world_line *line, char direction, struct slice bytes)
{
    struct world *world = line->world;
    char tag[16] = {direction};
    memcpy(tag + 1, &line->id, sizeof line->id);
    memcpy(tag + 5, &world->now_ms, sizeof world->now_ms);
    world->hash = slice_hash(slice_make(tag, sizeof tag), world->hash);
    world->hash = slice_hash(bytes, world->hash);
}

/* Parcels. */

static uint64_t delay(struct world_line *line)
{
    if (line->host == NULL) {
        return 10;
    }
    const struct world_host *host = &line->host->host;
    uint32_t jitter =
        host->jitter_ms == 0 ? 0 : random_below(&line->world->random, host->jitter_ms + 1);
    return host->latency_ms + jitter;
}

static void post(struct world_line *line, struct wire *wire, enum parcel_kind kind,
                 struct slice bytes, enum link_end why)
{
    struct parcel *parcel = malloc(sizeof *parcel + bytes.len);
    must(parcel != NULL);
    uint64_t due_ms = line->world->now_ms + delay(line);
    *parcel = (struct parcel){.due_ms = due_ms > wire->last_due_ms ? due_ms : wire->last_due_ms,
                              .kind = kind,
                              .why = why,
                              .len = bytes.len};
    wire->last_due_ms = parcel->due_ms;
    memcpy(parcel->bytes, bytes.at, bytes.len);
    if (wire->last == NULL) {
        wire->first = parcel;
        must(timers_put(&line->world->timers, &wire->timer, parcel->due_ms) == ERR_NONE);
    } else {
        wire->last->next = parcel;
    }
    wire->last = parcel;
}

/* The caller frees it. */
static struct parcel *take(struct world_line *line, struct wire *wire)
{
    struct parcel *parcel = wire->first;
    wire->first = parcel->next;
    if (wire->first == NULL) {
        wire->last = NULL;
    } else {
        must(timers_put(&line->world->timers, &wire->timer, wire->first->due_ms) == ERR_NONE);
    }
    return parcel;
}

static void drop_all(struct world_line *line, struct wire *wire)
{
    timers_remove(&line->world->timers, &wire->timer);
    while (wire->first != NULL) {
        struct parcel *next = wire->first->next;
        free(wire->first);
        wire->first = next;
    }
    wire->last = NULL;
}

void world_line_free(struct world_line *line)
{
    *line->place = line->next;
    if (line->next != NULL) {
        line->next->place = line->place;
    }
    drop_all(line, &line->to_us);
    drop_all(line, &line->to_peer);
    timers_remove(&line->world->timers, &line->wake);
    peer_free(line->peer);
    line->world->counts.lines--;
    free(line);
}

/* The peer's side. */

static void count_open(struct world_line *line)
{
    struct world_host_counts *counts = &line->host->counts;
    struct world_counts *all = &line->world->counts;
    line->is_counted = true;
    counts->accepted++;
    if (++counts->open > counts->peak) {
        counts->peak = counts->open;
    }
    if (++all->open > all->peak) {
        all->peak = all->open;
    }
}

static void count_closed(struct world_line *line)
{
    if (line->is_counted) {
        line->is_counted = false;
        line->host->counts.open--;
        line->world->counts.open--;
    }
}

static void peer_ends(struct world_line *line, enum link_end why)
{
    line->is_peer_gone = true;
    count_closed(line);
    timers_remove(&line->world->timers, &line->wake);
    peer_free(line->peer);
    line->peer = NULL;
    post(line, &line->to_us, PARCEL_END, SLICE_NONE, why);
}

static void send_pieces(struct world_line *line, struct slice bytes)
{
    size_t size = line->host->host.split_bytes == 0 ? bytes.len : line->host->host.split_bytes;
    line->host->counts.bytes_out += bytes.len;
    for (size_t at = 0; at < bytes.len; at += size) {
        post(line, &line->to_us, PARCEL_BYTES, slice_sub(bytes, at, at + size), LINK_END_CLOSED);
    }
}

static void run_peer(struct world_line *line)
{
    struct slice bytes;
    uint64_t at_ms;
    while (peer_next_output(line->peer, line->world->now_ms, &bytes, &at_ms)) {
        send_pieces(line, bytes);
    }
    if (peer_wants_close(line->peer)) {
        peer_ends(line, LINK_END_CLOSED);
    } else if (at_ms != UINT64_MAX) {
        must(timers_put(&line->world->timers, &line->wake, at_ms) == ERR_NONE);
    }
}

static void on_wake(void *context)
{
    run_peer(context);
}

static void arrive(struct world_line *line)
{
    const struct world_host *host = &line->host->host;
    switch (host->behaviour) {
    case WORLD_ACCEPT: break;
    case WORLD_REFUSE:
        line->is_peer_gone = true;
        post(line, &line->to_us, PARCEL_END, SLICE_NONE, LINK_END_REFUSED);
        return;
    case WORLD_BLACKHOLE: return;
    case WORLD_UNREACHABLE:
        line->is_peer_gone = true;
        post(line, &line->to_us, PARCEL_END, SLICE_NONE, LINK_END_UNREACHABLE);
        return;
    case WORLD_RESET:
        line->is_peer_gone = true;
        post(line, &line->to_us, PARCEL_UP, SLICE_NONE, LINK_END_CLOSED);
        post(line, &line->to_us, PARCEL_END, SLICE_NONE, LINK_END_RESET);
        return;
    }
    must(line->host->server != NULL);
    must(peer_new(line->host->server, &line->client, line->world->now_ms, &line->peer) == ERR_NONE);
    count_open(line);
    post(line, &line->to_us, PARCEL_UP, SLICE_NONE, LINK_END_CLOSED);
    run_peer(line);
}

/* The client's first TLS record. A peer that does not expect one talks on in plain: garbage to us. */
static void shake_hands(struct world_line *line)
{
    if (!peer_wants_tls(line->peer)) {
        return;
    }
    switch (line->host->host.tls) {
    case WORLD_TLS_OK:
        peer_tls_done(line->peer, line->world->now_ms);
        post(line, &line->to_us, PARCEL_HELLO, SLICE_NONE, LINK_END_CLOSED);
        return;
    case WORLD_TLS_FAIL:
        post(line, &line->to_us, PARCEL_BYTES, SLICE("no TLS here\r\n"), LINK_END_CLOSED);
        return;
    case WORLD_TLS_HANG: return;
    case WORLD_TLS_RESET: peer_ends(line, LINK_END_RESET); return;
    }
}

static void on_peer_parcel(void *context)
{
    struct world_line *line = context;
    struct parcel *parcel = take(line, &line->to_peer);
    if (parcel->kind == PARCEL_END) {
        free(parcel);
        if (line->peer != NULL) {
            peer_left(line->peer);
        }
        count_closed(line);
        world_line_free(line);
        return;
    }
    if (parcel->kind == PARCEL_UP) {
        if (line->host != NULL) {
            arrive(line);
        } else {
            post(line, &line->to_us, PARCEL_END, SLICE_NONE, LINK_END_UNREACHABLE);
        }
    } else if (line->peer != NULL && parcel->kind == PARCEL_BYTES) {
        line->host->counts.bytes_in += parcel->len;
        peer_received(line->peer, slice_make(parcel->bytes, parcel->len), line->world->now_ms);
        run_peer(line);
    } else if (line->peer != NULL) {
        shake_hands(line);
    }
    free(parcel);
}

/* Our side. */

static void end(struct world_line *line, enum link_end why, const char *detail)
{
    line->state = LINE_ENDED;
    line->handler->ended(line->context, why, detail);
}

static void secure(struct world_line *line)
{
    bool is_bad = line->host->host.is_cert_bad ||
                  (line->host->host.script != NULL && line->host->host.script->is_cert_expired);
    struct tls_info info = {.version = "TLSv1.3",
                            .cipher = "TLS_AES_256_GCM_SHA384",
                            .is_cert_trusted = !is_bad,
                            .is_cert_for_host = !is_bad,
                            .is_cert_expired = is_bad};
    (void)snprintf(info.cert_result, sizeof info.cert_result, "%s",
                   is_bad ? "certificate has expired" : "ok");
    line->is_shaking = false;
    line->handler->secured(line->context, &info);
}

static void on_our_parcel(void *context)
{
    struct world_line *line = context;
    struct parcel *parcel = take(line, &line->to_us);
    struct slice bytes = slice_make(parcel->bytes, parcel->len);
    if (line->state == LINE_ENDED || line->state == LINE_LEFT) {
        free(parcel);
        return;
    }
    switch (parcel->kind) {
    case PARCEL_UP:
        line->state = LINE_OPEN;
        line->handler->connected(line->context);
        break;
    case PARCEL_BYTES:
        if (line->is_shaking) {
            end(line, LINK_END_TLS, "wrong version number");
            break;
        }
        note(line, 'S', bytes);
        if (line->world->watcher != NULL && line->world->watcher->received != NULL) {
            line->world->watcher->received(line->world->watcher->context, line->id, bytes);
        }
        line->handler->received(line->context, bytes);
        break;
    case PARCEL_HELLO: secure(line); break;
    case PARCEL_END:
        end(line, line->is_shaking ? LINK_END_TLS : parcel->why,
            parcel->why == LINK_END_CLOSED ? "" : "as this world has it");
        break;
    }
    free(parcel);
}

/* What the server sees. Proxies of this world never fail, and are seen in their client's place; a relay connects
 * from where it is told to. */
static struct ip client_of(const struct world *world, const struct link_request *request)
{
    const struct proxy *proxy = request->proxy;
    bool is_heard = proxy == NULL || proxy->kind == PROXY_V2;
    if (is_heard && request->source.family != IP_NONE) {
        return request->source;
    }
    if (proxy != NULL && proxy->ip.family == request->ip.family) {
        return proxy->ip;
    }
    return request->ip.family == IP_V6 ? world->config.own_v6 : world->config.own_v4;
}

struct link *world_line_connect(struct door *door, const struct link_request *request,
                                const struct link_handler *handler, void *context)
{
    struct world *world = (struct world *)(void *)door;
    struct world_line *line = world->is_mute ? NULL : calloc(1, sizeof *line);
    if (line == NULL) {
        return NULL;
    }
    char key[WORLD_KEY_BYTES];
    world_place_key(&request->ip, request->port, key);
    *line = (struct world_line){
        .link.door = door,
        .next = world->lines,
        .place = &world->lines,
        .world = world,
        .host = map_find(&world->hosts, slice_of(key)),
        .handler = handler,
        .context = context,
        .id = ++world->next_line,
        .wake = {.fired = on_wake, .context = line},
        .to_us.timer = {.fired = on_our_parcel, .context = line},
        .to_peer.timer = {.fired = on_peer_parcel, .context = line},
    };
    bool is_v6 = request->ip.family == IP_V6;
    line->client = client_of(world, request);
    if (line->next != NULL) {
        line->next->place = &line->next;
    }
    world->lines = line;
    world->counts.lines++;
    world->counts.connects++;
    world->counts.stray_connects += line->host == NULL;
    if (line->host != NULL) {
        line->host->counts.tried++;
    }
    if (world->watcher != NULL && world->watcher->connected != NULL) {
        world->watcher->connected(world->watcher->context, line->id, &request->ip, &line->client);
    }
    bool is_cut_off = is_v6 ? world->config.no_ipv6 : world->config.no_ipv4;
    if (world->cut_off.family != IP_NONE && ip_equal(&world->cut_off, &line->client)) {
        post(line, &line->to_us, PARCEL_END, SLICE_NONE, world->cut_off_why);
    } else if (is_cut_off && request->proxy == NULL) {
        post(line, &line->to_us, PARCEL_END, SLICE_NONE, LINK_END_UNREACHABLE);
    } else {
        post(line, &line->to_peer, PARCEL_UP, SLICE_NONE, LINK_END_CLOSED);
    }
    return &line->link;
}

enum err world_line_send(struct link *link, struct slice bytes)
{
    struct world_line *line = of(link);
    if (line->state != LINE_OPEN) {
        return ERR_CLOSED;
    }
    if (line->world->is_mute) {
        return ERR_NONE;
    }
    note(line, 'C', bytes);
    if (line->world->watcher != NULL && line->world->watcher->sent != NULL) {
        line->world->watcher->sent(line->world->watcher->context, line->id, bytes);
    }
    post(line, &line->to_peer, PARCEL_BYTES, bytes, LINK_END_CLOSED);
    return ERR_NONE;
}

void world_line_start_tls(struct link *link, struct slice server_name)
{
    (void)server_name;
    struct world_line *line = of(link);
    if (line->state != LINE_OPEN || line->world->is_mute) {
        return; /* ended() is on its way or was there */
    }
    line->is_shaking = true;
    post(line, &line->to_peer, PARCEL_HELLO, SLICE_NONE, LINK_END_CLOSED);
}

void world_line_close(struct link *link)
{
    struct world_line *line = of(link);
    bool was_up = line->state == LINE_OPEN && !line->is_shaking && !line->is_peer_gone;
    if (line->world->watcher != NULL && line->world->watcher->closed != NULL) {
        line->world->watcher->closed(line->world->watcher->context, line->id, was_up);
    }
    line->state = LINE_LEFT;
    drop_all(line, &line->to_us);
    post(line, &line->to_peer, PARCEL_END, SLICE_NONE, LINK_END_CLOSED);
}
