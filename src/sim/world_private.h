/* sim/world_private: the fields of a virtual world, for world.c (clock, names, hosts) and world_line.c (lines).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_WORLD_PRIVATE_H
#define SIM_WORLD_PRIVATE_H

#include "base/map.h"
#include "base/random.h"
#include "base/slice.h"
#include "net/timers.h"
#include "sim/peer.h"
#include "sim/world.h"

enum { WORLD_KEY_BYTES = IP_TEXT_BYTES + 8 };

/* A host with what it counts. */
struct world_place {
    char key[WORLD_KEY_BYTES];
    struct world_host host;
    struct peer_server *server;
    struct world_host_counts counts;
};

struct world_line;

struct world {
    struct door door; /* first */
    struct world_config config;
    uint64_t now_ms;
    struct timers timers;
    struct random random;
    struct zone *zone;
    struct map hosts; /* of struct world_place by address and port */
    struct world_line *lines;
    struct world_query *queries;
    struct world_counts counts;
    const struct world_watcher *watcher;
    uint64_t hash;
    uint32_t next_line;
    bool is_stopped, is_cut, is_mute;
    struct ip cut_off; /* family IP_NONE: nobody is */
    enum link_end cut_off_why;
};

void world_place_key(const struct ip *ip, uint16_t port, char out[WORLD_KEY_BYTES]);

struct link *world_line_connect(struct door *door, const struct link_request *request,
                                const struct link_handler *handler, void *context);
enum err world_line_send(struct link *link, struct slice bytes);
void world_line_start_tls(struct link *link, struct slice server_name);
void world_line_close(struct link *link);
void world_line_free(struct world_line *line);

#endif
