/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/list_shelf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/must.h"

struct list_edition {
    atomic_uint holds; /* the shelf's is one */
    uint64_t number;
    struct address_lists *lists;
    struct arena texts;
};

struct list_shelf {
    _Atomic uint64_t number; /* of the edition that holds; 0: none */
    _Atomic int64_t changed_at_ms;
    pthread_mutex_t mutex; /* over these, and each hold that is taken */
    struct list_edition *now;
    uint64_t last; /* number that was given */
};

static void let_go(struct list_edition *edition)
{
    if (edition == NULL || atomic_fetch_sub(&edition->holds, 1) > 1) {
        return;
    }
    address_lists_free(edition->lists);
    arena_done(&edition->texts);
    free(edition);
}

enum err list_shelf_new(struct list_shelf **out)
{
    struct list_shelf *shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL) {
        return ERR_NOMEM;
    }
    must(pthread_mutex_init(&shelf->mutex, NULL) == 0); /* of the default kind: it cannot fail */
    *out = shelf;
    return ERR_NONE;
}

void list_shelf_free(struct list_shelf *shelf)
{
    if (shelf == NULL) {
        return;
    }
    must(shelf->now == NULL || atomic_load(&shelf->now->holds) == 1);
    let_go(shelf->now);
    (void)pthread_mutex_destroy(&shelf->mutex);
    free(shelf);
}

enum err list_shelf_put(struct list_shelf *shelf, struct address_lists *lists, struct arena *texts)
{
    struct list_edition *edition = calloc(1, sizeof *edition);
    if (edition == NULL) {
        address_lists_free(lists);
        arena_done(texts);
        return ERR_NOMEM;
    }
    *edition = (struct list_edition){.holds = 1, .lists = lists, .texts = *texts};
    *texts = (struct arena){.max = 0};
    (void)pthread_mutex_lock(&shelf->mutex);
    struct list_edition *before = shelf->now;
    edition->number = ++shelf->last;
    shelf->now = edition;
    atomic_store_explicit(&shelf->changed_at_ms, INT64_MAX, memory_order_relaxed);
    atomic_store_explicit(&shelf->number, edition->number, memory_order_release);
    (void)pthread_mutex_unlock(&shelf->mutex);
    let_go(before);
    return ERR_NONE;
}

void list_shelf_clear(struct list_shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    struct list_edition *before = shelf->now;
    shelf->now = NULL;
    atomic_store_explicit(&shelf->number, 0, memory_order_release);
    (void)pthread_mutex_unlock(&shelf->mutex);
    let_go(before);
}

void list_shelf_date(struct list_shelf *shelf, int64_t changed_at_ms)
{
    atomic_store_explicit(&shelf->changed_at_ms, changed_at_ms, memory_order_relaxed);
}

const struct address_lists *list_shelf_lists(const struct list_shelf *shelf)
{
    return shelf->now == NULL ? NULL : shelf->now->lists;
}

int64_t list_shelf_changed_at_ms(const struct list_shelf *shelf)
{
    return atomic_load_explicit(&shelf->changed_at_ms, memory_order_relaxed);
}

static struct list_edition *hold(struct list_shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    struct list_edition *edition = shelf->now;
    if (edition != NULL) {
        (void)atomic_fetch_add(&edition->holds, 1);
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    return edition;
}

bool list_reader_renew(struct list_reader *reader)
{
    uint64_t number = atomic_load_explicit(&reader->shelf->number, memory_order_acquire);
    if (number != list_reader_number(reader)) {
        struct list_edition *before = reader->held;
        reader->held = hold(reader->shelf);
        let_go(before);
    }
    return reader->held != NULL;
}

const struct address_lists *list_reader_lists(const struct list_reader *reader)
{
    return reader->held == NULL ? NULL : reader->held->lists;
}

uint64_t list_reader_number(const struct list_reader *reader)
{
    return reader->held == NULL ? 0 : reader->held->number;
}

int64_t list_reader_changed_at_ms(const struct list_reader *reader)
{
    return reader->held == NULL ? 0 : list_shelf_changed_at_ms(reader->shelf);
}

void list_reader_done(struct list_reader *reader)
{
    let_go(reader->held);
    reader->held = NULL;
}
