/* tools/probe_desk: tests of mail servers for any thread. As many workers as tests may be under way at once, each a thread
 * with a door of its own, as a test waits for its loop; what finds none free is refused, and nobody has more than half of
 * them.
 *
 *     probe_desk_open -> probe_desk_reserve -> probe_desk_begin -> said(), moved() ... answered() -> probe_desk_leave
 *     ... -> probe_desk_close
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_DESK_H
#define TOOLS_PROBE_DESK_H

#include "net/uv_door.h"
#include "tools/probe_order.h"

struct probe_desk;
struct probe_ticket;

enum {
    PROBE_DESK_WORKERS_MAX = 16,
    PROBE_DESK_REPORT_BYTES = 4 * 1024 * 1024,
};

/* What terms point to must outlive the desk; door is borrowed during open. */
struct probe_desk_config {
    struct uv_door_config door;
    const struct ip_net *allowed_nets; /* special networks that policies may be fetched from */
    size_t allowed_net_count;
    unsigned workers; /* 1 to PROBE_DESK_WORKERS_MAX */
};

/* ERR_SYNTAX: a resolver; ERR_SYSTEM, ERR_NOMEM, with what is wrong. */
enum err probe_desk_open(const struct probe_desk_config *config, struct probe_desk **out,
                         struct fault *out_fault) MUST_USE;
/* What is open is not answered any more; tickets are given back before. NULL is fine. */
void probe_desk_close(struct probe_desk *desk);

/* The functions are called on a worker's thread until answered() was, or the ticket was given back. */
struct probe_desk_question {
    struct probe_order *order; /* the desk's from then on */
    /* Each line of the conversations that are shown, and what is done next; NULL: nobody cares. */
    transcript_fn said;
    void (*moved)(void *context, struct slice what);
    /* Once: probe_write_json's object, which may be taken; NULL: the fault says why. */
    void (*answered)(void *context, struct buf *json, const struct fault *fault);
    void *context;
};

/* Takes a worker, for who asks; caller 0: nobody in particular, and no limit of his own. ERR_LIMIT: none is free, or none
 * for this caller; ERR_NOMEM. *out is owed to probe_desk_leave, once. */
enum err probe_desk_reserve(struct probe_desk *desk, int64_t caller, struct probe_ticket **out)
    MUST_USE;
/* Once. */
void probe_desk_begin(struct probe_ticket *ticket, const struct probe_desk_question *question);
/* When it returns nothing is called any more; the test, where it still runs, ends, and the worker is free soon. NULL is
 * fine. */
void probe_desk_leave(struct probe_ticket *ticket);

/* How many were begun, and how many run. */
void probe_desk_count(struct probe_desk *desk, uint64_t *out_begun, unsigned *out_open);

#endif
