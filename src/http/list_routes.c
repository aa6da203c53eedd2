/* http/list_routes: /v1/lists: the lists of disposable, free and well-known domains, roles and top-level domains: what
 * they hold, which entry decides, and own entries. Whole lists are replaced by the command alone: a server that fetched
 * what its callers name could be led anywhere.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_report.h"

#include <stddef.h>

#include "base/slice.h"
#include "http/api.h"
#include "http/json_body.h"

enum { JSON_BYTES_MAX = 1 << 20, BODY_BYTES_MAX = 4096, PAGE = 100, PAGE_MAX = 1000 };

static const char *const no_arguments[] = {NULL};

static bool has_lists(struct http_request *request)
{
    if (request->api->lists == NULL) {
        http_refuse(request, PROBLEM_NOT_READY, "the engine is not running");
        return false;
    }
    return true;
}

/* The one that the path names; false: answered. */
static bool find_list(struct http_request *request, enum list_kind *out)
{
    if (list_parse(request->params[0], out)) {
        return true;
    }
    http_refuse(request, PROBLEM_NOT_FOUND,
                "there is no list of this name: it is disposable, disposable-wildcard, free, "
                "popular, roles or tlds");
    return false;
}

/* An answer that is being written. */
struct writing {
    struct buf json;
    struct json_writer w;
};

static void begin(struct writing *writing)
{
    buf_init(&writing->json, JSON_BYTES_MAX);
    json_begin(&writing->w, &writing->json);
}

static void answer(struct http_request *request, enum err e, const struct fault *fault,
                   struct writing *writing)
{
    if (e != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "%s", fault->text);
    } else if (writing->w.err != ERR_NONE) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    } else {
        http_answer_json(request, 200, &writing->json);
    }
    buf_done(&writing->json);
}

/* ---- what there is ---- */

/* GET /v1/lists */
static void get_lists(struct http_request *request)
{
    struct writing writing;
    struct list_about about;
    struct fault fault;
    if (!http_takes_arguments(request, no_arguments) || !has_lists(request)) {
        return;
    }
    const struct list_place *place = list_desk_place(request->api->lists);
    enum err e = ERR_NONE;
    begin(&writing);
    json_open(&writing.w, NULL, '{');
    json_open(&writing.w, "lists", '[');
    for (int i = 0; i < LIST_COUNT && e == ERR_NONE; i++) {
        e = list_look(place, (enum list_kind)i, &about, &fault);
        if (e == ERR_NONE) {
            list_about_write(&writing.w, (enum list_kind)i, &about, LIST_NAMING_NAMES);
        }
    }
    json_close(&writing.w, ']');
    json_bool(&writing.w, "takes_own_entries", place->own_dir != NULL && place->own_dir[0] != '\0');
    json_close(&writing.w, '}');
    answer(request, e, &fault, &writing);
}

/* GET /v1/lists/{list}/entries: own ones. */
static void get_entries(struct http_request *request)
{
    static const char *const arguments[] = {"limit", "offset", NULL};
    struct list_page page = {.limit = PAGE};
    struct writing writing;
    struct fault fault;
    enum list_kind kind;
    if (!http_takes_arguments(request, arguments) ||
        !http_count_argument(request, "limit", 1, PAGE_MAX, &page.limit) ||
        !http_count_argument(request, "offset", 0, UINT32_MAX, &page.offset) ||
        !has_lists(request) || !find_list(request, &kind)) {
        return;
    }
    begin(&writing);
    json_open(&writing.w, NULL, '{');
    json_string(&writing.w, "list", slice_of(list_name(kind)));
    enum err e =
        list_own_write(&writing.w, list_desk_place(request->api->lists), kind, &page, &fault);
    json_close(&writing.w, '}');
    answer(request, e, &fault, &writing);
}

/* ---- what decides ---- */

static void answer_test(struct http_request *request, struct slice input,
                        const struct list_subject *subject)
{
    struct list_desk *desk = request->api->lists;
    const struct knowledge *knowledge = list_desk_knowledge(desk);
    struct list_reader lists = {.shelf = knowledge_list_shelf(knowledge)};
    struct writing writing;
    struct list_test test;
    (void)list_reader_renew(&lists); /* they are there since the start */
    const struct list_sources sources = {list_reader_lists(&lists), knowledge_providers(knowledge),
                                         list_desk_place(desk)};
    list_test(&sources, subject, &test);
    begin(&writing);
    list_test_write(&writing.w, input, subject, &test, LIST_NAMING_NAMES);
    list_reader_done(&lists);
    answer(request, ERR_NONE, NULL, &writing);
}

