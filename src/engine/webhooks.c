/* engine/webhooks: who is told next. One timer does all of it: it commits what was put, looks for what is due and starts
 * as much of it as may be under way, taking turns between endpoints so that one with a long queue leaves room for the
 * others.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/webhooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/webhook_headers.h"
#include "engine/webhook_schedule.h"

enum {
    WEBHOOKS_LOOK_MS = 60 * 1000, /* the wall clock may jump */
    WEBHOOKS_SHORT_MS = 1000,     /* after a store or memory that said no */
    WEBHOOKS_PRUNE_MS = 60 * 60 * 1000,
    WEBHOOKS_PRUNE_ROWS = 10000, /* at once */
    WEBHOOKS_ANSWER_BYTES_MAX = 65536,
    WEBHOOKS_REDIRECTS_MAX = 3,
    WEBHOOK_ID_RANDOM_BYTES = 16,
    WEBHOOK_ID_BYTES = 4 + 2 * WEBHOOK_ID_RANDOM_BYTES + 1,
    WEBHOOK_ERROR_BYTES = 400,
    OUR_HEADERS = 4,
};

/* One try. */
struct webhook_flight {
    struct webhooks *webhooks;
    struct http_exchange *exchange;
    int64_t number;
    int64_t endpoint;
    unsigned tries; /* before this one */
    char origin[HTTP_ORIGIN_BYTES];
    struct store_webhook after; /* what came of it, once it has landed */
    char error[WEBHOOK_ERROR_BYTES];
    bool is_used, has_landed;
};

struct webhooks {
    struct door *door;
    struct store *store;
    struct http_client *client;
    struct digester *digester;
    struct webhooks_config config;
    struct timer timer;
    uint64_t prune_ms; /* when next, of door_now_ms */
    unsigned rests;    /* since the store was written */
    int64_t last_endpoint;
    struct webhook_flight flights[WEBHOOKS_AT_ONCE_MAX];
    struct webhooks_counts counts;
};

void webhooks_config_init(struct webhooks_config *out)
{
    *out = (struct webhooks_config){.timeout_ms = 15000,
                                    .at_once_max = 16,
                                    .per_host_max = 4,
                                    .keep_ms = INT64_C(30) * 24 * 60 * 60 * 1000};
}

static void look_within(struct webhooks *webhooks, uint64_t wait_ms)
{
    uint64_t due_ms = door_now_ms(webhooks->door) + wait_ms;
    if (webhooks->timer.place == 0 || due_ms < webhooks->timer.due_ms) {
        door_timer_start(webhooks->door, &webhooks->timer, due_ms);
    }
}

/* A try. */

static struct webhook_flight *free_flight(struct webhooks *webhooks)
{
    for (unsigned i = 0; i < webhooks->config.at_once_max; i++) {
        if (!webhooks->flights[i].is_used) {
            return &webhooks->flights[i];
        }
    }
    return NULL;
}

static bool is_under_way(const struct webhooks *webhooks, int64_t number)
{
    for (unsigned i = 0; i < webhooks->config.at_once_max; i++) {
        if (webhooks->flights[i].is_used && webhooks->flights[i].number == number) {
            return true;
        }
    }
    return false;
}

static unsigned count_at(const struct webhooks *webhooks, const char *origin)
{
    unsigned count = 0;
    for (unsigned i = 0; i < webhooks->config.at_once_max; i++) {
        const struct webhook_flight *flight = &webhooks->flights[i];
        count += flight->is_used && strcmp(flight->origin, origin) == 0 ? 1 : 0;
    }
    return count;
}

