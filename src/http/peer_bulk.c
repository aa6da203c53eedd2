/* http/peer_bulk: Reacher's bulk jobs on our batches: POST /v1/bulk, GET /v1/bulk/{id}, GET /v1/bulk/{id}/results. A job's id is the
 * number that the store gave the batch.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/peer_bulk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/batch_results.h"
#include "engine/batch_upload.h"
#include "engine/format.h"
#include "engine/json_write.h"
#include "engine/record_json.h"
#include "http/peer.h"
#include "http/pieces.h"
#include "http/stored.h"

enum {
    LINE_BYTES_MAX = 16 * 1024,
    LINES_BYTES_MAX = 8 << 20,
    LIMIT = 50, /* of results, where the caller does not say: theirs */
};

static void refuse(struct http_request *request, const struct fault *fault)
{
    http_refuse(request, fault->err == ERR_SYNTAX ? PROBLEM_BAD_ARGUMENT : PROBLEM_INTERNAL, "%s",
                fault->text);
}

/* ---- a new job ---- */

/* On the desk. */
struct adding {
    const struct store_batch *batch;
    int64_t number;
    enum err err;
    struct fault fault;
};

static void take_number(void *context, const struct store_batch *batch)
{
    int64_t *number = context;
    *number = batch->number;
}

static void add_batch(struct desk *desk, void *context)
{
    struct adding *adding = context;
    if (desk->batches == NULL) {
        adding->err = fault_set(&adding->fault, ERR_CLOSED, 0, "the service is stopping");
        return;
    }
    adding->err = http_check_webhook(desk, adding->batch->webhook, &adding->fault);
    if (adding->err != ERR_NONE) {
        return;
    }
    adding->err = batches_add(desk->batches, adding->batch, NULL, &adding->fault);
    if (adding->err == ERR_NONE) {
        adding->err = store_batch_find(desk->store, adding->batch->id, take_number, &adding->number,
                                       &adding->fault);
    }
}

/* As NDJSON: an address may hold anything. */
static enum err write_line(struct batch_upload *upload, struct slice address,
                           struct fault *out_fault)
{
    struct buf line;
    struct json_writer w;
    buf_init(&line, LINE_BYTES_MAX);
    json_begin(&w, &line);
    json_open(&w, NULL, '{');
    json_string(&w, "email", address);
    json_close(&w, '}');
    enum err e = w.err != ERR_NONE ? w.err : buf_append_byte(&line, '\n');
    e = e != ERR_NONE ? fault_set(out_fault, e, 0, "an address cannot be written: %s", err_name(e))
                      : batch_upload_write(upload, buf_view(&line), out_fault);
    buf_done(&line);
    return e;
}

static enum err fill(struct batch_upload *upload, const struct slice *addresses, size_t count,
                     struct fault *out_fault)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = write_line(upload, addresses[i], out_fault);
    }
    return e != ERR_NONE ? e : batch_upload_commit(upload, out_fault);
}

static enum err add(struct http_request *request, const struct batch_upload *upload,
                    const struct peer_hook *hook, int64_t *out_number, struct fault *out_fault)
{
    char owner[HTTP_ID_BYTES];
    const struct store_batch batch = {
        .id = batch_upload_id(upload),
        .owner = http_owner(request, owner),
        .label = SLICE("/v1/bulk"),
        .file = batch_upload_file(upload),
        .file_name = SLICE("list.ndjson"),
        .column = SLICE("email"),
        .bytes = batch_upload_bytes(upload),
        .webhook = hook->url,
        .webhook_headers = hook->headers,
        .webhook_extra = hook->extra,
        .tells_results = hook->url.len > 0,
    };
    struct adding adding = {.batch = &batch, .err = ERR_CLOSED};
    (void)fault_set(&adding.fault, ERR_CLOSED, 0, "the service is stopping");
    if (!service_call(request->api->service, add_batch, &adding) || adding.err != ERR_NONE) {
        *out_fault = adding.fault;
        return adding.err;
    }
    *out_number = adding.number;
    return ERR_NONE;
}

