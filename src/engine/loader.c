/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/loader.h"

#include <stdlib.h>

#include "base/must.h"
#include "net/quiet_thread.h"

struct loader {
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* over these: */
    pthread_cond_t changed;
    struct knowledge *knowledge; /* the thread's, as far as it is not loaded */
    bool is_over;                /* nobody wants any, or any more */
    bool is_urged;               /* to go on behind the first part */
    enum knowledge_part next;    /* the first part that is not there */
    enum err err;
    struct fault fault; /* where err is set */
};

static void load_next(struct loader *loader, enum knowledge_part part)
{
    struct fault fault;
    enum err e = knowledge_load(loader->knowledge, part, &fault);
    (void)pthread_mutex_lock(&loader->mutex);
    if (e == ERR_NONE) {
        loader->next = part + 1;
    } else {
        loader->err = e;
        loader->fault = fault;
    }
    (void)pthread_cond_broadcast(&loader->changed);
    (void)pthread_mutex_unlock(&loader->mutex);
}

static bool await_knowledge(struct loader *loader)
{
    (void)pthread_mutex_lock(&loader->mutex);
    while (loader->knowledge == NULL && !loader->is_over) {
        (void)pthread_cond_wait(&loader->changed, &loader->mutex);
    }
    bool is_over = loader->is_over;
    (void)pthread_mutex_unlock(&loader->mutex);
    return !is_over;
}

/* Whether the part is wanted. */
static bool await_turn(struct loader *loader, enum knowledge_part part)
{
    (void)pthread_mutex_lock(&loader->mutex);
    while (part > KNOWLEDGE_PROVIDERS && !loader->is_urged && !loader->is_over) {
        (void)pthread_cond_wait(&loader->changed, &loader->mutex);
    }
    bool is_over = loader->is_over;
    (void)pthread_mutex_unlock(&loader->mutex);
    return !is_over;
}

/* What it writes of the loader is read here without the lock: nobody else writes it. */
static void *run(void *context)
{
    struct loader *loader = context;
    if (!await_knowledge(loader)) {
        return NULL;
    }
    for (unsigned part = 0; part < KNOWLEDGE_PARTS && loader->err == ERR_NONE; part++) {
        if (!await_turn(loader, (enum knowledge_part)part)) {
            return NULL;
        }
        load_next(loader, (enum knowledge_part)part);
    }
    return NULL;
}

enum err loader_start(struct loader **out)
{
    struct loader *loader = calloc(1, sizeof *loader);
    if (loader == NULL) {
        return ERR_NOMEM;
    }
    (void)pthread_mutex_init(&loader->mutex, NULL);
    (void)pthread_cond_init(&loader->changed, NULL);
    loader->has_thread = quiet_thread_start(&loader->thread, run, loader) == ERR_NONE;
    *out = loader;
    return ERR_NONE;
}

void loader_load(struct loader *loader, struct knowledge *knowledge)
{
    must(loader->knowledge == NULL && knowledge != NULL);
    (void)pthread_mutex_lock(&loader->mutex);
    loader->knowledge = knowledge;
    (void)pthread_cond_broadcast(&loader->changed);
    (void)pthread_mutex_unlock(&loader->mutex);
}

static void tell(struct loader *loader, bool *claim)
{
    (void)pthread_mutex_lock(&loader->mutex);
    *claim = true;
    (void)pthread_cond_broadcast(&loader->changed);
    (void)pthread_mutex_unlock(&loader->mutex);
}

void loader_urge(struct loader *loader)
{
    tell(loader, &loader->is_urged);
}

enum err loader_await(struct loader *loader, enum knowledge_part part, struct fault *out_fault)
{
    must(loader->knowledge != NULL); /* else nobody would ever load it */
    if (!loader->has_thread) {
        return knowledge_load(loader->knowledge, part, out_fault);
    }
    if (part > KNOWLEDGE_PROVIDERS) {
        loader_urge(loader);
    }
    (void)pthread_mutex_lock(&loader->mutex);
    while (loader->next <= part && loader->err == ERR_NONE) {
        (void)pthread_cond_wait(&loader->changed, &loader->mutex);
    }
    bool is_there = loader->next > part;
    enum err e = is_there ? ERR_NONE : loader->err;
    if (!is_there) {
        *out_fault = loader->fault;
    }
    (void)pthread_mutex_unlock(&loader->mutex);
    return e;
}

void loader_free(struct loader *loader)
{
    if (loader == NULL) {
        return;
    }
    tell(loader, &loader->is_over);
    if (loader->has_thread) {
        (void)pthread_join(loader->thread, NULL);
    }
    (void)pthread_cond_destroy(&loader->changed);
    (void)pthread_mutex_destroy(&loader->mutex);
    free(loader);
}
