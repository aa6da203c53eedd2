/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/batch_results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address/normal.h"
#include "base/slice.h"
#include "engine/bulk_private.h"
#include "engine/record_json.h"
#include "net/wall_clock.h"

enum {
    RESULTS_TEXT_BYTES = 8192,
    RESULTS_RECORD_BYTES = 4 << 20, /* as the store gives it back */
};

struct batch_results {
    struct store *store;
    struct batch_results_query query;
    struct arena texts;
    struct store_batch batch; /* id, file, file_name, column, job */
    struct store_job *job;    /* NULL: it was not begun */
    FILE *file, *to; /* the latter of a workbook: a file, for all of it is written at the end */
    struct table_reader *reader;
    struct table_writer *writer;
    struct buf *out; /* where the writer's bytes go just now */
    struct buf head; /* what it wrote before the first piece */
    struct buf stored;
    bool is_over, is_written; /* is_written: a workbook waits to be read from its file */
};

/* The writer writes to a stream; its bytes end in the buffer of the piece. */
static ssize_t put_bytes(void *context, const char *at, size_t len)
{
    struct batch_results *results = context;
    if (buf_append(results->out, slice_make(at, len)) != ERR_NONE) {
        errno = ENOMEM;
        return 0;
    }
    return (ssize_t)len;
}

static void keep_batch(void *context, const struct store_batch *batch)
{
    struct batch_results *results = context;
    struct store_batch *kept = &results->batch;
    *kept = (struct store_batch){.job = batch->job};
    bool is_kept = arena_copy(&results->texts, batch->id, &kept->id) == ERR_NONE &&
                   arena_copy(&results->texts, batch->file, &kept->file) == ERR_NONE &&
                   arena_copy(&results->texts, batch->file_name, &kept->file_name) == ERR_NONE &&
                   arena_copy(&results->texts, batch->column, &kept->column) == ERR_NONE;
    if (!is_kept) {
        kept->id = SLICE_NONE;
    }
}

static enum err open_list(struct batch_results *results, struct fault *out_fault)
{
    char path[RESULTS_TEXT_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", results->query.folder, results->batch.file.at);
    results->file = fopen(path, "rbe");
    if (results->file == NULL) {
        return fault_set(out_fault, errno == ENOENT ? ERR_CLOSED : ERR_SYSTEM, errno,
                         "the list of this batch cannot be read");
    }
    const struct table_reader_config config = {.file_name = results->batch.file_name,
                                               .column = results->batch.column};
    return table_reader_open(&config, results->file, &results->reader, out_fault);
}

static enum err open_writer(struct batch_results *results, struct fault *out_fault)
{
    const cookie_io_functions_t functions = {.write = put_bytes};
    bool is_workbook = results->query.format == TABLE_XLSX;
    results->to = is_workbook ? tmpfile() : fopencookie(results, "w", functions);
    if (results->to == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "there is no room for the results");
    }
    return table_writer_open(results->query.format, results->reader, results->to, &results->writer,
                             out_fault);
}

static enum err open_all(struct batch_results *results, struct fault *out_fault)
{
    enum err e =
        store_batch_find(results->store, results->query.id, keep_batch, results, out_fault);
    if (e == ERR_NONE && results->batch.id.at == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    if (e == ERR_NONE && results->batch.job != 0) {
        e = store_job_look(results->store, results->batch.job, &results->job, out_fault);
    }
    e = e != ERR_NONE ? e : open_list(results, out_fault);
    return e != ERR_NONE ? e : open_writer(results, out_fault);
}

enum err batch_results_open(struct store *store, const struct batch_results_query *query,
                            struct batch_results **out, struct fault *out_fault)
{
    struct batch_results *results = calloc(1, sizeof *results);
    if (results == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    results->store = store;
    results->query = *query;
    arena_init(&results->texts, (size_t)RESULTS_TEXT_BYTES * 16);
    buf_init(&results->head, RESULTS_RECORD_BYTES);
    buf_init(&results->stored, RESULTS_RECORD_BYTES);
    results->out = &results->head;
    enum err e = open_all(results, out_fault);
    if (e != ERR_NONE) {
        batch_results_close(results);
        return e;
    }
    *out = results;
    return ERR_NONE;
}

void batch_results_close(struct batch_results *results)
{
    if (results == NULL) {
        return;
    }
    results->out = &results->head;
    table_writer_close(results->writer);
    if (results->to != NULL) {
        (void)fclose(results->to);
    }
    table_reader_close(results->reader);
    if (results->file != NULL) {
        (void)fclose(results->file);
    }
    store_job_close(results->job);
    buf_done(&results->head);
    buf_done(&results->stored);
    arena_done(&results->texts);
    free(results);
}

/* Rows. */

/* The result of a row. *out_is_found false: there is none yet. record_done is owed where it is found. */
static enum err find_record(struct batch_results *results, const struct table_row *row,
                            struct record *out, bool *out_is_found)
{
    *out_is_found = true;
    if (row->is_bad) {
        bulk_describe_bad_row(row, wall_clock_ms(), out);
        return ERR_NONE;
    }
    struct hel_address address;
    struct hel_address_error error;
    enum err e = hel_address_parse(row->address, results->query.address_mode, &address, &error);
    if (e == ERR_SYNTAX) {
        knocker_refuse(results->query.knowledge, &error, wall_clock_ms(), out);
        out->email = row->address;
        return ERR_NONE;
    }
    char key[HEL_WIRE_BYTES];
    buf_clear(&results->stored);
    if (e == ERR_NONE) {
        address_key(&address, key);
    }
    *out_is_found = e == ERR_NONE && results->job != NULL &&
                    store_job_result_find(results->job, slice_of(key), &results->stored);
    if (e != ERR_NONE || !*out_is_found) {
        return e;
    }
    e = record_read_json(buf_view(&results->stored), out);
    out->email = row->address; /* a stored record carries it as it was asked first */
    return e;
}

static bool is_wanted(const struct batch_results_query *query, const struct record *record)
{
    bool has_status = query->statuses == 0 || (query->statuses >> record->status & 1) != 0;
    bool has_sub = query->sub_statuses == 0 || (query->sub_statuses >> record->sub & 1) != 0;
    return has_status && has_sub;
}

static enum err write_row(struct batch_results *results, const struct table_row *row,
                          struct fault *out_fault)
{
    const struct batch_results_query *query = &results->query;
    struct record record = {.email = SLICE_NONE};
    bool is_found = false;
    enum err e = find_record(results, row, &record, &is_found);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "the result of line %llu cannot be read: %s",
                         (unsigned long long)row->line, err_name(e));
    }
    if (is_found) {
        e = is_wanted(query, &record) ? table_writer_row(results->writer, row, &record, out_fault)
                                      : ERR_NONE;
        record_done(&record);
        return e;
    }
    bool takes_all = query->statuses == 0 && query->sub_statuses == 0;
    return takes_all && !query->only_with_result
               ? table_writer_row(results->writer, row, NULL, out_fault)
               : ERR_NONE;
}

