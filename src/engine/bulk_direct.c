/* engine/bulk_direct: a run that is asked by the knocker of its own thread.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "engine/bulk_private.h"

/* One address on its way. */
struct direct_item {
    struct bulk *bulk;
    uint64_t id;
};

static void on_answer(void *context, const struct record *record)
{
    struct direct_item item = *(struct direct_item *)context;
    free(context);
    bulk_asked(item.bulk, item.id, record);
}

static enum err ask(void *context, struct bulk *bulk, const struct store_item *item)
{
    struct direct_item *asked = malloc(sizeof *asked);
    if (asked == NULL) {
        return ERR_NOMEM;
    }
    *asked = (struct direct_item){bulk, item->id};
    enum err e = knocker_ask(context, item->address, on_answer, asked);
    if (e != ERR_NONE) {
        free(asked);
    }
    return e;
}

static void cancel(void *context)
{
    knocker_cancel(context);
}

static void began(void *context, int64_t wall_ms)
{
    knocker_began_at(context, wall_ms);
}

static void count(void *context, struct knocker_counts *out)
{
    knocker_count(context, out);
}

struct bulk_way bulk_direct(struct knocker *knocker)
{
    return (struct bulk_way){
        .context = knocker, .ask = ask, .cancel = cancel, .began = began, .count = count};
}
