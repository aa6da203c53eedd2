/* http/peer_problem: what is wrong, in the words of the service that the caller believes to ask. Their clients look at the
 * status and at one member; the detail stays ours.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "engine/json_write.h"
#include "http/peer.h"

static bool is_about_key(const struct problem *problem)
{
    return problem->kind == PROBLEM_NO_KEY || problem->kind == PROBLEM_BAD_KEY;
}

/* Ends the object that w is in, and answers with it. */
static void answer(struct http_request *request, unsigned status, struct json_writer *w)
{
    json_close(w, '}');
    if (w->err == ERR_NONE) {
        http_answer_json(request, status, w->out);
    } else {
        http_answer_empty(request, status);
    }
    buf_done(w->out);
}

static void begin(struct json_writer *w, struct buf *out)
{
    buf_init(out, PEER_PROBLEM_BYTES_MAX);
    json_begin(w, out);
    json_open(w, NULL, '{');
}

void peer_complain_reacher(struct http_request *request, const struct problem *problem)
{
    struct buf out;
    struct json_writer w;
    begin(&w, &out);
    json_string(&w, "error", slice_of(problem->detail));
    answer(request, problem_status(problem->kind), &w);
}

/* Their client knows a bad key by 403. */
void peer_complain_zerobounce(struct http_request *request, const struct problem *problem)
{
    struct buf out;
    struct json_writer w;
    begin(&w, &out);
    json_string(&w, "error", slice_of(problem->detail));
    answer(request, is_about_key(problem) ? 403 : problem_status(problem->kind), &w);
}

void peer_complain_kickbox(struct http_request *request, const struct problem *problem)
{
    struct buf out;
    struct json_writer w;
    begin(&w, &out);
    json_bool(&w, "success", false);
    json_string(&w, "message", slice_of(problem->detail));
    answer(request, is_about_key(problem) ? 403 : problem_status(problem->kind), &w);
}

/* Theirs come with status 200; the word says what it is. */
void peer_complain_neverbounce(struct http_request *request, const struct problem *problem)
{
    bool is_throttled = problem->kind == PROBLEM_TOO_MANY || problem->kind == PROBLEM_QUOTA;
    struct slice word = is_about_key(problem) ? SLICE("auth_failure")
                        : is_throttled        ? SLICE("throttle_triggered")
                                              : SLICE("general_failure");
    struct buf out;
    struct json_writer w;
    begin(&w, &out);
    json_string(&w, "status", word);
    json_string(&w, "message", slice_of(problem->detail));
    json_int(&w, "execution_time", 0);
    answer(request, 200, &w);
}
