/* engine/service: the desk's thread, questions on their way there and back, and those who read.
 *
 * A ticket is shared by who asks and the desk: each gives up its hold, and the last one frees it. Its lock is held
 * while a function of the question runs, so that none runs once service_leave has returned.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "address/normal.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/answer_cache.h"
#include "engine/batch_hooks.h"
#include "engine/outdated.h"
#include "engine/record_json.h"
#include "engine/signals.h"
#include "net/quiet_thread.h"
#include "net/uv_mailbox.h"

enum {
    LEAVE_MS = 700, /* at the end: for lines to be left politely */
    PEEK_AGAIN_MS = 20,
    NEWS_BYTES = 512,
    JSON_BYTES_MAX = 1 << 20,
};

enum post_kind { POST_ASK, POST_CALL, POST_STOP };

struct desk_post {
    struct uv_post post;
    enum post_kind kind;
};

struct service_ticket {
    struct desk_post post; /* first: it is its own message */
    struct service *service;
    atomic_uint holds;
    pthread_mutex_t mutex; /* over the next two, and while a function of the question runs */
    bool is_left, is_answered;
    struct service_question question;
    /* The desk's: */
    TAILQ_ENTRY(service_ticket) link; /* of those that are told what they wait for */
    bool is_linked;
    struct timer timeout;
    uint64_t news_hash;
    size_t text_len;
    char text[];
};
TAILQ_HEAD(ticket_list, service_ticket);

struct call {
    struct desk_post post;
    void (*fn)(struct desk *desk, void *context);
    void *context;
    bool is_done, was_made;
};

struct reader {
    SLIST_ENTRY(reader) link;
    struct store *store;
};

struct service {
    struct desk desk;
    struct knocker_config config;
    char *store_path;
    char *batches_folder;
    struct batch_hooks hooks;
    struct signals *signals; /* NULL: none */
    const struct knowledge *knowledge;
    struct batches *batches; /* while the desk is there, as others may look at it */
    struct answer_cache *cache;
    _Atomic uint64_t looks
        [2]; /* at what is stored: in vain, and found. Counted by many threads, without the mutex */
    struct uv_mailbox *inbox;
    pthread_t thread;
    bool is_running;
    struct ticket_list watched;
    struct timer news, leave;
    struct buf said; /* room for what is told */

    pthread_mutex_t mutex; /* over all that follows */
    pthread_cond_t called;
    bool is_closed;                      /* the desk takes nothing more */
    SLIST_HEAD(, reader) readers, spare; /* open ones; empty shells */
    struct reader shells[SERVICE_READERS_MAX];
    struct service_counts counts;
};

/* Tickets. */

static void give_up(struct service_ticket *ticket)
{
    if (atomic_fetch_sub(&ticket->holds, 1) == 1) {
        (void)pthread_mutex_destroy(&ticket->mutex);
        free(ticket);
    }
}

/* The desk is through with it. */
static void end(struct service_ticket *ticket)
{
    struct service *service = ticket->service;
    door_timer_stop(service->desk.door, &ticket->timeout);
    if (ticket->is_linked) {
        TAILQ_REMOVE(&service->watched, ticket, link);
    }
    give_up(ticket);
}

static void answer(struct service_ticket *ticket, const struct record *record, bool is_pending)
{
    const struct service_question *question = &ticket->question;
    (void)pthread_mutex_lock(&ticket->mutex);
    if (!ticket->is_left && !ticket->is_answered) {
        ticket->is_answered = true;
        question->answered(question->context, record, is_pending);
    }
    (void)pthread_mutex_unlock(&ticket->mutex);
}

static void count_answer(struct service *service, const struct record *record, bool is_pending)
{
    (void)pthread_mutex_lock(&service->mutex);
    service->counts.open--;
    service->counts.by_status[record->status] += is_pending ? 0 : 1;
    (void)pthread_mutex_unlock(&service->mutex);
}

