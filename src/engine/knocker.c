/* engine/knocker: takes questions, shares one probe between those that ask the same, gives answers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/knocker.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "address/normal.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "engine/outdated.h"
#include "engine/record_json.h"

static const struct traffic_egress plain_egress = {
    .name = SLICE_LITERAL("default"),
    .helo_name = SLICE_LITERAL(KNOCKER_HELO),
    .weight = 1,
};

void knocker_config_init(struct knocker_config *out)
{
    *out = (struct knocker_config){
        .verify = {.null_sender_first = true,
                   .retry_temporary = true,
                   .risky_if = VERIFY_RISKY_DISPOSABLE},
        .address_mode = HEL_ADDRESS_PRACTICAL,
        .egresses = &plain_egress,
        .egress_count = 1,
        .port = KNOCKER_PORT,
        /* RFC 5321 4.5.3.2 allows minutes; probing scales that down to what real servers need: slow
         * banners take 30 s, callouts behind RCPT about as long. */
        .timeout_ms = {[HEL_SMTP_CONNECT] = 10000,
                       [HEL_SMTP_BANNER] = 35000,
                       [HEL_SMTP_EHLO] = 30000,
                       [HEL_SMTP_STARTTLS] = 20000,
                       [HEL_SMTP_MAIL] = 30000,
                       [HEL_SMTP_RCPT] = 45000,
                       [HEL_SMTP_DATA] = 30000,
                       [HEL_SMTP_BODY] = 60000,
                       [HEL_SMTP_RSET] = 15000,
                       [HEL_SMTP_QUIT] = 2000},
        .budget_ms = 120000,
        .is_budget_wall_clock = true,
        .flush_ms = 200,
        .queue_wait_ms_max = 300000,
        .connections_max = 500,
        .park_ms_min = 2000,
    };
}

/* Lists. */

void ask_link(struct ask *ask, struct ask_list *list, enum ask_place place, bool is_first)
{
    must(ask->place == ASK_NOWHERE);
    if (is_first) {
        TAILQ_INSERT_HEAD(list, ask, link);
    } else {
        TAILQ_INSERT_TAIL(list, ask, link);
    }
    ask->place = place;
}

void ask_unlink(struct ask *ask)
{
    switch (ask->place) {
    case ASK_NOWHERE: return;
    case ASK_READY: TAILQ_REMOVE(&ask->knocker->ready, ask, link); break;
    case ASK_DOMAIN: TAILQ_REMOVE(&ask->domain->waiting, ask, link); break;
    case ASK_QUEUE:
    case ASK_ASKED: site_remove(ask); break;
    case ASK_HELD: TAILQ_REMOVE(&ask->work->holder->held, ask, link); break;
    }
    ask->place = ASK_NOWHERE;
}

void knocker_make_ready(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    if (ask->place == ASK_READY) {
        return;
    }
    ask_unlink(ask);
    ask_link(ask, &knocker->ready, ASK_READY, false);
    if (knocker->turn.place == 0 && !knocker->is_turning) {
        door_timer_start(knocker->door, &knocker->turn, door_now_ms(knocker->door));
    }
}

static void on_turn(void *context)
{
    struct knocker *knocker = context;
    knocker->is_turning = true;
    while (!TAILQ_EMPTY(&knocker->ready)) {
        struct ask *ask = TAILQ_FIRST(&knocker->ready);
        ask_unlink(ask);
        ask_step(ask);
    }
    knocker->is_turning = false;
}

/* The store. */

void knocker_flush(struct knocker *knocker)
{
    struct fault fault;
    door_timer_stop(knocker->door, &knocker->flush);
    if (knocker->store == NULL) {
        return;
    }
    if (store_flush(knocker->store, &fault) != ERR_NONE) {
        knocker->counts.store_errors++;
    }
}

static void on_flush(void *context)
{
    knocker_flush(context);
}

void knocker_wrote(struct knocker *knocker)
{
    if (knocker->flush.place == 0) {
        door_timer_start(knocker->door, &knocker->flush,
                         door_now_ms(knocker->door) + knocker->config.flush_ms);
    }
}

/* With nothing more to answer there is time now, while lines wait for the answer to QUIT. */
static void flush_if_free(struct knocker *knocker)
{
    bool is_free = knocker->counts.asked == knocker->counts.answered;
    if (is_free && knocker->flush.place != 0) {
        door_timer_start(knocker->door, &knocker->flush, door_now_ms(knocker->door));
    }
}