/* GET /v1/lists/test?domain=... or ?address=... */
static void get_test(struct http_request *request)
{
    static const char *const arguments[] = {"domain", "address", NULL};
    if (!http_takes_arguments(request, arguments) || !has_lists(request)) {
        return;
    }
    struct slice domain = http_argument(request, "domain");
    struct slice address = http_argument(request, "address");
    struct slice input = domain.len > 0 ? domain : address;
    struct list_subject subject;
    if ((domain.len > 0) == (address.len > 0)) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "give either 'domain' or 'address'");
    } else if (!list_subject_read(input, &subject) || subject.has_local != (address.len > 0)) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "'%s' takes %s",
                    domain.len > 0 ? "domain" : "address",
                    domain.len > 0 ? "a domain like example.com" : "an address like a@example.com");
    } else {
        answer_test(request, input, &subject);
    }
}

/* ---- changes ---- */

static void refuse_change(struct http_request *request, enum err e, const struct fault *fault)
{
    bool is_theirs = e == ERR_SYNTAX || e == ERR_LIMIT; /* the operator's files, or none */
    http_refuse(request, is_theirs ? PROBLEM_CONFLICT : PROBLEM_INTERNAL, "%s", fault->text);
}

static void answer_change(struct http_request *request, const struct list_wish *wish,
                          enum list_change change)
{
    struct writing writing;
    begin(&writing);
    json_open(&writing.w, NULL, '{');
    json_string(&writing.w, "list", slice_of(list_name(wish->kind)));
    json_string(&writing.w, "entry", wish->entry);
    json_string(&writing.w, "change", slice_of(list_change_name(change)));
    json_close(&writing.w, '}');
    answer(request, ERR_NONE, NULL, &writing);
}

static void change(struct http_request *request, const struct list_wish *wish)
{
    struct fault fault;
    enum list_change done;
    enum err e = list_desk_change(request->api->lists, wish, &done, &fault);
    if (e != ERR_NONE) {
        refuse_change(request, e, &fault);
    } else if (done == LIST_CHANGE_NONE && !wish->is_wanted) {
        http_refuse(request, PROBLEM_NOT_FOUND, "'%.*s' is not on the list '%s'",
                    SLICE_ARG(wish->entry), list_name(wish->kind));
    } else {
        answer_change(request, wish, done);
    }
}

struct wanted {
    struct slice entry;
};
static const struct json_member wanted_members[] = {
    {"entry", JSON_BODY_TEXT, true, 1, LIST_WORD_BYTES - 1, offsetof(struct wanted, entry)},
};

static void add_entry(struct http_request *request, enum list_kind kind, struct slice text)
{
    char entry[LIST_WORD_BYTES];
    struct fault fault;
    struct problem problem;
    if (list_entry_read(kind, text, entry, &fault) != ERR_NONE) {
        problem_set_at(&problem, PROBLEM_INVALID, "/entry", "%s", fault.text);
        http_answer_problem(request, &problem);
        return;
    }
    const struct list_wish wish = {.kind = kind, .entry = slice_of(entry), .is_wanted = true};
    change(request, &wish);
}

/* POST /v1/lists/{list}/entries {"entry": ...} */
static void post_entry(struct http_request *request)
{
    enum list_kind kind;
    struct wanted wanted = {.entry = SLICE_NONE};
    struct json_t *parsed;
    struct problem problem;
    if (!http_takes_arguments(request, no_arguments) || !has_lists(request) ||
        !find_list(request, &kind)) {
        return;
    }
    if (!json_body_read(buf_view(&request->body), wanted_members,
                        sizeof wanted_members / sizeof *wanted_members, &wanted, &parsed,
                        &problem)) {
        http_answer_problem(request, &problem);
        return;
    }
    add_entry(request, kind, wanted.entry);
    json_body_free(parsed);
}

/* DELETE /v1/lists/{list}/entries/{entry}: an own one goes, one of ours is taken out. */
static void delete_entry(struct http_request *request)
{
    enum list_kind kind;
    char entry[LIST_WORD_BYTES];
    struct fault fault;
    if (!http_takes_arguments(request, no_arguments) || !has_lists(request) ||
        !find_list(request, &kind)) {
        return;
    }
    if (list_entry_read(kind, request->params[1], entry, &fault) != ERR_NONE) {
        http_refuse(request, PROBLEM_BAD_TARGET, "%s", fault.text);
        return;
    }
    const struct list_wish wish = {.kind = kind, .entry = slice_of(entry), .is_wanted = false};
    change(request, &wish);
}

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/v1/lists", .scope = "read", .handle = get_lists},
    {.method = "GET", .pattern = "/v1/lists/test", .scope = "read", .handle = get_test},
    {.method = "GET",
     .pattern = "/v1/lists/{list}/entries",
     .scope = "read",
     .handle = get_entries},
    {.method = "POST",
     .pattern = "/v1/lists/{list}/entries",
     .scope = "admin",
     .body = HTTP_BODY_JSON,
     .body_bytes_max = BODY_BYTES_MAX,
     .handle = post_entry},
    {.method = "DELETE",
     .pattern = "/v1/lists/{list}/entries/{entry}",
     .scope = "admin",
     .handle = delete_entry},
};

const struct http_routes http_list_routes = {routes, sizeof routes / sizeof *routes};
