/* engine/leave: callers that want no answers any more, while others may ask the same.
 *
 * A question that nobody asks any more ends as one whose time is over, so that whoever awaits what it was finding out
 * goes on. Where a server is being asked its answer is awaited: to leave the line would cost all others on it theirs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/must.h"
#include "engine/knocker_private.h"

bool ask_lose_callers(struct ask *ask, const struct knocker_leaver *leaver)
{
    unsigned lost = 0;
    struct caller **at = &ask->callers;
    while (*at != NULL) {
        struct caller *caller = *at;
        if (!leaver->is_leaving(leaver->of, caller->fn, caller->context)) {
            at = &caller->next;
            continue;
        }
        *at = caller->next;
        leaver->left(leaver->of, caller->context);
        ask_free_caller(ask, caller);
        lost++;
    }
    if (ask->callers != NULL) {
        ask->knocker->counts.asked -= lost;
        return true;
    }
    ask->left += lost; /* they count as answered when it ends */
    return false;
}

static void leave_ask(struct ask *ask, const struct knocker_leaver *leaver)
{
    bool is_asked = ask->place == ASK_ASKED;
    if (ask->left > 0 || ask_lose_callers(ask, leaver)) {
        return;
    }
    if (is_asked) {
        ask->is_expired = true;
        ask->expired_why = SKIP_CANCELLED;
    } else {
        ask_expire(ask, SKIP_CANCELLED);
    }
}

enum err knocker_leave(struct knocker *knocker, const struct knocker_leaver *leaver)
{
    must(!knocker->is_answering);
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->asks, &cursor, &key, &value)) {
        leave_ask(value, leaver);
    }
    struct ask *ask;
    TAILQ_FOREACH(ask, &knocker->ready, link)
    {
        leave_ask(ask, leaver); /* some of those are in no table: what they get is known */
    }
    return park_leave(knocker, leaver);
}
