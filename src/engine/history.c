/* engine/history: what earlier runs learned of an address, from the store's facts, for verify/history. A fact's detail is
 * the sub-status and, where a server was asked, the server's name: "accepted mx.d.example".
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "engine/knocker_private.h"

enum { FACTS_READ_MAX = 32 }; /* of one address, the newest */

struct reading {
    struct verify_history *history;
    int64_t before_ms;
};

static void on_fact(void *context, const struct store_fact *fact)
{
    const struct reading *reading = context;
    struct slice rest = fact->detail;
    struct verify_past past = {.at_ms = fact->at_ms};
    bool is_probe = slice_equal(fact->kind, SLICE("probe")) &&
                    verdict_sub_parse(slice_cut(&rest, ' '), &past.sub);
    if (is_probe && fact->at_ms < reading->before_ms) {
        past.host = history_host(rest);
        (void)history_add(reading->history, &past);
    }
}

/* Facts are put in as they happen: where the first is too young, all are. */
void knocker_began_at(struct knocker *knocker, int64_t wall_ms)
{
    knocker->history_before_ms = wall_ms - KNOCKER_HISTORY_MS;
    knocker->has_history =
        knocker->store != NULL && store_fact_oldest(knocker->store) < knocker->history_before_ms;
}

bool history_read(const struct ask *ask, struct verify_history *out)
{
    const struct knocker *knocker = ask->knocker;
    if (!knocker->has_history || knocker->store == NULL) {
        return false;
    }
    *out = (struct verify_history){.asked_at_ms = ask->asked_wall_ms};
    struct reading reading = {out, knocker->history_before_ms};
    enum err e = store_fact_each(knocker->store, ask->key, FACTS_READ_MAX, on_fact, &reading);
    return e == ERR_NONE && out->count > 0;
}

struct slice history_detail(const struct ask *ask, enum verdict_sub sub, struct buf *out)
{
    const char *name = verdict_sub_name(sub);
    enum err e = ask->work->was_tried ? buf_printf(out, "%s %s", name, ask->work->line.host)
                                      : buf_printf(out, "%s", name);
    return e == ERR_NONE ? buf_view(out) : slice_of(name);
}