enum err knocker_leave_store(struct knocker *knocker, struct fault *out_fault)
{
    must(knocker->counts.asked == knocker->counts.answered);
    struct store *store = knocker->store;
    if (store == NULL) {
        return ERR_NONE;
    }
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->sites, &cursor, &key, &value)) {
        egress_site_save(value);
    }
    egress_pool_save(knocker);
    door_timer_stop(knocker->door, &knocker->flush);
    knocker->store = NULL;
    return store_flush(store, out_fault);
}

void knocker_leave_lists(struct knocker *knocker)
{
    must(knocker->counts.asked == knocker->counts.answered);
    list_reader_done(&knocker->lists);
}

static void release_claim(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    if (!ask->has_claim) {
        return;
    }
    ask->has_claim = false;
    char key[KNOCKER_KEY_BYTES];
    if (store_claim_release(knocker->store, ask_store_key(ask, key)) != ERR_NONE) {
        knocker->counts.store_errors++; /* it ends with this process */
    }
    knocker_wrote(knocker);
}

uint64_t knocker_traffic_ms(const struct knocker *knocker)
{
    return door_now_ms(knocker->door) + knocker->calendar_ms;
}

uint64_t knocker_door_ms(const struct knocker *knocker, uint64_t traffic_ms)
{
    return traffic_ms - knocker->calendar_ms;
}

/* The knowledge. */

bool knocker_learn(struct knocker *knocker, enum knowledge_part part)
{
    const struct knocker_config *config = &knocker->config;
    if (knocker->next_part > part) {
        return true;
    }
    if (knocker->is_ignorant) {
        return false;
    }
    if (config->learn != NULL && !config->learn(config->learn_context, part)) {
        knocker->is_ignorant = true;
        door_timer_start(knocker->door, &knocker->stop, door_now_ms(knocker->door));
        return false;
    }
    knocker->next_part = part + 1;
    return true;
}

/* In a turn of its own: what found out is still at work on what this ends. */
static void on_stop(void *context)
{
    knocker_cancel(context);
}

/* Asks. */

void ask_leave_table(struct ask *ask)
{
    if (ask->is_listed) {
        ask->is_listed = false;
        (void)map_remove(&ask->knocker->asks, ask->key);
    }
}

static void ask_free(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    door_timer_stop(knocker->door, &ask->work->wait);
    door_timer_stop(knocker->door, &ask->work->budget);
    if (ask->is_waiting) {
        knocker->counts.waiting--;
    }
    ask_drop_signals(ask);
    park_give_back_room(ask);
    ask_unlink(ask);
    release_claim(ask);
    ask_leave_table(ask);
    verify_case_free(ask->verify);
    ask_unexpect(ask);
    if (ask->domain != NULL) {
        domain_release(ask->domain);
    }
    ask_dispose(ask);
}

void ask_watched(void *context, uint32_t t_ms, char direction, struct slice line)
{
    const struct ask *ask = context;
    const struct knocker_config *config = &ask->knocker->config;
    if (config->observe != NULL) {
        config->observe(config->observe_context, t_ms, direction, line);
    }
    for (const struct caller *caller = ask->callers; caller != NULL; caller = caller->next) {
        if (caller->observe != NULL) {
            caller->observe(caller->context, t_ms, direction, line);
        }
    }
}

static void take_wishes(struct ask *ask, struct caller *caller, const struct knocker_wishes *wishes)
{
    caller->observe = wishes->observe;
    ask->is_fresh = ask->is_fresh || wishes->is_fresh;
    if (wishes->age_ms_max > 0 && (ask->age_ms_max == 0 || wishes->age_ms_max < ask->age_ms_max)) {
        ask->age_ms_max = wishes->age_ms_max;
    }
    ask->keeps_transcript = ask->keeps_transcript || wishes->keeps_transcript;
    ask->is_watched = ask->is_watched || wishes->observe != NULL;
    ask->is_live = ask->is_live || wishes->is_live;
}

/* NULL: no memory. */
static struct caller *caller_new(struct ask *ask, struct slice text)
{
    struct slice wire = hel_address_wire(&ask->address);
    if (ask->callers == NULL && slice_equal(text, wire)) {
        ask->first = (struct caller){.text = wire};
        return &ask->first;
    }
    struct caller *caller = malloc(sizeof *caller + text.len);
    if (caller == NULL) {
        return NULL;
    }
    char *behind = (char *)(caller + 1);
    *caller = (struct caller){.text = slice_make(behind, text.len)};
    if (text.len > 0) {
        memcpy(behind, text.at, text.len);
    }
    return caller;
}