/* What the store keeps too. */
static bool is_kept(const struct record *record)
{
    return !record->is_cached && record->domain.len > 0 && record->sub != SUB_SKIPPED &&
           record->sub != SUB_INTERNAL_ERROR && record->sub != SUB_INVALID_SYNTAX;
}

static struct slice key_of(const struct service *service, struct slice address,
                           char folded[HEL_WIRE_BYTES], char room[KNOCKER_KEY_BYTES])
{
    struct hel_address read;
    struct hel_address_error error;
    if (hel_address_parse(address, service->config.address_mode, &read, &error) != ERR_NONE) {
        return SLICE_NONE;
    }
    address_key(&read, folded);
    return knocker_store_key(&service->config, slice_of(folded), room);
}

static void on_answer(void *context, const struct record *record)
{
    struct service_ticket *ticket = context;
    struct service *service = ticket->service;
    if (is_kept(record)) {
        char folded[HEL_WIRE_BYTES];
        char room[KNOCKER_KEY_BYTES];
        struct slice key = key_of(service, record->email, folded, room);
        if (key.len > 0) {
            answer_cache_put(service->cache, key, record);
        }
    }
    count_answer(service, record, false);
    answer(ticket, record, false);
    end(ticket);
}

static void on_peek(void *context, const struct record *record)
{
    struct service_ticket *ticket = context;
    count_answer(ticket->service, record, true);
    answer(ticket, record, true);
}

static void on_timeout(void *context)
{
    struct service_ticket *ticket = context;
    struct desk *desk = &ticket->service->desk;
    if (!knocker_peek(desk->knocker, ticket, on_peek)) { /* it is being answered just now */
        door_timer_start(desk->door, &ticket->timeout, door_now_ms(desk->door) + PEEK_AGAIN_MS);
        return;
    }
    knocker_let_go(desk->knocker, ticket);
    end(ticket);
}

static void on_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct service_ticket *ticket = context;
    (void)pthread_mutex_lock(&ticket->mutex);
    if (!ticket->is_left && !ticket->is_answered) {
        ticket->question.said(ticket->question.context, t_ms, direction, line);
    }
    (void)pthread_mutex_unlock(&ticket->mutex);
}

static void tell_news(struct service_ticket *ticket)
{
    struct service *service = ticket->service;
    buf_clear(&service->said);
    if (knocker_describe(service->desk.knocker, ticket, &service->said) != ERR_NONE ||
        service->said.len == 0) {
        return;
    }
    struct slice what = buf_view(&service->said);
    uint64_t hash = slice_hash(what, 0);
    if (hash == ticket->news_hash) {
        return;
    }
    ticket->news_hash = hash;
    (void)pthread_mutex_lock(&ticket->mutex);
    if (!ticket->is_left && !ticket->is_answered) {
        ticket->question.moved(ticket->question.context, what);
    }
    (void)pthread_mutex_unlock(&ticket->mutex);
}

static void on_news(void *context)
{
    struct service *service = context;
    struct service_ticket *ticket;
    struct knocker_counts counts;
    TAILQ_FOREACH(ticket, &service->watched, link)
    {
        tell_news(ticket);
    }
    knocker_count(service->desk.knocker, &counts);
    (void)pthread_mutex_lock(&service->mutex);
    service->counts.knocker = counts;
    (void)pthread_mutex_unlock(&service->mutex);
    door_timer_start(service->desk.door, &service->news,
                     door_now_ms(service->desk.door) + SERVICE_NEWS_MS);
}

/* Where memory is short there is no verdict of the knocker's to give. */
static void answer_failed(struct service_ticket *ticket)
{
    struct record record = {
        .email = slice_make(ticket->text, ticket->text_len),
        .status = verdict_status_of(SUB_INTERNAL_ERROR),
        .sub = SUB_INTERNAL_ERROR,
        .checked_at_ms = door_wall_ms(ticket->service->desk.door),
    };
    count_answer(ticket->service, &record, false);
    answer(ticket, &record, false);
    end(ticket);
}

