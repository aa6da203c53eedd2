/* engine/crew_loop: one thread of a crew: takes orders, has its knocker ask them, sends on what belongs to another
 * loop, and tells the desk what came of it. What is gathered goes out together, a moment later.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/bulk_private.h"
#include "engine/crew_private.h"

enum {
    SHIP_MS = 2,        /* what is gathered waits so long for company */
    SHIP_IDLE_MS = 250, /* what the desk is told without a reason */
    RESULT_BYTES = BULK_RESULT_BYTES + 64,
};

/* One address on its way. */
struct loop_item {
    struct crew_loop *loop;
    uint64_t id;
};

static void on_ship(void *context);

static void ship_by(struct crew_loop *loop, uint64_t wait_ms)
{
    uint64_t due_ms = door_now_ms(loop->door) + wait_ms;
    if (loop->ship.place == 0 || due_ms < loop->ship.due_ms) {
        loop->ship.fired = on_ship;
        loop->ship.context = loop;
        door_timer_start(loop->door, &loop->ship, due_ms);
    }
}

static bool is_idle(const struct knocker_counts *counts)
{
    return counts->asked == counts->answered && counts->talking == 0;
}

/* What was gathered goes with the message; where there is no memory for one it waits for the next. counts NULL: the
 * knocker is gone. */
static void ship_news(struct crew_loop *loop, const struct knocker_counts *counts)
{
    struct crew_post *post = crew_post_new(CREW_NEWS);
    if (post == NULL) {
        return;
    }
    post->from = loop->index;
    post->bytes = loop->outbox;
    buf_init(&loop->outbox, STORE_OUTBOX_BYTES_MAX);
    post->lost = loop->lost;
    loop->lost = 0;
    post->is_last = counts == NULL;
    if (counts != NULL) {
        post->counts = *counts;
        loop->waiting_told = counts->waiting;
        post->is_idle = loop->was_idle = is_idle(counts);
    }
    uv_mailbox_post(loop->crew->inbox, &post->post);
}

static void ship(struct crew_loop *loop)
{
    crew_drafts_send(loop->crew, loop->drafts);
    struct knocker_counts counts;
    knocker_count(loop->knocker, &counts);
    if (loop->outbox.len > 0 || loop->lost > 0 || loop->was_idle != is_idle(&counts) ||
        loop->waiting_told != counts.waiting) {
        ship_news(loop, &counts);
    }
}

static void on_ship(void *context)
{
    struct crew_loop *loop = context;
    ship(loop);
    ship_by(loop, SHIP_IDLE_MS);
}

static void on_idle(void *context)
{
    ship_by(context, SHIP_MS);
}

/* Orders. */

static void on_answer(void *context, const struct record *record)
{
    struct loop_item item = *(struct loop_item *)context;
    struct crew_loop *loop = item.loop;
    free(context);
    struct crew_answer answer = {.id = item.id};
    enum err e = ERR_NONE;
    buf_clear(&loop->result);
    if (!bulk_was_cancelled(record)) {
        e = table_result_write(loop->crew->config.output_format, record, &loop->result);
        answer.is_asked = true;
        answer.status = record->status;
        answer.result = buf_view(&loop->result);
    }
    e = e == ERR_NONE ? crew_answer_put(&loop->outbox, &loop->room, &answer) : e;
    loop->lost += e == ERR_NONE ? 0 : 1;
    ship_by(loop, SHIP_MS);
}

static void obey(struct crew_loop *loop, const struct crew_order *order)
{
    struct loop_item *item = malloc(sizeof *item);
    enum err e = item == NULL ? ERR_NOMEM : ERR_NONE;
    if (e == ERR_NONE) {
        *item = (struct loop_item){loop, order->id};
        e = order->kind == CREW_ORDER_NEW
                ? knocker_ask(loop->knocker, order->address, on_answer, item)
                : knocker_ask_sent(loop->knocker, order->address,
                                   order->kind == CREW_ORDER_SENT_BACK, on_answer, item);
    }
    if (e != ERR_NONE) {
        free(item);
        loop->lost++;
        ship_by(loop, SHIP_MS);
    }
}

static void take_orders(struct crew_loop *loop, struct crew_post *post)
{
    while (post->routes != NULL) {
        struct crew_route *route = post->routes;
        post->routes = route->next;
        knocker_learn_route(loop->knocker, slice_make(route->domain, route->domain_len),
                            route->route, route->until_ms, route->dns_ms);
        route->route = NULL;
        free(route);
    }
    struct slice rest = buf_view(&post->bytes);
    struct crew_order order;
    while (crew_order_take(&rest, &order)) {
        obey(loop, &order);
    }
    ship_by(loop, SHIP_IDLE_MS);
}

