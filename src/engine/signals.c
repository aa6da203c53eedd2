/* engine/signals: a ticket asks each service that is switched on: from the store, else over HTTP where its rate allows;
 * it ends when the last one is settled. Answers that mean something are kept; trouble is not.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/signals.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/signal_private.h"

enum {
    SIGNAL_BODY_BYTES_MAX = 256 * 1024, /* RDAP's are the longest, some 20 KB */
    SIGNAL_REDIRECTS_MAX = 5,      /* RDAP leads on to the registry, and that to the registrar */
    SIGNAL_BURST_MS = 15000,       /* so much of a minute's questions may come at once */
    SIGNAL_LIMITED_MS = 60 * 1000, /* where it names no time */
    SIGNAL_DENIED_MS = 10 * 60 * 1000,
    SIGNAL_PAUSE_MS_MAX = 60 * 60 * 1000,
};

/* Of one service. */
struct signal_gate {
    uint64_t paid_until_ms; /* the questions of the past, each as long as its share of a minute */
    uint64_t closed_until_ms;
};

struct signals {
    struct door *door;
    struct store *store;
    struct http_client *client;
    struct digester *digester;
    struct signals_config config;
    struct signal_gate gates[SIGNAL_SERVICE_COUNT];
    struct signals_ticket *first;
};

/* One service's part of a ticket. */
struct signal_errand {
    struct signals_ticket *ticket;
    enum signal_service service;
    struct http_exchange *exchange; /* NULL: settled */
};

struct signals_ticket {
    struct signals *signals;
    struct signals_ticket *previous, *next;
    signals_fn fn;
    void *context;
    struct timer end; /* so that the last word comes from the loop */
    struct verify_signals told;
    struct signal_errand errands[SIGNAL_SERVICE_COUNT];
    unsigned open;
    struct buf key, domain; /* what answers are kept by */
};

const struct signal_kind *signal_kind_of(enum signal_service service)
{
    static const struct signal_kind *const kinds[SIGNAL_SERVICE_COUNT] = {
        [SIGNAL_GRAVATAR] = &signal_gravatar,
        [SIGNAL_GITHUB] = &signal_github,
        [SIGNAL_HIBP] = &signal_hibp,
        [SIGNAL_RDAP] = &signal_rdap,
    };
    return kinds[service];
}

enum err signal_escape(struct slice text, struct buf *out)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < text.len && e == ERR_NONE; i++) {
        char byte = text.at[i];
        bool is_plain =
            ascii_is_alnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~';
        e = is_plain ? buf_append_byte(out, byte)
                     : buf_printf(out, "%%%02X", (unsigned)(unsigned char)byte);
    }
    return e;
}

enum signal_reading signal_read_status(unsigned status)
{
    if (status == 429) {
        return SIGNAL_READ_LIMITED;
    }
    return status == 401 || status == 403 ? SIGNAL_READ_DENIED : SIGNAL_READ_BROKEN;
}

void signals_config_init(struct signals_config *out)
{
    *out = (struct signals_config){0};
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        out->of[i] = signal_kind_of((enum signal_service)i)->config;
    }
}

const char *signals_config_obstacle(const struct signals_config *config)
{
    const struct signal_config *hibp = &config->of[SIGNAL_HIBP];
    if (hibp->is_enabled && hibp->key.len == 0) {
        return "hibp is asked with a key only: get one, and name the file that it stands in";
    }
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        const struct signal_config *of = &config->of[i];
        if (of->is_enabled && (of->per_minute == 0 || of->timeout_ms == 0)) {
            return "a service that is switched on needs a time limit and a rate above 0";
        }
        if (of->key.len > SIGNAL_HEADER_BYTES - 16) {
            return "a key is longer than any that a service gives out";
        }
    }
    return NULL;
}

/* How often it may be asked. */

static uint64_t share_ms(const struct signal_config *config)
{
    return 60000 / config->per_minute;
}

static bool pass_gate(struct signals *signals, enum signal_service service)
{
    struct signal_gate *gate = &signals->gates[service];
    const struct signal_config *config = &signals->config.of[service];
    uint64_t now_ms = door_now_ms(signals->door);
    if (now_ms < gate->closed_until_ms) {
        return false;
    }
    if (gate->paid_until_ms < now_ms) {
        gate->paid_until_ms = now_ms;
    }
    if (gate->paid_until_ms - now_ms > SIGNAL_BURST_MS) {
        return false;
    }
    gate->paid_until_ms += share_ms(config);
    return true;
}

