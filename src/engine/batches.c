/* engine/batches: the list of batches that are not over, what may be done to them, and whose turn it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/batches.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/batch_upload.h"
#include "engine/batches_private.h"
#include "store/job_shed.h"
#include "store/watches.h"

enum {
    TEXTS_BYTES_MAX = 1 << 20, /* of one batch */
    ERROR_TEXT_BYTES = 128,
};

static const char *const state_words[STORE_BATCH_STATE_COUNT] = {
    [STORE_BATCH_LOADING] = "loading", [STORE_BATCH_RUNNING] = "running",
    [STORE_BATCH_PAUSED] = "paused",   [STORE_BATCH_CANCELLED] = "cancelled",
    [STORE_BATCH_DONE] = "done",       [STORE_BATCH_FAILED] = "failed",
    [STORE_BATCH_DELETED] = "deleted",
};

const char *batches_state_name(enum store_batch_state state)
{
    return state_words[state];
}

static bool is_over(enum store_batch_state state)
{
    return state == STORE_BATCH_CANCELLED || state == STORE_BATCH_DONE ||
           state == STORE_BATCH_FAILED;
}

static bool may_run(const struct batch *batch)
{
    return batch->state == STORE_BATCH_LOADING || batch->state == STORE_BATCH_RUNNING;
}

/* One batch. */

void batch_free(struct batch *batch)
{
    if (batch == NULL) {
        return;
    }
    free(batch->path);
    arena_done(&batch->texts);
    free(batch);
}

static enum err batch_new(struct batches *batches, const struct store_batch *stored,
                          struct batch **out, struct fault *out_fault)
{
    struct batch *batch = calloc(1, sizeof *batch);
    struct buf path;
    buf_init(&path, BATCH_PATH_BYTES);
    if (batch != NULL) {
        arena_init(&batch->texts, TEXTS_BYTES_MAX);
        batch->batches = batches;
        batch->state = stored->state;
    }
    if (batch == NULL || store_batch_copy(&batch->texts, stored, &batch->stored) != ERR_NONE ||
        buf_printf(&path, "%s/%.*s", batches->folder, SLICE_ARG(stored->file)) != ERR_NONE) {
        buf_done(&path);
        batch_free(batch);
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    batch->path = buf_take_text(&path);
    if (batch->path == NULL) {
        batch_free(batch);
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    *out = batch;
    return ERR_NONE;
}

static void link_batch(struct batch *batch)
{
    struct batches *batches = batch->batches;
    (void)pthread_mutex_lock(&batches->lock);
    TAILQ_INSERT_TAIL(&batches->list, batch, link);
    (void)pthread_mutex_unlock(&batches->lock);
    batches_show(batch);
}

static void unlink_batch(struct batch *batch)
{
    struct batches *batches = batch->batches;
    (void)pthread_mutex_lock(&batches->lock);
    TAILQ_REMOVE(&batches->list, batch, link);
    (void)pthread_mutex_unlock(&batches->lock);
}

struct settling {
    struct batch *batch;
    enum store_batch_state state;
};

static enum err keep_state(void *context, struct fault *out_fault)
{
    const struct settling *settling = context;
    return batches_keep_now(settling->batch, BATCHES_SETTLING, settling->state, NULL, out_fault);
}

enum err batch_commit(struct batch *batch, enum store_batch_state state, const char *cause,
                      struct fault *out_fault)
{
    struct batches *batches = batch->batches;
    struct settling context = {batch, state};
    const struct store_beside beside = {keep_state, &context};
    const struct store_batch_settling settling = {.id = batch->stored.id,
                                                  .state = state,
                                                  .cause = slice_of(cause),
                                                  .now_ms = door_wall_ms(batches->door),
                                                  .beside = &beside};
    struct slice cause_before = batch->stored.cause;
    batch->stored.cause = settling.cause; /* the keeper sees it as it is to be */
    enum err e = store_batch_settle(batches->store, &settling, out_fault);
    if (e != ERR_NONE) {
        batch->stored.cause = cause_before;
        return e;
    }
    (void)snprintf(batch->cause, sizeof batch->cause, "%s", cause);
    batch->stored.cause = slice_of(batch->cause);
    batch->state = batch->stored.state = state;
    batch->stored.changed_at_ms = settling.now_ms;
    batch->stored.finished_at_ms = is_over(state) ? settling.now_ms : 0;
    return ERR_NONE;
}

void batch_tell_state(struct batch *batch)
{
    batches_show(batch);
    batches_tell(batch, is_over(batch->state) ? BATCHES_OVER : BATCHES_CHANGED);
}

enum err batch_settle(struct batch *batch, enum store_batch_state state, const char *cause,
                      struct fault *out_fault)
{
    enum err e = batch_commit(batch, state, cause, out_fault);
    if (e == ERR_NONE) {
        batch_tell_state(batch);
    }
    return e;
}

uint64_t batch_rest(struct batch *batch)
{
    struct batches *batches = batch->batches;
    uint64_t wait_ms = (uint64_t)BATCH_REST_MS_MIN << batch->rests;
    bool is_kept = store_flush(batches->store, NULL) == ERR_NONE;
    (void)is_kept; /* who put something there hears of it */
    if (wait_ms < BATCH_REST_MS_MAX) {
        batch->rests++;
    } else {
        wait_ms = BATCH_REST_MS_MAX;
    }
    return door_now_ms(batches->door) + wait_ms;
}

/* Work. */

/* Of two the one that may be worked on first; where both may, the older one. */
static struct batch *sooner(struct batch *older, struct batch *batch)
{
    uint64_t now = door_now_ms(batch->batches->door);
    bool is_older_first = older != NULL && (older->rest_until_ms <= now ||
                                            older->rest_until_ms <= batch->rest_until_ms);
    return is_older_first ? older : batch;
}

/* Whose rows are read next, maybe not yet; NULL: nobody's. */
static struct batch *next_to_load(struct batches *batches)
{
    struct batch *next = NULL;
    unsigned asking = 0;
    struct batch *batch;
    TAILQ_FOREACH(batch, &batches->list, link)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): who is freed was taken out of the list */
        asking += batch->is_asking ? 1 : 0;
        if (may_run(batch) && !batch->is_asking) {
            next = sooner(next, batch);
        }
    }
    return asking < BATCHES_RUNNING_MAX ? next : NULL;
}

