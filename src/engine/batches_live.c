/* engine/batches_live: what others see of batches at work: a copy for other threads, news for who subscribed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "engine/batches_private.h"

enum {
    RATE_KEEPS = 3, /* parts of four: what came in the last seconds counts most */
    RATE_PARTS = 4,
};

/* Bulk keeps the counts of a run; of one that does not run the stored ones hold. */
static void read_counts(const struct batch *batch, struct store_batch_counts *out)
{
    if (batch->bulk == NULL) {
        *out = batch->stored.counts;
        return;
    }
    struct bulk_counts counts;
    bulk_count(batch->bulk, &counts);
    *out = (struct store_batch_counts){
        .rows = counts.rows,
        .bad_rows = counts.bad_rows,
        .invalid_rows = counts.invalid_rows,
        .items = counts.items,
        .done = counts.done,
    };
    bool was_loaded_before = counts.rows == 0 && batch->is_loaded;
    if (was_loaded_before) {
        out->rows = batch->stored.counts.rows;
        out->bad_rows = batch->stored.counts.bad_rows;
        out->invalid_rows = batch->stored.counts.invalid_rows;
    }
    memcpy(out->by_status, counts.by_status, sizeof out->by_status);
}

static double rate_of(struct batch *batch, uint64_t done)
{
    uint64_t now = door_now_ms(batch->batches->door);
    uint64_t passed_ms = now - batch->seen_ms;
    double rate = batch->live.per_second;
    if (passed_ms == 0) {
        return rate;
    }
    if (batch->seen_ms != 0 && done >= batch->seen_done) {
        double lately = (double)(done - batch->seen_done) * 1000 / (double)passed_ms;
        rate = rate <= 0 ? lately : (rate * RATE_KEEPS + lately) / RATE_PARTS;
    }
    batch->seen_ms = now;
    batch->seen_done = done;
    return rate;
}

void batches_show(struct batch *batch)
{
    struct batches *batches = batch->batches;
    struct batches_live live = {.state = batch->state, .seconds_left = UINT64_MAX};
    read_counts(batch, &live.counts);
    batch->stored.counts = live.counts;
    if (batch->is_asking) {
        live.per_second = rate_of(batch, live.counts.done);
    }
    if (live.per_second > 0) {
        double left = (double)(live.counts.items - live.counts.done) / live.per_second;
        live.seconds_left = (uint64_t)left + 1;
    }
    (void)pthread_mutex_lock(&batches->lock);
    batch->live = live;
    (void)pthread_mutex_unlock(&batches->lock);
}

bool batches_live(struct batches *batches, struct slice id, struct batches_live *out)
{
    bool is_found = false;
    struct batch *batch;
    (void)pthread_mutex_lock(&batches->lock);
    TAILQ_FOREACH(batch, &batches->list, link)
    {
        if (slice_equal(batch->stored.id, id)) {
            *out = batch->live;
            is_found = true;
            break;
        }
    }
    (void)pthread_mutex_unlock(&batches->lock);
    return is_found;
}

/* News. */

void batches_subscribe(struct batches *batches, struct batches_listener *listener)
{
    listener->next = batches->listeners;
    batches->listeners = listener;
}

void batches_unsubscribe(struct batches *batches, struct batches_listener *listener)
{
    struct batches_listener **at = &batches->listeners;
    while (*at != NULL && *at != listener) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = listener->next;
    }
}

static struct batches_news news_of(const struct batch *batch, enum batches_event event,
                                   enum store_batch_state state, const struct record *record)
{
    return (struct batches_news){
        .event = event,
        .id = batch->stored.id,
        .owner = batch->stored.owner,
        .webhook = batch->stored.webhook,
        .state = state,
        .batch = &batch->stored,
        .live = &batch->live, /* only this thread changes it */
        .record = record,
    };
}

void batches_tell(struct batch *batch, enum batches_event event)
{
    const struct batches_news news = news_of(batch, event, batch->state, NULL);
    struct batches_listener *listener = batch->batches->listeners;
    while (listener != NULL) {
        struct batches_listener *next = listener->next;
        listener->told(listener->context, &news);
        listener = next;
    }
}

void batches_keep(struct batches *batches, const struct batches_keeper *keeper)
{
    batches->keeper = keeper;
}

enum err batches_keep_now(struct batch *batch, enum batches_event event,
                          enum store_batch_state state, const struct record *record,
                          struct fault *out_fault)
{
    const struct batches_keeper *keeper = batch->batches->keeper;
    const struct batches_news news = news_of(batch, event, state, record);
    return keeper != NULL ? keeper->keep(keeper->context, &news, out_fault) : ERR_NONE;
}