static enum err write_rows(struct batch_results *results, struct buf *out, struct fault *out_fault)
{
    size_t began_at = out->len;
    struct table_row row;
    enum err e = ERR_NONE;
    for (unsigned rows = 0;
         e == ERR_NONE && rows < BATCH_RESULTS_ROWS && out->len - began_at < BATCH_RESULTS_PIECE;
         rows++) {
        e = table_reader_next(results->reader, &row, out_fault);
        e = e != ERR_NONE ? e : write_row(results, &row, out_fault);
        if (fflush(results->to) != 0 && e == ERR_NONE) {
            return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
        }
    }
    return e;
}

/* Rows are read until the workbook is whole; then its bytes come. */
static enum err finish_workbook(struct batch_results *results, struct fault *out_fault)
{
    enum err e = table_writer_finish(results->writer, out_fault);
    if (e == ERR_NONE && (fflush(results->to) != 0 || fseek(results->to, 0, SEEK_SET) != 0)) {
        e = fault_set(out_fault, ERR_SYSTEM, errno, "the workbook cannot be written");
    }
    results->is_written = e == ERR_NONE;
    return e;
}

static enum err read_workbook(struct batch_results *results, struct buf *out,
                              struct fault *out_fault)
{
    if (buf_reserve(out, BATCH_RESULTS_PIECE) != ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    size_t len = fread(out->at + out->len, 1, BATCH_RESULTS_PIECE, results->to);
    out->len += len;
    if (ferror(results->to) != 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "the workbook cannot be read");
    }
    return len > 0 ? ERR_NONE : ERR_CLOSED;
}

static enum err next_piece(struct batch_results *results, struct buf *out, struct fault *out_fault)
{
    if (results->is_written) {
        return read_workbook(results, out, out_fault);
    }
    enum err e = write_rows(results, out, out_fault);
    if (e != ERR_CLOSED || results->query.format != TABLE_XLSX) {
        return e;
    }
    e = finish_workbook(results, out_fault);
    return e != ERR_NONE ? e : read_workbook(results, out, out_fault);
}

static void ignore_batch(void *context, const struct store_batch *batch)
{
    (void)context;
    (void)batch;
}

enum err batch_results_read(struct batch_results *results, struct buf *out, struct fault *out_fault)
{
    size_t began_at = out->len;
    if (results->is_over) {
        return ERR_CLOSED;
    }
    enum err e = store_batch_find(results->store, results->batch.id, ignore_batch, NULL, out_fault);
    if (e == ERR_CLOSED) {
        return fault_set(out_fault, ERR_STATE, 0, "the batch was deleted meanwhile");
    }
    e = e != ERR_NONE ? e : buf_append(out, buf_view(&results->head));
    buf_clear(&results->head);
    results->out = out;
    e = e != ERR_NONE ? e : next_piece(results, out, out_fault);
    results->out = &results->head;
    /* Who is slow must not keep the store's log from being shortened. */
    enum err left = store_flush(results->store, out_fault);
    results->is_over = e == ERR_CLOSED;
    e = e == ERR_CLOSED && out->len > began_at ? ERR_NONE : e;
    return e != ERR_NONE ? e : left;
}