void peer_bulk_begin(struct http_request *request, const struct slice *addresses, size_t count,
                     const struct peer_hook *hook)
{
    struct service *service = request->api->service;
    struct batch_upload *upload;
    struct fault fault = {.err = ERR_NONE};
    int64_t number = 0;
    if (batch_upload_begin(service_batches_folder(service), BATCH_UPLOAD_BYTES_MAX, &upload,
                           &fault) != ERR_NONE) {
        refuse(request, &fault);
        return;
    }
    enum err e = fill(upload, addresses, count, &fault);
    e = e != ERR_NONE ? e : add(request, upload, hook, &number, &fault);
    if (e != ERR_NONE) {
        batch_upload_drop(upload);
        refuse(request, &fault);
        return;
    }
    batch_upload_keep(upload);
    char text[48];
    int len = snprintf(text, sizeof text, "{\"job_id\":%lld}", (long long)number);
    http_answer(request, 200, "application/json", slice_make(text, (size_t)len));
}

/* ---- how far it is ---- */

/* What is told of a job, copied out of the store. */
struct job {
    int64_t number;
    char id[STORE_BATCH_ID_BYTES];
    enum store_batch_state state;
    struct store_batch_counts counts;
    int64_t created_at_ms, finished_at_ms;
};

static void take_job(void *context, const struct store_batch *batch)
{
    struct job *job = context;
    *job = (struct job){.number = batch->number,
                        .state = batch->state,
                        .counts = batch->counts,
                        .created_at_ms = batch->created_at_ms,
                        .finished_at_ms = batch->finished_at_ms};
    (void)snprintf(job->id, sizeof job->id, "%.*s", SLICE_ARG(batch->id));
}

static bool is_over(const struct job *job)
{
    return job->finished_at_ms != 0;
}

/* The job that the path names. False: it was answered, and no store is lent. */
static bool find_job(struct http_request *request, struct store **out_store, struct job *out)
{
    struct service *service = request->api->service;
    char text[HTTP_ID_BYTES];
    struct slice owner = http_owner(request, text);
    struct fault fault = {.err = ERR_NONE};
    struct reader reader = {request->params[0]};
    uint64_t number = 0;
    *out = (struct job){.number = 0};
    if (!reader_number(&reader, INT32_MAX, &number) || reader.rest.len > 0 || number == 0) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "the number of a job is wanted");
        return false;
    }
    if (service_lend_store(service, out_store, &fault) != ERR_NONE) {
        refuse(request, &fault);
        return false;
    }
    const struct store_page page = {
        .owner = request->key_id != 0 ? &owner : NULL, .before = (int64_t)number + 1, .limit = 1};
    enum err e = store_batch_each(*out_store, &page, take_job, out, &fault);
    if (e == ERR_NONE && out->number == (int64_t)number) {
        return true;
    }
    service_give_back_store(service, *out_store);
    if (e != ERR_NONE) {
        refuse(request, &fault);
    } else {
        http_refuse(request, PROBLEM_BAD_ARGUMENT, "there is no job %llu",
                    (unsigned long long)number);
    }
    return false;
}

/* Rows that are no addresses, and second ones of an address, need no question. */
static uint64_t processed(const struct job *job)
{
    const struct store_batch_counts *counts = &job->counts;
    uint64_t open = counts->items > counts->done ? counts->items - counts->done : 0;
    return is_over(job) ? counts->rows : counts->rows > open ? counts->rows - open : 0;
}

static void write_progress(struct json_writer *w, const struct job *job)
{
    const struct store_batch_counts *counts = &job->counts;
    json_open(w, NULL, '{');
    json_int(w, "job_id", job->number);
    json_time(w, "created_at", job->created_at_ms);
    json_time(w, "finished_at", job->finished_at_ms);
    json_int(w, "total_records", (int64_t)counts->rows);
    json_int(w, "total_processed", (int64_t)processed(job));
    json_open(w, "summary", '{');
    json_int(w, "total_safe", (int64_t)counts->by_status[VERDICT_DELIVERABLE]);
    json_int(w, "total_risky", (int64_t)counts->by_status[VERDICT_RISKY]);
    json_int(w, "total_invalid",
             (int64_t)(counts->by_status[VERDICT_UNDELIVERABLE] + counts->invalid_rows +
                       counts->bad_rows));
    json_int(w, "total_unknown", (int64_t)counts->by_status[VERDICT_UNKNOWN]);
    json_close(w, '}');
    json_string(w, "job_status", is_over(job) ? SLICE("Completed") : SLICE("Running"));
    json_close(w, '}');
}

void peer_bulk_progress(struct http_request *request)
{
    struct service *service = request->api->service;
    struct store *store;
    struct job job;
    struct batches_live live;
    if (!find_job(request, &store, &job)) {
        return;
    }
    service_give_back_store(service, store);
    if (batches_live(service_batches(service), slice_of(job.id), &live)) {
        job.counts = live.counts;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, PEER_ANSWER_BYTES_MAX);
    json_begin(&w, &body);
    write_progress(&w, &job);
    if (w.err == ERR_NONE) {
        http_answer_json(request, 200, &body);
    } else {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
    }
    buf_done(&body);
}