static void close_gate(struct signals *signals, enum signal_service service, uint64_t for_ms)
{
    for_ms = for_ms < SIGNAL_PAUSE_MS_MAX ? for_ms : SIGNAL_PAUSE_MS_MAX;
    signals->gates[service].closed_until_ms = door_now_ms(signals->door) + for_ms;
}

/* What is kept. */

static struct store_signal row_of(const struct signals_ticket *ticket, enum signal_service service)
{
    bool is_of_domain = signal_kind_of(service)->is_of_domain;
    return (struct store_signal){.key = buf_view(is_of_domain ? &ticket->domain : &ticket->key),
                                 .service = slice_of(signal_service_name(service))};
}

static bool find_kept(const struct signals_ticket *ticket, enum signal_service service,
                      struct verify_signal *out)
{
    struct signals *signals = ticket->signals;
    struct store_signal row = row_of(ticket, service);
    if (signals->store == NULL ||
        !store_signal_find(signals->store, door_wall_ms(signals->door), &row) ||
        (row.result != SIGNAL_YES && row.result != SIGNAL_NO)) {
        return false;
    }
    *out = (struct verify_signal){.result = (enum signal_result)row.result,
                                  .number = (uint32_t)row.number};
    return true;
}

/* A store that says no costs a question later. */
static void keep(const struct signals_ticket *ticket, enum signal_service service)
{
    struct signals *signals = ticket->signals;
    const struct verify_signal *told = &ticket->told.of[service];
    struct store_signal row = row_of(ticket, service);
    row.result = told->result;
    row.number = told->number;
    row.at_ms = door_wall_ms(signals->door);
    row.expires_at_ms = row.at_ms + (int64_t)signals->config.of[service].cache_ms;
    enum err e = signals->store == NULL ? ERR_NONE : store_signal_put(signals->store, &row);
    (void)e;
}

/* Tickets. */

static void free_ticket(struct signals_ticket *ticket)
{
    struct signals *signals = ticket->signals;
    if (ticket->previous != NULL) {
        ticket->previous->next = ticket->next;
    } else {
        signals->first = ticket->next;
    }
    if (ticket->next != NULL) {
        ticket->next->previous = ticket->previous;
    }
    door_timer_stop(signals->door, &ticket->end);
    buf_done(&ticket->key);
    buf_done(&ticket->domain);
    free(ticket);
}

static void on_end(void *context)
{
    struct signals_ticket *ticket = context;
    struct verify_signals told = ticket->told;
    signals_fn fn = ticket->fn;
    void *fn_context = ticket->context;
    free_ticket(ticket);
    fn(fn_context, &told);
}

static void settle(struct signals_ticket *ticket)
{
    if (ticket->open == 0) {
        struct door *door = ticket->signals->door;
        door_timer_start(door, &ticket->end, door_now_ms(door));
    }
}

static void read_answer(struct signal_errand *errand, const struct http_client_answer *answer)
{
    struct signals_ticket *ticket = errand->ticket;
    struct signals *signals = ticket->signals;
    enum signal_service service = errand->service;
    struct verify_signal *told = &ticket->told.of[service];
    if (answer->end != HTTP_CLIENT_END_ANSWERED) {
        return;
    }
    switch (signal_kind_of(service)->read(answer, told)) {
    case SIGNAL_READ: keep(ticket, service); return;
    case SIGNAL_READ_LIMITED:
        close_gate(signals, service,
                   answer->retry_after_s > 0 ? (uint64_t)answer->retry_after_s * 1000
                                             : SIGNAL_LIMITED_MS);
        return;
    case SIGNAL_READ_DENIED: close_gate(signals, service, SIGNAL_DENIED_MS); return;
    case SIGNAL_READ_BROKEN: return;
    }
}

static void on_answer(void *context, const struct http_client_answer *answer)
{
    struct signal_errand *errand = context;
    errand->exchange = NULL;
    read_answer(errand, answer);
    errand->ticket->open--;
    settle(errand->ticket);
}

