/* engine/crew_private: what desk (crew.c) and loops (crew_loop.c) say to each other, and how (crew_post.c).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CREW_PRIVATE_H
#define ENGINE_CREW_PRIVATE_H

#include "engine/crew.h"
#include "net/quiet_thread.h"
#include "net/uv_mailbox.h"
#include "store/courier.h"

enum crew_post_kind {
    CREW_ORDERS, /* to a loop: addresses, and routes that are told before */
    CREW_BEGAN,  /* to a loop: the job, when */
    CREW_CANCEL, /* to a loop */
    CREW_STOP,   /* to a loop */
    CREW_NEWS,   /* to the desk: an outbox, and how the loop is */
};

/* A domain's route, on its way to the owner of its site. */
struct crew_route {
    struct crew_route *next;
    struct route *route;
    uint64_t until_ms;
    uint32_t dns_ms;
    size_t domain_len;
    char domain[];
};

struct crew_post {
    struct uv_post post; /* first */
    enum crew_post_kind kind;
    unsigned from;             /* of news: the loop */
    struct buf bytes;          /* orders; or an outbox, whose notes are answers */
    struct crew_route *routes; /* with orders */
    struct crew_route **last_route;
    int64_t began_ms;             /* Unix time */
    struct knocker_counts counts; /* of news, as what follows */
    unsigned lost;                /* addresses that come to nothing: memory was short */
    bool is_idle;
    bool is_last; /* of its loop; of the above only the outbox is told */
};

/* An address to be asked. */
struct crew_order {
    uint64_t id;
    enum crew_order_kind { CREW_ORDER_NEW, CREW_ORDER_SENT, CREW_ORDER_SENT_BACK } kind;
    struct slice address;
};

/* What came of one. */
struct crew_answer {
    uint64_t id;
    bool is_asked;              /* false: it was cancelled */
    enum verdict_status status; /* of what was asked, as is: */
    struct slice result;
};

/* crew_post.c. NULL, ERR_NOMEM: no memory. */
struct crew_post *crew_post_new(enum crew_post_kind kind) MUST_USE;
void crew_post_free(struct crew_post *post);
enum err crew_order_put(struct crew_post *post, const struct crew_order *order) MUST_USE;
bool crew_order_take(struct slice *rest, struct crew_order *out);
enum err crew_route_put(struct crew_post *post, const struct knocker_errand *errand) MUST_USE;
/* What is gathered for each loop, by its index. The one for this loop, made where there is none. NULL: no memory. */
struct crew_post *crew_draft(struct crew_post **drafts, unsigned loop) MUST_USE;
void crew_drafts_send(struct crew *crew, struct crew_post **drafts);
void crew_drafts_drop(struct crew_post **drafts);
/* As a note of an outbox; room is for its making. */
enum err crew_answer_put(struct buf *outbox, struct buf *room, const struct crew_answer *answer)
    MUST_USE;
bool crew_answer_take(struct slice note, struct crew_answer *out);

/* What a loop's knocker_each_block told; its slices point into texts. */
struct crew_block {
    struct crew_block *next;
    struct knocker_block block;
    char texts[];
};

/* One loop. After start only its thread touches it, but for inbox. */
struct crew_loop {
    struct crew *crew;
    unsigned index;
    pthread_t thread;
    bool is_running;
    struct door *door;
    struct store *store; /* NULL: none */
    struct knocker *knocker;
    struct uv_mailbox *inbox;
    struct buf outbox, room, result;
    struct crew_post
        *drafts[CREW_LOOPS_MAX]; /* what is gathered for each other loop; NULL: nothing */
    struct timer ship;
    bool was_idle;             /* as the desk has heard, */
    unsigned waiting_told;     /* so many that wait too: they make room for others */
    unsigned lost;             /* addresses that there was no memory to speak of; not yet told */
    struct crew_block *blocks; /* collected when it stops */
};

/* crew_loop.c */
enum err crew_loop_open(struct crew_loop *loop, struct crew *crew, unsigned index,
                        struct fault *out_fault) MUST_USE;
enum err crew_loop_start(struct crew_loop *loop) MUST_USE; /* ERR_SYSTEM */
void crew_loop_join(struct crew_loop *loop);
void crew_loop_close(struct crew_loop *loop);

struct crew {
    struct crew_config config;
    struct door *desk;
    struct store *store;
    struct uv_mailbox *inbox;
    struct bulk *bulk;
    unsigned count;
    struct crew_loop loops[CREW_LOOPS_MAX];
    struct crew_post *drafts[CREW_LOOPS_MAX];
    struct knocker_counts counts[CREW_LOOPS_MAX]; /* as they last said */
    bool is_idle[CREW_LOOPS_MAX];
    struct crew_behind *behind; /* addresses that another process is asking */
    struct timer look;          /* when these are looked at again */
    uint64_t store_errors;
    bool is_stopped;
    void (*idle_fn)(void *context);
    void *idle_context;
};

#endif