static void take_question(struct service *service, struct service_ticket *ticket)
{
    struct desk *desk = &service->desk;
    const struct service_question *question = &ticket->question;
    const struct knocker_wishes wishes = {
        .is_fresh = question->is_fresh,
        .keeps_transcript = question->keeps_transcript || question->said != NULL,
        .observe = question->said != NULL ? on_line : NULL,
        .is_live = true,
    };
    ticket->timeout = (struct timer){.fired = on_timeout, .context = ticket};
    if (knocker_ask_with(desk->knocker, slice_make(ticket->text, ticket->text_len), &wishes,
                         on_answer, ticket) != ERR_NONE) {
        answer_failed(ticket);
        return;
    }
    if (question->timeout_ms > 0) {
        door_timer_start(desk->door, &ticket->timeout,
                         door_now_ms(desk->door) + question->timeout_ms);
    }
    if (question->moved != NULL) {
        ticket->is_linked = true;
        TAILQ_INSERT_TAIL(&service->watched, ticket, link);
        tell_news(ticket);
    }
}

enum err service_ask(struct service *service, const struct service_question *question,
                     struct service_ticket **out)
{
    if (question->address.len >
        (size_t)KNOCKER_KEY_BYTES * 4) { /* with comments and folding; none is longer */
        return ERR_LIMIT;
    }
    struct service_ticket *ticket = malloc(sizeof *ticket + question->address.len);
    if (ticket == NULL) {
        return ERR_NOMEM;
    }
    *ticket = (struct service_ticket){.post.kind = POST_ASK,
                                      .service = service,
                                      .question = *question,
                                      .text_len = question->address.len};
    if (question->address.len > 0) {
        memcpy(ticket->text, question->address.at, question->address.len);
    }
    ticket->question.address = SLICE_NONE;
    atomic_init(&ticket->holds, 2);
    must(pthread_mutex_init(&ticket->mutex, NULL) == 0); /* of the default kind: it cannot fail */
    (void)pthread_mutex_lock(&service->mutex);
    service->counts.questions++;
    service->counts.open++;
    (void)pthread_mutex_unlock(&service->mutex);
    *out = ticket;
    uv_mailbox_post(service->inbox, &ticket->post.post);
    return ERR_NONE;
}

void service_leave(struct service_ticket *ticket)
{
    if (ticket == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&ticket->mutex);
    ticket->is_left = true;
    (void)pthread_mutex_unlock(&ticket->mutex);
    give_up(ticket);
}

/* Calls. */

static void end_call(struct service *service, struct call *call, bool was_made)
{
    (void)pthread_mutex_lock(&service->mutex);
    call->was_made = was_made;
    call->is_done = true;
    (void)pthread_cond_broadcast(&service->called);
    (void)pthread_mutex_unlock(&service->mutex);
}

bool service_call(struct service *service, void (*fn)(struct desk *desk, void *context),
                  void *context)
{
    struct call call = {.post.kind = POST_CALL, .fn = fn, .context = context};
    (void)pthread_mutex_lock(&service->mutex);
    if (!service->is_closed) {
        uv_mailbox_post(service->inbox, &call.post.post);
        while (!call.is_done) {
            (void)pthread_cond_wait(&service->called, &service->mutex);
        }
    }
    (void)pthread_mutex_unlock(&service->mutex);
    return call.was_made;
}

/* The end. */

static void on_idle(void *context)
{
    struct service *service = context;
    if (service->leave.place != 0) {
        door_stop(service->desk.door);
    }
}

static void on_leave(void *context)
{
    struct service *service = context;
    door_stop(service->desk.door);
}

/* They are gone on with at the next start. */
static void close_batches(struct service *service)
{
    struct batches *batches = service->desk.batches;
    service->desk.batches = service->batches = NULL;
    watches_free(service->desk.watches);
    service->desk.watches = NULL;
    batch_hooks_stop(&service->hooks);
    batches_free(batches);
}

