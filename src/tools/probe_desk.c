/* tools/probe_desk: a worker's loop runs in two places: in its thread's own function while it is idle, and inside
 * probe_run; posts come in either. One that gives it work, and one that calls it off, stop the loop and leave a word.
 *
 * A ticket is held by who asks, by the worker, and by the post that calls it off; the last one frees it. Its lock is
 * held while the functions of who asks run, so that none runs once probe_desk_leave has returned.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_desk.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "net/http_client.h"
#include "net/quiet_thread.h"
#include "net/uv_mailbox.h"
#include "tools/probe_report.h"

struct worker;

enum post_kind { POST_WORK, POST_CALL_OFF, POST_CLOSE };

struct post {
    struct uv_post post; /* first: it is found by it */
    enum post_kind kind;
    struct probe_ticket *ticket;
};

struct probe_ticket {
    struct post work, call_off;
    struct worker *worker;
    struct probe_order *order; /* the worker's */
    pthread_mutex_t lock;
    unsigned holds;
    bool is_begun, is_over;           /* it was answered */
    struct probe_desk_question asked; /* its functions NULL: nobody waits */
};

struct worker {
    struct probe_desk *desk;
    struct door *door;
    struct http_client *http;
    struct uv_mailbox *inbox;
    struct post close;
    struct timer limit;
    struct probe_ticket *ticket; /* under way; NULL: idle */
    bool is_called_off, is_closing;
    pthread_t thread;
    bool is_running;
    bool is_busy;   /* under the desk's lock */
    int64_t caller; /* the same: of what it is busy with */
};

struct probe_desk {
    pthread_mutex_t lock;
    uint64_t begun;
    unsigned worker_count;
    struct worker workers[];
};

static void lock(pthread_mutex_t *mutex)
{
    must(pthread_mutex_lock(mutex) == 0);
}

static void unlock(pthread_mutex_t *mutex)
{
    must(pthread_mutex_unlock(mutex) == 0);
}

static void release(struct probe_ticket *ticket)
{
    lock(&ticket->lock);
    bool is_last = --ticket->holds == 0;
    unlock(&ticket->lock);
    if (is_last) {
        must(pthread_mutex_destroy(&ticket->lock) == 0);
        probe_order_free(ticket->order);
        free(ticket);
    }
}

static void free_worker(struct worker *worker)
{
    lock(&worker->desk->lock);
    worker->is_busy = false;
    unlock(&worker->desk->lock);
}

/* ---- what who asks is told ---- */

static void on_said(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct probe_ticket *ticket = context;
    lock(&ticket->lock);
    if (ticket->asked.said != NULL) {
        ticket->asked.said(ticket->asked.context, t_ms, direction, line);
    }
    unlock(&ticket->lock);
}

static void on_moved(void *context, struct slice what)
{
    struct probe_ticket *ticket = context;
    lock(&ticket->lock);
    if (ticket->asked.moved != NULL) {
        ticket->asked.moved(ticket->asked.context, what);
    }
    unlock(&ticket->lock);
}

static void answer(struct probe_ticket *ticket, struct buf *json, const struct fault *fault)
{
    lock(&ticket->lock);
    ticket->is_over = true;
    if (ticket->asked.answered != NULL) {
        ticket->asked.answered(ticket->asked.context, json, fault);
    }
    ticket->asked = (struct probe_desk_question){0};
    unlock(&ticket->lock);
}

/* ---- the worker's thread ---- */

static void call_off(struct worker *worker)
{
    worker->is_called_off = true;
    door_stop(worker->door);
}

static void on_limit(void *context)
{
    call_off(context);
}

static void take(struct worker *worker, struct post *post)
{
    switch (post->kind) {
    case POST_WORK:
        worker->ticket = post->ticket;
        worker->is_called_off = false;
        door_stop(worker->door);
        return;
    case POST_CALL_OFF:
        if (worker->ticket == post->ticket) {
            call_off(worker);
        }
        release(post->ticket);
        return;
    case POST_CLOSE:
        worker->is_closing = true;
        call_off(worker);
        return;
    }
}

static void on_posts(void *context, struct uv_post *first)
{
    while (first != NULL) {
        struct post *post = (struct post *)(void *)first;
        first = first->next;
        take(context, post);
    }
}

