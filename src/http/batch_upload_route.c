/* http/batch_upload_route: POST /v1/batches: a list, as the body itself or as the file of a form, goes to the disk as it comes;
 * 202 says that it is safe. Sent again with the Idempotency-Key it had, it is read and compared only.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/sip_hash.h"
#include "base/slice.h"
#include "engine/batch_json.h"
#include "engine/batch_upload.h"
#include "http/batch_routes.h"
#include "http/form.h"
#include "http/once.h"
#include "http/stored.h"

enum {
    FIELD_BYTES_MAX = 1024, /* of a label, a column, a name */
    JSON_BYTES_MAX = 64 * 1024,
    MARK_BYTES = 17,
    LINK_BYTES = 64,
};

struct posted {
    struct http_request *request;
    struct http_once once;
    struct batch_upload *upload; /* NULL: it was done before */
    struct http_form *form;
    uint64_t bytes; /* of the list, and their sum: */
    unsigned long crc;
    struct buf label, column, webhook, file_name,
        results; /* results: whether the webhook hears of each */
    bool has_file, is_refused;
};

static void free_posted(void *state)
{
    struct posted *posted = state;
    http_once_end(&posted->once);
    (void)http_form_close(posted->form);
    batch_upload_drop(posted->upload);
    buf_done(&posted->label);
    buf_done(&posted->column);
    buf_done(&posted->webhook);
    buf_done(&posted->results);
    buf_done(&posted->file_name);
    free(posted);
}

static const struct http_state_ops posted_ops = {.free = free_posted};

static void refuse(struct posted *posted, enum problem_kind kind, const char *detail)
{
    posted->is_refused = true;
    http_once_end(&posted->once);
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
    posted->bytes += bytes.len;
    posted->crc = crc32_z(posted->crc, (const unsigned char *)bytes.at, bytes.len);
    enum err e =
        posted->upload == NULL ? ERR_NONE : batch_upload_write(posted->upload, bytes, &fault);
    if (e != ERR_NONE) {
        refuse(posted, e == ERR_LIMIT ? PROBLEM_TOO_LARGE : PROBLEM_INTERNAL, fault.text);
    }
    return e == ERR_NONE;
}

static struct buf *field_of(struct posted *posted, struct slice name)
{
    return slice_equal(name, SLICE("label"))             ? &posted->label
           : slice_equal(name, SLICE("column"))          ? &posted->column
           : slice_equal(name, SLICE("webhook"))         ? &posted->webhook
           : slice_equal(name, SLICE("webhook_results")) ? &posted->results
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
        refuse(
            posted, PROBLEM_INVALID,
            "fields of the form are file, label, column, webhook and webhook_results, 1,024 bytes "
            "each at most");
        return false;
    }
    return true;
}

