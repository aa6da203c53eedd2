/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/must.h"
#include "base/random.h"
#include "base/slice.h"

enum { ERRAND_MS_MAX = 20 };

/* An address on its way from one knocker to another, and the route that goes with it. */
struct errand {
    STAILQ_ENTRY(errand) link;
    struct knocker_errand said;
    struct route *route; /* NULL: the other has it */
    char texts[];
};
STAILQ_HEAD(errand_list, errand);

/* Of a question: an errand carries its context only. */
struct question {
    knocker_fn fn;
    void *context;
};

struct campaign_engine {
    struct door *door;
    struct random random;
    unsigned count;
    struct knocker *knockers[CAMPAIGN_LOOPS_MAX];
    struct errand_list errands;
    struct timer arrival;
};

static void on_answer(void *context, const struct record *record)
{
    struct question question = *(struct question *)context;
    free(context);
    question.fn(question.context, record);
}

/* Errands. */

static void send(void *context, const struct knocker_errand *said)
{
    struct campaign_engine *engine = context;
    struct errand *errand = malloc(sizeof *errand + said->text.len + said->domain.len);
    must(errand != NULL);
    errand->said = *said;
    memcpy(errand->texts, said->text.at, said->text.len);
    memcpy(errand->texts + said->text.len, said->domain.at, said->domain.len);
    errand->said.text = slice_make(errand->texts, said->text.len);
    errand->said.domain = slice_make(errand->texts + said->text.len, said->domain.len);
    errand->route = said->route == NULL ? NULL : route_copy(said->route);
    must(said->route == NULL || errand->route != NULL);
    STAILQ_INSERT_TAIL(&engine->errands, errand, link);
    if (engine->arrival.place == 0) {
        uint64_t after_ms = random_below(&engine->random, ERRAND_MS_MAX);
        door_timer_start(engine->door, &engine->arrival, door_now_ms(engine->door) + after_ms);
    }
}

static void deliver(struct campaign_engine *engine, const struct errand *errand)
{
    const struct knocker_errand *said = &errand->said;
    struct knocker *to = engine->knockers[said->to];
    if (errand->route != NULL) {
        knocker_learn_route(to, said->domain, errand->route, said->route_until_ms, said->dns_ms);
    }
    must(knocker_ask_sent(to, said->text, said->wants_route, on_answer, said->context) == ERR_NONE);
}

static void on_arrival(void *context)
{
    struct campaign_engine *engine = context;
    struct errand_list arrived = STAILQ_HEAD_INITIALIZER(arrived);
    STAILQ_CONCAT(&arrived, &engine->errands);
    while (!STAILQ_EMPTY(&arrived)) {
        struct errand *errand = STAILQ_FIRST(&arrived);
        STAILQ_REMOVE_HEAD(&arrived, link);
        deliver(engine, errand);
        free(errand);
    }
}

/* The engine. */

enum err campaign_engine_new(struct door *door, const struct knowledge *knowledge,
                             const struct knocker_config *config, struct store *store,
                             unsigned loops, struct campaign_engine **out)
{
    struct campaign_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        return ERR_NOMEM;
    }
    engine->door = door;
    if (loops > 1) {
        door_random_bytes(door, &engine->random.state, sizeof engine->random.state);
    }
    STAILQ_INIT(&engine->errands);
    engine->arrival = (struct timer){.fired = on_arrival, .context = engine};
    for (unsigned i = 0; i < loops; i++) {
        struct knocker_config one = *config;
        one.crew =
            (struct knocker_crew){.index = i, .count = loops, .send = send, .context = engine};
        if (knocker_new(door, knowledge, &one, store, &engine->knockers[i]) != ERR_NONE) {
            campaign_engine_free(engine);
            return ERR_NOMEM;
        }
        engine->count++;
    }
    *out = engine;
    return ERR_NONE;
}

void campaign_engine_free(struct campaign_engine *engine)
{
    door_timer_stop(engine->door, &engine->arrival);
    must(STAILQ_EMPTY(&engine->errands));
    for (unsigned i = 0; i < engine->count; i++) {
        knocker_free(engine->knockers[i]);
    }
    free(engine);
}

static struct knocker *scout_of(const struct campaign_engine *engine, struct slice text)
{
    struct slice domain = slice_sub(text, slice_find_last_byte(text, '@') + 1, text.len);
    return engine->knockers[knocker_scout(domain, engine->count)];
}

enum err campaign_engine_ask(struct campaign_engine *engine, struct slice text, knocker_fn fn,
                             void *context)
{
    struct question *question = malloc(sizeof *question);
    must(question != NULL);
    *question = (struct question){fn, context};
    return knocker_ask(scout_of(engine, text), text, on_answer, question);
}

void campaign_engine_cancel(struct campaign_engine *engine)
{
    on_arrival(engine);
    for (unsigned i = 0; i < engine->count; i++) {
        knocker_cancel(engine->knockers[i]);
    }
}

void campaign_engine_count(const struct campaign_engine *engine, struct knocker_counts *out)
{
    *out = (struct knocker_counts){0};
    for (unsigned i = 0; i < engine->count; i++) {
        struct knocker_counts one;
        knocker_count(engine->knockers[i], &one);
        knocker_counts_add(out, &one);
    }
}

struct knocker *campaign_engine_reader(struct campaign_engine *engine)
{
    return engine->knockers[0];
}

/* For lists. */

struct list_item {
    struct bulk *bulk;
    uint64_t id;
};

static void on_list_answer(void *context, const struct record *record)
{
    struct list_item item = *(struct list_item *)context;
    free(context);
    bulk_asked(item.bulk, item.id, record);
}

static enum err ask_item(void *context, struct bulk *bulk, const struct store_item *item)
{
    struct list_item *asked = malloc(sizeof *asked);
    must(asked != NULL);
    *asked = (struct list_item){bulk, item->id};
    return campaign_engine_ask(context, item->address, on_list_answer, asked);
}

static void cancel(void *context)
{
    campaign_engine_cancel(context);
}

static void began(void *context, int64_t wall_ms)
{
    const struct campaign_engine *engine = context;
    for (unsigned i = 0; i < engine->count; i++) {
        knocker_began_at(engine->knockers[i], wall_ms);
    }
}

static void count(void *context, struct knocker_counts *out)
{
    campaign_engine_count(context, out);
}

struct bulk_way campaign_engine_way(struct campaign_engine *engine)
{
    return (struct bulk_way){
        .context = engine, .ask = ask_item, .cancel = cancel, .began = began, .count = count};
}
