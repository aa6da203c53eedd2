/* http/outcome_routes: POST /v1/outcomes: what became of messages, so that likelihoods at their domains and providers are
 * corrected (engine/likely). A list that is sent again is learned as it was: an address counts by what was said last.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/outcome_list.h"
#include "http/stored.h"

enum {
    BODY_BYTES_MAX = 8 << 20, /* some 200,000 rows */
    JSON_BYTES_MAX = 16 * 1024,
    FAULTS_TOLD = 20,
    ROWS_AT_ONCE = 256, /* on the desk, which has others to serve */
};

struct learning {
    struct outcome_list *list;
    const struct knowledge *knowledge;
    struct outcome_counts counts;
    struct json_writer faults;
    bool has_ended;
    enum err err;
    struct fault fault;
};

static void tell_fault(struct learning *learning, const struct outcome_row *row)
{
    if (learning->counts.unused <= FAULTS_TOLD) {
        json_open(&learning->faults, NULL, '{');
        json_int(&learning->faults, "line", (int64_t)row->line);
        json_string(&learning->faults, "detail", slice_of(learning->fault.text));
        json_close(&learning->faults, '}');
    }
}

/* On the desk. */
static void learn_some(struct desk *desk, void *context)
{
    struct learning *learning = context;
    struct outcome_means means;
    struct outcome_row row;
    int64_t now_ms = door_wall_ms(desk->door);
    enum err e = ERR_NONE;
    outcome_means_init(&means, desk->store, learning->knowledge);
    for (int i = 0; i < ROWS_AT_ONCE && e == ERR_NONE; i++) {
        e = outcome_list_next(learning->list, &row, &learning->fault);
        if (e != ERR_NONE) {
            break;
        }
        e = outcome_learn(&means, &row, now_ms, &learning->counts, &learning->fault);
        if (e == ERR_SYNTAX) {
            tell_fault(learning, &row);
            e = ERR_NONE;
        }
    }
    learning->has_ended = e == ERR_CLOSED;
    e = e == ERR_NONE || e == ERR_CLOSED ? store_flush(desk->store, &learning->fault) : e;
    learning->err = e;
}

static void answer(struct http_request *request, struct learning *learning)
{
    struct buf json;
    struct json_writer w;
    json_close(&learning->faults, ']');
    buf_init(&json, JSON_BYTES_MAX);
    json_begin(&w, &json);
    json_open(&w, NULL, '{');
    outcome_counts_write(&w, &learning->counts);
    json_raw(&w, "faults", buf_view(learning->faults.out));
    json_close(&w, '}');
    if (w.err == ERR_NONE && learning->faults.err == ERR_NONE) {
        http_answer_json(request, 200, &json);
    } else {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    }
    buf_done(&json);
}

static void refuse(struct http_request *request, enum err e, const struct fault *fault)
{
    http_refuse(request, e == ERR_SYNTAX ? PROBLEM_INVALID : PROBLEM_INTERNAL, "%s", fault->text);
}

static void learn(struct http_request *request, struct learning *learning)
{
    while (!learning->has_ended) {
        if (!service_call(request->api->service, learn_some, learning)) {
            http_refuse(request, PROBLEM_NOT_READY, "the service is stopping");
            return;
        }
        if (learning->err != ERR_NONE) {
            refuse(request, learning->err, &learning->fault);
            return;
        }
    }
    answer(request, learning);
}

static void learn_file(struct http_request *request, struct slice file_name, FILE *file)
{
    struct buf faults;
    struct learning learning = {.knowledge = service_knowledge(request->api->service)};
    enum err e = outcome_list_open(file_name, file, &learning.list, &learning.fault);
    if (e != ERR_NONE) {
        refuse(request, e, &learning.fault);
        return;
    }
    buf_init(&faults, JSON_BYTES_MAX);
    json_begin(&learning.faults, &faults);
    json_open(&learning.faults, NULL, '[');
    learn(request, &learning);
    buf_done(&faults);
    outcome_list_close(learning.list);
}

/* What a list of that type is called; empty: it is not taken. */
static struct slice name_of(struct slice content_type)
{
    struct slice type = slice_trim(slice_cut(&content_type, ';'));
    return slice_equal_nocase(type, SLICE("text/csv"))               ? SLICE("outcomes.csv")
           : slice_equal_nocase(type, SLICE("application/x-ndjson")) ? SLICE("outcomes.ndjson")
                                                                     : SLICE_NONE;
}

static void post_outcomes(struct http_request *request)
{
    static const char *const none[] = {NULL};
    struct slice name = name_of(request->content_type);
    if (!http_takes_arguments(request, none) || !http_has_service(request)) {
        return;
    }
    if (name.len == 0) {
        http_refuse(request, PROBLEM_MEDIA_TYPE,
                    "outcomes come as text/csv or application/x-ndjson");
        return;
    }
    if (request->body.len == 0) {
        http_refuse(request, PROBLEM_INVALID, "the list is empty");
        return;
    }
    FILE *file = fmemopen(request->body.at, request->body.len, "rb");
    if (file == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    learn_file(request, name, file);
    (void)fclose(file); /* it was only read */
}

static const struct http_route routes[] = {
    {.method = "POST",
     .pattern = "/v1/outcomes",
     .scope = "learn",
     .body = HTTP_BODY_ANY,
     .body_bytes_max = BODY_BYTES_MAX,
     .handle = post_outcomes},
};

const struct http_routes http_outcome_routes = {routes, sizeof routes / sizeof *routes};
