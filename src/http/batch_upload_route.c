/* http/batch_upload_route: POST /v1/batches: a list, as the body itself or as the file of a form, goes to the disk as it comes;
 * 202 says that it is safe.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "engine/batch_json.h"
#include "engine/batch_upload.h"
#include "engine/webhooks.h"
#include "http/batch_routes.h"
#include "http/form.h"

enum {
    FIELD_BYTES_MAX = 1024, /* of a label, a column, a webhook, a name */
    JSON_BYTES_MAX = 64 * 1024,
};

struct posted {
    struct http_request *request;
    struct batch_upload *upload;
    struct http_form *form;
    struct buf label, column, webhook, file_name;
    bool has_file, is_refused;
};

static void free_posted(void *state)
{
    struct posted *posted = state;
    (void)http_form_close(posted->form);
    batch_upload_drop(posted->upload);
    buf_done(&posted->label);
    buf_done(&posted->column);
    buf_done(&posted->webhook);
    buf_done(&posted->file_name);
    free(posted);
}

static const struct http_state_ops posted_ops = {.free = free_posted};

static void refuse(struct posted *posted, enum problem_kind kind, const char *detail)
{
    posted->is_refused = true;
    http_refuse(posted->request, kind, "%s", detail);
}

/* What a list is called where its sender does not say: its ending tells the kind. */
static const struct {
    const char *type, *file_name;
} types[] = {
    {"text/csv", "list.csv"},
    {"text/plain", "list.txt"},
    {"application/x-ndjson", "list.ndjson"},
    {"application/json", "list.json"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "list.xlsx"},
    {"application/octet-stream", ""},
};

static bool take_type(struct posted *posted)
{
    struct slice rest = posted->request->content_type;
    struct slice type = slice_trim(slice_cut(&rest, ';'));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (slice_equal_nocase(type, slice_of(types[i].type))) {
            return posted->file_name.len > 0 ||
                   buf_append(&posted->file_name, slice_of(types[i].file_name)) == ERR_NONE;
        }
    }
    refuse(posted, PROBLEM_MEDIA_TYPE,
           "a list comes as text/csv, text/plain, application/x-ndjson, application/json, "
           "application/octet-stream, XLSX's type, or as a file of multipart/form-data");
    return false;
}

static bool take_bytes(struct posted *posted, struct slice bytes)
{
    struct fault fault = {.err = ERR_NONE};
    enum err e = batch_upload_write(posted->upload, bytes, &fault);
    if (e != ERR_NONE) {
        refuse(posted, e == ERR_LIMIT ? PROBLEM_TOO_LARGE : PROBLEM_INTERNAL, fault.text);
    }
    return e == ERR_NONE;
}

static struct buf *field_of(struct posted *posted, struct slice name)
{
    return slice_equal(name, SLICE("label"))     ? &posted->label
           : slice_equal(name, SLICE("column"))  ? &posted->column
           : slice_equal(name, SLICE("webhook")) ? &posted->webhook
                                                 : NULL;
}

static bool on_part(void *context, const struct http_form_part *part)
{
    struct posted *posted = context;
    if (posted->is_refused) {
        return false;
    }
    if (part->file_name.len > 0 || slice_equal(part->field, SLICE("file"))) {
        if (part->offset == 0 && posted->has_file && part->bytes.len > 0) {
            refuse(posted, PROBLEM_INVALID, "one file is a batch; upload the others one by one");
            return false;
        }
        if (part->offset == 0 && posted->file_name.len == 0 &&
            buf_append(&posted->file_name, part->file_name) != ERR_NONE) {
            refuse(posted, PROBLEM_INVALID, "the name of the file is too long");
            return false;
        }
        posted->has_file = posted->has_file || part->bytes.len > 0;
        return take_bytes(posted, part->bytes);
    }
    struct buf *field = field_of(posted, part->field);
    if (field == NULL || buf_append(field, part->bytes) != ERR_NONE) {
        refuse(posted, PROBLEM_INVALID,
               "fields of the form are file, label, column and webhook, 1,024 bytes each at most");
        return false;
    }
    return true;
}

static bool take_arguments(struct posted *posted)
{
    static const char *const names[] = {"label", "column", "webhook", "name", NULL};
    struct http_request *request = posted->request;
    struct buf *const to[] = {&posted->label, &posted->column, &posted->webhook,
                              &posted->file_name};
    if (!http_takes_arguments(request, names)) {
        posted->is_refused = true;
        return false;
    }
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        if (buf_append(to[i], http_argument(request, names[i])) != ERR_NONE) {
            refuse(posted, PROBLEM_BAD_ARGUMENT, "an argument has more than 1,024 bytes");
            return false;
        }
    }
    return true;
}

static bool open_body(struct posted *posted)
{
    struct http_request *request = posted->request;
    struct fault fault = {.err = ERR_NONE};
    if (batch_upload_begin(service_batches_folder(request->api->service), BATCH_UPLOAD_BYTES_MAX,
                           &posted->upload, &fault) != ERR_NONE) {
        refuse(posted, PROBLEM_INTERNAL, fault.text);
        return false;
    }
    if (!http_form_is(request)) {
        return take_type(posted);
    }
    posted->form = http_form_open(request, on_part, posted);
    if (posted->form == NULL) {
        refuse(posted, PROBLEM_MEDIA_TYPE, "multipart/form-data without a boundary");
    }
    return posted->form != NULL;
}

