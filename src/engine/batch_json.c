/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/batch_json.h"

#include "base/slice.h"
#include "engine/json_write.h"

static void write_statuses(struct json_writer *w, const uint64_t by_status[STORE_BATCH_STATUSES])
{
    json_open(w, "statuses", '{');
    for (unsigned i = 0; i < STORE_BATCH_STATUSES; i++) {
        json_int(w, verdict_status_name((enum verdict_status)i), (int64_t)by_status[i]);
    }
    json_close(w, '}');
}

static void write_counts(struct json_writer *w, const struct store_batch_counts *counts)
{
    json_open(w, "counts", '{');
    json_int(w, "rows", (int64_t)counts->rows);
    json_int(w, "bad_rows", (int64_t)counts->bad_rows);
    json_int(w, "no_address", (int64_t)counts->invalid_rows);
    json_int(w, "addresses", (int64_t)counts->items);
    json_int(w, "done", (int64_t)counts->done);
    json_close(w, '}');
    write_statuses(w, counts->by_status);
}

static void write_provider(void *context, const struct store_batch_provider *provider)
{
    struct json_writer *w = context;
    json_open(w, NULL, '{');
    json_text(w, "name", provider->name);
    json_text(w, "label", provider->label);
    write_statuses(w, provider->by_status);
    json_close(w, '}');
}

static void write_providers(struct json_writer *w, struct store *store, struct slice id)
{
    struct fault fault;
    json_open(w, "providers", '[');
    enum err e =
        store_batch_provider_each(store, id, BATCH_PROVIDERS_MAX, write_provider, w, &fault);
    w->err = w->err != ERR_NONE ? w->err : e;
    json_close(w, ']');
}

static void write_pace(struct json_writer *w, const struct batches_live *live)
{
    if (live == NULL || live->per_second <= 0) {
        json_null(w, "per_second");
    } else {
        json_real(w, "per_second", live->per_second);
    }
    if (live == NULL || live->seconds_left == UINT64_MAX) {
        json_null(w, "seconds_left");
    } else {
        json_int(w, "seconds_left", (int64_t)live->seconds_left);
    }
}

static void write_batch(struct json_writer *w, const struct store_batch *batch,
                        const struct batches_live *live, struct store *providers)
{
    enum store_batch_state state = live != NULL ? live->state : batch->state;
    json_open(w, NULL, '{');
    json_string(w, "id", batch->id);
    json_text(w, "label", batch->label);
    json_text(w, "file_name", batch->file_name);
    json_text(w, "column", batch->column);
    json_string(w, "state", slice_of(batches_state_name(state)));
    json_text(w, "cause", batch->cause);
    json_int(w, "bytes", (int64_t)batch->bytes);
    write_counts(w, live != NULL ? &live->counts : &batch->counts);
    if (providers != NULL) {
        write_providers(w, providers, batch->id);
    }
    write_pace(w, live);
    json_text(w, "webhook", batch->webhook);
    json_time(w, "created_at", batch->created_at_ms);
    json_time(w, "changed_at", batch->changed_at_ms);
    json_time(w, "finished_at", batch->finished_at_ms);
    json_close(w, '}');
}

enum err batch_write_json(const struct store_batch *batch, const struct batches_live *live,
                          struct store *providers, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    write_batch(&w, batch, live, providers);
    return w.err;
}

/* From the store, with what is newer. */
struct listing {
    struct json_writer w;
    struct batches *batches;
    struct store *providers; /* NULL: a list is told without */
    size_t count;
    int64_t last;
};

static void list_batch(void *context, const struct store_batch *batch)
{
    struct listing *listing = context;
    struct batches_live live;
    bool is_live = listing->batches != NULL && batches_live(listing->batches, batch->id, &live);
    write_batch(&listing->w, batch, is_live ? &live : NULL, listing->providers);
    listing->count++;
    listing->last = batch->number;
}

static enum err no_room(enum err e, struct fault *out_fault)
{
    return fault_set(out_fault, e, 0, "batches cannot be shown: %s", err_name(e));
}

enum err batch_find_json(struct store *store, struct batches *batches, struct slice id,
                         struct buf *out, struct fault *out_fault)
{
    struct listing listing = {.batches = batches, .providers = store};
    json_begin(&listing.w, out);
    enum err e = store_batch_find(store, id, list_batch, &listing, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    return listing.w.err == ERR_NONE ? ERR_NONE : no_room(listing.w.err, out_fault);
}

enum err batch_list_json(struct store *store, struct batches *batches,
                         const struct store_page *page, struct buf *out, struct fault *out_fault)
{
    struct listing listing = {.batches = batches};
    json_begin(&listing.w, out);
    json_open(&listing.w, NULL, '{');
    json_open(&listing.w, "batches", '[');
    enum err e = store_batch_each(store, page, list_batch, &listing, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    json_close(&listing.w, ']');
    json_next(&listing.w, listing.count, page->limit, listing.last);
    json_close(&listing.w, '}');
    return listing.w.err == ERR_NONE ? ERR_NONE : no_room(listing.w.err, out_fault);
}
