/* engine/bulk_rows: the list into the job, and the results back beside the list.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "engine/bulk_private.h"
#include "engine/record_json.h"

enum {
    JSON_BYTES_MAX = 4 << 20,     /* a record as the store gives it back */
    LOAD_STEP_BYTES = 256 * 1024, /* of the list in one step: a few milliseconds */
};

static bool may_write(void *context)
{
    const struct bulk *bulk = context;
    return bulk->config->may_go_on == NULL || bulk->config->may_go_on(bulk->config->context);
}

/* What other processes want is looked for here only: a job whose rows are written is over in moments. */
static bool may_load(void *context)
{
    return may_write(context) && !bulk_is_unwanted(context);
}

static enum err open_input(struct bulk *bulk, bool (*may_go_on)(void *context), FILE **out_file,
                           struct table_reader **out_reader, struct fault *out_fault)
{
    const char *path = bulk->config->input_path;
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        char text[128];
        int os_errno = errno;
        return fault_set(out_fault, ERR_SYSTEM, os_errno, "cannot read %s: %s", path,
                         strerror_r(os_errno, text, sizeof text));
    }
    struct table_reader_config table = bulk->config->table;
    table.may_go_on = may_go_on;
    table.context = bulk;
    enum err e = table_reader_open(&table, file, out_reader, out_fault);
    if (e != ERR_NONE) {
        (void)fclose(file);
        return e;
    }
    *out_file = file;
    return ERR_NONE;
}

/* Loading. */

static void begin_count(struct bulk *bulk)
{
    bulk->counts.rows = 0;
    bulk->counts.bad_rows = 0;
    bulk->counts.invalid_rows = 0;
}

static enum err load_row(struct bulk *bulk, const struct table_row *row, struct fault *out_fault)
{
    struct knocker_identity identity;
    struct record invalid;
    bulk->counts.rows++;
    if (row->is_bad) {
        bulk->counts.bad_rows++;
        return ERR_NONE;
    }
    if (!knocker_identify(bulk->knocker, row->address, &identity, &invalid)) {
        enum err e = ERR_NONE;
        bulk->counts.invalid_rows++;
        if (bulk->config->refused != NULL) {
            invalid.email = row->address;
            e = bulk->config->refused(bulk->config->context, &invalid, out_fault);
        }
        record_done(&invalid);
        return e;
    }
    enum err e = store_job_add(bulk->job, slice_of(identity.key), slice_of(identity.wire),
                               slice_of(identity.domain));
    if (e != ERR_NONE) {
        return store_why(bulk->store, out_fault);
    }
    bulk->counts.items++; /* doubles are told apart when all are there */
    return ERR_NONE;
}

