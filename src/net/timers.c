/* SPDX-License-Identifier: Apache-2.0 */
#include "net/timers.h"

#include <stdlib.h>

void timers_done(struct timers *timers)
{
    free(timers->at);
    *timers = (struct timers){0};
}

static void set(struct timers *timers, size_t place, struct timer *timer)
{
    timers->at[place - 1] = timer;
    timer->place = place;
}

static void rise(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    while (place > 1 && timers->at[place / 2 - 1]->due_ms > timer->due_ms) {
        set(timers, place, timers->at[place / 2 - 1]);
        place /= 2;
    }
    set(timers, place, timer);
}

static void sink(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    while (place * 2 <= timers->count) {
        size_t child = place * 2;
        if (child < timers->count && timers->at[child]->due_ms < timers->at[child - 1]->due_ms) {
            child++;
        }
        if (timers->at[child - 1]->due_ms >= timer->due_ms) {
            break;
        }
        set(timers, place, timers->at[child - 1]);
        place = child;
    }
    set(timers, place, timer);
}

enum err timers_put(struct timers *timers, struct timer *timer, uint64_t due_ms)
{
    if (timer->place == 0) {
        if (timers->count == timers->cap) {
            size_t cap = timers->cap == 0 ? 16 : timers->cap * 2;
            struct timer **grown = realloc(timers->at, cap * sizeof(struct timer *));
            if (grown == NULL) {
                return ERR_NOMEM;
            }
            timers->at = grown;
            timers->cap = cap;
        }
        timer->place = ++timers->count;
    }
    timer->due_ms = due_ms;
    rise(timers, timer);
    sink(timers, timer);
    return ERR_NONE;
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    if (timer->place == 0) {
        return;
    }
    struct timer *last = timers->at[--timers->count];
    if (last != timer) {
        set(timers, timer->place, last);
        rise(timers, last);
        sink(timers, last);
    }
    timer->place = 0;
}

struct timer *timers_first(const struct timers *timers)
{
    return timers->count == 0 ? NULL : timers->at[0];
}
