/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/watches.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "engine/batch_upload.h"
#include "engine/record_json.h"
#include "engine/watch_json.h"
#include "engine/watch_schedule.h"
#include "engine/webhooks.h"

enum {
    TEXTS_BYTES_MAX = 1 << 20,
    RECORD_BYTES_MAX = 4 << 20, /* as the store gives it back */
    LOOK_MS = 60 * 1000,        /* the wall clock may jump; what failed is tried again */
    COMPARE_ROWS = 128,         /* at a time: some milliseconds */
    SHED_ROWS = 1024,
    ID_CHARS = 24, /* 120 bits, as of a batch */
    ONCE_BYTES_MAX = 256,
    FILE_BYTES = STORE_BATCH_ID_BYTES + 8,
};

/* Two runs of one list. */
struct comparison {
    int64_t watch; /* 0: none is under way */
    int64_t cursor;
    struct store_job *before; /* NULL: there are no results to compare with */
    uint64_t asked;           /* of those looked at so far */
    uint64_t losses;          /* of the store, when it began */
};

struct watches {
    struct door *door;
    struct store *store;
    struct batches *batches;
    struct webhooks *webhooks;
    int folder_fd;
    struct timer work;
    struct batches_listener listener;
    struct comparison comparison;
    struct buf json; /* a stored result */
};

/* What was read of the store, kept beyond the call. */
struct found_watch {
    struct arena texts;
    struct store_watch watch;
    enum err err;
};

struct found_batch {
    struct arena texts;
    struct store_batch batch;
    enum err err;
};

static void keep_watch(void *context, const struct store_watch *watch)
{
    struct found_watch *found = context;
    struct store_watch *to = &found->watch;
    *to = *watch;
    struct slice *const texts[] = {&to->id,  &to->owner, &to->label, &to->webhook, &to->batch,
                                   &to->run, &to->old,   &to->cause, NULL};
    found->err = ERR_NONE;
    for (size_t i = 0; texts[i] != NULL && found->err == ERR_NONE; i++) {
        found->err = arena_copy(&found->texts, *texts[i], texts[i]);
    }
}

static void keep_batch(void *context, const struct store_batch *batch)
{
    struct found_batch *found = context;
    found->err = store_batch_copy(&found->texts, batch, &found->batch);
}

/* arena_done of its texts is owed in any case. */
static enum err find_batch(struct watches *watches, struct slice id, struct found_batch *out,
                           struct fault *out_fault)
{
    *out = (struct found_batch){.err = ERR_NONE};
    arena_init(&out->texts, TEXTS_BYTES_MAX);
    enum err e = store_batch_find(watches->store, id, keep_batch, out, out_fault);
    return e == ERR_NONE && out->err != ERR_NONE
               ? fault_set(out_fault, out->err, 0, "out of memory")
               : e;
}

static enum err find_watch(struct watches *watches, struct slice id, struct found_watch *out,
                           struct fault *out_fault)
{
    *out = (struct found_watch){.err = ERR_NONE};
    arena_init(&out->texts, TEXTS_BYTES_MAX);
    enum err e = store_watch_find(watches->store, id, keep_watch, out, out_fault);
    return e == ERR_NONE && out->err != ERR_NONE
               ? fault_set(out_fault, out->err, 0, "out of memory")
               : e;
}

static void make_id(struct watches *watches, const char *prefix, char out[STORE_BATCH_ID_BYTES])
{
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
    unsigned char random[ID_CHARS];
    door_random_bytes(watches->door, random, sizeof random);
    int len = snprintf(out, STORE_BATCH_ID_BYTES, "%s", prefix);
    for (size_t i = 0; i < sizeof random; i++) {
        out[len++] = alphabet[random[i] % (sizeof alphabet - 1)];
    }
    out[len] = '\0';
}

static bool is_own(struct slice batch)
{
    return slice_starts(batch, SLICE(WATCHES_RUN_PREFIX));
}

static bool is_over(enum store_batch_state state)
{
    return state == STORE_BATCH_CANCELLED || state == STORE_BATCH_DONE ||
           state == STORE_BATCH_FAILED;
}

/* Steps. Each is one change of the store, and whether there is more to do at once. */

/* The run is named before it is made: who finds it named and not there makes it. */
static enum err begin_run(struct watches *watches, struct store_watch *watch,
                          struct fault *out_fault)
{
    char id[STORE_BATCH_ID_BYTES];
    make_id(watches, WATCHES_RUN_PREFIX, id);
    watch->run = slice_of(id);
    watch->next_at_ms =
        watch_next_ms(watch->next_at_ms, watch->every_ms, door_wall_ms(watches->door));
    enum err e = store_watch_settle(watches->store, watch, NULL, out_fault);
    watch->run = SLICE_NONE; /* it is read again */
    return e;
}

