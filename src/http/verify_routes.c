/* http/verify_routes: POST /v1/verify (one address), GET /v1/verify/stream (the same as server-sent events, with the
 * conversation as it happens), POST /v1/verify/many (up to 1,000, as NDJSON in the order in which they finish).
 *
 * What is stored and still alive is answered on the library's thread, without the desk.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/record_json.h"
#include "http/api.h"
#include "http/json_body.h"
#include "http/stored.h"
#include "http/stream.h"

enum {
    BODY_BYTES_MAX = 16 * 1024,
    MANY_MAX = 1000,
    MANY_BODY_BYTES_MAX = 2 << 20,
    MANY_AT_ONCE = 64,             /* asked at a time; the rest waits for room in the stream */
    RECORD_BYTES_MAX = 256 * 1024, /* with a long transcript */
    STREAM_BYTES_MAX = 4 << 20,
    STREAM_FULL_BYTES = 1 << 20, /* no more is asked while so much is unsent */
    ADDRESS_BYTES_MAX = 1000,
    TIMEOUT_MS_MIN = 100,
    TIMEOUT_MS_MAX = 600 * 1000,
    TIMEOUT_MS = 30 * 1000, /* where the caller says nothing */
    EVENT_BYTES_MAX = 64 * 1024,
};

struct wanted {
    struct slice email;
    bool is_fresh, has_transcript;
    uint64_t timeout_ms;
};

static const struct json_member wanted_members[] = {
    {"email", JSON_BODY_TEXT, true, 1, ADDRESS_BYTES_MAX, offsetof(struct wanted, email)},
    {"timeout_ms", JSON_BODY_COUNT, false, TIMEOUT_MS_MIN, TIMEOUT_MS_MAX,
     offsetof(struct wanted, timeout_ms)},
    {"fresh", JSON_BODY_FLAG, false, 0, 0, offsetof(struct wanted, is_fresh)},
    {"transcript", JSON_BODY_FLAG, false, 0, 0, offsetof(struct wanted, has_transcript)},
};
enum { WANTED_MEMBERS = sizeof wanted_members / sizeof *wanted_members };