/* What came of it is kept here until it is in the store: nothing is sent before that, and this not again. */
static void land(struct webhook_flight *flight, const struct http_client_answer *answer)
{
    struct webhooks *webhooks = flight->webhooks;
    struct webhook_try done = {.tries = flight->tries + 1,
                               .now_ms = door_wall_ms(webhooks->door),
                               .end = answer->end,
                               .status = answer->status,
                               .retry_after_s = answer->retry_after_s};
    door_random_bytes(webhooks->door, &done.chance, sizeof done.chance);
    struct webhook_next next = webhook_schedule(&done);
    flight->error[0] = '\0';
    if (answer->end != HTTP_CLIENT_END_ANSWERED) {
        (void)snprintf(flight->error, sizeof flight->error, "%s: %s", http_end_name(answer->end),
                       answer->detail);
    } else if (next.state != STORE_WEBHOOK_DELIVERED) {
        (void)snprintf(flight->error, sizeof flight->error, "the receiver answered %u",
                       answer->status);
    }
    flight->after = (struct store_webhook){.state = next.state,
                                           .tries = done.tries,
                                           .changed_at_ms = done.now_ms,
                                           .next_at_ms = next.at_ms,
                                           .last_status = answer->status,
                                           .last_error = slice_of(flight->error)};
    flight->has_landed = true;
    look_within(webhooks, 0);
}

static enum err put_landed(struct webhooks *webhooks)
{
    enum err e = ERR_NONE;
    for (unsigned i = 0; i < webhooks->config.at_once_max && e == ERR_NONE; i++) {
        const struct webhook_flight *flight = &webhooks->flights[i];
        if (flight->is_used && flight->has_landed) {
            e = store_webhook_tried(webhooks->store, flight->number, &flight->after);
        }
    }
    return e;
}

static void count_landed(struct webhooks *webhooks)
{
    for (unsigned i = 0; i < webhooks->config.at_once_max; i++) {
        struct webhook_flight *flight = &webhooks->flights[i];
        if (flight->is_used && flight->has_landed) {
            webhooks->counts.tries++;
            webhooks->counts.delivered += flight->after.state == STORE_WEBHOOK_DELIVERED ? 1 : 0;
            webhooks->counts.failed += flight->after.state == STORE_WEBHOOK_FAILED ? 1 : 0;
            webhooks->counts.under_way--;
            flight->is_used = false;
        }
    }
}

/* All that was put, and what came of the tries, is in the file. */
static bool keep_all(struct webhooks *webhooks)
{
    bool is_put = put_landed(webhooks) == ERR_NONE;
    bool is_kept = store_flush(webhooks->store, NULL) == ERR_NONE && is_put;
    if (is_kept) {
        count_landed(webhooks);
    }
    return is_kept;
}

static void on_answer(void *context, const struct http_client_answer *answer)
{
    land(context, answer);
}

static enum err ask(struct webhook_flight *flight, const struct store_webhook *event,
                    const char *signature, int64_t timestamp_s, struct fault *out_fault)
{
    const struct webhooks *webhooks = flight->webhooks;
    char timestamp[24];
    struct webhook_headers theirs;
    (void)snprintf(timestamp, sizeof timestamp, "%lld", (long long)timestamp_s);
    struct http_client_header headers[OUR_HEADERS + WEBHOOK_HEADERS_MAX] = {
        {.name = "Content-Type", .value = SLICE("application/json")},
        {.name = "Webhook-Id", .value = event->id},
        {.name = "Webhook-Timestamp", .value = slice_of(timestamp)},
        {.name = "Webhook-Signature", .value = slice_of(signature)},
    };
    webhook_headers_read(event->headers, &theirs);
    for (size_t i = 0; i < theirs.count; i++) { /* keys may be among them */
        headers[OUR_HEADERS + i] = (struct http_client_header){
            .name = theirs.at[i].name, .value = theirs.at[i].value, .is_for_origin = true};
    }
    const struct http_client_request request = {
        .method = HTTP_CLIENT_POST,
        .url = event->endpoint.url,
        .headers = headers,
        .header_count = OUR_HEADERS + theirs.count,
        .body = event->body,
        .timeout_ms = webhooks->config.timeout_ms,
        .connect_timeout_ms = webhooks->config.timeout_ms,
        .response_bytes_max = WEBHOOKS_ANSWER_BYTES_MAX,
        .redirects_max = WEBHOOKS_REDIRECTS_MAX,
    };
    return http_client_ask(webhooks->client, &request, on_answer, flight, &flight->exchange,
                           out_fault);
}

struct start {
    struct webhook_flight *flight;
    enum err err;
    bool is_room_at_host;
    struct fault fault;
};

