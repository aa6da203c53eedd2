/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/peer_link.h"

#include <stdlib.h>

struct peer_link {
    struct peer_link *next, **place;
    struct peer_links *links;
    struct link *link;
    struct peer *peer;
    struct timer timer;
    bool is_shaking;
};

static void end(struct peer_link *line)
{
    *line->place = line->next;
    if (line->next != NULL) {
        line->next->place = line->place;
    }
    door_timer_stop(line->link->door, &line->timer);
    link_close(line->link);
    peer_free(line->peer);
    free(line);
}

/* Takes what is due and waits for the rest. May end the line. */
static void go_on(struct peer_link *line)
{
    struct door *door = line->link->door;
    struct slice bytes;
    uint64_t at_ms = UINT64_MAX;
    while (!line->is_shaking && peer_next_output(line->peer, door_now_ms(door), &bytes, &at_ms)) {
        if (bytes.len > 0 && link_send(line->link, bytes) != ERR_NONE) {
            end(line);
            return;
        }
    }
    if (peer_wants_close(line->peer)) {
        end(line);
        return;
    }
    if (peer_wants_tls(line->peer) && !line->is_shaking) {
        if (line->links->tls == NULL) {
            end(line);
            return;
        }
        line->is_shaking = true;
        link_accept_tls(line->link, line->links->tls);
    } else if (!line->is_shaking && at_ms != UINT64_MAX) {
        door_timer_start(door, &line->timer, at_ms);
    }
}

static void on_time(void *context)
{
    go_on(context);
}

static void on_bytes(void *context, struct slice bytes)
{
    struct peer_link *line = context;
    peer_received(line->peer, bytes, door_now_ms(line->link->door));
    go_on(line);
}

static void on_secured(void *context, const struct tls_info *info)
{
    (void)info;
    struct peer_link *line = context;
    line->is_shaking = false;
    peer_tls_done(line->peer, door_now_ms(line->link->door));
}

static void on_ended(void *context, enum link_end why, const char *detail)
{
    (void)why;
    (void)detail;
    struct peer_link *line = context;
    peer_left(line->peer);
    end(line);
}

void peer_links_accept(void *context, struct link *link)
{
    static const struct link_handler handler = {
        .received = on_bytes, .secured = on_secured, .ended = on_ended};
    struct peer_links *links = context;
    struct ip client;
    struct peer_link *line = calloc(1, sizeof *line);
    if (line == NULL || !link_peer(link, &client) ||
        peer_new(links->server, &client, door_now_ms(link->door), &line->peer) != ERR_NONE) {
        free(line);
        link_close(link);
        return;
    }
    line->links = links;
    line->link = link;
    line->timer = (struct timer){.fired = on_time, .context = line};
    line->next = links->first;
    line->place = &links->first;
    if (line->next != NULL) {
        line->next->place = &line->next;
    }
    links->first = line;
    link_set_handler(link, &handler, line);
    go_on(line);
}

void peer_links_close(struct peer_links *links)
{
    while (links->first != NULL) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the one before took itself out of the list, by its place */
        end(links->first);
    }
}