/* A record in the API's form: the record, whether it is pending, and where to ask again then. */
static enum err write_record(const struct record *record, bool is_pending, struct buf *out)
{
    enum err e = record_write_json(record, out);
    if (e != ERR_NONE || !is_pending) {
        return e;
    }
    out->len--; /* its closing brace */
    e = buf_append(out, SLICE(",\"pending\":true,\"link\":\"/v1/addresses/"));
    for (size_t i = 0; i < record->email.len && e == ERR_NONE; i++) {
        char c = record->email.at[i];
        bool is_plain = ascii_is_alnum(c) || slice_find_byte(SLICE("@.-_"), c, 0) < 4;
        e = is_plain ? buf_append_byte(out, c)
                     : buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
    return e != ERR_NONE ? e : buf_append(out, SLICE("\"}"));
}

/* ---- one ---- */

struct one {
    struct http_request *request;
    struct http_stream *stream; /* of /v1/verify/stream */
    struct service_ticket *ticket;
};

static void leave_one(void *state)
{
    struct one *one = state;
    service_leave(one->ticket);
    one->ticket = NULL;
}

static void free_one(void *state)
{
    free(state);
}

static const struct http_state_ops one_ops = {leave_one, free_one};

static struct one *new_one(struct http_request *request)
{
    struct one *one = calloc(1, sizeof *one);
    if (one == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return NULL;
    }
    one->request = request;
    request->state = one;
    request->state_ops = &one_ops;
    return one;
}

static void answer_one(void *context, const struct record *record, bool is_pending)
{
    struct one *one = context;
    struct buf body;
    buf_init(&body, RECORD_BYTES_MAX);
    if (write_record(record, is_pending, &body) != ERR_NONE) {
        http_refuse(one->request, PROBLEM_INTERNAL, "no memory for the record");
    } else {
        http_answer_json(one->request, is_pending ? 202 : 200, &body);
    }
    buf_done(&body);
}

static void ask_one(struct http_request *request, const struct wanted *wanted)
{
    struct one *one = new_one(request);
    if (one == NULL || !http_hold(request)) {
        return;
    }
    const struct service_question question = {
        .address = wanted->email,
        .is_fresh = wanted->is_fresh,
        .keeps_transcript = wanted->has_transcript,
        .timeout_ms = (uint32_t)wanted->timeout_ms,
        .answered = answer_one,
        .context = one,
    };
    if (service_ask(request->api->service, &question, &one->ticket) != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    }
}

static void post_verify(struct http_request *request)
{
    static const char *const none[] = {NULL};
    struct wanted wanted = {.email = SLICE_NONE, .timeout_ms = TIMEOUT_MS};
    struct service_cached cached;
    struct json_t *parsed;
    struct problem problem;
    struct buf body;
    if (!http_takes_arguments(request, none) || !http_has_service(request)) {
        return;
    }
    if (!json_body_read(buf_view(&request->body), wanted_members, WANTED_MEMBERS, &wanted, &parsed,
                        &problem)) {
        http_answer_problem(request, &problem);
        return;
    }
    buf_init(&body, RECORD_BYTES_MAX);
    if (!wanted.is_fresh && !wanted.has_transcript &&
        service_find_cached(request->api->service, wanted.email, &body, &cached)) {
        http_answer_json(request, 200, &body);
    } else {
        ask_one(request, &wanted);
    }
    buf_done(&body);
    json_body_free(parsed);
}

/* ---- one, watched ---- */

/* A slow reader misses a line of the conversation, never the verdict, which ends the stream. */
static void on_said(void *context, uint32_t t_ms, char direction, struct slice line)
{
    const struct one *one = context;
    struct buf data;
    struct json_writer w;
    buf_init(&data, EVENT_BYTES_MAX);
    json_begin(&w, &data);
    json_open(&w, NULL, '{');
    json_int(&w, "t_ms", t_ms);
    json_string(&w, "direction", slice_make(&direction, 1));
    json_string(&w, "text", line);
    json_close(&w, '}');
    if (w.err == ERR_NONE) {
        http_stream_offer(one->stream, STREAM_FULL_BYTES, "line", buf_view(&data));
    }
    buf_done(&data);
}

static void on_moved(void *context, struct slice what)
{
    const struct one *one = context;
    http_stream_offer_text(one->stream, STREAM_FULL_BYTES, "stage", what);
}

static void end_watched(void *context, const struct record *record, bool is_pending)
{
    struct one *one = context;
    struct buf data;
    buf_init(&data, RECORD_BYTES_MAX);
    enum err e = write_record(record, is_pending, &data);
    e = e != ERR_NONE
            ? e
            : http_stream_event(one->stream, is_pending ? "pending" : "verdict", buf_view(&data));
    if (e == ERR_NOMEM || e == ERR_LIMIT) {
        (void)(http_stream_event(one->stream, "error",
                                 SLICE("{\"text\":\"no memory for the record\"}")) == ERR_NONE);
    }
    http_stream_end(one->stream);
    buf_done(&data);
}

static bool read_stream_query(struct http_request *request, struct wanted *out)
{
    static const char *const names[] = {"email", "timeout_ms", "fresh", NULL};
    out->email = http_argument(request, "email");
    if (!http_takes_arguments(request, names) ||
        !http_flag_argument(request, "fresh", &out->is_fresh) ||
        !http_count_argument(request, "timeout_ms", TIMEOUT_MS_MIN, TIMEOUT_MS_MAX,
                             &out->timeout_ms)) {
        return false;
    }
    if (out->email.len == 0 || out->email.len > ADDRESS_BYTES_MAX) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "email: 1 to %d bytes are wanted",
                    ADDRESS_BYTES_MAX);
        return false;
    }
    return true;
}