static void on_row(void *context, const struct store_webhook *event)
{
    struct start *start = context;
    struct webhook_flight *flight = start->flight;
    struct webhooks *webhooks = flight->webhooks;
    char signature[WEBHOOK_SIGNATURE_BYTES];
    (void)snprintf(flight->origin, sizeof flight->origin, "%.*s",
                   SLICE_ARG(event->endpoint.origin));
    start->is_room_at_host = count_at(webhooks, flight->origin) < webhooks->config.per_host_max;
    if (!start->is_room_at_host) {
        return;
    }
    flight->tries = event->tries;
    const struct webhook_message message = {
        .id = event->id, .timestamp_s = door_wall_ms(webhooks->door) / 1000, .body = event->body};
    start->err = webhook_sign(webhooks->digester, event->endpoint.secret, &message, signature);
    if (start->err == ERR_SYNTAX) {
        (void)fault_set(&start->fault, ERR_SYNTAX, 0, "the secret of the endpoint is broken");
    }
    if (start->err == ERR_NONE) {
        start->err = ask(flight, event, signature, message.timestamp_s, &start->fault);
    }
}

/* False: nothing more of this endpoint now. */
static bool launch(struct webhooks *webhooks, struct webhook_flight *flight, int64_t number)
{
    struct start start = {.flight = flight};
    *flight = (struct webhook_flight){.webhooks = webhooks, .number = number};
    enum err e = store_webhook_read(webhooks->store, number, on_row, &start);
    if (e == ERR_NONE && !start.is_room_at_host) {
        return false;
    }
    e = e != ERR_NONE ? e : start.err;
    flight->is_used = e == ERR_NONE || e == ERR_SYNTAX;
    webhooks->counts.under_way += flight->is_used ? 1 : 0;
    if (e == ERR_SYNTAX) { /* where it goes to is not allowed any more: that may change back */
        const struct http_client_answer refusal = {.end = HTTP_CLIENT_END_FORBIDDEN,
                                                   .detail = start.fault.text};
        land(flight, &refusal);
    } else if (e != ERR_NONE) {
        look_within(webhooks, WEBHOOKS_SHORT_MS);
        return false;
    }
    return true;
}

/* Those under way are due too, for the store. */
static void serve_endpoint(struct webhooks *webhooks, int64_t endpoint, int64_t now_ms)
{
    int64_t numbers[STORE_WEBHOOK_DUE_MAX];
    size_t limit = webhooks->counts.under_way + webhooks->config.per_host_max;
    size_t count =
        store_webhook_due(webhooks->store, endpoint, now_ms,
                          limit < STORE_WEBHOOK_DUE_MAX ? limit : STORE_WEBHOOK_DUE_MAX, numbers);
    for (size_t i = 0; i < count; i++) {
        struct webhook_flight *flight = free_flight(webhooks);
        if (flight == NULL) {
            return;
        }
        if (!is_under_way(webhooks, numbers[i]) && !launch(webhooks, flight, numbers[i])) {
            return;
        }
    }
}

static int64_t endpoint_after(const struct webhooks *webhooks, int64_t endpoint)
{
    int64_t next = store_webhook_endpoint_after(webhooks->store, endpoint);
    return next != 0 ? next : store_webhook_endpoint_after(webhooks->store, 0);
}

/* Each endpoint once, from the one after the last that was served. */
static void serve(struct webhooks *webhooks, int64_t now_ms)
{
    int64_t first = endpoint_after(webhooks, webhooks->last_endpoint);
    int64_t endpoint = first;
    while (endpoint != 0 && free_flight(webhooks) != NULL) {
        serve_endpoint(webhooks, endpoint, now_ms);
        webhooks->last_endpoint = endpoint;
        endpoint = endpoint_after(webhooks, endpoint);
        if (endpoint == first) {
            return;
        }
    }
}

static void prune(struct webhooks *webhooks, int64_t now_ms)
{
    uint64_t mono_ms = door_now_ms(webhooks->door);
    size_t count = 0;
    if (mono_ms < webhooks->prune_ms) {
        return;
    }
    enum err e = store_webhook_prune(webhooks->store, now_ms - webhooks->config.keep_ms,
                                     WEBHOOKS_PRUNE_ROWS, &count);
    bool is_more = e == ERR_NONE && count == WEBHOOKS_PRUNE_ROWS;
    webhooks->prune_ms = mono_ms + (is_more ? WEBHOOKS_LOOK_MS : WEBHOOKS_PRUNE_MS);
}