static struct batch *next_to_shed(struct batches *batches)
{
    struct batch *next = NULL;
    struct batch *batch;
    TAILQ_FOREACH(batch, &batches->list, link)
    {
        if (batch->state == STORE_BATCH_DELETED && batch->bulk == NULL) {
            next = sooner(next, batch);
        }
    }
    return next;
}

static bool is_due(const struct batch *batch)
{
    return batch != NULL && batch->rest_until_ms <= door_now_ms(batch->batches->door);
}

static void drop_those_over(struct batches *batches)
{
    struct batch *batch = TAILQ_FIRST(&batches->list);
    while (batch != NULL) {
        struct batch *next = TAILQ_NEXT(batch, link);
        if (is_over(batch->state) && batch->bulk == NULL) {
            unlink_batch(batch);
            batch_free(batch);
        }
        batch = next;
    }
}

static void shed_some(struct batch *batch)
{
    struct batches *batches = batch->batches;
    struct fault fault;
    bool is_done = batch->stored.job == 0;
    if (batch->shed_cursor == 0 || batch->shed_losses != store_losses(batches->store)) {
        batch->shed_cursor = 0; /* what went may be there again */
        batch->shed_losses = store_losses(batches->store);
    }
    enum err e = is_done ? ERR_NONE
                         : store_job_shed(batches->store, batch->stored.job, BATCH_SHED_ROWS,
                                          &batch->shed_cursor, &is_done, &fault);
    if (e == ERR_NONE && is_done) {
        (void)unlinkat(batches->folder_fd, batch->stored.file.at, 0);
        e = store_batch_delete(batches->store, batch->stored.id, &fault);
    }
    if (e == ERR_NONE && is_done) {
        unlink_batch(batch);
        batch_free(batch);
    } else if (e != ERR_NONE) {
        batch->rest_until_ms = batch_rest(batch);
    }
}

/* Not at once: others have their turn between the steps. */
static void work_on(struct batches *batches, const struct batch *next)
{
    if (next == NULL) {
        return;
    }
    uint64_t at_ms = door_now_ms(batches->door) + 1;
    if (next->rest_until_ms > at_ms) {
        at_ms = next->rest_until_ms;
    }
    if (batches->work.place == 0 || batches->work.due_ms > at_ms) {
        door_timer_start(batches->door, &batches->work, at_ms);
    }
}

void batches_work_on(struct batches *batches)
{
    drop_those_over(batches);
    work_on(batches, next_to_load(batches));
    work_on(batches, next_to_shed(batches));
}

static void on_work(void *context)
{
    struct batches *batches = context;
    struct batch *loading = next_to_load(batches);
    if (is_due(loading)) {
        batch_load_some(loading);
    }
    struct batch *going = next_to_shed(batches);
    if (is_due(going)) {
        shed_some(going);
    }
    batches_work_on(batches);
}

/* Orders. */