/* A stored answer: its one event. */
static bool send_cached(struct http_request *request, const struct wanted *wanted, struct one *one)
{
    struct service_cached cached;
    struct buf data;
    bool is_found = false;
    buf_init(&data, RECORD_BYTES_MAX);
    if (!wanted->is_fresh &&
        service_find_cached(request->api->service, wanted->email, &data, &cached)) {
        is_found = http_stream_event(one->stream, "verdict", buf_view(&data)) == ERR_NONE;
    }
    buf_done(&data);
    return is_found;
}

static void get_verify_stream(struct http_request *request)
{
    struct wanted wanted = {.timeout_ms = TIMEOUT_MS_MAX};
    if (!http_has_service(request) || !read_stream_query(request, &wanted)) {
        return;
    }
    struct one *one = new_one(request);
    const struct http_stream_config config = {
        .content_type = "text/event-stream", .bytes_max = STREAM_BYTES_MAX, .beats = true};
    one = one == NULL ? NULL : one;
    if (one == NULL) {
        return;
    }
    one->stream = http_stream_open(request, &config);
    if (one->stream == NULL) {
        return;
    }
    if (send_cached(request, &wanted, one)) {
        http_stream_end(one->stream);
        return;
    }
    const struct service_question question = {
        .address = wanted.email,
        .is_fresh = wanted.is_fresh,
        .timeout_ms = (uint32_t)wanted.timeout_ms,
        .said = on_said,
        .moved = on_moved,
        .answered = end_watched,
        .context = one,
    };
    if (service_ask(request->api->service, &question, &one->ticket) != ERR_NONE) {
        http_stream_end(one->stream);
    }
}

/* ---- many ---- */

struct many;

struct many_item {
    struct many *many;
    size_t row;
    struct service_ticket *ticket;
};

struct many {
    struct http_request *request;
    struct http_stream *stream;
    struct json_t *parsed;
    struct json_t *emails; /* of parsed */
    bool is_fresh;
    uint64_t timeout_ms;
    size_t count, next; /* next: the library's thread's */
    _Atomic size_t answered;
    struct many_item items[];
};

static void leave_many(void *state)
{
    struct many *many = state;
    for (size_t i = 0; i < many->next; i++) {
        service_leave(many->items[i].ticket);
        many->items[i].ticket = NULL;
    }
}

static void free_many(void *state)
{
    struct many *many = state;
    json_body_free(many->parsed);
    free(many);
}

static const struct http_state_ops many_ops = {leave_many, free_many};