enum err ask_add_caller(struct ask *ask, struct slice text, const struct knocker_wishes *wishes,
                        knocker_fn fn, void *context)
{
    struct caller *caller = caller_new(ask, text);
    if (caller == NULL) {
        return ERR_NOMEM;
    }
    caller->fn = fn;
    caller->context = context;
    if (wishes != NULL) {
        take_wishes(ask, caller, wishes);
    }
    bool needs_work = ask->is_watched || ask->keeps_transcript;
    if (needs_work && !ask_equip(ask)) {
        ask_free_caller(ask, caller);
        return ERR_NOMEM;
    }
    struct caller **last = &ask->callers;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = caller;
    return ERR_NONE;
}

void knocker_settle(struct knocker *knocker)
{
    const struct knocker_counts *counts = &knocker->counts;
    if (knocker->idle_fn != NULL && counts->asked == counts->answered &&
        TAILQ_EMPTY(&knocker->sessions)) {
        knocker->idle_fn(knocker->idle_context);
    }
}

void knocker_on_idle(struct knocker *knocker, void (*fn)(void *context), void *context)
{
    knocker->idle_fn = fn;
    knocker->idle_context = context;
}

/* The ask leaves the tables first, so that a callback may ask the same again. */
void knocker_finish(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    ask_unlink(ask);
    ask_leave_table(ask);
    must(!knocker->is_answering);
    knocker->is_answering = true;
    struct record *record = ask->work->cached;
    if (record == NULL) {
        record = &knocker->answer;
        answer_build(ask, record);
        answer_store(ask, record);
        if (ask->domain != NULL) {
            domain_keep(ask->domain); /* with the answer: what it rested on outlives a kill too */
        }
    } else {
        knocker->counts.cached++;
    }
    release_claim(ask);
    for (struct caller *caller = ask->callers; caller != NULL; caller = caller->next) {
        record->email = caller->text;
        knocker->counts.answered++;
        if (caller->fn != NULL) {
            caller->fn(caller->context, record);
        }
    }
    knocker->counts.answered += ask->left;
    record->email = SLICE_NONE;
    if (record == &knocker->answer) {
        record_done(record);
    }
    knocker->is_answering = false;
    ask_free(ask);
    flush_if_free(knocker);
    knocker_settle(knocker);
}

void knocker_drop(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    ask->has_claim = false; /* it goes along */
    for (const struct caller *caller = ask->callers; caller != NULL; caller = caller->next) {
        knocker->counts.asked--;
    }
    ask_free(ask);
    flush_if_free(knocker);
    knocker_settle(knocker);
}

bool ask_shares_answers(const struct ask *ask)
{
    return ask->knocker->store != NULL && !ask->is_fresh && !ask->keeps_transcript;
}

bool ask_find_cached(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    if (!ask_shares_answers(ask)) {
        return false;
    }
    char key[KNOCKER_KEY_BYTES];
    struct buf json;
    buf_init(&json, 1 << 20);
    bool is_found = store_verdict_find(knocker->store, ask_store_key(ask, key), ask->asked_wall_ms,
                                       ask->age_ms_max, &json);
    if (is_found) {
        struct record *cached = ask_equip(ask) ? calloc(1, sizeof *cached) : NULL;
        is_found = cached != NULL && record_read_json(buf_view(&json), cached) == ERR_NONE;
        if (!is_found) {
            free(cached);
            buf_done(&json);
            return false;
        }
        ask->work->cached = cached;
        if (answer_is_outdated(&knocker->lists, ask->work->cached)) {
            ask_drop_cached(ask);
            is_found = false;
        } else {
            ask->work->cached->is_cached = true;
        }
    }
    buf_done(&json);
    return is_found;
}

/* The address as it was read: what is asked, or why it cannot be. */
struct reading {
    struct hel_address address;
    struct hel_address_error error;
    char key[HEL_WIRE_BYTES]; /* empty: it is none, and error says why */
};