/* A second name of the list's file: it lives as long as one of its batches. */
static enum err link_list(struct watches *watches, struct slice from, const char *to,
                          struct fault *out_fault)
{
    bool is_linked =
        linkat(watches->folder_fd, from.at, watches->folder_fd, to, 0) == 0 || errno == EEXIST;
    if (!is_linked || fsync(watches->folder_fd) != 0) {
        char text[ONCE_BYTES_MAX];
        int os_errno = errno;
        return fault_set(out_fault, ERR_SYSTEM, os_errno, "the list cannot be used again: %s",
                         strerror_r(os_errno, text, sizeof text));
    }
    return ERR_NONE;
}

static enum err make_run(struct watches *watches, const struct store_watch *watch,
                         const struct store_batch *from, struct fault *out_fault)
{
    char file[FILE_BYTES];
    (void)snprintf(file, sizeof file, "%.*s" BATCH_UPLOAD_LIST, SLICE_ARG(watch->run));
    const struct store_batch run = {
        .id = watch->run,
        .owner = watch->owner,
        .label = watch->label,
        .file = slice_of(file),
        .file_name = from->file_name,
        .column = from->column,
        .bytes = from->bytes,
        .max_age_ms = watch_age_ms_max(watch->every_ms, from->finished_at_ms - from->created_at_ms),
    };
    enum err e = link_list(watches, from->file, file, out_fault);
    return e != ERR_NONE ? e : batches_add(watches->batches, &run, NULL, out_fault);
}

/* It came to nothing: the next one is compared with what there was before. */
static enum err give_run_up(struct watches *watches, struct store_watch *watch, const char *why,
                            struct fault *out_fault)
{
    watch->old = watch->run;
    watch->run = SLICE_NONE;
    watch->cause = slice_of(why);
    watch->last_at_ms = door_wall_ms(watches->door);
    return store_watch_settle(watches->store, watch, NULL, out_fault);
}

static void end_comparison(struct watches *watches)
{
    store_job_close(watches->comparison.before);
    watches->comparison = (struct comparison){.watch = 0};
}

static enum err begin_comparison(struct watches *watches, const struct store_watch *watch,
                                 const struct store_batch *before, struct fault *out_fault)
{
    struct comparison *comparison = &watches->comparison;
    *comparison =
        (struct comparison){.watch = watch->number, .losses = store_losses(watches->store)};
    if (before->job == 0) {
        return ERR_NONE;
    }
    enum err e = store_job_look(watches->store, before->job, &comparison->before, out_fault);
    if (e != ERR_NONE) {
        *comparison = (struct comparison){.watch = 0};
    }
    return e;
}

static enum err put_change(struct watches *watches, const struct store_watch *watch,
                           const struct store_watch_result *result, const struct record *before,
                           const struct record *after)
{
    if (before->status == after->status && before->sub == after->sub) {
        return ERR_NONE;
    }
    const struct store_watch_change change = {
        .watch = watch->number,
        .run = watch->run,
        .key = result->key,
        .address = result->address,
        .status_before = slice_of(verdict_status_name(before->status)),
        .sub_before = slice_of(verdict_sub_name(before->sub)),
        .status_after = slice_of(verdict_status_name(after->status)),
        .sub_after = slice_of(verdict_sub_name(after->sub)),
        .at_ms = after->checked_at_ms,
    };
    return store_watch_change_put(watches->store, &change);
}

struct comparing {
    struct watches *watches;
    const struct store_watch *watch;
    enum err err;
};

/* What had no result before has not changed. */
static void compare_one(void *context, const struct store_watch_result *result)
{
    struct comparing *comparing = context;
    struct watches *watches = comparing->watches;
    struct comparison *comparison = &watches->comparison;
    struct record before = {.email = SLICE_NONE};
    struct record after = {.email = SLICE_NONE};
    enum err e = record_read_json(result->json, &after);
    bool has_before = false;
    if (e == ERR_NONE) {
        comparison->asked += after.is_cached ? 0 : 1;
        buf_clear(&watches->json);
        has_before = comparison->before != NULL &&
                     store_job_result_find(comparison->before, result->key, &watches->json);
    }
    if (has_before) {
        e = record_read_json(buf_view(&watches->json), &before);
    }
    if (has_before && e == ERR_NONE) {
        e = put_change(watches, comparing->watch, result, &before, &after);
    }
    record_done(&before);
    record_done(&after);
    comparing->err = e;
}

