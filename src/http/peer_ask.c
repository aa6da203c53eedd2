/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "engine/record_json.h"
#include "engine/service.h"
#include "http/api.h"
#include "http/peer.h"
#include "http/server_private.h"
#include "http/stored.h"

static void on_leave(void *state)
{
    struct peer_questions *questions = state;
    for (size_t i = 0; i < questions->count; i++) {
        struct service_ticket *ticket = questions->slots[i].ticket;
        questions->slots[i].ticket = NULL;
        if (ticket != NULL) {
            service_leave(ticket);
        }
    }
}

static void on_free(void *state)
{
    struct peer_questions *questions = state;
    on_leave(questions);
    for (size_t i = 0; i < questions->count; i++) {
        buf_done(&questions->slots[i].answer);
    }
    free(questions);
}

static const struct http_state_ops state_ops = {.leave = on_leave, .free = on_free};

/* One question less is open; the last one answers the request. */
static void close_one(struct peer_questions *questions)
{
    struct buf out;
    if (atomic_fetch_sub(&questions->open, 1) > 1) {
        return;
    }
    buf_init(&out, (questions->count + 1) * PEER_ANSWER_BYTES_MAX);
    if (questions->peer->join(questions, &out) == ERR_NONE) {
        http_answer_json(questions->request, 200, &out);
    } else {
        http_refuse(questions->request, PROBLEM_INTERNAL, "no memory for the answer");
    }
    buf_done(&out);
}

static void write_answer(struct peer_slot *slot, const struct record *record)
{
    if (slot->all->peer->write(record, &slot->answer) != ERR_NONE) {
        buf_clear(&slot->answer);
    }
}

static void on_answer(void *context, const struct record *record, bool is_pending)
{
    struct peer_slot *slot = context;
    (void)is_pending; /* none of them has a word for it: what is known by then is the answer */
    write_answer(slot, record);
    close_one(slot->all);
}

static bool find_cached(struct service *service, struct peer_slot *slot)
{
    struct service_cached cached;
    struct buf json;
    struct record record;
    buf_init(&json, PEER_ANSWER_BYTES_MAX);
    bool is_found = service_find_cached(service, slot->address, &json, &cached) &&
                    record_read_json(buf_view(&json), &record) == ERR_NONE;
    if (is_found) {
        write_answer(slot, &record);
        record_done(&record);
    }
    buf_done(&json);
    return is_found;
}

static void ask_one(struct service *service, struct peer_slot *slot, uint32_t timeout_ms)
{
    struct service_question question = {
        .address = slot->address, .timeout_ms = timeout_ms, .answered = on_answer, .context = slot};
    if (find_cached(service, slot) || service_ask(service, &question, &slot->ticket) != ERR_NONE) {
        close_one(slot->all);
    }
}

void peer_ask(struct http_request *request, const struct peer *peer, uint32_t timeout_ms,
              const struct slice *addresses, size_t count)
{
    struct service *service = request->api->service;
    if (!http_has_service(request)) {
        return;
    }
    struct peer_questions *questions =
        calloc(1, sizeof *questions + count * sizeof *questions->slots);
    if (questions == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "no memory for the questions");
        return;
    }
    questions->request = request;
    questions->peer = peer;
    questions->began_ms = http_now_ms();
    questions->count = count;
    atomic_init(&questions->open, count + 1);
    for (size_t i = 0; i < count; i++) {
        questions->slots[i] = (struct peer_slot){.all = questions, .address = addresses[i]};
        buf_init(&questions->slots[i].answer, PEER_ANSWER_BYTES_MAX);
    }
    request->state = questions;
    request->state_ops = &state_ops;
    if (!http_hold(request)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        ask_one(service, &questions->slots[i], timeout_ms > 0 ? timeout_ms : peer->timeout_ms);
    }
    close_one(questions); /* the one of this loop: nothing was answered before all was asked */
}
