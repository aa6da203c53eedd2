/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/watch_json.h"

#include "base/slice.h"

enum { MS_PER_S = 1000 };

static const char *state_of(const struct store_watch *watch)
{
    return watch->run.len > 0                    ? "running"
           : watch->state == STORE_WATCH_WAITING ? "waiting"
                                                 : "paused";
}

static void write_watch(struct json_writer *w, const struct store_watch *watch,
                        struct batches *batches)
{
    struct batches_live live;
    bool is_live =
        batches != NULL && watch->run.len > 0 && batches_live(batches, watch->run, &live);
    json_open(w, NULL, '{');
    json_string(w, "id", watch->id);
    json_text(w, "label", watch->label);
    json_string(w, "state", slice_of(state_of(watch)));
    json_bool(w, "paused", watch->state == STORE_WATCH_PAUSED);
    json_text(w, "cause", watch->cause);
    json_int(w, "every_s", watch->every_ms / MS_PER_S);
    json_string(w, "batch", watch->batch);
    json_text(w, "run", watch->run);
    json_int(w, "addresses", (int64_t)watch->addresses);
    if (is_live) {
        json_int(w, "checked", (int64_t)live.counts.done);
    } else {
        json_null(w, "checked");
    }
    json_int(w, "asked", (int64_t)watch->asked);
    json_int(w, "changed", (int64_t)watch->changed);
    json_text(w, "webhook", watch->webhook);
    json_time(w, "created_at", watch->created_at_ms);
    json_time(w, "last_at", watch->last_at_ms);
    json_time(w, "next_at", watch->state == STORE_WATCH_PAUSED ? 0 : watch->next_at_ms);
    json_close(w, '}');
}

enum err watch_write_json(const struct store_watch *watch, struct batches *batches, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    write_watch(&w, watch, batches);
    return w.err;
}

struct listing {
    struct json_writer w;
    struct batches *batches;
    size_t count;
    int64_t last;
};

static void list_watch(void *context, const struct store_watch *watch)
{
    struct listing *listing = context;
    write_watch(&listing->w, watch, listing->batches);
    listing->count++;
    listing->last = watch->number;
}

static enum err no_room(enum err e, struct fault *out_fault)
{
    return fault_set(out_fault, e, 0, "watched lists cannot be shown: %s", err_name(e));
}

enum err watch_find_json(struct store *store, struct batches *batches, struct slice id,
                         struct buf *out, struct fault *out_fault)
{
    struct listing listing = {.batches = batches};
    json_begin(&listing.w, out);
    enum err e = store_watch_find(store, id, list_watch, &listing, out_fault);
    return e != ERR_NONE               ? e
           : listing.w.err != ERR_NONE ? no_room(listing.w.err, out_fault)
                                       : ERR_NONE;
}

enum err watch_list_json(struct store *store, struct batches *batches,
                         const struct store_page *page, struct buf *out, struct fault *out_fault)
{
    struct listing listing = {.batches = batches};
    json_begin(&listing.w, out);
    json_open(&listing.w, NULL, '{');
    json_open(&listing.w, "watches", '[');
    enum err e = store_watch_each(store, page, list_watch, &listing, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    json_close(&listing.w, ']');
    json_next(&listing.w, listing.count, page->limit, listing.last);
    json_close(&listing.w, '}');
    return listing.w.err == ERR_NONE ? ERR_NONE : no_room(listing.w.err, out_fault);
}

static void write_verdict(struct json_writer *w, const char *key, struct slice status,
                          struct slice sub)
{
    json_open(w, key, '{');
    json_string(w, "status", status);
    json_string(w, "sub_status", sub);
    json_close(w, '}');
}

void watch_change_write(struct json_writer *w, const struct store_watch_change *change)
{
    json_open(w, NULL, '{');
    json_string(w, "email", change->address);
    json_time(w, "at", change->at_ms);
    json_string(w, "run", change->run);
    write_verdict(w, "before", change->status_before, change->sub_before);
    write_verdict(w, "after", change->status_after, change->sub_after);
    json_close(w, '}');
}