/* ERR_CLOSED: all are compared. */
static enum err compare_some(struct watches *watches, const struct store_watch *watch, int64_t job)
{
    struct comparing comparing = {watches, watch, ERR_NONE};
    enum err e = ERR_NONE;
    for (unsigned i = 0; i < COMPARE_ROWS && e == ERR_NONE; i++) {
        e = store_watch_result_next(watches->store, job, &watches->comparison.cursor, compare_one,
                                    &comparing);
        e = e != ERR_NONE ? e : comparing.err;
    }
    return e;
}

struct telling {
    struct watches *watches;
    const struct store_watch *watch;
    struct slice run;
};

/* With the change that it speaks of. */
static enum err tell(void *context, struct fault *out_fault)
{
    const struct telling *telling = context;
    const struct store_watch *watch = telling->watch;
    struct slice run = telling->run;
    struct buf data;
    struct buf once;
    buf_init(&data, WEBHOOK_BODY_BYTES_MAX);
    buf_init(&once, ONCE_BYTES_MAX);
    enum err e = watch_write_json(watch, NULL, &data);
    e = e != ERR_NONE ? e
                      : buf_printf(&once, "%.*s %s", SLICE_ARG(run),
                                   webhook_kind_name(WEBHOOK_WATCH_CHANGED));
    if (e != ERR_NONE) {
        e = fault_set(out_fault, e, 0, "out of memory");
    } else {
        const struct webhook_event event = {
            .kind = WEBHOOK_WATCH_CHANGED,
            .owner = watch->owner,
            .url = watch->webhook,
            .batch = run,
            .once = buf_view(&once),
            .data = buf_view(&data),
        };
        e = webhooks_put(telling->watches->webhooks, &event, out_fault);
    }
    buf_done(&data);
    buf_done(&once);
    return e;
}

/* All was compared, and is in the file where none of it was lost on the way there. */
static enum err end_run(struct watches *watches, struct store_watch *watch,
                        const struct store_batch *run, struct fault *out_fault)
{
    struct slice done = watch->run;
    struct telling telling = {watches, watch, done};
    enum err e = store_flush(watches->store, out_fault);
    e = e != ERR_NONE ? e : store_kept_since(watches->store, watches->comparison.losses, out_fault);
    e = e != ERR_NONE ? e
                      : store_watch_change_count(watches->store, watch->number, done,
                                                 &watch->changed, out_fault);
    watch->old = is_own(watch->batch) ? watch->batch : SLICE_NONE;
    watch->batch = done;
    watch->run = SLICE_NONE;
    watch->cause = SLICE_NONE;
    watch->addresses = run->counts.items;
    watch->asked = watches->comparison.asked;
    watch->last_at_ms = door_wall_ms(watches->door);
    const struct store_beside beside = {tell, &telling};
    bool is_told = watch->changed > 0 && watch->webhook.len > 0 && watches->webhooks != NULL;
    return e != ERR_NONE
               ? e
               : store_watch_settle(watches->store, watch, is_told ? &beside : NULL, out_fault);
}

static enum err compare(struct watches *watches, struct store_watch *watch,
                        const struct store_batch *before, const struct store_batch *run,
                        bool *out_is_more, struct fault *out_fault)
{
    struct comparison *comparison = &watches->comparison;
    *out_is_more = true;
    if (comparison->watch != 0 && comparison->watch != watch->number) {
        return ERR_NONE; /* one at a time */
    }
    enum err e =
        comparison->watch == 0 ? begin_comparison(watches, watch, before, out_fault) : ERR_NONE;
    if (e != ERR_NONE) {
        return e;
    }
    e = compare_some(watches, watch, run->job);
    if (e == ERR_CLOSED) {
        e = end_run(watches, watch, run, out_fault);
        end_comparison(watches);
    } else if (e != ERR_NONE) {
        e = fault_set(out_fault, e, 0, "the results cannot be compared: %s", err_name(e));
        end_comparison(watches);
    }
    return e;
}

