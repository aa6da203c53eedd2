/* http/arguments: the query's arguments, as handlers want them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"
#include "base/slice.h"
#include "http/request.h"

enum { SHOWN_BYTES = 60 };

static struct slice shown(struct slice s)
{
    return slice_sub(s, 0, SHOWN_BYTES);
}

struct slice http_argument(const struct http_request *request, const char *name)
{
    const struct slice *value = uri_query_find(&request->query, name);
    return value == NULL ? SLICE_NONE : *value;
}

bool http_takes_arguments(struct http_request *request, const char *const names[])
{
    for (size_t i = 0; i < request->query.count; i++) {
        struct slice given = request->query.at[i].name;
        size_t known = 0;
        while (names[known] != NULL && !slice_equal(given, slice_of(names[known]))) {
            known++;
        }
        if (names[known] == NULL) {
            http_refuse(request, PROBLEM_BAD_ARGUMENT, "there is no argument '%.*s' here",
                        SLICE_ARG(shown(given)));
            return false;
        }
    }
    return true;
}

bool http_flag_argument(struct http_request *request, const char *name, bool *out)
{
    static const struct {
        struct slice word;
        bool is_yes;
    } words[] = {{SLICE_LITERAL("true"), true}, {SLICE_LITERAL("1"), true},
                 {SLICE_LITERAL("yes"), true},  {SLICE_LITERAL("false"), false},
                 {SLICE_LITERAL("0"), false},   {SLICE_LITERAL("no"), false}};
    const struct slice *value = uri_query_find(&request->query, name);
    if (value == NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_equal_nocase(*value, words[i].word)) {
            *out = words[i].is_yes;
            return true;
        }
    }
    http_refuse(request, PROBLEM_BAD_ARGUMENT, "%s: '%.*s' is neither true nor false", name,
                SLICE_ARG(shown(*value)));
    return false;
}

bool http_count_argument(struct http_request *request, const char *name, uint64_t min, uint64_t max,
                         uint64_t *out)
{
    const struct slice *value = uri_query_find(&request->query, name);
    if (value == NULL) {
        return true;
    }
    struct reader r = reader_over(*value);
    uint64_t number = 0;
    if (!reader_number(&r, max, &number) || !reader_is_done(&r) || number < min) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "%s: '%.*s' is not a number from %llu to %llu",
                    name, SLICE_ARG(shown(*value)), (unsigned long long)min,
                    (unsigned long long)max);
        return false;
    }
    *out = number;
    return true;
}
