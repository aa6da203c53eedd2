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

struct finder {
    struct door *door;
    struct dns_lookup *lookup;
    struct question questions[DNS_LOOKUP_IDS]; /* by id */
};

static void ask(struct finder *finder);

static void on_answer(void *context, enum query_status status, struct slice message)
{
    struct question *question = context;
    struct finder *finder = question->finder;
    dns_lookup_answered(finder->lookup, question->id, transport_of(status), message);
    ask(finder);
}

static void ask(struct finder *finder)
{
    struct dns_question asked;
    while (dns_lookup_next(finder->lookup, &asked)) {
        struct question *question = &finder->questions[asked.id];
        *question = (struct question){finder, asked.id};
        door_query(finder->door, asked.name, asked.type, on_answer, question);
    }
    if (dns_lookup_is_done(finder->lookup)) {
        door_stop(finder->door);
    }
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
        ask(finder);
        if (!dns_lookup_is_done(finder->lookup)) {
            door_run(door);
        }
        e = dns_lookup_take(finder->lookup, out);
    }
    dns_lookup_free(finder->lookup);
    free(finder);
    return e;
}

struct single {
    struct door *door;
    struct buf *bytes;
    enum query_status status;
    enum err err;
};

static void on_single(void *context, enum query_status status, struct slice message)
{
    struct single *single = context;
    single->status = status;
    single->err = buf_append(single->bytes, message);
    door_stop(single->door);
}

enum err route_ask(struct door *door, struct slice name, uint16_t type, struct buf *bytes,
                   struct dns_answer *out)
{
    char text[DNS_NAME_BYTES];
    struct single single = {.door = door, .bytes = bytes};
    if (name.len >= sizeof text) {
        return ERR_LIMIT;
    }
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    buf_clear(bytes);
    door_query(door, name, type, on_single, &single);
    door_run(door);
    if (single.err == ERR_NONE) {
        dns_answer_read(text, type, transport_of(single.status), buf_view(bytes), out);
    }
    return single.err;
}