static enum err refuse(enum store_batch_state state, const char *what, struct fault *out_fault)
{
    return fault_set(out_fault, ERR_STATE, 0, "the batch is %s, it cannot be %s",
                     state_words[state], what);
}

static enum err pause_batch(struct batch *batch, struct fault *out_fault)
{
    if (batch->state == STORE_BATCH_PAUSED) {
        return ERR_NONE;
    }
    if (!may_run(batch)) {
        return refuse(batch->state, "paused", out_fault);
    }
    enum err e = batch_settle(batch, STORE_BATCH_PAUSED, "", out_fault);
    if (e == ERR_NONE && batch->is_asking) {
        batch_stop(batch);
    }
    return e; /* one that is being read keeps what was read */
}

static enum err resume_batch(struct batch *batch, struct fault *out_fault)
{
    if (may_run(batch)) {
        return ERR_NONE;
    }
    bool may_go_on = batch->state == STORE_BATCH_PAUSED || batch->state == STORE_BATCH_FAILED;
    if (!may_go_on) {
        return refuse(batch->state, "resumed", out_fault);
    }
    bool is_loaded = batch->is_loaded || batch->stored.is_loaded;
    return batch_settle(batch, is_loaded ? STORE_BATCH_RUNNING : STORE_BATCH_LOADING, "",
                        out_fault);
}

/* For good: with its results, or without. */
static enum err end_batch(struct batch *batch, enum store_batch_state state,
                          struct fault *out_fault)
{
    if (state == STORE_BATCH_DELETED &&
        store_watch_uses_batch(batch->batches->store, batch->stored.id)) {
        return fault_set(out_fault, ERR_STATE, 0,
                         "a watched list needs the batch; delete the watched list first");
    }
    if (state == STORE_BATCH_CANCELLED && is_over(batch->state)) {
        return batch->state == state ? ERR_NONE : refuse(batch->state, "cancelled", out_fault);
    }
    enum err e = batch_settle(batch, state, "", out_fault);
    if (e == ERR_NONE && batch->bulk != NULL) {
        batch_stop(batch);
    }
    return e;
}

static enum err follow(struct batch *batch, enum batches_order order, struct fault *out_fault)
{
    switch (order) {
    case BATCHES_PAUSE: return pause_batch(batch, out_fault);
    case BATCHES_RESUME: return resume_batch(batch, out_fault);
    case BATCHES_CANCEL: return end_batch(batch, STORE_BATCH_CANCELLED, out_fault);
    case BATCHES_DELETE: return end_batch(batch, STORE_BATCH_DELETED, out_fault);
    }
    return ERR_NONE;
}

struct search {
    struct batches *batches;
    struct batch *found;
    enum err err;
    struct fault *fault;
};

static void take_found(void *context, const struct store_batch *stored)
{
    struct search *search = context;
    search->err = batch_new(search->batches, stored, &search->found, search->fault);
}

/* One that is over comes back into the list for what is to be done with it. */
static enum err find(struct batches *batches, struct slice id, struct batch **out,
                     struct fault *out_fault)
{
    struct batch *batch;
    TAILQ_FOREACH(batch, &batches->list, link)
    {
        if (slice_equal(batch->stored.id, id) && batch->state != STORE_BATCH_DELETED) {
            *out = batch;
            return ERR_NONE;
        }
    }
    struct search search = {.batches = batches, .fault = out_fault};
    enum err e = store_batch_find(batches->store, id, take_found, &search, out_fault);
    e = e != ERR_NONE ? e : search.err;
    if (e == ERR_NONE) {
        link_batch(search.found);
        *out = search.found;
    }
    return e;
}

enum err batches_order(struct batches *batches, struct slice id, enum batches_order order,
                       struct fault *out_fault)
{
    struct batch *batch;
    enum err e = find(batches, id, &batch, out_fault);
    e = e != ERR_NONE ? e : follow(batch, order, out_fault);
    batches_work_on(batches);
    return e;
}