static void stop(struct service *service)
{
    struct desk *desk = &service->desk;
    door_timer_stop(desk->door, &service->news);
    service->leave = (struct timer){.fired = on_leave, .context = service};
    door_timer_start(desk->door, &service->leave, door_now_ms(desk->door) + LEAVE_MS);
    close_batches(service);
    knocker_cancel(desk->knocker);
    knocker_settle(desk->knocker);
}

static void on_posts(void *context, struct uv_post *first)
{
    struct service *service = context;
    while (first != NULL) {
        struct desk_post *post = (struct desk_post *)(void *)first;
        first = first->next;
        switch (post->kind) {
        case POST_ASK: take_question(service, (struct service_ticket *)(void *)post); break;
        case POST_CALL: {
            struct call *call = (struct call *)(void *)post;
            call->fn(&service->desk, call->context);
            end_call(service, call, true);
            break;
        }
        case POST_STOP: stop(service); break;
        }
    }
}

static void *run(void *context)
{
    struct service *service = context;
    door_run(service->desk.door);
    return NULL;
}

/* Opening and closing. */

/* What speaks HTTP to others. */
static enum err open_outside(struct service *service, const struct service_config *config,
                             struct fault *out_fault)
{
    struct desk *desk = &service->desk;
    enum err e = ERR_NONE;
    if (config->webhooks != NULL) {
        e = webhooks_open(desk->door, desk->store, config->webhooks, &desk->webhooks, out_fault);
    }
    if (e == ERR_NONE && config->signals != NULL) {
        e = signals_open(desk->door, desk->store, config->signals, &service->signals, out_fault);
    }
    return e;
}

static enum err open_batches(struct service *service, struct fault *out_fault)
{
    struct desk *desk = &service->desk;
    enum err e = batches_new(desk->door, desk->knocker, desk->store, service->batches_folder,
                             &desk->batches, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    service->batches = desk->batches;
    if (desk->webhooks != NULL) {
        batch_hooks_start(&service->hooks, desk->batches, desk->webhooks);
    }
    const struct watches_config watches = {desk->door, desk->store, desk->batches, desk->webhooks,
                                           service->batches_folder};
    return watches_new(&watches, &desk->watches, out_fault);
}

static enum err open_desk(struct service *service, const struct service_config *config,
                          struct fault *out_fault)
{
    struct desk *desk = &service->desk;
    enum err e = store_open(config->store_path, &desk->store, out_fault);
    e = e == ERR_NONE ? uv_door_open(&config->door, &desk->door, out_fault) : e;
    if (e != ERR_NONE) {
        return e;
    }
    uint64_t seed;
    door_random_bytes(desk->door, &seed, sizeof seed);
    e = answer_cache_new(SERVICE_CACHE_BYTES, seed, &service->cache);
    e = e == ERR_NONE ? uv_mailbox_open(desk->door, on_posts, service, &service->inbox) : e;
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "cannot make the service: %s", err_name(e));
    }
    e = open_outside(service, config, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    service->config.signals = service->signals;
    e = knocker_new(desk->door, config->knowledge, &service->config, desk->store, &desk->knocker);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "cannot make the service: %s", err_name(e));
    }
    e = config->has_no_batches ? ERR_NONE : open_batches(service, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    knocker_on_idle(desk->knocker, on_idle, service);
    service->news = (struct timer){.fired = on_news, .context = service};
    door_timer_start(desk->door, &service->news, door_now_ms(desk->door));
    e = quiet_thread_start(&service->thread, run, service);
    service->is_running = e == ERR_NONE;
    return e == ERR_NONE ? e : fault_set(out_fault, e, 0, "cannot start a thread");
}

