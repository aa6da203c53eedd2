/* http/probe_routes: POST /v1/probe: the test of a mail server; as server-sent events, with the conversation as it happens,
 * where the caller accepts text/event-stream. A worker of tools/probe_desk does it; what is not private here is what the
 * operator's terms allow (tools/probe_order). Passwords are in no log and no answer, and overwritten when they were read.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "http/api.h"
#include "http/json_body.h"
#include "http/stream.h"
#include "tools/probe_desk.h"
#include "tools/probe_words.h"

enum {
    BODY_BYTES_MAX = 2 * PROBE_ORDER_MESSAGE_BYTES,
    TEXT_BYTES_MAX = 400,
    STREAM_FULL_BYTES = 1 << 20, /* more lines than a client has not taken yet are left out */
    STREAM_BYTES_MAX = PROBE_DESK_REPORT_BYTES + STREAM_FULL_BYTES + (1 << 16),
    EVENT_BYTES_MAX = 64 * 1024,
    RETRY_AFTER_S = 10,
};

struct wanted {
    struct probe_wish wish;
    struct json_t *to;
    struct slice rcpts[PROBE_ORDER_RCPTS_MAX];
};

#define WISH(member) offsetof(struct wanted, wish.member)
static const struct json_member members[] = {
    {"target", JSON_BODY_TEXT, true, 1, TEXT_BYTES_MAX, WISH(target)},
    {"port", JSON_BODY_COUNT, false, 1, 65535, WISH(port)},
    {"host", JSON_BODY_TEXT, false, 1, TEXT_BYTES_MAX, WISH(host)},
    {"all_hosts", JSON_BODY_FLAG, false, 0, 0, WISH(all_hosts)},
    {"tls", JSON_BODY_TEXT, false, 1, TEXT_BYTES_MAX, WISH(tls)},
    {"server_name", JSON_BODY_TEXT, false, 1, TEXT_BYTES_MAX, WISH(server_name)},
    {"examine", JSON_BODY_FLAG, false, 0, 0, WISH(examines)},
    {"ports", JSON_BODY_FLAG, false, 0, 0, WISH(compares_ports)},
    {"from", JSON_BODY_TEXT, false, 0, TEXT_BYTES_MAX, WISH(mail_from)},
    {"to", JSON_BODY_LIST, false, 1, PROBE_ORDER_RCPTS_MAX, offsetof(struct wanted, to)},
    {"user", JSON_BODY_TEXT, false, 1, TEXT_BYTES_MAX, WISH(user)},
    {"password", JSON_BODY_TEXT, false, 1, TEXT_BYTES_MAX, WISH(password)},
    {"mechanism", JSON_BODY_TEXT, false, 1, TEXT_BYTES_MAX, WISH(mechanism)},
    {"test_logins", JSON_BODY_FLAG, false, 0, 0, WISH(tests_logins)},
    {"send", JSON_BODY_FLAG, false, 0, 0, WISH(sends)},
    {"message", JSON_BODY_TEXT, false, 1, PROBE_ORDER_MESSAGE_BYTES, WISH(message)},
    {"relay_domain", JSON_BODY_TEXT, false, 1, TEXT_BYTES_MAX, WISH(relay_domain)},
    {"relay_to", JSON_BODY_TEXT, false, 1, TEXT_BYTES_MAX, WISH(relay_to)},
    {"timeout_ms", JSON_BODY_COUNT, false, PROBE_ORDER_MS_MIN, PROBE_ORDER_MS_MAX,
     WISH(timeout_ms)},
};
enum { MEMBERS = sizeof members / sizeof *members };

struct test {
    struct http_request *request;
    struct http_stream *stream; /* NULL: the answer comes at once */
    struct probe_ticket *ticket;
    struct probe_order *order; /* until the desk has it */
};

static void leave_test(void *state)
{
    struct test *test = state;
    probe_desk_leave(test->ticket);
    test->ticket = NULL;
}

static void free_test(void *state)
{
    struct test *test = state;
    probe_order_free(test->order);
    free(test);
}

static const struct http_state_ops test_ops = {leave_test, free_test};

/* ---- the answer, on the worker's thread ---- */

static void answer_test(void *context, struct buf *json, const struct fault *fault)
{
    const struct test *test = context;
    if (json == NULL) {
        http_refuse(test->request, PROBLEM_INTERNAL, "%.300s", fault->text);
    } else {
        http_answer_json(test->request, 200, json);
    }
}

/* A slow reader misses a line of the conversation, never the result, which ends the stream. */
static void on_said(void *context, uint32_t t_ms, char direction, struct slice line)
{
    const struct test *test = context;
    struct buf data;
    struct json_writer w;
    char room[PROBE_WORDS_BYTES];
    bool in_tls = direction == 'c' || direction == 's';
    char side = direction == 'c' ? 'C' : direction == 's' ? 'S' : direction;
    const char *meaning = side == 'S' ? probe_words_line(line, room) : NULL;
    buf_init(&data, EVENT_BYTES_MAX);
    json_begin(&w, &data);
    json_open(&w, NULL, '{');
    json_int(&w, "t_ms", t_ms);
    json_string(&w, "direction", slice_make(&side, 1));
    json_bool(&w, "tls", in_tls);
    json_string(&w, "text", line);
    json_text(&w, "meaning", slice_of(meaning));
    json_close(&w, '}');
    if (w.err == ERR_NONE) {
        http_stream_offer(test->stream, STREAM_FULL_BYTES, "line", buf_view(&data));
    }
    buf_done(&data);
}