enum err batches_add(struct batches *batches, const struct store_batch *batch,
                     const struct store_request_end *end, struct fault *out_fault)
{
    struct store_batch stored = *batch;
    stored.state = STORE_BATCH_LOADING;
    if (stored.created_at_ms == 0) {
        stored.created_at_ms = door_wall_ms(batches->door);
    }
    struct batch *made = NULL;
    enum err e = batch_new(batches, &stored, &made, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    must(made != NULL);
    e = store_batch_add(batches->store, &made->stored, end, out_fault);
    if (e != ERR_NONE) {
        batch_free(made);
        return e;
    }
    link_batch(made);
    batches_tell(made, BATCHES_CHANGED);
    batches_work_on(batches);
    return ERR_NONE;
}

/* Beginning and end. */

static enum err say_system(struct fault *out_fault, const char *what, const char *folder)
{
    int os_errno = errno;
    char text[ERROR_TEXT_BYTES];
    return fault_set(out_fault, ERR_SYSTEM, os_errno, "%s %.200s: %s", what, folder,
                     strerror_r(os_errno, text, sizeof text));
}

/* A folder that was made must outlive a loss of power as what is in it does. */
static void sync_parent(const char *folder)
{
    struct slice path = slice_of(folder);
    size_t end = slice_find_last_byte(path, '/');
    char parent[BATCH_PATH_BYTES];
    (void)snprintf(parent, sizeof parent, "%.*s", end < path.len ? (int)end + 1 : 1,
                   end < path.len ? folder : ".");
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

static enum err open_folder(struct batches *batches, struct fault *out_fault)
{
    const char *folder = batches->folder;
    if (mkdir(folder, 0700) == 0) {
        sync_parent(folder);
    } else if (errno != EEXIST) {
        return say_system(out_fault, "cannot make the folder of batches", folder);
    }
    batches->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (batches->folder_fd < 0) {
        return say_system(out_fault, "cannot open the folder of batches", folder);
    }
    if (flock(batches->folder_fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? fault_set(out_fault, ERR_STATE, 0,
                               "another service uses %.300s; give this one a store of its own",
                               folder)
                   : say_system(out_fault, "cannot lock the folder of batches", folder);
    }
    return ERR_NONE;
}

/* Uploads that were not acknowledged, since a kill came first. */
static enum err clear_folder(struct batches *batches, struct fault *out_fault)
{
    DIR *entries = opendir(batches->folder);
    if (entries == NULL) {
        return say_system(out_fault, "cannot read the folder of batches", batches->folder);
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        struct slice name = slice_of(entry->d_name);
        bool is_ours = slice_ends(name, SLICE(BATCH_UPLOAD_PART)) ||
                       slice_ends(name, SLICE(BATCH_UPLOAD_LIST));
        if (is_ours && !store_batch_has_file(batches->store, name)) {
            (void)unlinkat(batches->folder_fd, entry->d_name, 0);
        }
    }
    (void)closedir(entries);
    return ERR_NONE;
}

static void take_open(void *context, const struct store_batch *stored)
{
    struct search *search = context;
    struct batch *batch = NULL;
    if (search->err != ERR_NONE) {
        return;
    }
    search->err = batch_new(search->batches, stored, &batch, search->fault);
    if (batch != NULL) {
        link_batch(batch);
    }
}

static enum err take_up(struct batches *batches, struct fault *out_fault)
{
    struct search search = {.batches = batches, .fault = out_fault};
    enum err e = open_folder(batches, out_fault);
    e = e != ERR_NONE ? e : clear_folder(batches, out_fault);
    e = e != ERR_NONE ? e : store_batch_each_open(batches->store, take_open, &search, out_fault);
    return e != ERR_NONE ? e : search.err;
}

enum err batches_new(struct door *door, struct knocker *knocker, struct store *store,
                     const char *folder, struct batches **out, struct fault *out_fault)
{
    struct batches *batches = calloc(1, sizeof *batches);
    if (batches == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    batches->door = door;
    batches->knocker = knocker;
    batches->store = store;
    batches->folder = folder;
    batches->folder_fd = -1;
    batches->work = (struct timer){.fired = on_work, .context = batches};
    TAILQ_INIT(&batches->list);
    (void)pthread_mutex_init(&batches->lock, NULL);
    enum err e = take_up(batches, out_fault);
    if (e != ERR_NONE) {
        batches_free(batches);
        return e;
    }
    batches_work_on(batches);
    *out = batches;
    return ERR_NONE;
}

/* How far it is is read from the results at the next start; the row says it until then. */
static void leave_batch(struct batch *batch)
{
    struct batches *batches = batch->batches;
    if (batch->bulk != NULL) {
        batches_show(batch);
        batch_leave_now(batch);
        (void)(store_batch_progress(batches->store, batch->stored.id, batch->stored.job,
                                    batch->is_loaded, &batch->stored.counts,
                                    door_wall_ms(batches->door)) == ERR_NONE);
        batch_close(batch);
    }
    unlink_batch(batch);
    batch_free(batch);
}

void batches_free(struct batches *batches)
{
    if (batches == NULL) {
        return;
    }
    door_timer_stop(batches->door, &batches->work);
    while (!TAILQ_EMPTY(&batches->list)) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself out of the list */
        leave_batch(TAILQ_FIRST(&batches->list));
    }
    if (batches->folder_fd >= 0) {
        (void)close(batches->folder_fd);
    }
    (void)pthread_mutex_destroy(&batches->lock);
    free(batches);
}
