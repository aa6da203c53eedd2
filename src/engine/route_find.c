/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/route_find.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/transport.h"

/* One question on its way. */
struct question {
    struct finder *finder;
    unsigned id;
};

/* A loop that is stopped leaves questions open, whose answers come later, at the latest when the door is closed: what
 * they point to lives until the last of them. */
struct finder {
    struct door *door;
    struct dns_lookup *lookup;
    struct question questions[DNS_LOOKUP_IDS]; /* by id */
    size_t open;                               /* of them */
    bool is_abandoned;
};

static void ask(struct finder *finder);

static void free_finder(struct finder *finder)
{
    dns_lookup_free(finder->lookup);
    free(finder);
}

static void on_answer(void *context, enum query_status status, struct slice message)
{
    struct question *question = context;
    struct finder *finder = question->finder;
    finder->open--;
    if (!finder->is_abandoned) {
        dns_lookup_answered(finder->lookup, question->id, transport_of(status), message);
        ask(finder);
    } else if (finder->open == 0) {
        free_finder(finder);
    }
}

static void ask(struct finder *finder)
{
    struct dns_question asked;
    while (dns_lookup_next(finder->lookup, &asked)) {
        struct question *question = &finder->questions[asked.id];
        *question = (struct question){finder, asked.id};
        finder->open++;
        door_query(finder->door, asked.name, asked.type, on_answer, question);
    }
    if (dns_lookup_is_done(finder->lookup)) {
        door_stop(finder->door);
    }
}

static enum err run_finder(struct finder *finder, struct route **out)
{
    ask(finder);
    if (!dns_lookup_is_done(finder->lookup)) {
        door_run(finder->door);
    }
    return dns_lookup_is_done(finder->lookup) ? dns_lookup_take(finder->lookup, out) : ERR_CLOSED;
}

enum err route_find(struct door *door, struct slice domain,
                    const struct dns_lookup_options *options, struct route **out)
{
    const struct dns_lookup_options usual = {
        .can_ipv4 = true, .can_ipv6 = true, .asks_ipv6_late = !door_has_ipv6(door)};
    struct finder *finder = calloc(1, sizeof *finder);
    if (finder == NULL) {
        return ERR_NOMEM;
    }
    finder->door = door;
    enum err e = dns_lookup_new(domain, options == NULL ? &usual : options, &finder->lookup);
    if (e == ERR_NONE) {
        e = run_finder(finder, out);
    }
    finder->is_abandoned = true;
    if (finder->open == 0) {
        free_finder(finder);
    }
    return e;
}

/* One question; the same holds for it. */
struct single {
    struct door *door;
    struct buf *bytes;
    enum query_status status;
    enum err err;
    bool is_answered, is_abandoned;
};

static void on_single(void *context, enum query_status status, struct slice message)
{
    struct single *single = context;
    if (single->is_abandoned) {
        free(single);
        return;
    }
    single->is_answered = true;
    single->status = status;
    single->err = buf_append(single->bytes, message);
    door_stop(single->door);
}

enum err route_ask(struct door *door, struct slice name, uint16_t type, struct buf *bytes,
                   struct dns_answer *out)
{
    char text[DNS_NAME_BYTES];
    if (name.len >= sizeof text) {
        return ERR_LIMIT;
    }
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    struct single *single = calloc(1, sizeof *single);
    if (single == NULL) {
        return ERR_NOMEM;
    }
    *single = (struct single){.door = door, .bytes = bytes};
    buf_clear(bytes);
    door_query(door, name, type, on_single, single);
    door_run(door);
    if (!single->is_answered) {
        single->is_abandoned = true;
        return ERR_CLOSED;
    }
    enum err e = single->err;
    if (e == ERR_NONE) {
        dns_answer_read(text, type, transport_of(single->status), buf_view(bytes), out);
    }
    free(single);
    return e;
}