/* What the batch that runs has come to. */
static enum err go_on(struct watches *watches, struct store_watch *watch,
                      const struct store_batch *before, bool *out_is_more, struct fault *out_fault)
{
    struct found_batch run;
    struct fault why = {.err = ERR_NONE};
    enum err e = find_batch(watches, watch->run, &run, out_fault);
    if (e == ERR_CLOSED && !is_over(before->state)) {
        e = ERR_NONE; /* what is compared with is waited for */
    } else if (e == ERR_CLOSED) {
        bool is_made = make_run(watches, watch, before, &why) == ERR_NONE;
        e = is_made ? ERR_NONE : give_run_up(watches, watch, why.text, out_fault);
        *out_is_more = !is_made;
    } else if (e == ERR_NONE && run.batch.state == STORE_BATCH_DONE) {
        e = compare(watches, watch, before, &run.batch, out_is_more, out_fault);
    } else if (e == ERR_NONE && is_over(run.batch.state)) {
        bool is_failed = run.batch.state == STORE_BATCH_FAILED;
        (void)snprintf(why.text, sizeof why.text, "%.*s",
                       SLICE_ARG(is_failed ? run.batch.cause : SLICE("the run was cancelled")));
        e = give_run_up(watches, watch, why.text, out_fault);
        *out_is_more = true;
    }
    arena_done(&run.texts);
    return e;
}

static enum err drop_batch(struct watches *watches, struct slice id, struct fault *out_fault)
{
    enum err e =
        is_own(id) ? batches_order(watches->batches, id, BATCHES_DELETE, out_fault) : ERR_NONE;
    return e == ERR_CLOSED ? ERR_NONE : e;
}

static enum err drop_old(struct watches *watches, struct store_watch *watch,
                         struct fault *out_fault)
{
    enum err e = drop_batch(watches, watch->old, out_fault);
    watch->old = SLICE_NONE;
    return e != ERR_NONE ? e : store_watch_settle(watches->store, watch, NULL, out_fault);
}

static enum err shed(struct watches *watches, const struct store_watch *watch, bool *out_is_more,
                     struct fault *out_fault)
{
    bool is_gone = false;
    if (watches->comparison.watch == watch->number) {
        end_comparison(watches);
    }
    enum err e = drop_batch(watches, watch->run, out_fault);
    e = e != ERR_NONE ? e : drop_batch(watches, watch->batch, out_fault);
    e = e != ERR_NONE ? e : drop_batch(watches, watch->old, out_fault);
    e = e != ERR_NONE
            ? e
            : store_watch_shed(watches->store, watch->number, SHED_ROWS, &is_gone, out_fault);
    *out_is_more = e == ERR_NONE && !is_gone;
    return e;
}

static enum err step(struct watches *watches, struct store_watch *watch, bool *out_is_more,
                     struct fault *out_fault)
{
    if (watch->state == STORE_WATCH_DELETED) {
        return shed(watches, watch, out_is_more, out_fault);
    }
    if (watch->old.len > 0) {
        *out_is_more = watch->run.len > 0;
        return drop_old(watches, watch, out_fault);
    }
    struct found_batch before;
    enum err e = find_batch(watches, watch->batch, &before, out_fault);
    if (e == ERR_NONE && watch->run.len > 0) {
        e = go_on(watches, watch, &before.batch, out_is_more, out_fault);
    } else if (e == ERR_NONE && is_over(before.batch.state)) { /* else it is waited for */
        e = begin_run(watches, watch, out_fault);
        *out_is_more = true;
    }
    arena_done(&before.texts);
    return e;
}

/* When to look again. */

static void look_later(struct watches *watches, bool is_trouble)
{
    int64_t next_ms = store_watch_next_at(watches->store);
    if (next_ms == INT64_MAX && !is_trouble) {
        return;
    }
    int64_t wait_ms = is_trouble ? LOOK_MS : next_ms - door_wall_ms(watches->door);
    bool is_soon = wait_ms > 0 && wait_ms < LOOK_MS;
    door_timer_start(watches->door, &watches->work,
                     door_now_ms(watches->door) + (uint64_t)(is_soon ? wait_ms : LOOK_MS));
}

static void look_soon(struct watches *watches)
{
    door_timer_start(watches->door, &watches->work, door_now_ms(watches->door) + 1);
}

