/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/queries.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/transport.h"

struct queries_one {
    TAILQ_ENTRY(queries_one) link;
    struct queries *queries; /* NULL: nobody waits any more */
    bool is_sent;
    uint16_t type;
    unsigned aliases; /* followed over several answers */
    char asked[DNS_NAME_BYTES], name[DNS_NAME_BYTES];
    queries_answer_fn answer_fn;   /* or */
    queries_message_fn message_fn; /* one of them */
    void *subject;
    size_t index;
};

void queries_init(struct queries *queries, struct door *door, unsigned at_once_max, void *owner,
                  void (*over)(void *owner))
{
    *queries =
        (struct queries){.door = door, .owner = owner, .over = over, .at_once_max = at_once_max};
    TAILQ_INIT(&queries->open);
}

static void send_waiting(struct queries *queries);

/* True: the end of a chain of aliases is asked about in place of this one. */
static bool goes_on(struct queries *queries, struct queries_one *query,
                    const struct dns_answer *answer)
{
    query->aliases += answer->aliases;
    if (answer->kind != DNS_ANSWER_CUT || query->aliases > DNS_ALIASES_MAX) {
        return false;
    }
    memcpy(query->name, answer->name, sizeof query->name);
    query->is_sent = false;
    TAILQ_INSERT_TAIL(&queries->open, query, link);
    return true;
}

static void tell_answer(struct queries *queries, struct queries_one *query,
                        struct dns_answer *answer)
{
    if (answer->kind == DNS_ANSWER_CUT) { /* a loop, or as good as one */
        answer->kind = DNS_ANSWER_ERROR;
        answer->failure = DNS_FAILURE_BROKEN;
    }
    answer->aliases = query->aliases;
    query->answer_fn(queries->owner, query->subject, query->index, query->asked, answer);
}

/* True: it goes on, for the end of a chain of aliases. */
static bool take_message(struct queries *queries, struct queries_one *query,
                         enum dns_transport transport, struct slice message)
{
    UNFILLED struct dns_answer answer;
    dns_answer_read(query->name, query->type, transport, message, &answer);
    if (goes_on(queries, query, &answer)) {
        return true;
    }
    tell_answer(queries, query, &answer);
    return false;
}

static void on_answer(void *context, enum query_status status, struct slice message)
{
    struct queries_one *query = context;
    struct queries *queries = query->queries;
    if (queries == NULL) {
        free(query);
        return;
    }
    enum dns_transport transport = transport_of(status);
    TAILQ_REMOVE(&queries->open, query, link);
    queries->sent--;
    if (query->message_fn != NULL) {
        query->message_fn(queries->owner, query->subject, query->index, transport, message);
    } else if (take_message(queries, query, transport, message)) {
        send_waiting(queries);
        return;
    }
    free(query);
    send_waiting(queries);
    queries->over(queries->owner);
}

static void send_waiting(struct queries *queries)
{
    struct queries_one *query;
    TAILQ_FOREACH(query, &queries->open, link)
    {
        if (queries->sent == queries->at_once_max) {
            return;
        }
        if (!query->is_sent) {
            query->is_sent = true;
            queries->sent++;
            door_query(queries->door, slice_of(query->name), query->type, on_answer, query);
        }
    }
}

/* The caller says where its answer goes, and sends it. NULL: too long a name, or no memory. */
static struct queries_one *add(struct queries *queries, struct slice name, uint16_t type,
                               void *subject, size_t index)
{
    struct queries_one *query = name.len < DNS_NAME_BYTES ? calloc(1, sizeof *query) : NULL;
    if (query == NULL) {
        return NULL;
    }
    query->queries = queries;
    query->type = type;
    query->subject = subject;
    query->index = index;
    for (size_t i = 0; i < name.len; i++) {
        query->name[i] = ascii_lower(name.at[i]); /* answers are compared so */
    }
    memcpy(query->asked, query->name, sizeof query->asked);
    queries->begun++;
    TAILQ_INSERT_TAIL(&queries->open, query, link);
    return query;
}

bool queries_put(struct queries *queries, struct slice name, uint16_t type, queries_answer_fn fn,
                 void *subject, size_t index)
{
    struct queries_one *query = add(queries, name, type, subject, index);
    if (query != NULL) {
        query->answer_fn = fn;
        send_waiting(queries);
    }
    return query != NULL;
}

bool queries_put_plain(struct queries *queries, struct slice name, uint16_t type,
                       queries_message_fn fn, void *subject, size_t index)
{
    struct queries_one *query = add(queries, name, type, subject, index);
    if (query != NULL) {
        query->message_fn = fn;
        send_waiting(queries);
    }
    return query != NULL;
}

void queries_drop(struct queries *queries)
{
    while (!TAILQ_EMPTY(&queries->open)) {
        struct queries_one *query = TAILQ_FIRST(&queries->open);
        TAILQ_REMOVE(&queries->open, query, link);
        query->queries = NULL;
        if (!query->is_sent) {
            free(query); /* others are freed with their answer */
        }
    }
}
