/* http/watch_routes: watched lists: made from a batch, looked at, what changed, orders. A key sees its own; without keys all
 * is seen.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/watches.h"

#include <stddef.h>

#include "base/date.h"
#include "base/slice.h"
#include "base/span.h"
#include "engine/table.h"
#include "engine/watch_json.h"
#include "engine/watch_schedule.h"
#include "http/api.h"
#include "http/batch_routes.h"
#include "http/json_body.h"
#include "http/stored.h"

enum {
    JSON_BYTES_MAX = 16 << 20,
    LABEL_BYTES_MAX = 1024,
    BODY_BYTES_MAX = 8192,
    PAGE_MAX = 200,
    CHANGES_MAX = 10000, /* in one answer */
};

struct look {
    struct slice owner;
    bool is_theirs;
    int64_t number;
};

static void look_at(void *context, const struct store_watch *watch)
{
    struct look *look = context;
    look->is_theirs = slice_equal(watch->owner, look->owner);
    look->number = watch->number;
}

/* Another's list is as good as none. */
static enum err find_theirs(struct http_request *request, struct store *store, int64_t *out_number,
                            struct fault *out_fault)
{
    char owner[HTTP_ID_BYTES];
    struct look look = {.owner = http_owner(request, owner)};
    enum err e = store_watch_find(store, request->params[0], look_at, &look, out_fault);
    if (e == ERR_NONE && request->key_id != 0 && !look.is_theirs) {
        return fault_set(out_fault, ERR_CLOSED, 0, "there is no watched list of this id");
    }
    *out_number = look.number;
    return e;
}

/* Looking. */

/* GET /v1/watches */
static void get_list(struct http_request *request)
{
    static const char *const names[] = {"limit", "before", NULL};
    struct http_page_owner owner;
    struct store_page page;
    struct store *store;
    struct fault fault = {.err = ERR_NONE};
    if (!http_takes_arguments(request, names) ||
        !http_read_page(request, PAGE_MAX, &owner, &page) || !http_lend_store(request, &store)) {
        return;
    }
    struct buf json;
    buf_init(&json, JSON_BYTES_MAX);
    enum err e =
        watch_list_json(store, service_batches(request->api->service), &page, &json, &fault);
    service_give_back_store(request->api->service, store);
    http_answer_found(request, 200, e, &fault, &json);
}

/* GET /v1/watches/{id} */
static void get_one(struct http_request *request)
{
    static const char *const none[] = {NULL};
    struct store *store;
    struct fault fault = {.err = ERR_NONE};
    int64_t number;
    if (!http_takes_arguments(request, none) || !http_lend_store(request, &store)) {
        return;
    }
    struct buf json;
    buf_init(&json, JSON_BYTES_MAX);
    enum err e = find_theirs(request, store, &number, &fault);
    e = e != ERR_NONE ? e
                      : watch_find_json(store, service_batches(request->api->service),
                                        request->params[0], &json, &fault);
    service_give_back_store(request->api->service, store);
    http_answer_found(request, 200, e, &fault, &json);
}

/* What changed. */

enum change_format { CHANGES_JSON, CHANGES_NDJSON, CHANGES_CSV };

static const struct {
    const char *name, *type;
} change_formats[] = {
    [CHANGES_JSON] = {"json", "application/json"},
    [CHANGES_NDJSON] = {"ndjson", "application/x-ndjson"},
    [CHANGES_CSV] = {"csv", "text/csv; charset=utf-8; header=present"},
};

struct changing {
    enum change_format format;
    struct json_writer w;
    size_t count;
    int64_t last;
};

static void put(struct changing *changing, enum err e)
{
    if (changing->w.err == ERR_NONE) {
        changing->w.err = e;
    }
}

static void write_csv(struct changing *changing, const struct store_watch_change *change)
{
    char at[DATE_TIME_BYTES];
    const struct slice cells[] = {change->address,    change->status_before,
                                  change->sub_before, change->status_after,
                                  change->sub_after,  slice_of(date_time_text(change->at_ms, at)),
                                  change->run};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        put(changing, table_cell_append(changing->w.out, cells[i], i == 0));
    }
    put(changing, buf_append_byte(changing->w.out, '\n'));
}

static void write_change(void *context, const struct store_watch_change *change)
{
    struct changing *changing = context;
    if (changing->format == CHANGES_CSV) {
        write_csv(changing, change);
    } else {
        watch_change_write(&changing->w, change);
    }
    if (changing->format == CHANGES_NDJSON) {
        put(changing, buf_append(changing->w.out, SLICE("\n")));
        changing->w.needs_comma = false;
    }
    changing->count++;
    changing->last = change->number;
}

