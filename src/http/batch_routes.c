/* SPDX-License-Identifier: Apache-2.0 */
#include "http/batch_routes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "engine/batch_json.h"
#include "engine/batch_upload.h"
#include "http/pieces.h"
#include "http/stored.h"

enum {
    JSON_BYTES_MAX = 4 << 20,
    PAGE_MAX = 200,
    FORM_BYTES = 64 * 1024, /* around the file of a form */
};

struct owner_look {
    struct slice wanted;
    bool is_theirs;
};

static void look_at_owner(void *context, const struct store_batch *batch)
{
    struct owner_look *look = context;
    look->is_theirs = slice_equal(batch->owner, look->wanted);
}

/* Another's batch is as good as none. */
static enum err find_theirs(struct http_request *request, struct store *store, struct slice id,
                            struct fault *out_fault)
{
    char owner[HTTP_ID_BYTES];
    struct owner_look look = {.wanted = http_owner(request, owner)};
    enum err e = store_batch_find(store, id, look_at_owner, &look, out_fault);
    if (e == ERR_NONE && request->key_id != 0 && !look.is_theirs) {
        return fault_set(out_fault, ERR_CLOSED, 0, "there is no batch of this id");
    }
    return e;
}

bool batch_is_theirs(struct http_request *request, struct slice id)
{
    struct store *store;
    struct fault fault = {.err = ERR_NONE};
    if (!http_lend_store(request, &store)) {
        return false;
    }
    enum err e = find_theirs(request, store, id, &fault);
    service_give_back_store(request->api->service, store);
    if (e != ERR_NONE) {
        http_refuse_fault(request, e, &fault);
    }
    return e == ERR_NONE;
}

/* Looking. */

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
        batch_list_json(store, service_batches(request->api->service), &page, &json, &fault);
    service_give_back_store(request->api->service, store);
    http_answer_found(request, 200, e, &fault, &json);
}

static void get_one(struct http_request *request)
{
    static const char *const none[] = {NULL};
    struct store *store;
    struct fault fault = {.err = ERR_NONE};
    struct slice id = request->params[0];
    if (!http_takes_arguments(request, none) || !http_lend_store(request, &store)) {
        return;
    }
    struct buf json;
    buf_init(&json, JSON_BYTES_MAX);
    enum err e = find_theirs(request, store, id, &fault);
    e = e != ERR_NONE
            ? e
            : batch_find_json(store, service_batches(request->api->service), id, &json, &fault);
    service_give_back_store(request->api->service, store);
    http_answer_found(request, 200, e, &fault, &json);
}

/* Results. */

struct download {
    struct service *service;
    struct store *store;
    struct batch_results *results;
};

static enum err next_rows(void *context, struct buf *out)
{
    struct download *download = context;
    struct fault fault;
    return batch_results_read(download->results, out, &fault);
}

static void end_download(void *context)
{
    struct download *download = context;
    batch_results_close(download->results);
    service_give_back_store(download->service, download->store);
    free(download);
}

/* "deliverable,risky" as bits. */
static bool read_words(struct http_request *request, const char *name,
                       bool (*parse)(struct slice word, unsigned *out), uint64_t *out)
{
    struct slice rest = http_argument(request, name);
    uint64_t bits = 0;
    while (rest.len > 0) {
        struct slice word = slice_cut(&rest, ',');
        unsigned value = 0;
        if (!parse(word, &value)) {
            http_refuse(request, PROBLEM_BAD_ARGUMENT,
                        "%s: there is no %.*s; docs/verdicts.md has "
                        "them all",
                        name, SLICE_ARG(word));
            return false;
        }
        bits |= UINT64_C(1) << value;
    }
    *out = bits;
    return true;
}

static bool parse_status(struct slice word, unsigned *out)
{
    enum verdict_status status;
    bool is_known = verdict_status_parse(word, &status);
    *out = is_known ? (unsigned)status : 0;
    return is_known;
}

static bool parse_sub(struct slice word, unsigned *out)
{
    enum verdict_sub sub;
    bool is_known = verdict_sub_parse(word, &sub);
    *out = is_known ? (unsigned)sub : 0;
    return is_known;
}

static const struct download_format {
    const char *name, *type;
    enum table_format format;
} download_formats[] = {
    {"csv", "text/csv; charset=utf-8; header=present", TABLE_CSV},
    {"ndjson", "application/x-ndjson", TABLE_NDJSON},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", TABLE_XLSX},
};

/* The first where none is named; NULL: there is no such one. */
static const struct download_format *find_format(struct slice name)
{
    for (size_t i = 0; i < sizeof download_formats / sizeof *download_formats; i++) {
        if (name.len == 0 || slice_equal(name, slice_of(download_formats[i].name))) {
            return &download_formats[i];
        }
    }
    return NULL;
}

static bool read_query(struct http_request *request, struct batch_results_query *out,
                       const struct download_format **out_format)
{
    static const char *const names[] = {"format", "status", "sub_status", "finished_rows_only",
                                        NULL};
    struct slice format = http_argument(request, "format");
    uint64_t statuses = 0;
    if (!http_takes_arguments(request, names) ||
        !read_words(request, "status", parse_status, &statuses) ||
        !read_words(request, "sub_status", parse_sub, &out->sub_statuses) ||
        !http_flag_argument(request, "finished_rows_only", &out->only_with_result)) {
        return false;
    }
    out->statuses = (unsigned)statuses;
    const struct download_format *is = find_format(format);
    if (is == NULL) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "format: csv, ndjson or xlsx");
        return false;
    }
    out->format = is->format;
    *out_format = is;
    return true;
}

