/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store_opener.h"

#include <stdlib.h>

#include "base/must.h"
#include "net/quiet_thread.h"
#include "net/uv_mailbox.h"

struct store_opener {
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* over these: */
    pthread_cond_t told;
    const char *path;
    bool is_over;             /* there will be none */
    bool is_done;             /* the thread has nothing more to do */
    struct uv_mailbox *inbox; /* of who waits for that; or NULL */
    struct uv_post post;      /* to it, and empty */
    struct store *store;      /* and these are the thread's until it has ended */
    enum err err;
    struct fault fault; /* where err is set */
};

static const char *await_path(struct store_opener *opener)
{
    (void)pthread_mutex_lock(&opener->mutex);
    while (opener->path == NULL && !opener->is_over) {
        (void)pthread_cond_wait(&opener->told, &opener->mutex);
    }
    const char *path = opener->path;
    (void)pthread_mutex_unlock(&opener->mutex);
    return path;
}

static void *run(void *context)
{
    struct store_opener *opener = context;
    store_warm_up();
    const char *path = await_path(opener);
    if (path != NULL) {
        opener->err = store_open(path, &opener->store, &opener->fault);
    }
    (void)pthread_mutex_lock(&opener->mutex);
    opener->is_done = true;
    if (opener->inbox != NULL) {
        uv_mailbox_post(opener->inbox, &opener->post);
    }
    (void)pthread_mutex_unlock(&opener->mutex);
    return NULL;
}

enum err store_opener_start(struct store_opener **out)
{
    struct store_opener *opener = calloc(1, sizeof *opener);
    if (opener == NULL) {
        return ERR_NOMEM;
    }
    (void)pthread_mutex_init(&opener->mutex, NULL);
    (void)pthread_cond_init(&opener->told, NULL);
    opener->has_thread = quiet_thread_start(&opener->thread, run, opener) == ERR_NONE;
    *out = opener;
    return ERR_NONE;
}

static void on_done(void *context, struct uv_post *first)
{
    (void)first; /* the opener's own */
    door_stop(context);
}

/* Whom the thread tells that it has nothing more to do; NULL: nobody any more. True: it has something to do. */
static bool watch(struct store_opener *opener, struct uv_mailbox *inbox)
{
    (void)pthread_mutex_lock(&opener->mutex);
    opener->inbox = inbox;
    bool is_done = opener->is_done;
    (void)pthread_mutex_unlock(&opener->mutex);
    return !is_done;
}

/* Without a mailbox whoever waits for the thread's end just waits. */
static void run_meanwhile(struct store_opener *opener, struct door *door)
{
    struct uv_mailbox *inbox;
    if (uv_mailbox_open(door, on_done, door, &inbox) != ERR_NONE) {
        return;
    }
    if (watch(opener, inbox)) {
        door_run(door);
    }
    (void)watch(opener, NULL);
    uv_mailbox_close(inbox);
}

static void tell(struct store_opener *opener, const char *path)
{
    (void)pthread_mutex_lock(&opener->mutex);
    opener->path = path;
    opener->is_over = path == NULL;
    (void)pthread_cond_signal(&opener->told);
    (void)pthread_mutex_unlock(&opener->mutex);
}

void store_opener_open(struct store_opener *opener, const char *path)
{
    must(opener->path == NULL && path != NULL);
    tell(opener, path);
}

static void end_thread(struct store_opener *opener)
{
    if (opener->has_thread) {
        (void)pthread_join(opener->thread, NULL);
    }
    opener->has_thread = false;
}

enum err store_opener_take(struct store_opener *opener, struct door *door, struct store **out,
                           struct fault *out_fault)
{
    must(opener->path != NULL);
    if (!opener->has_thread) {
        return store_open(opener->path, out, out_fault);
    }
    run_meanwhile(opener, door);
    end_thread(opener);
    if (opener->err != ERR_NONE) {
        *out_fault = opener->fault;
        return opener->err;
    }
    *out = opener->store;
    opener->store = NULL;
    return ERR_NONE;
}

void store_opener_free(struct store_opener *opener)
{
    if (opener == NULL) {
        return;
    }
    if (opener->path == NULL) {
        tell(opener, NULL);
    }
    end_thread(opener);
    store_close(opener->store);
    (void)pthread_cond_destroy(&opener->told);
    (void)pthread_mutex_destroy(&opener->mutex);
    free(opener);
}