/* ---- results ---- */

struct download {
    struct service *service;
    struct store *store;
    struct batch_results *results;
    struct buf lines;    /* NDJSON as engine/batch_results makes it */
    uint64_t skip, left; /* rows */
    bool has_begun, has_rows, has_ended;
};

static void end_download(void *context)
{
    struct download *download = context;
    batch_results_close(download->results);
    service_give_back_store(download->service, download->store);
    buf_done(&download->lines);
    free(download);
}

/* {"email": "...", "heloise": RECORD}: the record in Reacher's shape. */
static enum err convert(struct download *download, struct slice line, struct buf *out)
{
    struct slice start = SLICE(",\"heloise\":");
    struct record record;
    size_t at = slice_find_nocase(line, start);
    if (at >= line.len) {
        return ERR_STATE; /* a row without a result: the job is not over */
    }
    struct slice json = slice_sub(line, at + start.len, line.len - 1);
    enum err e = record_read_json(json, &record);
    if (e != ERR_NONE) {
        return e;
    }
    e = download->has_rows ? buf_append_byte(out, ',') : ERR_NONE;
    download->has_rows = true;
    e = e != ERR_NONE ? e : record_write_reacher(&record, out);
    record_done(&record);
    return e;
}

static enum err convert_all(struct download *download, struct buf *out)
{
    struct slice rest = buf_view(&download->lines);
    enum err e = ERR_NONE;
    while (e == ERR_NONE && rest.len > 0 && download->left > 0) {
        struct slice line = slice_cut(&rest, '\n');
        if (line.len == 0) {
            continue;
        }
        if (download->skip > 0) {
            download->skip--;
            continue;
        }
        download->left--;
        e = convert(download, line, out);
    }
    return e;
}

static enum err next_piece(void *context, struct buf *out)
{
    struct download *download = context;
    struct fault fault;
    if (download->has_ended) {
        return ERR_CLOSED;
    }
    if (!download->has_begun) {
        download->has_begun = true;
        return buf_append(out, SLICE("{\"results\":["));
    }
    buf_clear(&download->lines);
    enum err e = download->left == 0
                     ? ERR_CLOSED
                     : batch_results_read(download->results, &download->lines, &fault);
    if (e == ERR_CLOSED) {
        download->has_ended = true;
        return buf_append(out, SLICE("]}"));
    }
    return e != ERR_NONE ? e : convert_all(download, out);
}

static bool read_query(struct http_request *request, struct download *download)
{
    struct slice format = http_argument(request, "format");
    if (format.len > 0 && !slice_equal(format, SLICE("json"))) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "format: json; /v1/batches/ID/results has the list as CSV");
        return false;
    }
    download->left = LIMIT;
    return http_count_argument(request, "limit", 0, INT32_MAX, &download->left) &&
           http_count_argument(request, "offset", 0, INT32_MAX, &download->skip);
}

/* The rest of it is zero, and end_download is owed. */
static bool open_download(struct http_request *request, struct download *download)
{
    struct job job;
    struct fault fault = {.err = ERR_NONE};
    struct batch_results_query query = {.format = TABLE_NDJSON};
    if (!read_query(request, download) || !find_job(request, &download->store, &job)) {
        return false;
    }
    download->service = request->api->service;
    buf_init(&download->lines, LINES_BYTES_MAX);
    if (!is_over(&job)) {
        http_refuse(request, PROBLEM_BAD_ARGUMENT,
                    "Job %lld is still running, please try again later", (long long)job.number);
        return false;
    }
    service_results_query(download->service, &query);
    query.id = slice_of(job.id);
    query.format = TABLE_NDJSON;
    if (batch_results_open(download->store, &query, &download->results, &fault) != ERR_NONE) {
        refuse(request, &fault);
        return false;
    }
    return true;
}

void peer_bulk_results(struct http_request *request)
{
    struct download *download = calloc(1, sizeof *download);
    if (download == NULL) {
        http_refuse(request, PROBLEM_INTERNAL, "out of memory");
        return;
    }
    if (!open_download(request, download)) {
        if (download->store != NULL && download->service != NULL) {
            end_download(download);
        } else {
            free(download);
        }
        return;
    }
    const struct http_pieces answer = {next_piece, end_download, download};
    http_answer_pieces(request, 200, "application/json", &answer);
}