static void begin_changes(struct changing *changing)
{
    if (changing->format == CHANGES_JSON) {
        json_open(&changing->w, NULL, '{');
        json_open(&changing->w, "changes", '[');
    } else if (changing->format == CHANGES_CSV) {
        put(changing,
            buf_append(changing->w.out, SLICE("email,status_before,sub_status_before,status_after,"
                                              "sub_status_after,checked_at,run\n")));
    }
}

static void end_changes(struct changing *changing, size_t limit)
{
    if (changing->format != CHANGES_JSON) {
        return;
    }
    json_close(&changing->w, ']');
    json_next(&changing->w, changing->count, limit, changing->last);
    json_close(&changing->w, '}');
}

static bool read_format(struct http_request *request, enum change_format *out)
{
    struct slice name = http_argument(request, "format");
    for (unsigned i = 0; i < sizeof change_formats / sizeof *change_formats; i++) {
        if (name.len == 0 || slice_equal(name, slice_of(change_formats[i].name))) {
            *out = (enum change_format)i;
            return true;
        }
    }
    http_refuse(request, PROBLEM_BAD_ARGUMENT, "format: json, ndjson or csv");
    return false;
}

/* GET /v1/watches/{id}/changes */
static void get_changes(struct http_request *request)
{
    static const char *const names[] = {"limit", "before", "format", NULL};
    struct http_page_owner owner;
    struct store_page part;
    int64_t number = 0;
    struct changing changing = {.count = 0};
    struct store *store;
    struct fault fault = {.err = ERR_NONE};
    if (!http_takes_arguments(request, names) || !read_format(request, &changing.format) ||
        !http_read_page(request, CHANGES_MAX, &owner, &part) || !http_lend_store(request, &store)) {
        return;
    }
    struct buf text;
    buf_init(&text, JSON_BYTES_MAX);
    json_begin(&changing.w, &text);
    begin_changes(&changing);
    enum err e = find_theirs(request, store, &number, &fault);
    const struct store_watch_change_page page = {number, part.before, part.limit};
    e = e != ERR_NONE ? e : store_watch_change_each(store, &page, write_change, &changing, &fault);
    service_give_back_store(request->api->service, store);
    end_changes(&changing, part.limit);
    if (e == ERR_NONE && changing.w.err != ERR_NONE) {
        e = fault_set(&fault, changing.w.err, 0, "the changes cannot be shown: %s",
                      err_name(changing.w.err));
    }
    if (e == ERR_NONE) {
        http_answer_buf(request, 200, change_formats[changing.format].type, &text);
    } else {
        http_refuse_fault(request, e, &fault);
    }
    buf_done(&text);
}

/* What the desk does. */

struct ordering {
    const struct watches_wish *wish; /* NULL: an order */
    struct slice id;
    enum watches_order order;
    struct buf json;
    enum err err;
    struct fault fault;
};

static void do_at_desk(struct desk *desk, void *context)
{
    struct ordering *ordering = context;
    char id[STORE_BATCH_ID_BYTES];
    if (desk->watches == NULL) {
        ordering->err = fault_set(&ordering->fault, ERR_SYSTEM, 0, "the service is stopping");
        return;
    }
    if (ordering->wish != NULL) {
        ordering->err = watches_add(desk->watches, ordering->wish, id, &ordering->fault);
        ordering->id = slice_of(id);
    } else {
        ordering->err =
            watches_order(desk->watches, ordering->id, ordering->order, &ordering->fault);
    }
    if (ordering->err == ERR_NONE && ordering->order != WATCHES_DELETE) {
        ordering->err = watch_find_json(desk->store, desk->batches, ordering->id, &ordering->json,
                                        &ordering->fault);
    }
    ordering->id = SLICE_NONE;
}

static void refuse_order(struct http_request *request, const struct ordering *ordering)
{
    if (ordering->err == ERR_SYNTAX) {
        http_refuse(request, PROBLEM_INVALID, "%s", ordering->fault.text);
    } else {
        http_refuse_fault(request, ordering->err, &ordering->fault);
    }
}

static void carry_out(struct http_request *request, unsigned status, struct ordering *ordering)
{
    buf_init(&ordering->json, JSON_BYTES_MAX);
    if (!service_call(request->api->service, do_at_desk, ordering)) {
        http_refuse(request, PROBLEM_NOT_READY, "the service is stopping");
    } else if (ordering->err != ERR_NONE) {
        refuse_order(request, ordering);
    } else if (status == 204) {
        http_answer_empty(request, status);
    } else {
        http_answer_json(request, status, &ordering->json);
    }
    buf_done(&ordering->json);
}