void batch_post_begin(struct http_request *request)
{
    if (request->api->service == NULL) {
        http_refuse(request, PROBLEM_NOT_READY, "the engine is not running");
        return;
    }
    struct posted *posted = calloc(1, sizeof *posted);
    if (posted == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    posted->request = request;
    buf_init(&posted->label, FIELD_BYTES_MAX);
    buf_init(&posted->column, FIELD_BYTES_MAX);
    buf_init(&posted->webhook, FIELD_BYTES_MAX);
    buf_init(&posted->file_name, FIELD_BYTES_MAX);
    request->state = posted;
    request->state_ops = &posted_ops;
    if (take_arguments(posted)) {
        (void)open_body(posted);
    }
}

void batch_post_received(struct http_request *request, struct slice piece)
{
    struct posted *posted = request->state;
    if (posted->form == NULL) {
        (void)take_bytes(posted, piece);
    } else if (!http_form_feed(posted->form, piece) && !posted->is_refused) {
        refuse(posted, PROBLEM_INVALID, "the body is no form that can be read (RFC 7578)");
    }
}

/* On the desk. */

struct adding {
    const struct store_batch *batch;
    struct buf *json;
    enum err err;
    struct fault fault;
};

static enum err check_webhook(struct desk *desk, struct slice url, struct fault *out_fault)
{
    struct fault fault = {.err = ERR_NONE};
    if (url.len == 0) {
        return ERR_NONE;
    }
    if (desk->webhooks == NULL) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "webhook: none are sent here");
    }
    enum err e = webhooks_check_url(desk->webhooks, url, &fault);
    return e == ERR_NONE ? e : fault_set(out_fault, e, 0, "webhook: %s", fault.text);
}

static void add_batch(struct desk *desk, void *context)
{
    struct adding *adding = context;
    if (desk->batches == NULL) {
        adding->err = fault_set(&adding->fault, ERR_CLOSED, 0, "the service is stopping");
        return;
    }
    adding->err = check_webhook(desk, adding->batch->webhook, &adding->fault);
    if (adding->err == ERR_NONE) {
        adding->err = batches_add(desk->batches, adding->batch, &adding->fault);
    }
    if (adding->err == ERR_NONE) {
        adding->err = batch_find_json(desk->store, desk->batches, adding->batch->id, adding->json,
                                      &adding->fault);
    }
}

/* The list is on the disk, and looks like one. */
static bool settle_upload(struct posted *posted)
{
    struct fault fault = {.err = ERR_NONE};
    bool is_whole = posted->form == NULL || http_form_close(TAKE(posted->form));
    if (posted->is_refused) {
        return false;
    }
    if (!is_whole) {
        refuse(posted, PROBLEM_INVALID, "the form ends too early");
        return false;
    }
    enum err e = batch_upload_commit(posted->upload, &fault);
    e = e != ERR_NONE ? e
                      : batch_upload_check(posted->upload, buf_view(&posted->file_name),
                                           buf_view(&posted->column), &fault);
    if (e != ERR_NONE) {
        refuse(posted, e == ERR_SYNTAX ? PROBLEM_INVALID : PROBLEM_INTERNAL, fault.text);
    }
    return e == ERR_NONE;
}

void batch_post_handle(struct http_request *request)
{
    struct posted *posted = request->state;
    char owner[HTTP_ID_BYTES] = "";
    if (!settle_upload(posted)) {
        return;
    }
    if (request->key_id != 0) {
        (void)snprintf(owner, sizeof owner, "%lld", (long long)request->key_id);
    }
    const struct store_batch batch = {
        .id = batch_upload_id(posted->upload),
        .owner = slice_of(owner),
        .label = buf_view(&posted->label),
        .file = batch_upload_file(posted->upload),
        .file_name = buf_view(&posted->file_name),
        .column = buf_view(&posted->column),
        .webhook = buf_view(&posted->webhook),
        .bytes = batch_upload_bytes(posted->upload),
    };
    struct buf json;
    buf_init(&json, JSON_BYTES_MAX);
    struct adding adding = {.batch = &batch, .json = &json, .err = ERR_CLOSED};
    char link[HTTP_ID_BYTES + 32];
    (void)snprintf(link, sizeof link, "/v1/batches/%.*s", SLICE_ARG(batch.id));
    if (!service_call(request->api->service, add_batch, &adding)) {
        refuse(posted, PROBLEM_NOT_READY, "the service is stopping");
    } else if (adding.err != ERR_NONE) {
        refuse(posted, adding.err == ERR_SYNTAX ? PROBLEM_INVALID : PROBLEM_INTERNAL,
               adding.fault.text);
    } else {
        batch_upload_keep(TAKE(posted->upload));
        http_add_header(request, "Location", slice_of(link));
        http_answer_json(request, 202, &json);
    }
    buf_done(&json);
}