static void on_moved(void *context, struct slice what)
{
    const struct test *test = context;
    http_stream_offer_text(test->stream, STREAM_FULL_BYTES, "stage", what);
}

static void end_stream(void *context, struct buf *json, const struct fault *fault)
{
    const struct test *test = context;
    enum err e =
        json == NULL ? ERR_NOMEM : http_stream_event(test->stream, "result", buf_view(json));
    if (e == ERR_NOMEM || e == ERR_LIMIT) {
        struct buf data;
        struct json_writer w;
        buf_init(&data, EVENT_BYTES_MAX);
        json_begin(&w, &data);
        json_open(&w, NULL, '{');
        json_string(&w, "text",
                    json == NULL ? slice_of(fault->text) : SLICE("no memory for the result"));
        json_close(&w, '}');
        (void)(w.err == ERR_NONE &&
               http_stream_event(test->stream, "error", buf_view(&data)) == ERR_NONE);
        buf_done(&data);
    }
    http_stream_end(test->stream);
}

/* ---- the question ---- */

/* False: it was answered. */
static bool begin(struct test *test, bool is_stream)
{
    static const struct http_stream_config config = {
        .content_type = "text/event-stream", .bytes_max = STREAM_BYTES_MAX, .beats = true};
    if (is_stream) {
        test->stream = http_stream_open(test->request, &config);
    }
    if (is_stream ? test->stream == NULL : !http_hold(test->request)) {
        return false;
    }
    const struct probe_desk_question question = {
        .order = test->order,
        .said = is_stream ? on_said : NULL,
        .moved = is_stream ? on_moved : NULL,
        .answered = is_stream ? end_stream : answer_test,
        .context = test,
    };
    test->order = NULL;
    probe_desk_begin(test->ticket, &question);
    return true;
}

static void refuse_for_now(struct http_request *request)
{
    struct problem problem;
    problem_set(&problem, PROBLEM_TOO_MANY,
                "as many tests of mail servers are under way as may be, here or with this key; try "
                "again later");
    problem.retry_after_s = RETRY_AFTER_S;
    http_answer_problem(request, &problem);
}

/* The order is the state's from here on. */
static void start(struct http_request *request, struct probe_order *order)
{
    struct test *test = calloc(1, sizeof *test);
    bool is_stream = slice_find_nocase(http_header(request, "Accept"), SLICE("text/event-stream")) <
                     http_header(request, "Accept").len;
    if (test == NULL) {
        probe_order_free(order);
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    *test = (struct test){.request = request, .order = order};
    request->state = test;
    request->state_ops = &test_ops;
    enum err e = probe_desk_reserve(request->api->probes, request->key_id, &test->ticket);
    if (e == ERR_LIMIT) {
        refuse_for_now(request);
    } else if (e != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    } else {
        (void)begin(test, is_stream);
    }
}

static enum err make_order(struct http_request *request, struct wanted *wanted,
                           struct probe_order **out)
{
    struct problem problem;
    struct fault fault;
    const char *member = "";
    wanted->wish.rcpts = wanted->rcpts;
    wanted->wish.rcpt_count = wanted->to == NULL ? 0 : json_body_list_length(wanted->to);
    for (size_t i = 0; i < wanted->wish.rcpt_count; i++) {
        wanted->rcpts[i] = json_body_list_text(wanted->to, i);
    }
    enum err e = probe_order_make(request->api->probe_terms, &wanted->wish, out, &member, &fault);
    if (e == ERR_SYNTAX) {
        char pointer[PROBLEM_POINTER_BYTES];
        (void)snprintf(pointer, sizeof pointer, "/%s", member);
        problem_set_at(&problem, PROBLEM_INVALID, pointer, "%.300s", fault.text);
        http_answer_problem(request, &problem);
    } else if (e != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    }
    return e;
}

static void post_probe(struct http_request *request)
{
    struct wanted wanted = {.wish = {.examines = true}};
    struct json_t *body = NULL;
    struct problem problem;
    struct probe_order *order;
    if (request->api->probes == NULL) {
        http_refuse(request, PROBLEM_NOT_READY, "mail servers are not tested here: %s",
                    request->api->probes_obstacle == NULL ? "the engine is not running"
                                                          : request->api->probes_obstacle);
        return;
    }
    if (!json_body_read(buf_view(&request->body), members, MEMBERS, &wanted, &body, &problem)) {
        http_answer_problem(request, &problem);
        return;
    }
    enum err e = make_order(request, &wanted, &order);
    json_body_wipe(body, "password");
    json_body_free(body);
    explicit_bzero(request->body.at, request->body.len);
    if (e == ERR_NONE) {
        start(request, order);
    }
}

static const struct http_route routes[] = {
    {.method = "POST",
     .pattern = "/v1/probe",
     .scope = "probe",
     .body = HTTP_BODY_JSON,
     .body_bytes_max = BODY_BYTES_MAX,
     .handle = post_probe},
};

const struct http_routes http_probe_routes = {routes, sizeof routes / sizeof *routes};