static enum err read_address(const struct knocker *knocker, struct slice text, struct reading *out)
{
    out->key[0] = '\0';
    enum err e = hel_address_parse(text, knocker->config.address_mode, &out->address, &out->error);
    if (e == ERR_SYNTAX) {
        return ERR_NONE; /* answered as invalid in the next turn */
    }
    if (e == ERR_NONE) {
        address_key(&out->address, out->key);
    }
    return e;
}

static enum err prepare(struct ask *ask)
{
    struct knocker *knocker = ask->knocker;
    bool was_looked_for = ask->is_sent; /* by the knocker that sent it */
    if (ask->work->syntax != NULL || (!was_looked_for && ask_find_cached(ask))) {
        return ERR_NONE;
    }
    enum err e = domain_get(knocker, hel_address_domain(&ask->address), &ask->domain);
    e = e != ERR_NONE ? e : map_put(&knocker->asks, ask->key, ask);
    ask->is_listed = e == ERR_NONE;
    return e;
}

/* What is used of it: these are many, and memory that is touched is what they cost. The domain for people is not. */
static void copy_address(struct hel_address *to, const struct hel_address *from)
{
    memcpy(to, from, offsetof(struct hel_address, wire) + from->wire_len + 1u);
}

/* Nearly every address is its own key. */
static enum err keep_reading(struct ask *ask, const struct reading *reading)
{
    if (reading->key[0] == '\0') {
        ask->work->syntax = ask_equip(ask) ? malloc(sizeof *ask->work->syntax) : NULL;
        if (ask->work->syntax == NULL) {
            return ERR_NOMEM;
        }
        *ask->work->syntax = reading->error;
        return ERR_NONE;
    }
    copy_address(&ask->address, &reading->address);
    ask->key = hel_address_wire(&ask->address);
    if (!slice_equal(ask->key, slice_of(reading->key))) {
        if (!ask_equip(ask)) {
            return ERR_NOMEM;
        }
        ask->work->folded_key = strdup(reading->key);
        ask->key = ask->work->folded_key == NULL ? SLICE_NONE : slice_of(ask->work->folded_key);
    }
    return ask->key.len == 0 ? ERR_NOMEM : ERR_NONE;
}

static enum err ask_new(struct knocker *knocker, const struct reading *reading, struct ask **out)
{
    bool is_address = reading->key[0] != '\0';
    struct ask *ask = ask_alloc(knocker, is_address ? reading->address.wire_len : 0);
    if (ask == NULL) {
        return ERR_NOMEM;
    }
    ask->asked_ms = door_now_ms(knocker->door);
    ask->asked_wall_ms = door_wall_ms(knocker->door);
    ask->is_fresh = knocker->config.is_fresh;
    ask->age_ms_max = knocker->config.cache_age_ms_max;
    ask->keeps_transcript = knocker->config.keeps_transcript;
    if (keep_reading(ask, reading) != ERR_NONE) {
        ask_dispose(ask);
        return ERR_NOMEM;
    }
    *out = ask;
    return ERR_NONE;
}

enum question_origin { QUESTION_NEW, QUESTION_SENT, QUESTION_SENT_BACK };

static const struct knocker_wishes no_wishes = {.is_fresh = false};

struct question {
    struct slice text;
    enum question_origin origin;
    const struct knocker_wishes *wishes;
    knocker_fn fn;
    void *context;
};

static enum err join(struct knocker *knocker, struct ask *shared, const struct question *question)
{
    enum err e =
        ask_add_caller(shared, question->text, question->wishes, question->fn, question->context);
    knocker->counts.asked += e == ERR_NONE ? 1 : 0;
    if (e == ERR_NONE && !question->wishes->is_patient) {
        ask_hurry(shared);
    }
    return e;
}

static enum err join_parked(struct knocker *knocker, struct parked *parked,
                            const struct question *question)
{
    enum err e =
        park_add_caller(parked, question->text, question->wishes, question->fn, question->context);
    knocker->counts.asked += e == ERR_NONE ? 1 : 0;
    return e;
}