/* What was found, as the answer's text. */
static enum err report(struct worker *worker, const struct probe_plan *plan,
                       const struct probe_result *result, struct buf *json, struct fault *out_fault)
{
    struct probe_findings *findings = malloc(sizeof *findings);
    if (findings == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    probe_judge(plan, result, door_wall_ms(worker->door) / 1000, findings);
    enum err e = probe_write_json(plan, result, findings, json);
    free(findings);
    return e == ERR_NONE
               ? e
               : fault_set(out_fault, e, 0, "%s",
                           e == ERR_LIMIT ? "too much was found for one report" : "out of memory");
}

static enum err probe(struct worker *worker, struct buf *json, struct fault *out_fault)
{
    struct probe_order *order = worker->ticket->order;
    struct probe_plan *plan = &order->plan;
    struct probe_result result;
    uint64_t random;
    plan->talk.observe = on_said;
    plan->talk.context = worker->ticket;
    plan->talk.is_called_off = &worker->is_called_off;
    plan->moved = on_moved;
    plan->http = worker->http;
    door_random_bytes(worker->door, &random, sizeof random);
    enum err e = probe_order_complete(order, door_wall_ms(worker->door) / 1000, random);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "%s",
                         e == ERR_LIMIT ? "the message is too large" : "out of memory");
    }
    e = probe_run(worker->door, plan, &result, out_fault);
    if (e == ERR_NONE) {
        e = report(worker, plan, &result, json, out_fault);
        probe_result_done(&result);
    }
    return e;
}

static void work(struct worker *worker)
{
    struct probe_ticket *ticket = worker->ticket;
    struct fault fault = {.err = ERR_NONE};
    struct buf json;
    buf_init(&json, PROBE_DESK_REPORT_BYTES);
    door_turn(worker->door); /* the clock may have stood still */
    worker->limit = (struct timer){.fired = on_limit, .context = worker};
    door_timer_start(worker->door, &worker->limit,
                     door_now_ms(worker->door) + ticket->order->limit_ms);
    enum err e = worker->is_called_off ? fault_set(&fault, ERR_CLOSED, 0, "called off")
                                       : probe(worker, &json, &fault);
    door_timer_stop(worker->door, &worker->limit);
    free_worker(
        worker); /* before: who has the answer may ask for the next. It waits until the loop runs again */
    answer(ticket, e == ERR_NONE ? &json : NULL, &fault);
    buf_done(&json);
    worker->ticket = NULL;
    release(ticket);
}

static void *run(void *context)
{
    struct worker *worker = context;
    while (!worker->is_closing) {
        if (worker->ticket != NULL) {
            work(worker);
        } else {
            door_run(worker->door);
        }
    }
    return NULL;
}

/* ---- opening and closing ---- */

