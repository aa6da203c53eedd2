/* What of a request we read ourselves: the first line of the input is a target (path and query, against patterns), the second a
 * Forwarded and X-Forwarded-For header, the rest a body of JSON. What is read holds what its header promises.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "http/forwarded.h"
#include "http/json_body.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 1 << 20, PROBLEM_BYTES_MAX = 16 * 1024 };

struct wanted {
    struct slice name;
    bool is_big;
    uint64_t count;
    struct json_t *list;
};

static const struct json_member members[] = {
    {"name", JSON_BODY_TEXT, true, 1, 100, offsetof(struct wanted, name)},
    {"big", JSON_BODY_FLAG, false, 0, 0, offsetof(struct wanted, is_big)},
    {"count", JSON_BODY_COUNT, false, 2, 9, offsetof(struct wanted, count)},
    {"list", JSON_BODY_LIST, false, 1, 3, offsetof(struct wanted, list)},
};

static void check_text(struct slice text)
{
    must(text_is_utf8(text));
    for (size_t i = 0; i < text.len; i++) {
        must((unsigned char)text.at[i] >= 0x20 && text.at[i] != 0x7f);
    }
}

static void read_target(struct slice target)
{
    static const char *const patterns[] = {"/", "/v1/sites", "/v1/domains/{domain}",
                                           "/a/{b}/c/{d}/e/{f}/{g}"};
    struct arena arena;
    struct slice path, text, name;
    struct uri_query query;
    arena_init(&arena, ARENA_BYTES_MAX);
    uri_split(target, &path, &text);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct slice params[URI_PARAMS_MAX];
        struct slice decoded = SLICE_NONE;
        if (uri_matches(patterns[i], path, params) && params[0].len > 0 &&
            uri_decode(params[0], &arena, &decoded) == ERR_NONE) {
            must(decoded.len > 0 && decoded.len <= params[0].len);
            check_text(decoded);
        }
    }
    enum err e = uri_query_read(text, &arena, &query, &name);
    must(query.count <= URI_ARGUMENTS_MAX);
    for (size_t i = 0; i < query.count; i++) {
        check_text(query.at[i].name);
        check_text(query.at[i].value);
    }
    must(e != ERR_NONE || text.len == 0 || query.count <= text.len);
    arena_done(&arena);
}

static void read_forwarded(struct slice header)
{
    static const struct ip_net nets[] = {{{IP_V4, {10}}, 8}, {{IP_V6, {0x20, 1}}, 16}};
    static const struct ip peer = {IP_V4, {10, 0, 0, 1}};
    const struct forwarded_nets trusted = {nets, 2};
    struct ip client = forwarded_client(&trusted, &peer, header, SLICE_NONE);
    must(client.family == IP_V4 || client.family == IP_V6);
    client = forwarded_client(&trusted, &peer, SLICE_NONE, header);
    must(client.family == IP_V4 || client.family == IP_V6);
}

static void read_body(struct slice text)
{
    struct wanted wanted = {.count = 5};
    struct json_t *body;
    struct problem problem;
    if (json_body_read(text, members, sizeof members / sizeof *members, &wanted, &body, &problem)) {
        must(wanted.name.len >= 1 && wanted.name.len <= 100);
        must(wanted.count >= 2 && wanted.count <= 9);
        must(wanted.list == NULL || json_body_list_length(wanted.list) <= 3);
        json_body_free(body);
        return;
    }
    struct buf out;
    buf_init(&out, PROBLEM_BYTES_MAX);
    must(problem_write(&problem, SLICE("id"), &out) != ERR_LIMIT);
    must(text_is_utf8(buf_view(&out)));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make((const char *)data, size);
    read_target(slice_cut(&rest, '\n'));
    read_forwarded(rest.at == NULL ? SLICE_NONE : slice_cut(&rest, '\n'));
    read_body(rest.at == NULL ? SLICE_NONE : rest);
    return 0;
}