static enum err open_results(struct http_request *request, struct download *download,
                             struct batch_results_query *query, struct fault *out_fault)
{
    query->id = request->params[0];
    enum err e = find_theirs(request, download->store, query->id, out_fault);
    return e != ERR_NONE
               ? e
               : batch_results_open(download->store, query, &download->results, out_fault);
}

static void get_results(struct http_request *request)
{
    struct batch_results_query query = {.folder = NULL};
    const struct download_format *is;
    struct fault fault = {.err = ERR_NONE};
    struct download *download = calloc(1, sizeof *download);
    if (download == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    if (request->api->service != NULL) {
        service_results_query(request->api->service, &query);
    }
    if (!read_query(request, &query, &is) || !http_lend_store(request, &download->store)) {
        free(download);
        return;
    }
    download->service = request->api->service;
    enum err e = open_results(request, download, &query, &fault);
    if (e != ERR_NONE) {
        end_download(download);
        http_refuse_fault(request, e, &fault);
        return;
    }
    char name[HTTP_ID_BYTES + 64];
    (void)snprintf(name, sizeof name, "attachment; filename=\"%.*s.%s\"",
                   SLICE_ARG(request->params[0]), is->name);
    http_add_header(request, "Content-Disposition", slice_of(name));
    const struct http_pieces answer = {next_rows, end_download, download};
    http_answer_pieces(request, 200, is->type, &answer);
}

/* Orders. */

struct ordering {
    struct slice id;
    enum batches_order order;
    struct buf *json; /* how it is then; NULL: not wanted */
    enum err err;
    struct fault fault;
};

static void give_order(struct desk *desk, void *context)
{
    struct ordering *ordering = context;
    if (desk->batches == NULL) {
        ordering->err = fault_set(&ordering->fault, ERR_SYSTEM, 0, "the service is stopping");
        return;
    }
    ordering->err = batches_order(desk->batches, ordering->id, ordering->order, &ordering->fault);
    if (ordering->err == ERR_NONE && ordering->json != NULL) {
        ordering->err = batch_find_json(desk->store, desk->batches, ordering->id, ordering->json,
                                        &ordering->fault);
    }
}

static void order(struct http_request *request, enum batches_order what)
{
    static const char *const none[] = {NULL};
    struct buf json;
    bool is_delete = what == BATCHES_DELETE;
    struct ordering ordering = {
        .id = request->params[0], .order = what, .json = is_delete ? NULL : &json};
    if (!http_takes_arguments(request, none) || !batch_is_theirs(request, ordering.id)) {
        return;
    }
    buf_init(&json, JSON_BYTES_MAX);
    if (!service_call(request->api->service, give_order, &ordering)) {
        http_refuse(request, PROBLEM_NOT_READY, "the service is stopping");
    } else if (ordering.err != ERR_NONE) {
        http_refuse_fault(request, ordering.err, &ordering.fault);
    } else if (is_delete) {
        http_answer_empty(request, 204);
    } else {
        http_answer_json(request, 200, &json);
    }
    buf_done(&json);
}

static void post_pause(struct http_request *request)
{
    order(request, BATCHES_PAUSE);
}

static void post_resume(struct http_request *request)
{
    order(request, BATCHES_RESUME);
}

static void post_cancel(struct http_request *request)
{
    order(request, BATCHES_CANCEL);
}

static void delete_one(struct http_request *request)
{
    order(request, BATCHES_DELETE);
}

#define SCOPE "batch"

static const struct http_route routes[] = {
    {.method = "POST",
     .pattern = "/v1/batches",
     .scope = SCOPE,
     .body = HTTP_BODY_STREAM,
     .body_bytes_max = BATCH_UPLOAD_BYTES_MAX + (uint64_t)FORM_BYTES,
     .handle = batch_post_handle,
     .begin = batch_post_begin,
     .received = batch_post_received},
    {.method = "GET", .pattern = "/v1/batches", .scope = SCOPE, .handle = get_list},
    {.method = "GET", .pattern = "/v1/batches/{id}", .scope = SCOPE, .handle = get_one},
    {.method = "DELETE", .pattern = "/v1/batches/{id}", .scope = SCOPE, .handle = delete_one},
    {.method = "GET", .pattern = "/v1/batches/{id}/results", .scope = SCOPE, .handle = get_results},
    {.method = "GET",
     .pattern = "/v1/batches/{id}/events",
     .scope = SCOPE,
     .is_stream = true,
     .handle = batch_get_events},
    {.method = "POST", .pattern = "/v1/batches/{id}/pause", .scope = SCOPE, .handle = post_pause},
    {.method = "POST", .pattern = "/v1/batches/{id}/resume", .scope = SCOPE, .handle = post_resume},
    {.method = "POST", .pattern = "/v1/batches/{id}/cancel", .scope = SCOPE, .handle = post_cancel},
};

const struct http_routes http_batch_routes = {routes, sizeof routes / sizeof *routes};
