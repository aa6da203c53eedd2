/* tools/health_desk: a ticket is shared by who asks and the desk: each gives up its hold, and the last one frees it. Its
 * lock is held while answered() runs, so that it does not run once health_desk_leave has returned.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/health_desk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/knowledge.h"
#include "net/quiet_thread.h"
#include "net/uv_mailbox.h"
#include "tools/health.h"
#include "tools/health_report.h"

enum { SELECTORS_BYTES_MAX = 1 << 20, GIVEN_MAX = 32, DNS_PORT = 53, LIMIT_MS = 30000 };

struct health_ticket {
    struct uv_post post; /* on its way to the desk */
    TAILQ_ENTRY(health_ticket) link;
    struct health_desk *desk;
    char domain[DNS_NAME_BYTES];
    char selectors[HEALTH_DESK_SELECTORS_BYTES];
    struct slice given[GIVEN_MAX];
    size_t given_count;
    bool no_smtp;
    struct health *health;
    struct timer end; /* frees it, when its health calls nothing any more */
    pthread_mutex_t lock;
    unsigned holds;
    void (*answered)(void *context, struct buf *json); /* NULL: nobody waits */
    void *context;
};

struct health_desk {
    struct health_config config;
    struct buf selectors;
    struct blocklist_book *lists;
    struct public_suffix *suffixes;
    struct door *door;
    struct http_client *http;
    struct uv_mailbox *inbox;
    struct uv_post stop;
    pthread_t thread;
    bool is_running;
    atomic_uint open;
    TAILQ_HEAD(, health_ticket) tickets;
};

static void release(struct health_ticket *ticket)
{
    must(pthread_mutex_lock(&ticket->lock) == 0);
    bool is_last = --ticket->holds == 0;
    must(pthread_mutex_unlock(&ticket->lock) == 0);
    if (is_last) {
        must(pthread_mutex_destroy(&ticket->lock) == 0);
        free(ticket);
    }
}

static void answer(struct health_ticket *ticket, struct buf *json)
{
    must(pthread_mutex_lock(&ticket->lock) == 0);
    if (ticket->answered != NULL) {
        ticket->answered(ticket->context, json);
        ticket->answered = NULL;
    }
    must(pthread_mutex_unlock(&ticket->lock) == 0);
}

/* ---- the desk's thread ---- */

static void drop(struct health_ticket *ticket)
{
    struct health_desk *desk = ticket->desk;
    TAILQ_REMOVE(&desk->tickets, ticket, link);
    door_timer_stop(desk->door, &ticket->end);
    health_free(ticket->health);
    atomic_fetch_sub(&desk->open, 1);
    release(ticket);
}

static void on_end(void *context)
{
    drop(context);
}

static void on_done(void *context)
{
    struct health_ticket *ticket = context;
    struct health_report *report = calloc(1, sizeof *report);
    struct health_facts *facts = health_facts(ticket->health);
    struct buf json;
    buf_init(&json, HEALTH_REPORT_BYTES_MAX);
    bool is_written = report != NULL && health_judge(facts, report) == ERR_NONE &&
                      health_write_json(facts, report, &json) == ERR_NONE;
    answer(ticket, is_written ? &json : NULL);
    buf_done(&json);
    free(report);
    door_timer_start(ticket->desk->door, &ticket->end, door_now_ms(ticket->desk->door));
}

static void take(struct health_desk *desk, struct health_ticket *ticket)
{
    struct health_config config = desk->config;
    TAILQ_INSERT_TAIL(&desk->tickets, ticket, link);
    config.given = ticket->given;
    config.given_count = ticket->given_count;
    config.port = ticket->no_smtp ? 0 : config.port;
    ticket->end = (struct timer){.fired = on_end, .context = ticket};
    if (health_new(desk->door, &config, slice_of(ticket->domain), ticket, &ticket->health) !=
        ERR_NONE) {
        answer(ticket, NULL);
        drop(ticket);
    }
}

static void on_posts(void *context, struct uv_post *first)
{
    struct health_desk *desk = context;
    while (first != NULL) {
        struct uv_post *post = first;
        first = first->next;
        if (post == &desk->stop) {
            door_stop(desk->door);
        } else {
            take(desk, (struct health_ticket *)(void *)post);
        }
    }
}

static void *run(void *context)
{
    struct health_desk *desk = context;
    door_run(desk->door);
    return NULL;
}

/* ---- opening and closing ---- */