static enum err take_question(struct knocker *knocker, const struct question *question)
{
    struct slice text = question->text;
    enum question_origin origin = question->origin;
    UNFILLED struct reading reading;
    enum err e = read_address(knocker, text, &reading);
    if (e != ERR_NONE) {
        return e;
    }
    struct ask *shared =
        reading.key[0] == '\0' ? NULL : map_find(&knocker->asks, slice_of(reading.key));
    struct parked *parked =
        shared == NULL && reading.key[0] != '\0' ? park_find(knocker, slice_of(reading.key)) : NULL;
    if (shared != NULL && shared->left > 0) {
        ask_leave_table(shared); /* it was given up, and is about to end */
        shared = NULL;
    }
    if (shared != NULL || parked != NULL) {
        return shared != NULL ? join(knocker, shared, question)
                              : join_parked(knocker, parked, question);
    }
    struct ask *ask;
    e = ask_new(knocker, &reading, &ask);
    if (e != ERR_NONE) {
        return e;
    }
    ask->is_sent = origin == QUESTION_SENT;
    ask->is_patient = question->wishes->is_patient;
    e = ask_add_caller(ask, text, question->wishes, question->fn, question->context);
    e = e != ERR_NONE ? e : prepare(ask);
    e = e != ERR_NONE ? e : ask_begin_budget(ask);
    if (e != ERR_NONE) {
        ask_free(ask);
        return e;
    }
    ask->has_claim = knocker->config.crew.has_claims && knocker->store != NULL &&
                     ask->work->syntax == NULL && knocker_claims(&knocker->config);
    if (origin == QUESTION_SENT_BACK && ask->domain != NULL) {
        ask->domain->is_owner_told = false;
    }
    knocker->counts.asked++;
    if (knocker->is_cancelled) {
        ask->is_expired = true;
        ask->expired_why = SKIP_CANCELLED;
    }
    knocker_make_ready(ask);
    return ERR_NONE;
}

enum err knocker_ask(struct knocker *knocker, struct slice text, knocker_fn fn, void *context)
{
    const struct question question = {
        .text = text, .wishes = &no_wishes, .fn = fn, .context = context};
    return take_question(knocker, &question);
}

enum err knocker_ask_with(struct knocker *knocker, struct slice text,
                          const struct knocker_wishes *wishes, knocker_fn fn, void *context)
{
    const struct question question = {.text = text, .wishes = wishes, .fn = fn, .context = context};
    return take_question(knocker, &question);
}

enum err knocker_ask_sent(struct knocker *knocker, struct slice text, bool wants_route,
                          knocker_fn fn, void *context)
{
    const struct question question = {
        .text = text,
        .origin = wants_route ? QUESTION_SENT_BACK : QUESTION_SENT,
        .wishes = &no_wishes,
        .fn = fn,
        .context = context,
    };
    return take_question(knocker, &question);
}

/* Who waits for an answer. */

static struct caller *find_live(const struct knocker *knocker, const void *context,
                                struct ask **out_ask)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->asks, &cursor, &key, &value)) {
        struct ask *ask = value;
        struct caller *caller = ask->is_live ? ask->callers : NULL;
        while (caller != NULL && (caller->fn == NULL || caller->context != context)) {
            caller = caller->next;
        }
        if (caller != NULL) {
            *out_ask = ask;
            return caller;
        }
    }
    return NULL;
}

bool knocker_peek(struct knocker *knocker, void *context, knocker_fn fn)
{
    struct ask *ask;
    const struct caller *caller = find_live(knocker, context, &ask);
    if (caller == NULL) {
        return false;
    }
    must(!knocker->is_answering);
    knocker->is_answering = true;
    struct record *record = &knocker->answer;
    answer_build_so_far(ask, record);
    record->email = caller->text;
    fn(context, record);
    record_done(record);
    knocker->is_answering = false;
    return true;
}

void knocker_let_go(struct knocker *knocker, const void *context)
{
    struct ask *ask;
    struct caller *caller = find_live(knocker, context, &ask);
    if (caller != NULL) {
        caller->fn = NULL;
        caller->observe = NULL;
    }
}

/* The knocker. */

/* One's part of what is limited over a crew. */
static unsigned part_of(unsigned whole, const struct knocker_crew *crew)
{
    unsigned part = whole / crew->count + (crew->index < whole % crew->count ? 1 : 0);
    return part == 0 ? 1 : part;
}