static enum err send(struct signal_errand *errand, const struct signal_question *question)
{
    struct signals *signals = errand->ticket->signals;
    const struct signal_config *config = &signals->config.of[errand->service];
    const struct signal_kind *kind = signal_kind_of(errand->service);
    struct signal_headers headers = {.count = 0};
    struct buf url DEFER(buf_done) = {0};
    buf_init(&url, HTTP_CLIENT_URL_BYTES);
    enum err e = buf_append(&url, config->base_url);
    e = e != ERR_NONE ? e : kind->write_path(question, &url);
    if (e != ERR_NONE) {
        return e;
    }
    kind->add_headers(question, &headers);
    const struct http_client_request request = {
        .method = HTTP_CLIENT_GET,
        .url = buf_view(&url),
        .headers = headers.at,
        .header_count = headers.count,
        .timeout_ms = config->timeout_ms,
        .connect_timeout_ms = config->timeout_ms,
        .response_bytes_max = SIGNAL_BODY_BYTES_MAX,
        .redirects_max = SIGNAL_REDIRECTS_MAX,
    };
    return http_client_ask(signals->client, &request, on_answer, errand, &errand->exchange, NULL);
}

static void run_errand(struct signals_ticket *ticket, enum signal_service service,
                       struct slice ascii)
{
    struct signals *signals = ticket->signals;
    struct signal_errand *errand = &ticket->errands[service];
    struct verify_signal *told = &ticket->told.of[service];
    *errand = (struct signal_errand){.ticket = ticket, .service = service};
    if (!signals->config.of[service].is_enabled || find_kept(ticket, service, told)) {
        return;
    }
    told->result = SIGNAL_NO_ANSWER;
    const struct signal_question question = {.digester = signals->digester,
                                             .ascii = ascii,
                                             .domain = buf_view(&ticket->domain),
                                             .key = signals->config.of[service].key};
    if (pass_gate(signals, service) && send(errand, &question) == ERR_NONE) {
        ticket->open++;
    }
}

static enum err name_ticket(struct signals_ticket *ticket, struct slice ascii, struct slice key)
{
    size_t at = slice_find_last_byte(ascii, '@');
    struct slice domain = slice_sub(ascii, at < ascii.len ? at + 1 : ascii.len, ascii.len);
    buf_init(&ticket->key, key.len + 1);
    buf_init(&ticket->domain, domain.len + 1);
    enum err e = buf_append(&ticket->key, key);
    return e != ERR_NONE ? e : buf_append(&ticket->domain, domain);
}

enum err signals_ask(struct signals *signals, struct slice ascii, struct slice key, signals_fn fn,
                     void *context, struct signals_ticket **out)
{
    struct signals_ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL) {
        return ERR_NOMEM;
    }
    ticket->signals = signals;
    ticket->fn = fn;
    ticket->context = context;
    ticket->end = (struct timer){.fired = on_end, .context = ticket};
    ticket->next = signals->first;
    if (signals->first != NULL) {
        signals->first->previous = ticket;
    }
    signals->first = ticket;
    if (name_ticket(ticket, ascii, key) != ERR_NONE) {
        free_ticket(ticket);
        return ERR_NOMEM;
    }
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        run_errand(ticket, (enum signal_service)i, ascii);
    }
    settle(ticket);
    *out = ticket;
    return ERR_NONE;
}

void signals_cancel(struct signals_ticket *ticket)
{
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        if (ticket->errands[i].exchange != NULL) {
            http_client_cancel(ticket->errands[i].exchange);
        }
    }
    free_ticket(ticket);
}

enum err signals_open(struct door *door, struct store *store, const struct signals_config *config,
                      struct signals **out, struct fault *out_fault)
{
    must(signals_config_obstacle(config) == NULL);
    struct signals *signals = calloc(1, sizeof *signals);
    if (signals == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for signals");
    }
    signals->door = door;
    signals->store = store;
    signals->config = *config;
    enum err e = digester_new(&signals->digester, out_fault);
    e = e != ERR_NONE ? e : http_client_open(door, &config->http, &signals->client, out_fault);
    if (e != ERR_NONE) {
        signals_close(signals);
        return e;
    }
    *out = signals;
    return ERR_NONE;
}

void signals_close(struct signals *signals)
{
    if (signals == NULL) {
        return;
    }
    while (signals->first != NULL) {
        signals_cancel(signals->first);
    }
    http_client_close(signals->client);
    digester_free(signals->digester);
    free(signals);
}

void signals_apply(const struct verify_signals *told, struct record *record)
{
    const struct signals_score onto = {.status = record->status,
                                       .now_ms = record->checked_at_ms,
                                       .score = &record->score,
                                       .reasons = record->reasons,
                                       .reason_count = &record->reason_count};
    record->signals = *told;
    signals_weigh(told, &onto);
}