enum err bulk_load(struct bulk *bulk, struct fault *out_fault)
{
    if (bulk->info.is_loaded) {
        return ERR_NONE;
    }
    FILE *file = NULL;
    struct table_reader *reader = NULL;
    enum err e = open_input(bulk, may_load, &file, &reader, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    begin_count(bulk);
    struct table_row row;
    while ((e = table_reader_next(reader, &row, out_fault)) == ERR_NONE) {
        e = load_row(bulk, &row, out_fault);
        if (e != ERR_NONE) {
            break;
        }
    }
    table_reader_close(reader);
    (void)fclose(file);
    if (e != ERR_CLOSED) {
        return e;
    }
    e = store_kept_since(bulk->store, bulk->losses, out_fault);
    e = e != ERR_NONE ? e : store_job_loaded(bulk->job, &bulk->counts.items, out_fault);
    bulk->info.is_loaded = e == ERR_NONE;
    return e;
}

void bulk_leave_input(struct bulk *bulk)
{
    table_reader_close(bulk->load.reader);
    bulk->load.reader = NULL;
    if (bulk->load.file != NULL) {
        (void)fclose(bulk->load.file);
        bulk->load.file = NULL;
    }
}

/* Rows may be short or very long: what was taken from the file counts too. */
static enum err load_rows(struct bulk *bulk, size_t limit, struct fault *out_fault)
{
    off_t began_at = ftello(bulk->load.file);
    struct table_row row;
    enum err e = ERR_NONE;
    for (size_t i = 0; i < limit && e == ERR_NONE; i++) {
        e = table_reader_next(bulk->load.reader, &row, out_fault);
        e = e != ERR_NONE ? e : load_row(bulk, &row, out_fault);
        if (ftello(bulk->load.file) - began_at > LOAD_STEP_BYTES) {
            break;
        }
    }
    if (e == ERR_CLOSED) {
        bulk_leave_input(bulk);
        bulk->load.is_read = true;
        return ERR_NONE;
    }
    return e;
}

enum err bulk_load_some(struct bulk *bulk, size_t limit, bool *out_is_loaded,
                        struct fault *out_fault)
{
    /* Rows that were put before may have been lost with a flush of others. */
    enum err e = store_kept_since(bulk->store, bulk->losses, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (!bulk->info.is_loaded && bulk->load.is_read) {
        e = store_job_order_some(bulk->job, limit, &bulk->info.is_loaded, &bulk->counts.items,
                                 out_fault);
    } else if (!bulk->info.is_loaded && bulk->load.reader != NULL) {
        e = load_rows(bulk, limit, out_fault);
    } else if (!bulk->info.is_loaded) {
        begin_count(bulk);
        e = open_input(bulk, may_load, &bulk->load.file, &bulk->load.reader, out_fault);
    }
    if (e == ERR_NONE) {
        *out_is_loaded = bulk->info.is_loaded;
    }
    return e;
}

/* Writing. */

void bulk_describe_bad_row(const struct table_row *row, int64_t wall_ms, struct record *out)
{
    *out = (struct record){
        .email = row->raw,
        .status = verdict_status_of(SUB_SKIPPED),
        .sub = SUB_SKIPPED,
        .score = 40,
        .reason_count = 1,
        .engine_version = SLICE_LITERAL(HELOISE_VERSION),
        .checked_at_ms = wall_ms,
    };
    struct verdict_reason *reason = &out->reasons[0];
    reason->code = "bad_row";
    (void)snprintf(reason->detail, sizeof reason->detail, "line %llu: %s",
                   (unsigned long long)row->line, row->why);
}

/* A stored record carries the address as it was asked; a row shows its own. */
static enum err put_row_email(struct slice json, struct slice email, struct buf *out)
{
    struct record record;
    enum err e = record_read_json(json, &record);
    if (e != ERR_NONE) {
        return e;
    }
    record.email = email;
    e = table_result_write(TABLE_NDJSON, &record, out);
    record_done(&record);
    return e;
}

/* The result as it is written; *out stays empty where there is none yet. */
static enum err find_result(struct bulk *bulk, const struct table_row *row, struct buf *stored,
                            struct buf *out)
{
    enum table_format format = bulk->config->output_format;
    struct record record;
    if (row->is_bad) {
        bulk_describe_bad_row(row, door_wall_ms(bulk->door), &record);
        bulk->counts.bad_rows++;
        return table_result_write(format, &record, out);
    }
    struct knocker_identity identity;
    if (!knocker_identify(bulk->knocker, row->address, &identity, &record)) {
        record.email = row->address;
        bulk->counts.invalid_rows++;
        enum err e = table_result_write(format, &record, out);
        record_done(&record);
        return e;
    }
    if (format != TABLE_NDJSON) {
        (void)store_job_result_find(bulk->job, slice_of(identity.key), out);
        return ERR_NONE;
    }
    buf_clear(stored);
    return store_job_result_find(bulk->job, slice_of(identity.key), stored)
               ? put_row_email(buf_view(stored), row->address, out)
               : ERR_NONE;
}

struct result_buffers {
    struct buf stored, shown;
};

static enum err write_row(struct bulk *bulk, struct table_writer *writer,
                          const struct table_row *row, struct result_buffers *buffers,
                          uint64_t *unfinished, struct fault *out_fault)
{
    buf_clear(&buffers->shown);
    enum err e = find_result(bulk, row, &buffers->stored, &buffers->shown);
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "cannot write a result: %s", err_name(e));
    }
    e = table_writer_result(writer, row, buf_view(&buffers->shown), out_fault);
    *unfinished += buffers->shown.len > 0 ? 0 : 1;
    bulk->counts.rows++;
    bulk->counts.written += e == ERR_NONE ? 1 : 0;
    return e;
}

static enum err write_rows(struct bulk *bulk, struct table_reader *reader, FILE *to,
                           uint64_t *unfinished, struct fault *out_fault)
{
    struct table_writer *writer;
    enum err e = table_writer_open(bulk->config->output_format, reader, to, &writer, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    begin_count(bulk);
    bulk->counts.written = 0;
    struct result_buffers buffers;
    buf_init(&buffers.stored, JSON_BYTES_MAX);
    buf_init(&buffers.shown, JSON_BYTES_MAX);
    struct table_row row;
    while ((e = table_reader_next(reader, &row, out_fault)) == ERR_NONE) {
        e = write_row(bulk, writer, &row, &buffers, unfinished, out_fault);
        if (e != ERR_NONE) {
            break;
        }
    }
    e = e == ERR_CLOSED ? table_writer_finish(writer, out_fault) : e;
    buf_done(&buffers.stored);
    buf_done(&buffers.shown);
    table_writer_close(writer);
    return e;
}

enum err bulk_write(struct bulk *bulk, FILE *to, uint64_t *out_unfinished, struct fault *out_fault)
{
    FILE *file = NULL;
    struct table_reader *reader = NULL;
    enum err e = open_input(bulk, may_write, &file, &reader, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    uint64_t unfinished = 0;
    store_job_read_in_order(bulk->job);
    e = write_rows(bulk, reader, to, &unfinished, out_fault);
    table_reader_close(reader);
    (void)fclose(file);
    if (e == ERR_NONE) {
        *out_unfinished = unfinished;
    }
    return e;
}