/* Longer each time. */
static uint64_t rest_ms(struct webhooks *webhooks)
{
    uint64_t wait_ms = (uint64_t)WEBHOOKS_SHORT_MS << webhooks->rests;
    webhooks->rests += wait_ms < WEBHOOKS_LOOK_MS ? 1 : 0;
    return wait_ms < WEBHOOKS_LOOK_MS ? wait_ms : WEBHOOKS_LOOK_MS;
}

static void look(void *context)
{
    struct webhooks *webhooks = context;
    int64_t now_ms = door_wall_ms(webhooks->door);
    prune(webhooks, now_ms);
    if (!keep_all(webhooks)) {
        look_within(webhooks, rest_ms(webhooks));
        return;
    }
    webhooks->rests = 0;
    serve(webhooks, now_ms);
    int64_t next_ms = store_webhook_next_at(webhooks->store, now_ms);
    look_within(webhooks, next_ms - now_ms < WEBHOOKS_LOOK_MS ? (uint64_t)(next_ms - now_ms)
                                                              : WEBHOOKS_LOOK_MS);
}

/* From outside. */

enum err webhooks_open(struct door *door, struct store *store, const struct webhooks_config *config,
                       struct webhooks **out, struct fault *out_fault)
{
    must(config->at_once_max > 0 && config->at_once_max <= WEBHOOKS_AT_ONCE_MAX);
    must(config->per_host_max > 0 && config->timeout_ms > 0);
    struct webhooks *webhooks = calloc(1, sizeof *webhooks);
    if (webhooks == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for webhooks");
    }
    webhooks->door = door;
    webhooks->store = store;
    webhooks->config = *config;
    webhooks->timer = (struct timer){.fired = look, .context = webhooks};
    enum err e = digester_new(&webhooks->digester, out_fault);
    e = e != ERR_NONE ? e : http_client_open(door, &config->http, &webhooks->client, out_fault);
    if (e != ERR_NONE) {
        webhooks_close(webhooks);
        return e;
    }
    look_within(webhooks, 0);
    *out = webhooks;
    return ERR_NONE;
}

void webhooks_close(struct webhooks *webhooks)
{
    if (webhooks == NULL) {
        return;
    }
    bool is_kept = keep_all(webhooks);
    (void)is_kept; /* else it is sent again */
    door_timer_stop(webhooks->door, &webhooks->timer);
    http_client_close(webhooks->client);
    digester_free(webhooks->digester);
    free(webhooks);
}

struct webhooks_counts webhooks_count(const struct webhooks *webhooks)
{
    return webhooks->counts;
}

enum err webhooks_check_url(struct webhooks *webhooks, struct slice url, struct fault *out_fault)
{
    char origin[HTTP_ORIGIN_BYTES];
    enum err e = http_client_check_url(webhooks->client, url, origin, out_fault);
    return e != ERR_NOMEM ? e : fault_set(out_fault, e, 0, "out of memory");
}

/* Found, or made with a secret of its own. */
static enum err open_endpoint(struct webhooks *webhooks, struct slice owner, struct slice url,
                              const char *origin, int64_t *out_id, struct fault *out_fault)
{
    char key[WEBHOOK_KEY_BYTES];
    char secret[WEBHOOK_SECRET_BYTES];
    door_random_bytes(webhooks->door, key, sizeof key);
    webhook_secret_write(key, secret);
    const struct store_webhook_endpoint endpoint = {
        .owner = owner, .url = url, .origin = slice_of(origin), .secret = slice_of(secret)};
    enum err e = store_webhook_endpoint_open(webhooks->store, &endpoint,
                                             door_wall_ms(webhooks->door), out_id);
    return e != ERR_STORE ? e : store_why(webhooks->store, out_fault);
}