enum err service_open(const struct service_config *config, struct service **out,
                      struct fault *out_fault)
{
    struct service *service = calloc(1, sizeof *service);
    if (service == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    service->config = config->knocker;
    service->config.keeps_preludes = true;
    service->config.is_budget_wall_clock = false; /* who waits has a time of its own */
    TAILQ_INIT(&service->watched);
    SLIST_INIT(&service->readers);
    SLIST_INIT(&service->spare);
    for (size_t i = 0; i < SERVICE_READERS_MAX; i++) {
        SLIST_INSERT_HEAD(&service->spare, &service->shells[i], link);
    }
    buf_init(&service->said, NEWS_BYTES);
    must(pthread_mutex_init(&service->mutex, NULL) == 0);
    must(pthread_cond_init(&service->called, NULL) == 0);
    service->store_path = strdup(config->store_path);
    service->knowledge = config->knowledge;
    bool has_names = service->store_path != NULL &&
                     asprintf(&service->batches_folder, "%s.batches", config->store_path) > 0;
    enum err e = !has_names ? fault_set(out_fault, ERR_NOMEM, 0, "out of memory")
                            : open_desk(service, config, out_fault);
    if (e != ERR_NONE) {
        service_close(service);
        return e;
    }
    *out = service;
    return ERR_NONE;
}

const char *service_batches_folder(const struct service *service)
{
    return service->batches_folder;
}

struct batches *service_batches(const struct service *service)
{
    return service->batches;
}

const struct knowledge *service_knowledge(const struct service *service)
{
    return service->knowledge;
}

void service_results_query(const struct service *service, struct batch_results_query *out)
{
    *out = (struct batch_results_query){
        .folder = service->batches_folder,
        .knowledge = service->knowledge,
        .address_mode = service->config.address_mode,
    };
}

/* What came too late. */
static void refuse_posts(struct service *service)
{
    struct uv_post *first = service->inbox == NULL ? NULL : uv_mailbox_take(service->inbox);
    while (first != NULL) {
        struct desk_post *post = (struct desk_post *)(void *)first;
        first = first->next;
        switch (post->kind) {
        case POST_ASK: answer_failed((struct service_ticket *)(void *)post); break;
        case POST_CALL: end_call(service, (struct call *)(void *)post, false); break;
        case POST_STOP: break;
        }
    }
}

static void stop_desk(struct service *service)
{
    if (!service->is_running) {
        return;
    }
    struct desk_post post = {.kind = POST_STOP};
    uv_mailbox_post(service->inbox, &post.post);
    (void)pthread_join(service->thread, NULL);
    struct fault fault;
    enum err e = knocker_leave_store(service->desk.knocker, &fault);
    (void)e; /* what was learned of sites is learned again */
}

void service_close(struct service *service)
{
    if (service == NULL) {
        return;
    }
    stop_desk(service);
    (void)pthread_mutex_lock(&service->mutex);
    service->is_closed = true;
    (void)pthread_mutex_unlock(&service->mutex);
    refuse_posts(service);
    struct desk *desk = &service->desk;
    if (desk->door != NULL) {
        door_timer_stop(desk->door, &service->news);
        door_timer_stop(desk->door, &service->leave);
    }
    close_batches(service);
    knocker_free(desk->knocker);
    signals_close(service->signals);
    webhooks_close(desk->webhooks);
    uv_mailbox_close(service->inbox);
    uv_door_close(desk->door);
    store_close(desk->store);
    struct reader *reader;
    SLIST_FOREACH(reader, &service->readers, link)
    {
        store_close(reader->store);
    }
    answer_cache_free(service->cache);
    buf_done(&service->said);
    (void)pthread_cond_destroy(&service->called);
    (void)pthread_mutex_destroy(&service->mutex);
    free(service->store_path);
    free(service->batches_folder);
    free(service);
}

/* Those who read. */

enum err service_lend_store(struct service *service, struct store **out, struct fault *out_fault)
{
    struct store *store = NULL;
    (void)pthread_mutex_lock(&service->mutex);
    struct reader *reader = SLIST_FIRST(&service->readers);
    if (reader != NULL) {
        SLIST_REMOVE_HEAD(&service->readers, link);
        SLIST_INSERT_HEAD(&service->spare, reader, link);
        store = reader->store;
    }
    (void)pthread_mutex_unlock(&service->mutex);
    if (store == NULL) {
        return store_open_to_read(service->store_path, out, out_fault);
    }
    *out = store;
    return ERR_NONE;
}

void service_give_back_store(struct service *service, struct store *store)
{
    (void)pthread_mutex_lock(&service->mutex);
    struct reader *shell = SLIST_FIRST(&service->spare);
    if (shell != NULL) {
        SLIST_REMOVE_HEAD(&service->spare, link);
        shell->store = store;
        SLIST_INSERT_HEAD(&service->readers, shell, link);
    }
    (void)pthread_mutex_unlock(&service->mutex);
    if (shell == NULL) {
        store_close(store);
    }
}

/* From the store into memory. False: it is not there either. */
static bool fetch(struct service *service, struct slice key, int64_t now_ms)
{
    struct store *store;
    struct fault fault;
    if (service_lend_store(service, &store, &fault) != ERR_NONE) {
        return false;
    }
    struct buf json;
    struct record record;
    buf_init(&json, JSON_BYTES_MAX);
    bool is_found =
        store_verdict_find(store, key, now_ms, service->config.cache_age_ms_max, &json) &&
        record_read_json(buf_view(&json), &record) == ERR_NONE;
    service_give_back_store(service, store);
    if (is_found) {
        answer_cache_put(service->cache, key, &record);
        record_done(&record);
    }
    buf_done(&json);
    return is_found;
}

/* With a reader of its own, since any thread may ask; rarely: only of what is older than the lists. */
static bool is_outdated(const struct service *service, struct slice json)
{
    struct list_reader lists = {.shelf = knowledge_list_shelf(service->knowledge)};
    struct record record;
    if (record_read_json(json, &record) != ERR_NONE) {
        return true;
    }
    bool is_so = answer_is_outdated(&lists, &record);
    list_reader_done(&lists);
    record_done(&record);
    return is_so;
}

bool service_find_cached(struct service *service, struct slice address, struct buf *out_json,
                         struct service_cached *out)
{
    char folded[HEL_WIRE_BYTES];
    char room[KNOCKER_KEY_BYTES];
    struct slice key = key_of(service, address, folded, room);
    const struct knocker_config *config = &service->config;
    if (key.len == 0 || config->is_fresh || config->keeps_transcript) {
        return false;
    }
    const struct answer_cache_look look = {key, address, door_wall_ms(service->desk.door),
                                           config->cache_age_ms_max};
    struct answer_cache_life life;
    size_t begin = out_json->len;
    bool is_found = answer_cache_find(service->cache, &look, out_json, &life);
    if (!is_found && fetch(service, key, look.now_ms)) {
        is_found = answer_cache_find(service->cache, &look, out_json, &life);
    }
    bool is_older = is_found && life.checked_at_ms < list_shelf_changed_at_ms(
                                                         knowledge_list_shelf(service->knowledge));
    if (is_older && is_outdated(service, slice_sub(buf_view(out_json), begin, out_json->len))) {
        out_json->len = begin;
        is_found = false;
    }
    (void)atomic_fetch_add_explicit(&service->looks[is_found ? 1 : 0], 1, memory_order_relaxed);
    if (is_found) {
        *out = (struct service_cached){life.checked_at_ms, life.expires_at_ms};
    }
    return is_found;
}

void service_forget(struct service *service, struct slice address)
{
    char folded[HEL_WIRE_BYTES];
    char room[KNOCKER_KEY_BYTES];
    struct slice key = key_of(service, address, folded, room);
    if (key.len > 0) {
        answer_cache_drop(service->cache, key);
    }
}

void service_count(struct service *service, struct service_counts *out)
{
    (void)pthread_mutex_lock(&service->mutex);
    *out = service->counts;
    (void)pthread_mutex_unlock(&service->mutex);
    out->cache_misses = atomic_load_explicit(&service->looks[0], memory_order_relaxed);
    out->cache_hits = atomic_load_explicit(&service->looks[1], memory_order_relaxed);
}
