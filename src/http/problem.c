/* SPDX-License-Identifier: Apache-2.0 */
#include "http/problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/slice.h"
#include "engine/json_write.h"

static const struct {
    unsigned status;
    const char *name, *title;
} kinds[PROBLEM_KINDS] = {
    [PROBLEM_BAD_FRAMING] = {400, "bad-framing", "The header of the request is not clear"},
    [PROBLEM_BAD_TARGET] = {400, "bad-target", "The path or the query cannot be read"},
    [PROBLEM_BAD_ARGUMENT] = {400, "bad-argument", "An argument of the query is wrong"},
    [PROBLEM_BAD_JSON] = {400, "bad-json", "The body is not JSON"},
    [PROBLEM_NO_KEY] = {401, "no-key", "An API key is needed"},
    [PROBLEM_BAD_KEY] = {401, "bad-key", "This API key is not valid"},
    [PROBLEM_WRONG_SCOPE] = {403, "wrong-scope", "This API key may not do that"},
    [PROBLEM_WRONG_ORIGIN] = {403, "wrong-origin", "This page may not ask here"},
    [PROBLEM_NOT_FOUND] = {404, "not-found", "There is nothing here"},
    [PROBLEM_METHOD] = {405, "method", "This method does not work here"},
    [PROBLEM_NOT_ACCEPTABLE] = {406, "not-acceptable", "No such form of the answer"},
    [PROBLEM_TOO_SLOW] = {408, "too-slow", "The request took too long to arrive"},
    [PROBLEM_CONFLICT] = {409, "conflict", "That does not go together with what is there"},
    [PROBLEM_NO_LENGTH] = {411, "no-length", "The body has no length"},
    [PROBLEM_TOO_LARGE] = {413, "too-large", "The body is too large"},
    [PROBLEM_MEDIA_TYPE] = {415, "media-type", "The body is of a kind that is not read here"},
    [PROBLEM_WRONG_HOST] = {421, "wrong-host", "This server is not called so"},
    [PROBLEM_INVALID] = {422, "invalid", "A value in the body is wrong"},
    [PROBLEM_TOO_MANY] = {429, "too-many", "Too many requests"},
    [PROBLEM_QUOTA] = {429, "quota", "The quota is used up"},
    [PROBLEM_INTERNAL] = {500, "internal", "The server failed"},
    [PROBLEM_NOT_READY] = {503, "not-ready", "The server is not ready"},
};

static void set(struct problem *out, enum problem_kind kind, const char *pointer,
                const char *detail, va_list args) PRINTF_LIKE(4, 0);

static void set(struct problem *out, enum problem_kind kind, const char *pointer,
                const char *detail, va_list args)
{
    out->kind = kind;
    out->row = out->column = 0;
    out->retry_after_s = 0;
    (void)snprintf(out->pointer, sizeof out->pointer, "%s", pointer);
    (void)vsnprintf(out->detail, sizeof out->detail, detail, args);
}

void problem_set(struct problem *out, enum problem_kind kind, const char *detail, ...)
{
    va_list args;
    va_start(args, detail);
    set(out, kind, "", detail, args);
    va_end(args);
}

void problem_set_at(struct problem *out, enum problem_kind kind, const char *pointer,
                    const char *detail, ...)
{
    va_list args;
    va_start(args, detail);
    set(out, kind, pointer, detail, args);
    va_end(args);
}

unsigned problem_status(enum problem_kind kind)
{
    return kinds[kind].status;
}

enum err problem_write(const struct problem *problem, struct slice request_id, struct buf *out)
{
    char type[64];
    struct json_writer w;
    (void)snprintf(type, sizeof type, "urn:heloise:problem:%s", kinds[problem->kind].name);
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "type", slice_of(type));
    json_string(&w, "title", slice_of(kinds[problem->kind].title));
    json_int(&w, "status", kinds[problem->kind].status);
    json_string(&w, "detail", slice_of(problem->detail));
    json_string(&w, "request_id", request_id);
    if (problem->pointer[0] != '\0') {
        json_string(&w, "pointer", slice_of(problem->pointer));
    }
    if (problem->row > 0) {
        json_int(&w, "row", (int64_t)problem->row);
    }
    if (problem->column > 0) {
        json_int(&w, "column", (int64_t)problem->column);
    }
    if (problem->retry_after_s > 0) {
        json_int(&w, "retry_after", problem->retry_after_s);
    }
    json_close(&w, '}');
    return w.err;
}