enum err knocker_new(struct door *door, const struct knowledge *knowledge,
                     const struct knocker_config *config, struct store *store, struct knocker **out)
{
    struct knocker *knocker = calloc(1, sizeof *knocker);
    if (knocker == NULL) {
        return ERR_NOMEM;
    }
    knocker->door = door;
    knocker->knowledge = knowledge;
    knocker->lists.shelf = knowledge_list_shelf(knowledge);
    knocker->config = *config;
    knocker->config.crew.count = config->crew.count == 0 ? 1 : config->crew.count;
    knocker->config.connections_max = part_of(config->connections_max, &knocker->config.crew);
    knocker->calendar_ms = (uint64_t)door_wall_ms(door) - door_now_ms(door);
    knocker->turn = (struct timer){.fired = on_turn, .context = knocker};
    knocker->flush = (struct timer){.fired = on_flush, .context = knocker};
    knocker->stop = (struct timer){.fired = on_stop, .context = knocker};
    knocker->next_part = config->learn == NULL ? KNOWLEDGE_PARTS : KNOWLEDGE_PROVIDERS;
    if (egress_pool_init(knocker) != ERR_NONE || rules_memo_new(&knocker->memo) != ERR_NONE) {
        door_timer_stop(door, &knocker->flush);
        traffic_pool_done(&knocker->pool);
        free(knocker);
        return ERR_NOMEM;
    }
    knocker->conversation = (struct conversation_config){
        .handler = &session_handler,
        .port = config->port,
        .no_tls = config->no_tls,
        .keeps_transcript = config->keeps_transcript,
        .observe = config->observe,
        .observe_context = config->observe_context,
        .keeps_prelude = config->keeps_preludes,
        .memo = knocker->memo,
    };
    memcpy(knocker->conversation.timeout_ms, config->timeout_ms, sizeof config->timeout_ms);
    uint64_t seeds[2];
    door_random_bytes(door, seeds, sizeof seeds);
    knocker->random.state = seeds[0];
    map_init(&knocker->asks, seeds[1]);
    ask_memory_init(knocker);
    domains_init(knocker, seeds[1]);
    sites_init(knocker, seeds[1]);
    park_init(knocker, seeds[1]);
    TAILQ_INIT(&knocker->hungry);
    sessions_init(knocker);
    TAILQ_INIT(&knocker->ready);
    knocker_use_store(knocker, store);
    *out = knocker;
    return ERR_NONE;
}

void knocker_use_store(struct knocker *knocker, struct store *store)
{
    must(knocker->store == NULL);
    int64_t began_ms = knocker->config.began_at_ms;
    knocker->store = store;
    knocker_began_at(knocker, began_ms != 0 ? began_ms : door_wall_ms(knocker->door));
    egress_pool_recall(knocker);
    domains_recall(knocker);
}

void knocker_free(struct knocker *knocker)
{
    if (knocker == NULL) {
        return;
    }
    must(knocker->asks.count == 0 && TAILQ_EMPTY(&knocker->ready));
    knocker->is_cancelled = true;
    knocker->idle_fn = NULL;
    while (!TAILQ_EMPTY(&knocker->sessions)) {
        conversation_drop(TAILQ_FIRST(&knocker->sessions)->conversation);
    }
    egress_pool_save(knocker);
    domains_done(knocker);
    sites_done(knocker);
    sessions_done(knocker);
    door_timer_stop(knocker->door, &knocker->turn);
    door_timer_stop(knocker->door, &knocker->flush);
    door_timer_stop(knocker->door, &knocker->stop);
    park_done(knocker);
    traffic_pool_done(&knocker->pool);
    map_done(&knocker->asks);
    ask_memory_done(knocker);
    rules_memo_free(knocker->memo);
    list_reader_done(&knocker->lists);
    free(knocker);
}

void knocker_cancel(struct knocker *knocker)
{
    knocker->is_cancelled = true;
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->asks, &cursor, &key, &value)) {
        struct ask *ask = value;
        site_remove(ask);
        ask_expire(ask, SKIP_CANCELLED);
    }
    park_cancel(knocker);
    struct session *session;
    TAILQ_FOREACH(session, &knocker->sessions, link)
    {
        conversation_leave(session->conversation);
    }
}

void knocker_count(const struct knocker *knocker, struct knocker_counts *out)
{
    *out = knocker->counts;
}

void knocker_counts_add(struct knocker_counts *sum, const struct knocker_counts *one)
{
    sum->asked += one->asked;
    sum->answered += one->answered;
    sum->cached += one->cached;
    sum->talking += one->talking;
    sum->talking_peak += one->talking_peak;
    sum->waiting += one->waiting;
    sum->parked += one->parked;
    sum->conversations += one->conversations;
    sum->probes += one->probes;
    sum->control_probes += one->control_probes;
    sum->connects_failed += one->connects_failed;
    sum->connects_good += one->connects_good;
    sum->store_errors += one->store_errors;
}
