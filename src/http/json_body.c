/* SPDX-License-Identifier: Apache-2.0 */
#include "http/json_body.h"

#include <jansson.h>
#include <string.h>

#include "base/slice.h"

enum { SHOWN_BYTES = 60, LIST_TEXT_BYTES_MAX = 1024 };

/* jansson calls itself for each level; no stranger decides how often. */
static bool is_too_deep(struct slice text)
{
    unsigned depth = 0;
    bool is_text = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (is_text) {
            i += c == '\\' ? 1 : 0;
            is_text = c != '"';
        } else if (c == '"') {
            is_text = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
        if (depth > JSON_BODY_DEPTH_MAX) {
            return true;
        }
    }
    return false;
}

struct json_t *json_body_parse(struct slice text, struct problem *problem)
{
    json_error_t error;
    if (is_too_deep(text)) {
        problem_set(problem, PROBLEM_BAD_JSON, "it is nested deeper than %d levels",
                    JSON_BODY_DEPTH_MAX);
        return NULL;
    }
    json_t *body = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &error);
    if (body == NULL) {
        problem_set(problem, PROBLEM_BAD_JSON, "line %d, column %d: %s", error.line, error.column,
                    error.text);
        problem->row = error.line > 0 ? (uint64_t)error.line : 0;
        problem->column = error.column > 0 ? (uint64_t)error.column : 0;
    }
    return body;
}

static bool wrong(struct problem *problem, const struct json_member *member, const char *what)
{
    char pointer[PROBLEM_POINTER_BYTES];
    (void)snprintf(pointer, sizeof pointer, "/%s", member->name);
    problem_set_at(problem, PROBLEM_INVALID, pointer, "%s: %s", member->name, what);
    return false;
}

static bool read_text(const struct json_member *member, const json_t *value, struct slice *out,
                      struct problem *problem)
{
    if (!json_is_string(value)) {
        return wrong(problem, member, "a text is wanted");
    }
    struct slice text = slice_make(json_string_value(value), json_string_length(value));
    if (text.len < member->min || text.len > member->max) {
        char what[96];
        (void)snprintf(what, sizeof what, "a text of %llu to %llu bytes is wanted",
                       (unsigned long long)member->min, (unsigned long long)member->max);
        return wrong(problem, member, what);
    }
    *out = text;
    return true;
}

static bool read_count(const struct json_member *member, const json_t *value, uint64_t *out,
                       struct problem *problem)
{
    json_int_t count = json_integer_value(value);
    if (!json_is_integer(value) || count < 0 || (uint64_t)count < member->min ||
        (uint64_t)count > member->max) {
        char what[96];
        (void)snprintf(what, sizeof what, "a whole number from %llu to %llu is wanted",
                       (unsigned long long)member->min, (unsigned long long)member->max);
        return wrong(problem, member, what);
    }
    *out = (uint64_t)count;
    return true;
}

static bool read_list(const struct json_member *member, json_t *value, json_t **out,
                      struct problem *problem)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count < member->min || count > member->max) {
        char what[96];
        (void)snprintf(what, sizeof what, "an array of %llu to %llu texts is wanted",
                       (unsigned long long)member->min, (unsigned long long)member->max);
        return wrong(problem, member, what);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(value, i);
        if (!json_is_string(entry) || json_string_length(entry) > LIST_TEXT_BYTES_MAX) {
            char pointer[PROBLEM_POINTER_BYTES];
            (void)snprintf(pointer, sizeof pointer, "/%s/%zu", member->name, i);
            problem_set_at(problem, PROBLEM_INVALID, pointer,
                           "entry %zu is no text of at most %d bytes", i + 1, LIST_TEXT_BYTES_MAX);
            problem->row = i + 1;
            return false;
        }
    }
    *out = value;
    return true;
}

static bool read_member(const struct json_member *member, json_t *value, void *out,
                        struct problem *problem)
{
    void *field = (char *)out + member->offset;
    if (json_is_null(value)) {
        return !member->is_required || wrong(problem, member, "it must not be null");
    }
    switch (member->kind) {
    case JSON_BODY_TEXT: return read_text(member, value, field, problem);
    case JSON_BODY_COUNT: return read_count(member, value, field, problem);
    case JSON_BODY_LIST: return read_list(member, value, field, problem);
    case JSON_BODY_FLAG: break;
    }
    if (!json_is_boolean(value)) {
        return wrong(problem, member, "true or false is wanted");
    }
    *(bool *)field = json_is_true(value);
    return true;
}

static bool is_known(const struct json_member *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(slice_of(members[i].name), slice_of(name))) {
            return true;
        }
    }
    return false;
}

/* The name goes into a pointer, where '~' and '/' are written ~0 and ~1. RFC 6901 3 */
static void set_unknown(struct problem *problem, const char *name)
{
    char shown[2 * SHOWN_BYTES + 2] = "/";
    size_t len = 1;
    for (size_t i = 0; name[i] != '\0' && i < SHOWN_BYTES; i++) {
        bool is_escaped = name[i] == '~' || name[i] == '/';
        shown[len++] = is_escaped ? '~' : name[i];
        if (is_escaped) {
            shown[len++] = name[i] == '~' ? '0' : '1';
        }
    }
    shown[len] = '\0';
    problem_set_at(problem, PROBLEM_INVALID, shown, "there is no member '%.*s' here", SHOWN_BYTES,
                   name);
}

static bool read_object(json_t *body, const struct json_member *members, size_t count, void *out,
                        struct problem *problem)
{
    const char *name;
    json_t *value;
    if (!json_is_object(body)) {
        problem_set(problem, PROBLEM_INVALID, "an object is wanted, as in {\"name\": \"value\"}");
        return false;
    }
    json_object_foreach(body, name, value)
    {
        if (!is_known(members, count, name)) {
            set_unknown(problem, name);
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        value = json_object_get(body, members[i].name);
        if (value == NULL && members[i].is_required) {
            return wrong(problem, &members[i], "it is missing");
        }
        if (value != NULL && !read_member(&members[i], value, out, problem)) {
            return false;
        }
    }
    return true;
}

bool json_body_read(struct slice text, const struct json_member *members, size_t count, void *out,
                    struct json_t **out_body, struct problem *out_problem)
{
    json_t *body = json_body_parse(text, out_problem);
    if (body == NULL) {
        return false;
    }
    if (!read_object(body, members, count, out, out_problem)) {
        json_decref(body);
        return false;
    }
    *out_body = body;
    return true;
}

void json_body_free(struct json_t *body)
{
    json_decref(body);
}

void json_body_wipe(struct json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    const char *text = json_string_value(value);
    char *at;
    if (text != NULL) {
        memcpy(&at, &text,
               sizeof at); /* what jansson lends to be read lies in memory of its own making */
        explicit_bzero(at, json_string_length(value));
    }
}

size_t json_body_list_length(const struct json_t *list)
{
    return json_array_size(list);
}

struct slice json_body_list_text(const struct json_t *list, size_t index)
{
    const json_t *entry = json_array_get(list, index);
    return slice_make(json_string_value(entry), json_string_length(entry));
}