static enum err open_worker(struct worker *worker, const struct probe_desk_config *config,
                            struct fault *out_fault)
{
    struct uv_door_config door = config->door;
    const struct http_client_config http = {.allowed_nets = config->allowed_nets,
                                            .allowed_net_count = config->allowed_net_count};
    door.wants_authentic = true; /* of TLSA records */
    worker->close = (struct post){.kind = POST_CLOSE};
    enum err e = uv_door_open(&door, &worker->door, out_fault);
    e = e != ERR_NONE ? e : http_client_open(worker->door, &http, &worker->http, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = uv_mailbox_open(worker->door, on_posts, worker, &worker->inbox);
    e = e != ERR_NONE ? e : quiet_thread_start(&worker->thread, run, worker);
    worker->is_running = e == ERR_NONE;
    return e != ERR_NONE ? fault_set(out_fault, e, 0, "cannot start a thread") : e;
}

enum err probe_desk_open(const struct probe_desk_config *config, struct probe_desk **out,
                         struct fault *out_fault)
{
    struct probe_desk *desk = calloc(1, sizeof *desk + config->workers * sizeof desk->workers[0]);
    if (desk == NULL || pthread_mutex_init(&desk->lock, NULL) != 0) {
        free(desk);
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    enum err e = ERR_NONE;
    desk->worker_count = config->workers;
    for (unsigned i = 0; i < config->workers && e == ERR_NONE; i++) {
        desk->workers[i].desk = desk;
        e = open_worker(&desk->workers[i], config, out_fault);
    }
    if (e != ERR_NONE) {
        probe_desk_close(desk);
        return e;
    }
    *out = desk;
    return ERR_NONE;
}

static void close_worker(struct worker *worker)
{
    if (worker->is_running) {
        must(pthread_join(worker->thread, NULL) == 0);
    }
    struct uv_post *next = worker->inbox == NULL ? NULL : uv_mailbox_take(worker->inbox);
    while (next != NULL) { /* came behind the word to close */
        struct post *post = (struct post *)(void *)next;
        next = next->next;
        release(post->ticket);
    }
    if (worker->ticket != NULL) { /* taken in the turn in which it was closed */
        release(worker->ticket);
    }
    http_client_close(worker->http);
    uv_mailbox_close(worker->inbox);
    uv_door_close(worker->door);
}

void probe_desk_close(struct probe_desk *desk)
{
    if (desk == NULL) {
        return;
    }
    for (unsigned i = 0; i < desk->worker_count; i++) {
        if (desk->workers[i].is_running) {
            uv_mailbox_post(desk->workers[i].inbox, &desk->workers[i].close.post);
        }
    }
    for (unsigned i = 0; i < desk->worker_count; i++) {
        close_worker(&desk->workers[i]);
    }
    must(pthread_mutex_destroy(&desk->lock) == 0);
    free(desk);
}

/* ---- who asks ---- */

/* The desk's lock is held. NULL: none is to be had. */
static struct worker *find_worker(struct probe_desk *desk, int64_t caller)
{
    struct worker *found = NULL;
    unsigned own = 0;
    for (unsigned i = 0; i < desk->worker_count; i++) {
        struct worker *worker = &desk->workers[i];
        own += worker->is_busy && worker->caller == caller ? 1 : 0;
        found = worker->is_busy ? found : worker;
    }
    unsigned own_max = (desk->worker_count + 1) / 2;
    return caller != 0 && own >= own_max ? NULL : found;
}

static struct worker *take_worker(struct probe_desk *desk, int64_t caller)
{
    lock(&desk->lock);
    struct worker *worker = find_worker(desk, caller);
    if (worker != NULL) {
        worker->is_busy = true;
        worker->caller = caller;
        desk->begun++;
    }
    unlock(&desk->lock);
    return worker;
}

enum err probe_desk_reserve(struct probe_desk *desk, int64_t caller, struct probe_ticket **out)
{
    struct probe_ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL || pthread_mutex_init(&ticket->lock, NULL) != 0) {
        free(ticket);
        return ERR_NOMEM;
    }
    ticket->holds = 1;
    ticket->worker = take_worker(desk, caller);
    if (ticket->worker == NULL) {
        release(ticket);
        return ERR_LIMIT;
    }
    *out = ticket;
    return ERR_NONE;
}

void probe_desk_begin(struct probe_ticket *ticket, const struct probe_desk_question *question)
{
    lock(&ticket->lock);
    ticket->work = (struct post){.kind = POST_WORK, .ticket = ticket};
    ticket->call_off = (struct post){.kind = POST_CALL_OFF, .ticket = ticket};
    ticket->order = question->order;
    ticket->asked = *question;
    ticket->is_begun = true;
    ticket->holds++;
    unlock(&ticket->lock);
    uv_mailbox_post(ticket->worker->inbox, &ticket->work.post);
}

void probe_desk_leave(struct probe_ticket *ticket)
{
    if (ticket == NULL) {
        return;
    }
    lock(&ticket->lock);
    bool is_begun = ticket->is_begun, is_open = is_begun && !ticket->is_over;
    ticket->asked = (struct probe_desk_question){0};
    ticket->holds += is_open ? 1 : 0; /* of the post */
    unlock(&ticket->lock);
    if (!is_begun) {
        free_worker(ticket->worker);
    } else if (is_open) {
        uv_mailbox_post(ticket->worker->inbox, &ticket->call_off.post);
    }
    release(ticket);
}

void probe_desk_count(struct probe_desk *desk, uint64_t *out_begun, unsigned *out_open)
{
    lock(&desk->lock);
    *out_begun = desk->begun;
    *out_open = 0;
    for (unsigned i = 0; i < desk->worker_count; i++) {
        *out_open += desk->workers[i].is_busy ? 1 : 0;
    }
    unlock(&desk->lock);
}
