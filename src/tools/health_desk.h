/* tools/health_desk: questions about domains from any thread, worked off by one thread with a door of its own; so many at
 * a time, and no more than that wait.
 *
 *     health_desk_open -> health_desk_ask -> answered() -> health_desk_leave ... -> health_desk_close
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_HEALTH_DESK_H
#define TOOLS_HEALTH_DESK_H

#include "base/buf.h"
#include "net/uv_door.h"
#include "providers/classify.h"

struct health_desk;
struct health_ticket;

enum {
    HEALTH_DESK_OPEN_MAX = 32, /* questions under way */
    HEALTH_DESK_SELECTORS_BYTES = 1000,
};

/* What it points to must outlive the desk; door and data_dir are borrowed during open. */
struct health_desk_config {
    struct uv_door_config door;
    const char *data_dir; /* of block lists and names of DKIM keys; see engine/knowledge */
    const struct rules *rules;
    const struct ip_net *allowed_nets;
    size_t allowed_net_count;
    struct slice helo;
    struct ip source_v4, source_v6; /* as in struct health_config */
    uint16_t port;                  /* of mail servers; 0: they are not contacted */
};

/* ERR_SYNTAX: the data or a resolver; ERR_SYSTEM, ERR_NOMEM, with what is wrong. */
enum err health_desk_open(const struct health_desk_config *config, struct health_desk **out,
                          struct fault *out_fault) MUST_USE;
/* What is open is not answered any more; tickets are given back before. NULL is fine. */
void health_desk_close(struct health_desk *desk);

struct health_desk_question {
    const char *domain; /* as health_domain_read makes it */
    struct slice
        selectors; /* of DKIM keys, parted by commas; at most HEALTH_DESK_SELECTORS_BYTES */
    bool no_smtp;  /* mail servers are not contacted */
    /* Once, on the desk's thread, unless the ticket was given back before: health_write_json's object, which may be
     * taken; NULL: no memory. */
    void (*answered)(void *context, struct buf *json);
    void *context;
};

/* ERR_LIMIT: too many are under way; ERR_NOMEM. *out is owed to health_desk_leave, once. */
enum err health_desk_ask(struct health_desk *desk, const struct health_desk_question *question,
                         struct health_ticket **out) MUST_USE;
/* When it returns answered() is not called any more. NULL is fine. */
void health_desk_leave(struct health_ticket *ticket);

#endif