/* {"row":1,...the record...} and LF. */
static enum err write_row(size_t row, const struct buf *record, struct buf *out)
{
    enum err e = buf_printf(out, "{\"row\":%zu,", row);
    e = e != ERR_NONE ? e : buf_append(out, slice_sub(buf_view(record), 1, record->len));
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

/* A row that finds no memory is told by its number alone; the client sees which is missing. */
static void send_row(struct many *many, size_t row, const struct buf *record, enum err e)
{
    struct buf line;
    buf_init(&line, RECORD_BYTES_MAX + 64);
    e = e != ERR_NONE ? e : write_row(row, record, &line);
    e = e != ERR_NONE ? e : http_stream_write(many->stream, buf_view(&line));
    if (e == ERR_NOMEM || e == ERR_LIMIT) {
        buf_clear(&line);
        e = buf_printf(&line, "{\"row\":%zu,\"error\":\"no memory for the record\"}\n", row);
        if (e == ERR_NONE) {
            (void)(http_stream_write(many->stream, buf_view(&line)) == ERR_NONE);
        }
    }
    buf_done(&line);
    if (atomic_fetch_add(&many->answered, 1) + 1 == many->count) {
        http_stream_end(many->stream);
    }
}

static void answer_row(void *context, const struct record *record, bool is_pending)
{
    struct many_item *item = context;
    struct buf body;
    buf_init(&body, RECORD_BYTES_MAX);
    enum err e = write_record(record, is_pending, &body);
    send_row(item->many, item->row, &body, e);
    buf_done(&body);
}

static void ask_row(struct many *many, size_t index)
{
    struct service *service = many->request->api->service;
    struct many_item *item = &many->items[index];
    struct slice email = json_body_list_text(many->emails, index);
    struct service_cached cached;
    struct buf body;
    buf_init(&body, RECORD_BYTES_MAX);
    *item = (struct many_item){.many = many, .row = index + 1};
    const struct service_question question = {
        .address = email,
        .is_fresh = many->is_fresh,
        .timeout_ms = (uint32_t)many->timeout_ms,
        .answered = answer_row,
        .context = item,
    };
    if (!many->is_fresh && service_find_cached(service, email, &body, &cached)) {
        send_row(many, item->row, &body, ERR_NONE);
    } else if (service_ask(service, &question, &item->ticket) != ERR_NONE) {
        send_row(many, item->row, &body, ERR_NOMEM);
    }
    buf_done(&body);
}

/* So many at a time as the client takes. */
static void ask_more(void *context)
{
    struct many *many = context;
    while (many->next < many->count && many->next - atomic_load(&many->answered) < MANY_AT_ONCE &&
           http_stream_unsent(many->stream) < STREAM_FULL_BYTES) {
        ask_row(many, many->next++);
    }
}

struct many_wanted {
    struct json_t *emails;
    bool is_fresh;
    uint64_t timeout_ms;
};

static const struct json_member many_members[] = {
    {"emails", JSON_BODY_LIST, true, 1, MANY_MAX, offsetof(struct many_wanted, emails)},
    {"timeout_ms", JSON_BODY_COUNT, false, TIMEOUT_MS_MIN, TIMEOUT_MS_MAX,
     offsetof(struct many_wanted, timeout_ms)},
    {"fresh", JSON_BODY_FLAG, false, 0, 0, offsetof(struct many_wanted, is_fresh)},
};
enum { MANY_MEMBERS = sizeof many_members / sizeof *many_members };

static struct many *new_many(struct http_request *request, const struct many_wanted *wanted,
                             struct json_t *parsed)
{
    size_t count = json_body_list_length(wanted->emails);
    struct many *many = calloc(1, sizeof *many + count * sizeof many->items[0]);
    if (many == NULL) {
        return NULL;
    }
    many->request = request;
    many->parsed = parsed;
    many->emails = wanted->emails;
    many->is_fresh = wanted->is_fresh;
    many->timeout_ms = wanted->timeout_ms;
    many->count = count;
    request->state = many;
    request->state_ops = &many_ops;
    return many;
}

static void post_verify_many(struct http_request *request)
{
    static const char *const none[] = {NULL};
    struct many_wanted wanted = {.timeout_ms = TIMEOUT_MS_MAX};
    struct json_t *parsed;
    struct problem problem;
    if (!http_takes_arguments(request, none) || !http_has_service(request)) {
        return;
    }
    if (!json_body_read(buf_view(&request->body), many_members, MANY_MEMBERS, &wanted, &parsed,
                        &problem)) {
        http_answer_problem(request, &problem);
        return;
    }
    if (!http_charge(request, json_body_list_length(wanted.emails) - 1)) {
        json_body_free(parsed);
        return;
    }
    struct many *many = new_many(request, &wanted, parsed);
    if (many == NULL) {
        json_body_free(parsed);
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    const struct http_stream_config config = {.content_type = "application/x-ndjson",
                                              .bytes_max = STREAM_BYTES_MAX,
                                              .has_room = ask_more,
                                              .context = many};
    many->stream = http_stream_open(request, &config);
    if (many->stream != NULL) {
        ask_more(many);
    }
}

static const struct http_route routes[] = {
    {.method = "POST",
     .pattern = "/v1/verify",
     .scope = "verify",
     .body = HTTP_BODY_JSON,
     .body_bytes_max = BODY_BYTES_MAX,
     .handle = post_verify},
    {.method = "GET",
     .pattern = "/v1/verify/stream",
     .scope = "verify",
     .is_stream = true,
     .handle = get_verify_stream},
    {.method = "POST",
     .pattern = "/v1/verify/many",
     .scope = "verify",
     .body = HTTP_BODY_JSON,
     .body_bytes_max = MANY_BODY_BYTES_MAX,
     .handle = post_verify_many},
};

const struct http_routes http_verify_routes = {routes, sizeof routes / sizeof *routes};
