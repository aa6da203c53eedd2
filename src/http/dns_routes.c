/* http/dns_routes: GET /v1/dns/{domain}: what the DNS of a domain does to its mail, asked now.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/slice.h"
#include "http/api.h"
#include "tools/health.h"

struct dns_question {
    struct http_request *request;
    struct health_ticket *ticket;
};

static void leave_question(void *state)
{
    struct dns_question *question = state;
    health_desk_leave(question->ticket);
    question->ticket = NULL;
}

static void free_question(void *state)
{
    free(state);
}

static const struct http_state_ops question_ops = {leave_question, free_question};

static void answer_question(void *context, struct buf *json)
{
    const struct dns_question *question = context;
    if (json == NULL) {
        http_refuse(question->request, PROBLEM_INTERNAL, "out of memory");
    } else {
        http_answer_json(question->request, 200, json);
    }
}

/* Letters, digits, and what stands between them in names; commas between names. */
static bool are_selectors(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool is_good =
            ascii_is_alnum(text.at[i]) || slice_find_byte(SLICE("-_.,"), text.at[i], 0) < 4;
        if (!is_good) {
            return false;
        }
    }
    return text.len <= HEALTH_DESK_SELECTORS_BYTES;
}

static void ask(struct http_request *request, const struct health_desk_question *wanted)
{
    struct dns_question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    struct health_desk_question asked = *wanted;
    question->request = request;
    request->state = question;
    request->state_ops = &question_ops;
    if (!http_hold(request)) {
        return;
    }
    asked.answered = answer_question;
    asked.context = question;
    enum err e = health_desk_ask(request->api->health, &asked, &question->ticket);
    if (e == ERR_LIMIT) {
        http_refuse(request, PROBLEM_TOO_MANY,
                    "%d domains are asked about already; try again later", HEALTH_DESK_OPEN_MAX);
    } else if (e != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    }
}

static void get_dns(struct http_request *request)
{
    static const char *const arguments[] = {"selectors", "smtp", NULL};
    char domain[DNS_NAME_BYTES];
    bool asks_smtp = true;
    if (!http_takes_arguments(request, arguments) ||
        !http_flag_argument(request, "smtp", &asks_smtp)) {
        return;
    }
    struct slice selectors = http_argument(request, "selectors");
    if (!are_selectors(selectors)) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "'selectors' takes names of DKIM keys, parted by commas");
    } else if (!health_domain_read(request->params[0], domain)) {
        http_refuse(request, PROBLEM_BAD_TARGET, "the path holds no domain");
    } else if (request->api->health == NULL) {
        http_refuse(request, PROBLEM_NOT_READY, "the engine is not running");
    } else {
        const struct health_desk_question question = {
            .domain = domain, .selectors = selectors, .no_smtp = !asks_smtp};
        ask(request, &question);
    }
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/v1/dns/{domain}", .scope = "verify", .handle = get_dns},
};

const struct http_routes http_dns_routes = {routes, sizeof routes / sizeof *routes};