/* One step of each that has something to do. */
static void on_work(void *context)
{
    struct watches *watches = context;
    bool has_more = false;
    bool is_trouble = false;
    int64_t after = 0;
    enum err e = ERR_NONE;
    while (e == ERR_NONE) {
        struct found_watch found = {.err = ERR_NONE};
        struct fault fault;
        arena_init(&found.texts, TEXTS_BYTES_MAX);
        e = store_watch_next(watches->store, after, door_wall_ms(watches->door), keep_watch, &found,
                             &fault);
        e = e != ERR_NONE ? e : found.err;
        if (e == ERR_NONE) {
            bool is_more = false;
            after = found.watch.number;
            bool is_done = step(watches, &found.watch, &is_more, &fault) == ERR_NONE;
            has_more = has_more || (is_done && is_more);
            is_trouble = is_trouble || !is_done;
            if (!is_done && watches->comparison.watch == found.watch.number) {
                end_comparison(watches); /* others have their turn */
            }
        }
        arena_done(&found.texts);
    }
    if (has_more) {
        look_soon(watches);
    } else {
        look_later(watches, is_trouble || e != ERR_CLOSED);
    }
}

static void on_news(void *context, const struct batches_news *news)
{
    if (news->event == BATCHES_OVER) {
        look_soon(context);
    }
}

/* From outside. */

enum err watches_add(struct watches *watches, const struct watches_wish *wish,
                     char out_id[STORE_BATCH_ID_BYTES], struct fault *out_fault)
{
    struct found_batch from;
    enum err e = find_batch(watches, wish->batch, &from, out_fault);
    if (e == ERR_NONE &&
        (from.batch.state == STORE_BATCH_CANCELLED || from.batch.state == STORE_BATCH_FAILED)) {
        e = fault_set(out_fault, ERR_STATE, 0, "the batch is %s; one that is done is wanted",
                      batches_state_name(from.batch.state));
    }
    if (e == ERR_NONE) {
        int64_t now_ms = door_wall_ms(watches->door);
        make_id(watches, "w_", out_id);
        const struct store_watch watch = {
            .id = slice_of(out_id),
            .owner = wish->owner,
            .label = wish->label.len > 0 ? wish->label : from.batch.label,
            .webhook = wish->webhook,
            .every_ms = wish->every_ms,
            .batch = wish->batch,
            .addresses = from.batch.counts.items,
            .created_at_ms = now_ms,
            .next_at_ms = now_ms + wish->every_ms,
        };
        e = store_watch_add(watches->store, &watch, out_fault);
    }
    arena_done(&from.texts);
    look_soon(watches);
    return e;
}

enum err watches_order(struct watches *watches, struct slice id, enum watches_order order,
                       struct fault *out_fault)
{
    struct found_watch found;
    struct store_watch *watch = &found.watch;
    int64_t now_ms = door_wall_ms(watches->door);
    enum err e = find_watch(watches, id, &found, out_fault);
    if (e == ERR_NONE && order == WATCHES_RUN) {
        e = watch->run.len == 0 ? begin_run(watches, watch, out_fault) : ERR_NONE;
    } else if (e == ERR_NONE) {
        if (order == WATCHES_RESUME && watch->state == STORE_WATCH_PAUSED) {
            watch->next_at_ms = watch_next_ms(watch->next_at_ms, watch->every_ms, now_ms);
        }
        watch->state = order == WATCHES_DELETE  ? STORE_WATCH_DELETED
                       : order == WATCHES_PAUSE ? STORE_WATCH_PAUSED
                                                : STORE_WATCH_WAITING;
        e = store_watch_settle(watches->store, watch, NULL, out_fault);
    }
    arena_done(&found.texts);
    look_soon(watches);
    return e;
}

enum err watches_new(const struct watches_config *config, struct watches **out,
                     struct fault *out_fault)
{
    struct watches *watches = calloc(1, sizeof *watches);
    if (watches == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    watches->door = config->door;
    watches->store = config->store;
    watches->batches = config->batches;
    watches->webhooks = config->webhooks;
    watches->work = (struct timer){.fired = on_work, .context = watches};
    watches->listener = (struct batches_listener){.told = on_news, .context = watches};
    buf_init(&watches->json, RECORD_BYTES_MAX);
    batches_subscribe(config->batches, &watches->listener);
    watches->folder_fd = open(config->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (watches->folder_fd < 0) {
        enum err e = fault_set(out_fault, ERR_SYSTEM, errno,
                               "cannot open the folder of batches %.200s", config->folder);
        watches_free(watches);
        return e;
    }
    look_soon(watches);
    *out = watches;
    return ERR_NONE;
}

void watches_free(struct watches *watches)
{
    if (watches == NULL) {
        return;
    }
    batches_unsubscribe(watches->batches, &watches->listener);
    door_timer_stop(watches->door, &watches->work);
    end_comparison(watches);
    if (watches->folder_fd >= 0) {
        (void)close(watches->folder_fd);
    }
    buf_done(&watches->json);
    free(watches);
}
