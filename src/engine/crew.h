/* engine/crew: several loops that share a list, one thread each: every loop has a door, a knocker and a view of the
 * store of its own, and nothing is shared between them. Whoever opens the crew is its desk: it has the store, gives
 * addresses out and does the writes that come back.
 *
 *     desk: an address ──► the scout of its domain (looks it up) ──► the owner of its site (asks it)
 *      ▲                                                                                │
 *      └────────────── results and writes for the store, in the order they were made ◄──┘
 *
 * Scout and owner are found by hashing (engine/errand), so each site's limits are one loop's plain numbers; a site
 * that is hot holds up nobody else's. What is limited over all sites is divided: connections and lookups at once.
 * An egress' recipients a day are counted over all sites by one knocker: with such a budget there is one loop.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CREW_H
#define ENGINE_CREW_H

#include "engine/bulk.h"
#include "net/uv_door.h"

struct crew;

enum { CREW_LOOPS_MAX = 64 };

struct crew_config {
    const struct knocker_config *knocker; /* of all of them together */
    const struct knowledge *knowledge;    /* after knowledge_hasten */
    const struct uv_door_config *door;    /* of each loop */
    const char *store_path;               /* NULL: nothing is kept and nothing read */
    unsigned loops;
    enum table_format output_format; /* of the results */
};

/* As many loops as there are processors for us, as the ways out allow and as each can have a connection; wanted 0: any
 * number. */
unsigned crew_loops(const struct knocker_config *config, unsigned wanted);

/* Starts the threads. desk, store and what config points to must outlive it; desk must be of net/uv_door, store the
 * one at store_path. ERR_NOMEM, ERR_SYSTEM, ERR_STORE and those of uv_door_open. */
enum err crew_open(const struct crew_config *config, struct door *desk, struct store *store,
                   struct crew **out, struct fault *out_fault) MUST_USE;
/* After crew_stop. NULL is fine. */
void crew_close(struct crew *crew);

/* For bulk_open. One run a crew. */
struct bulk_way crew_way(struct crew *crew);

/* Called whenever a loop says that it has nothing to do, and all have said so. */
void crew_on_idle(struct crew *crew, void (*fn)(void *context), void *context);
bool crew_is_idle(const struct crew *crew);

/* Ends the threads, waits for them, and does their last writes (without committing them). Then what each has met is
 * known: crew_each_block, as knocker_each_block. Once is enough. */
void crew_stop(struct crew *crew);
void crew_count(const struct crew *crew, struct knocker_counts *out);
void crew_each_block(const struct crew *crew, knocker_block_fn fn, void *context);

#endif