static enum err open_parts(struct health_desk *desk, const struct health_desk_config *config,
                           struct fault *out_fault)
{
    struct uv_door_config door = config->door;
    const struct http_client_config http = {.allowed_nets = config->allowed_nets,
                                            .allowed_net_count = config->allowed_net_count};
    door.wants_authentic = true;
    enum err e = knowledge_selectors_read(config->data_dir, &desk->selectors, out_fault);
    e = e != ERR_NONE ? e : knowledge_blocklists_open(config->data_dir, &desk->lists, out_fault);
    e = e != ERR_NONE ? e : public_suffix_open(NULL, &desk->suffixes, out_fault);
    e = e != ERR_NONE ? e : uv_door_open(&door, &desk->door, out_fault);
    e = e != ERR_NONE ? e : http_client_open(desk->door, &http, &desk->http, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = uv_mailbox_open(desk->door, on_posts, desk, &desk->inbox);
    return e != ERR_NONE ? fault_set(out_fault, e, 0, "cannot ask about domains: %s", err_name(e))
                         : e;
}

enum err health_desk_open(const struct health_desk_config *config, struct health_desk **out,
                          struct fault *out_fault)
{
    struct health_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    TAILQ_INIT(&desk->tickets);
    buf_init(&desk->selectors, SELECTORS_BYTES_MAX);
    enum err e = open_parts(desk, config, out_fault);
    if (e == ERR_NONE) {
        desk->config = (struct health_config){
            .rules = config->rules,
            .lists = desk->lists,
            .suffixes = desk->suffixes,
            .allowed_nets = config->allowed_nets,
            .allowed_net_count = config->allowed_net_count,
            .helo = config->helo,
            .source_v4 = config->source_v4,
            .source_v6 = config->source_v6,
            .port = config->port,
            .ns_port = DNS_PORT,
            .http = desk->http,
            .selectors = buf_view(&desk->selectors),
            .limit_ms = LIMIT_MS,
            .done = on_done,
        };
        e = quiet_thread_start(&desk->thread, run, desk);
        desk->is_running = e == ERR_NONE;
        e = e != ERR_NONE ? fault_set(out_fault, e, 0, "cannot start a thread") : e;
    }
    if (e != ERR_NONE) {
        health_desk_close(desk);
        return e;
    }
    *out = desk;
    return ERR_NONE;
}

void health_desk_close(struct health_desk *desk)
{
    if (desk == NULL) {
        return;
    }
    if (desk->is_running) {
        uv_mailbox_post(desk->inbox, &desk->stop);
        must(pthread_join(desk->thread, NULL) == 0);
    }
    struct uv_post *post = desk->inbox == NULL ? NULL : uv_mailbox_take(desk->inbox);
    while (post != NULL) { /* came behind the stop */
        struct health_ticket *ticket = (struct health_ticket *)(void *)post;
        post = post->next;
        release(ticket);
    }
    while (!TAILQ_EMPTY(&desk->tickets)) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself out of the list */
        drop(TAILQ_FIRST(&desk->tickets));
    }
    uv_mailbox_close(desk->inbox);
    http_client_close(desk->http);
    uv_door_close(desk->door);
    blocklist_book_free(desk->lists);
    public_suffix_close(desk->suffixes);
    buf_done(&desk->selectors);
    free(desk);
}

/* ---- who asks ---- */

static struct health_ticket *new_ticket(struct health_desk *desk,
                                        const struct health_desk_question *question)
{
    struct health_ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL || pthread_mutex_init(&ticket->lock, NULL) != 0) {
        free(ticket);
        return NULL;
    }
    size_t len = question->selectors.len < sizeof ticket->selectors ? question->selectors.len
                                                                    : sizeof ticket->selectors;
    memcpy(ticket->selectors, question->selectors.at, len);
    struct slice rest = slice_make(ticket->selectors, len);
    while (len > 0 && rest.at != NULL && ticket->given_count < GIVEN_MAX) {
        ticket->given[ticket->given_count++] = slice_trim(slice_cut(&rest, ','));
    }
    (void)snprintf(ticket->domain, sizeof ticket->domain, "%s", question->domain);
    ticket->desk = desk;
    ticket->no_smtp = question->no_smtp;
    ticket->answered = question->answered;
    ticket->context = question->context;
    ticket->holds = 2;
    return ticket;
}

enum err health_desk_ask(struct health_desk *desk, const struct health_desk_question *question,
                         struct health_ticket **out)
{
    if (atomic_fetch_add(&desk->open, 1) >= HEALTH_DESK_OPEN_MAX) {
        atomic_fetch_sub(&desk->open, 1);
        return ERR_LIMIT;
    }
    struct health_ticket *ticket = new_ticket(desk, question);
    if (ticket == NULL) {
        atomic_fetch_sub(&desk->open, 1);
        return ERR_NOMEM;
    }
    *out = ticket;
    uv_mailbox_post(desk->inbox, &ticket->post);
    return ERR_NONE;
}

void health_desk_leave(struct health_ticket *ticket)
{
    if (ticket == NULL) {
        return;
    }
    must(pthread_mutex_lock(&ticket->lock) == 0);
    ticket->answered = NULL;
    must(pthread_mutex_unlock(&ticket->lock) == 0);
    release(ticket);
}