/* An address that belongs to another loop. */
static void send(void *context, const struct knocker_errand *errand)
{
    struct crew_loop *loop = context;
    struct loop_item *item = errand->context;
    struct crew_post *draft = crew_draft(loop->drafts, errand->to);
    const struct crew_order order = {
        .id = item->id,
        .kind = errand->wants_route ? CREW_ORDER_SENT_BACK : CREW_ORDER_SENT,
        .address = errand->text,
    };
    free(item);
    bool is_sent = draft != NULL &&
                   (errand->route == NULL || crew_route_put(draft, errand) == ERR_NONE) &&
                   crew_order_put(draft, &order) == ERR_NONE;
    loop->lost += is_sent ? 0 : 1;
    ship_by(loop, SHIP_MS);
}

/* The end. */

static void keep_block(void *context, const struct knocker_block *block)
{
    struct crew_loop *loop = context;
    struct crew_block *kept = malloc(sizeof *kept + block->who.len + block->said.len);
    if (kept == NULL) {
        return;
    }
    kept->block = *block;
    memcpy(kept->texts, block->who.at, block->who.len);
    if (block->said.len > 0) {
        memcpy(kept->texts + block->who.len, block->said.at, block->said.len);
    }
    kept->block.who = slice_make(kept->texts, block->who.len);
    kept->block.said = slice_make(kept->texts + block->who.len, block->said.len);
    kept->next = loop->blocks;
    loop->blocks = kept;
}

/* What sites and ways out have learned is kept when the knocker goes; that is shipped too. */
static void stop(struct crew_loop *loop)
{
    knocker_each_block(loop->knocker, keep_block, loop);
    ship(loop);
    knocker_free(loop->knocker);
    loop->knocker = NULL;
    ship_news(loop, NULL);
    door_timer_stop(loop->door, &loop->ship);
    door_stop(loop->door);
}

static void on_posts(void *context, struct uv_post *first)
{
    struct crew_loop *loop = context;
    while (first != NULL) {
        struct crew_post *post = (struct crew_post *)(void *)first;
        first = first->next;
        switch (post->kind) {
        case CREW_ORDERS: take_orders(loop, post); break;
        case CREW_BEGAN: knocker_began_at(loop->knocker, post->began_ms); break;
        case CREW_CANCEL: knocker_cancel(loop->knocker); break;
        case CREW_STOP: stop(loop); break;
        case CREW_NEWS: break; /* the desk's only */
        }
        crew_post_free(post);
    }
}

static void *run(void *context)
{
    struct crew_loop *loop = context;
    door_run(loop->door);
    return NULL;
}

enum err crew_loop_open(struct crew_loop *loop, struct crew *crew, unsigned index,
                        struct fault *out_fault)
{
    const struct crew_config *config = &crew->config;
    loop->crew = crew;
    loop->index = index;
    loop->was_idle = true;
    buf_init(&loop->outbox, STORE_OUTBOX_BYTES_MAX);
    buf_init(&loop->room, RESULT_BYTES);
    buf_init(&loop->result, RESULT_BYTES);
    struct knocker_config knocker = *config->knocker;
    knocker.crew = (struct knocker_crew){
        .index = index, .count = crew->count, .send = send, .context = loop, .has_claims = true};
    enum err e = uv_door_open(config->door, &loop->door, out_fault);
    if (e == ERR_NONE && config->store_path != NULL) {
        e = store_courier_open(config->store_path, &loop->outbox, &loop->store, out_fault);
    }
    if (e != ERR_NONE) {
        return e;
    }
    e = knocker_new(loop->door, config->knowledge, &knocker, loop->store, &loop->knocker);
    e = e == ERR_NONE ? uv_mailbox_open(loop->door, on_posts, loop, &loop->inbox) : e;
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "cannot make a loop: %s", err_name(e));
    }
    knocker_on_idle(loop->knocker, on_idle, loop);
    return ERR_NONE;
}

enum err crew_loop_start(struct crew_loop *loop)
{
    enum err e = quiet_thread_start(&loop->thread, run, loop);
    loop->is_running = e == ERR_NONE;
    return e;
}

void crew_loop_join(struct crew_loop *loop)
{
    if (loop->is_running) {
        loop->is_running = false;
        (void)pthread_join(loop->thread, NULL);
    }
}

static void free_posts(struct uv_mailbox *mailbox)
{
    struct uv_post *first = mailbox == NULL ? NULL : uv_mailbox_take(mailbox);
    while (first != NULL) {
        struct uv_post *next = first->next;
        crew_post_free((struct crew_post *)(void *)first);
        first = next;
    }
}

void crew_loop_close(struct crew_loop *loop)
{
    crew_drafts_drop(loop->drafts);
    free_posts(loop->inbox);
    knocker_free(loop->knocker);
    uv_mailbox_close(loop->inbox);
    uv_door_close(loop->door);
    store_close(loop->store);
    while (loop->blocks != NULL) {
        struct crew_block *next = loop->blocks->next;
        free(loop->blocks);
        loop->blocks = next;
    }
    buf_done(&loop->outbox);
    buf_done(&loop->room);
    buf_done(&loop->result);
}
