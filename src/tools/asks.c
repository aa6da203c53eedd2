/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/asks.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/transport.h"

struct asks_query {
    TAILQ_ENTRY(asks_query) link;
    struct asks *asks; /* NULL: nobody waits any more */
    bool is_sent;
    uint16_t type;
    unsigned aliases; /* followed over several answers */
    char asked[DNS_NAME_BYTES], name[DNS_NAME_BYTES];
    asks_fn fn;
    void *subject;
    size_t index;
};

void asks_init(struct asks *asks, struct door *door, unsigned at_once_max, void *owner,
               void (*over)(void *owner))
{
    *asks = (struct asks){.door = door, .owner = owner, .over = over, .at_once_max = at_once_max};
    TAILQ_INIT(&asks->queries);
}

static void send_waiting(struct asks *asks);

/* True: the end of a chain of aliases is asked about in place of this one. */
static bool asks_on(struct asks *asks, struct asks_query *query, const struct dns_answer *answer)
{
    query->aliases += answer->aliases;
    if (answer->kind != DNS_ANSWER_CUT || query->aliases > DNS_ALIASES_MAX) {
        return false;
    }
    memcpy(query->name, answer->name, sizeof query->name);
    query->is_sent = false;
    TAILQ_INSERT_TAIL(&asks->queries, query, link);
    return true;
}

static void on_answer(void *context, enum query_status status, struct slice message)
{
    struct asks_query *query = context;
    struct asks *asks = query->asks;
    if (asks == NULL) {
        free(query);
        return;
    }
    UNFILLED struct dns_answer answer;
    TAILQ_REMOVE(&asks->queries, query, link);
    asks->sent--;
    dns_answer_read(query->name, query->type, transport_of(status), message, &answer);
    if (asks_on(asks, query, &answer)) {
        send_waiting(asks);
        return;
    }
    if (answer.kind == DNS_ANSWER_CUT) { /* a loop, or as good as one */
        answer.kind = DNS_ANSWER_ERROR;
        answer.failure = DNS_FAILURE_BROKEN;
    }
    answer.aliases = query->aliases;
    query->fn(asks->owner, query->subject, query->index, query->asked, &answer);
    free(query);
    send_waiting(asks);
    asks->over(asks->owner);
}

static void send_waiting(struct asks *asks)
{
    struct asks_query *query;
    TAILQ_FOREACH(query, &asks->queries, link)
    {
        if (asks->sent == asks->at_once_max) {
            return;
        }
        if (!query->is_sent) {
            query->is_sent = true;
            asks->sent++;
            door_query(asks->door, slice_of(query->name), query->type, on_answer, query);
        }
    }
}

bool asks_put(struct asks *asks, struct slice name, uint16_t type, asks_fn fn, void *subject,
              size_t index)
{
    struct asks_query *query = name.len < DNS_NAME_BYTES ? calloc(1, sizeof *query) : NULL;
    if (query == NULL) {
        return false;
    }
    query->asks = asks;
    query->type = type;
    query->fn = fn;
    query->subject = subject;
    query->index = index;
    for (size_t i = 0; i < name.len; i++) {
        query->name[i] = ascii_lower(name.at[i]); /* answers are compared so */
    }
    memcpy(query->asked, query->name, sizeof query->asked);
    asks->begun++;
    TAILQ_INSERT_TAIL(&asks->queries, query, link);
    send_waiting(asks);
    return true;
}

void asks_drop(struct asks *asks)
{
    while (!TAILQ_EMPTY(&asks->queries)) {
        struct asks_query *query = TAILQ_FIRST(&asks->queries);
        TAILQ_REMOVE(&asks->queries, query, link);
        query->asks = NULL;
        if (!query->is_sent) {
            free(query); /* others are freed with their answer */
        }
    }
}