/* The form that the specification proposes: what, when, and all about it; or another's. */
static enum err write_body(const struct webhook_event *event, int64_t now_ms, struct buf *out)
{
    char time_text[DATE_TIME_BYTES];
    struct json_writer w;
    if (event->kind == WEBHOOK_REACHER_RESULT) {
        return buf_append(out, event->data);
    }
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "type", slice_of(webhook_kind_name(event->kind)));
    json_string(&w, "timestamp", slice_of(date_time_text(now_ms, time_text)));
    json_raw(&w, "data", event->data);
    json_close(&w, '}');
    return w.err;
}

static void make_id(const struct webhooks *webhooks, char out[WEBHOOK_ID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[WEBHOOK_ID_RANDOM_BYTES];
    door_random_bytes(webhooks->door, random, sizeof random);
    memcpy(out, "evt_", 4);
    for (size_t i = 0; i < sizeof random; i++) {
        out[4 + 2 * i] = digits[random[i] >> 4];
        out[5 + 2 * i] = digits[random[i] & 15];
    }
    out[WEBHOOK_ID_BYTES - 1] = '\0';
}

enum err webhooks_put(struct webhooks *webhooks, const struct webhook_event *event,
                      struct fault *out_fault)
{
    int64_t now_ms = door_wall_ms(webhooks->door);
    int64_t endpoint = 0;
    char id[WEBHOOK_ID_BYTES];
    char origin[HTTP_ORIGIN_BYTES] =
        ""; /* of a URL that may not be told any more: the try says so */
    bool is_new = false;
    struct buf body DEFER(buf_done) = {0};
    buf_init(&body, WEBHOOK_BODY_BYTES_MAX);
    enum err e = write_body(event, now_ms, &body);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "the event is too long, or memory is short");
    }
    e = http_client_check_url(webhooks->client, event->url, origin, out_fault);
    if (e == ERR_NOMEM) {
        return fault_set(out_fault, e, 0, "out of memory");
    }
    e = open_endpoint(webhooks, event->owner, event->url, origin, &endpoint, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    make_id(webhooks, id);
    const struct store_webhook row = {.id = slice_of(id),
                                      .kind = slice_of(webhook_kind_name(event->kind)),
                                      .batch = event->batch,
                                      .about = event->about,
                                      .once = event->once,
                                      .body = buf_view(&body),
                                      .headers = event->headers,
                                      .endpoint = {.id = endpoint},
                                      .created_at_ms = now_ms,
                                      .next_at_ms = now_ms};
    e = store_webhook_put(webhooks->store, &row, &is_new);
    if (e != ERR_NONE) {
        return store_why(webhooks->store, out_fault);
    }
    look_within(webhooks, 0);
    return ERR_NONE;
}

enum err webhooks_secret(struct webhooks *webhooks, struct slice owner, struct slice url,
                         struct slice wanted, struct buf *out_secret, struct fault *out_fault)
{
    int64_t endpoint = 0;
    if (wanted.len > 0 && !webhook_secret_is_valid(wanted)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "the secret must be whsec_ and from %d to %d bytes in base64; leave it "
                         "out, and one is made",
                         WEBHOOK_KEY_BYTES_MIN, WEBHOOK_KEY_BYTES_MAX);
    }
    char origin[HTTP_ORIGIN_BYTES];
    enum err e = http_client_check_url(webhooks->client, url, origin, out_fault);
    e = e != ERR_NONE ? e : open_endpoint(webhooks, owner, url, origin, &endpoint, out_fault);
    if (e == ERR_NONE && wanted.len > 0) {
        e = store_webhook_endpoint_set_secret(webhooks->store, endpoint, wanted);
    }
    e = e != ERR_NONE ? e : store_webhook_endpoint_secret(webhooks->store, endpoint, out_secret);
    return e != ERR_STORE ? e : store_why(webhooks->store, out_fault);
}

enum err webhooks_replay(struct webhooks *webhooks, struct slice id, struct fault *out_fault)
{
    enum err e = store_webhook_replay(webhooks->store, id, door_wall_ms(webhooks->door));
    if (e == ERR_CLOSED) {
        return fault_set(out_fault, ERR_CLOSED, 0, "there is no event of this id");
    }
    if (e != ERR_NONE) {
        return store_why(webhooks->store, out_fault);
    }
    look_within(webhooks, 0);
    return ERR_NONE;
}
