/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/must.h"
#include "engine/park_private.h"

enum { QUEUE_FIRST = 8 };

void park_queue_done(struct park_queue *queue)
{
    free(queue->at);
    *queue = (struct park_queue){0};
}

static enum err resize(struct park_queue *queue, uint32_t cap)
{
    struct parked **at = realloc(queue->at, cap * sizeof(struct parked *));
    if (at == NULL) {
        return ERR_NOMEM;
    }
    queue->at = at;
    queue->cap = cap;
    return ERR_NONE;
}

enum err park_queue_reserve(struct park_queue *queue)
{
    if (queue->count < queue->cap) {
        return ERR_NONE;
    }
    must(queue->cap < UINT32_MAX / 2);
    return resize(queue, queue->cap == 0 ? QUEUE_FIRST : queue->cap + queue->cap / 2);
}

static void set(struct park_queue *queue, uint32_t place, struct parked *parked)
{
    queue->at[place - 1] = parked;
    parked->place = place;
}

static void rise(struct park_queue *queue, struct parked *parked)
{
    uint32_t place = parked->place;
    while (place > 1 && queue->at[place / 2 - 1]->due_ms > parked->due_ms) {
        set(queue, place, queue->at[place / 2 - 1]);
        place /= 2;
    }
    set(queue, place, parked);
}

static void sink(struct park_queue *queue, struct parked *parked)
{
    uint32_t place = parked->place;
    while (place * 2 <= queue->count) {
        uint32_t child = place * 2;
        if (child < queue->count && queue->at[child]->due_ms < queue->at[child - 1]->due_ms) {
            child++;
        }
        if (queue->at[child - 1]->due_ms >= parked->due_ms) {
            break;
        }
        set(queue, place, queue->at[child - 1]);
        place = child;
    }
    set(queue, place, parked);
}

void park_queue_put(struct park_queue *queue, struct parked *parked)
{
    must(queue->count < queue->cap);
    parked->place = ++queue->count;
    rise(queue, parked);
}

/* What is not needed any more goes back, so that a round that is over leaves nothing behind. */
static void shrink(struct park_queue *queue)
{
    if (queue->count == 0) {
        park_queue_done(queue);
    } else if (queue->cap > QUEUE_FIRST && queue->count < queue->cap / 4) {
        (void)(resize(queue, queue->cap / 2) == ERR_NONE);
    }
}

void park_queue_remove(struct park_queue *queue, struct parked *parked)
{
    must(park_queue_has(queue, parked));
    struct parked *last = queue->at[--queue->count];
    if (last != parked) {
        set(queue, parked->place, last);
        rise(queue, last);
        sink(queue, last);
    }
    parked->place = 0;
    shrink(queue);
}

bool park_queue_has(const struct park_queue *queue, const struct parked *parked)
{
    return parked->place > 0 && parked->place <= queue->count &&
           queue->at[parked->place - 1] == parked;
}