static bool take_arguments(struct posted *posted)
{
    static const char *const names[] = {"label",           "column", "webhook",
                                        "webhook_results", "name",   NULL};
    struct http_request *request = posted->request;
    struct buf *const to[] = {&posted->label, &posted->column, &posted->webhook, &posted->results,
                              &posted->file_name};
    if (!http_takes_arguments(request, names)) {
        posted->is_refused = true;
        return false;
    }
    for (size_t i = 0; names[i] != NULL; i++) {
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
    if (!posted->once.is_again &&
        batch_upload_begin(service_batches_folder(request->api->service), BATCH_UPLOAD_BYTES_MAX,
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
    if (!http_has_service(request)) {
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
    buf_init(&posted->webhook, HTTP_WEBHOOK_BYTES_MAX);
    buf_init(&posted->results, FIELD_BYTES_MAX);
    buf_init(&posted->file_name, FIELD_BYTES_MAX);
    request->state = posted;
    request->state_ops = &posted_ops;
    posted->is_refused = !http_once_begin(&posted->once, request);
    if (!posted->is_refused && take_arguments(posted)) {
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
    struct store_batch *batch;
    const struct store_request *request; /* NULL: it had no Idempotency-Key */
    struct slice mark, link;
    struct buf *json;      /* the answer */
    struct buf *reference; /* mark, link, answer, a line each */
    enum err err;
    struct fault fault;
};

/* The answer is made before, so that it is remembered in the commit that adds the batch. */
static enum err add_with_answer(struct desk *desk, struct adding *adding)
{
    struct store_batch *batch = adding->batch;
    batch->created_at_ms = batch->changed_at_ms = door_wall_ms(desk->door);
    enum err e = batch_write_json(batch, NULL, NULL, adding->json);
    e = e != ERR_NONE ? e
                      : buf_printf(adding->reference, "%.*s\n%.*s\n%.*s", SLICE_ARG(adding->mark),
                                   SLICE_ARG(adding->link), SLICE_ARG(buf_view(adding->json)));
    if (e != ERR_NONE) {
        return fault_set(&adding->fault, e, 0, "out of memory");
    }
    const struct store_request_end end = {
        .request = adding->request, .status = 202, .reference = buf_view(adding->reference)};
    return batches_add(desk->batches, batch, adding->request != NULL ? &end : NULL, &adding->fault);
}

static void add_batch(struct desk *desk, void *context)
{
    struct adding *adding = context;
    if (desk->batches == NULL) {
        adding->err = fault_set(&adding->fault, ERR_CLOSED, 0, "the service is stopping");
        return;
    }
    adding->err = http_check_webhook(desk, adding->batch->webhook, &adding->fault);
    if (adding->err == ERR_NONE) {
        adding->err = add_with_answer(desk, adding);
    }
}

/* All of it has come. */
static bool end_body(struct posted *posted)
{
    bool is_whole = posted->form == NULL || http_form_close(TAKE(posted->form));
    if (!posted->is_refused && !is_whole) {
        refuse(posted, PROBLEM_INVALID, "the form ends too early");
    }
    return !posted->is_refused;
}

/* Of the list and what was said with it, however a form had it. */
static bool make_mark(const struct posted *posted, char out[MARK_BYTES])
{
    struct buf text;
    buf_init(&text, (size_t)8 * FIELD_BYTES_MAX);
    enum err e = buf_printf(
        &text, "%llu %lx\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", (unsigned long long)posted->bytes,
        posted->crc, SLICE_ARG(buf_view(&posted->label)), SLICE_ARG(buf_view(&posted->column)),
        SLICE_ARG(buf_view(&posted->webhook)), SLICE_ARG(buf_view(&posted->results)),
        SLICE_ARG(buf_view(&posted->file_name)));
    (void)snprintf(out, MARK_BYTES, "%016llx", (unsigned long long)sip_hash(buf_view(&text), 0, 0));
    buf_done(&text);
    return e == ERR_NONE;
}

static void answer_added(struct http_request *request, struct slice link, struct slice json)
{
    http_add_header(request, "Location", link);
    http_answer(request, 202, "application/json", json);
}

static void answer_again(struct posted *posted, struct slice mark)
{
    struct slice rest = buf_view(&posted->once.known);
    if (!slice_equal(slice_cut(&rest, '\n'), mark)) {
        refuse(posted, PROBLEM_INVALID,
               "this Idempotency-Key came with another list before; take a new one");
        return;
    }
    struct slice link = slice_cut(&rest, '\n');
    answer_added(posted->request, link, rest);
}

static bool has_good_fields(struct posted *posted)
{
    struct slice results = buf_view(&posted->results);
    bool is_yes = slice_equal(results, SLICE("yes"));
    if (results.len > 0 && !is_yes && !slice_equal(results, SLICE("no"))) {
        refuse(posted, PROBLEM_INVALID, "webhook_results: yes or no");
    } else if (is_yes && posted->webhook.len == 0) {
        refuse(posted, PROBLEM_INVALID, "webhook_results: there is no webhook to tell them to");
    }
    return !posted->is_refused;
}

/* The list is on the disk, and looks like one. */
static bool settle_upload(struct posted *posted)
{
    struct fault fault = {.err = ERR_NONE};
    enum err e = batch_upload_commit(posted->upload, &fault);
    e = e != ERR_NONE ? e
                      : batch_upload_check(posted->upload, buf_view(&posted->file_name),
                                           buf_view(&posted->column), &fault);
    if (e != ERR_NONE) {
        refuse(posted, e == ERR_SYNTAX ? PROBLEM_INVALID : PROBLEM_INTERNAL, fault.text);
    }
    return e == ERR_NONE;
}

static void add(struct posted *posted, struct adding *adding)
{
    struct store_request once = http_once_request(&posted->once);
    adding->request = posted->once.key.len > 0 ? &once : NULL;
    if (!service_call(posted->request->api->service, add_batch, adding)) {
        refuse(posted, PROBLEM_NOT_READY, "the service is stopping");
    } else if (adding->err != ERR_NONE) {
        refuse(posted, adding->err == ERR_SYNTAX ? PROBLEM_INVALID : PROBLEM_INTERNAL,
               adding->fault.text);
    } else {
        http_once_is_done(&posted->once);
        batch_upload_keep(TAKE(posted->upload));
        answer_added(posted->request, adding->link, buf_view(adding->json));
    }
}

static void add_upload(struct posted *posted, struct slice mark)
{
    struct http_request *request = posted->request;
    char owner[HTTP_ID_BYTES];
    char link[LINK_BYTES];
    struct slice id = batch_upload_id(posted->upload);
    (void)snprintf(link, sizeof link, "/v1/batches/%.*s", SLICE_ARG(id));
    struct store_batch batch = {
        .id = id,
        .owner = http_owner(request, owner),
        .label = buf_view(&posted->label),
        .file = batch_upload_file(posted->upload),
        .file_name = buf_view(&posted->file_name),
        .column = buf_view(&posted->column),
        .webhook = buf_view(&posted->webhook),
        .tells_results = slice_equal(buf_view(&posted->results), SLICE("yes")),
        .bytes = batch_upload_bytes(posted->upload),
    };
    struct buf json;
    struct buf reference;
    buf_init(&json, JSON_BYTES_MAX);
    buf_init(&reference, HTTP_ONCE_KNOWN_BYTES_MAX);
    struct adding adding = {.batch = &batch,
                            .mark = mark,
                            .link = slice_of(link),
                            .json = &json,
                            .reference = &reference,
                            .err = ERR_CLOSED};
    add(posted, &adding);
    buf_done(&json);
    buf_done(&reference);
}

void batch_post_handle(struct http_request *request)
{
    struct posted *posted = request->state;
    char mark[MARK_BYTES];
    if (!end_body(posted)) {
        return;
    }
    if (!make_mark(posted, mark)) {
        refuse(posted, PROBLEM_INTERNAL, "out of memory");
    } else if (posted->once.is_again) {
        answer_again(posted, slice_of(mark));
    } else if (has_good_fields(posted) && settle_upload(posted)) {
        add_upload(posted, slice_of(mark));
    }
}