struct wanted {
    struct slice batch, every, label, webhook;
};
static const struct json_member wanted_members[] = {
    {"batch", JSON_BODY_TEXT, true, 1, HTTP_ID_BYTES, offsetof(struct wanted, batch)},
    {"every", JSON_BODY_TEXT, true, 1, SPAN_TEXT_BYTES, offsetof(struct wanted, every)},
    {"label", JSON_BODY_TEXT, false, 0, LABEL_BYTES_MAX, offsetof(struct wanted, label)},
    {"webhook", JSON_BODY_TEXT, false, 0, HTTP_WEBHOOK_BYTES_MAX, offsetof(struct wanted, webhook)},
};

static bool read_wish(struct http_request *request, const struct wanted *wanted,
                      struct watches_wish *out)
{
    uint64_t every_ms = 0;
    bool is_url = wanted->webhook.len == 0 ||
                  slice_starts_nocase(wanted->webhook, SLICE("https://")) ||
                  slice_starts_nocase(wanted->webhook, SLICE("http://"));
    if (!span_read(wanted->every, false, WATCH_EVERY_MS_MAX, &every_ms) ||
        (int64_t)every_ms < WATCH_EVERY_MS_MIN) {
        http_refuse(request, PROBLEM_INVALID, "every: a time from 1h to 366d is wanted, as 7d");
        return false;
    }
    if (!is_url) {
        http_refuse(request, PROBLEM_INVALID, "webhook: an http or https URL is wanted");
        return false;
    }
    *out = (struct watches_wish){.batch = wanted->batch,
                                 .label = wanted->label,
                                 .webhook = wanted->webhook,
                                 .every_ms = (int64_t)every_ms};
    return true;
}

/* POST /v1/watches {"batch": ..., "every": "7d", "label": ..., "webhook": ...} */
static void post_one(struct http_request *request)
{
    static const char *const none[] = {NULL};
    char owner[HTTP_ID_BYTES];
    struct wanted wanted = {.label = SLICE_NONE};
    struct watches_wish wish;
    struct json_t *parsed;
    struct problem problem;
    if (!http_takes_arguments(request, none)) {
        return;
    }
    if (!json_body_read(buf_view(&request->body), wanted_members,
                        sizeof wanted_members / sizeof *wanted_members, &wanted, &parsed,
                        &problem)) {
        http_answer_problem(request, &problem);
        return;
    }
    if (read_wish(request, &wanted, &wish) && batch_is_theirs(request, wish.batch)) {
        struct ordering ordering = {.wish = &wish, .order = WATCHES_RESUME};
        wish.owner = http_owner(request, owner);
        carry_out(request, 201, &ordering);
    }
    json_body_free(parsed);
}

static void order(struct http_request *request, enum watches_order what)
{
    static const char *const none[] = {NULL};
    struct ordering ordering = {.id = request->params[0], .order = what};
    struct store *store;
    struct fault fault = {.err = ERR_NONE};
    int64_t number;
    if (!http_takes_arguments(request, none) || !http_lend_store(request, &store)) {
        return;
    }
    enum err e = find_theirs(request, store, &number, &fault);
    service_give_back_store(request->api->service, store);
    if (e != ERR_NONE) {
        http_refuse_fault(request, e, &fault);
        return;
    }
    carry_out(request, what == WATCHES_DELETE ? 204 : 200, &ordering);
}

static void post_run(struct http_request *request)
{
    order(request, WATCHES_RUN);
}

static void post_pause(struct http_request *request)
{
    order(request, WATCHES_PAUSE);
}

static void post_resume(struct http_request *request)
{
    order(request, WATCHES_RESUME);
}

static void delete_one(struct http_request *request)
{
    order(request, WATCHES_DELETE);
}

#define SCOPE "batch"

static const struct http_route routes[] = {
    {.method = "GET", .pattern = "/v1/watches", .scope = SCOPE, .handle = get_list},
    {.method = "POST",
     .pattern = "/v1/watches",
     .scope = SCOPE,
     .body = HTTP_BODY_JSON,
     .body_bytes_max = BODY_BYTES_MAX,
     .handle = post_one},
    {.method = "GET", .pattern = "/v1/watches/{id}", .scope = SCOPE, .handle = get_one},
    {.method = "DELETE", .pattern = "/v1/watches/{id}", .scope = SCOPE, .handle = delete_one},
    {.method = "GET", .pattern = "/v1/watches/{id}/changes", .scope = SCOPE, .handle = get_changes},
    {.method = "POST", .pattern = "/v1/watches/{id}/run", .scope = SCOPE, .handle = post_run},
    {.method = "POST", .pattern = "/v1/watches/{id}/pause", .scope = SCOPE, .handle = post_pause},
    {.method = "POST", .pattern = "/v1/watches/{id}/resume", .scope = SCOPE, .handle = post_resume},
};

const struct http_routes http_watch_routes = {routes, sizeof routes / sizeof *routes};
