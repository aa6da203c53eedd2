/* engine/ask_signals: an address whose case is closed waits for what external services say of it; whoever ends its time
 * ends that, too.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "engine/knocker_private.h"
#include "engine/signals.h"

struct ask_signals {
    struct signals_ticket *ticket; /* NULL: told */
    struct verify_signals told;
};

static void on_told(void *context, const struct verify_signals *told)
{
    struct ask *ask = context;
    ask->work->signals->ticket = NULL;
    ask->work->signals->told = *told;
    knocker_make_ready(ask);
}

bool ask_awaits_signals(struct ask *ask)
{
    struct signals *signals = ask->knocker->config.signals;
    if (signals == NULL || ask->work->signals != NULL || ask->is_expired) {
        return false;
    }
    ask->work->signals = calloc(1, sizeof *ask->work->signals);
    if (ask->work->signals == NULL ||
        signals_ask(signals, hel_address_wire(&ask->address), ask->key, on_told, ask,
                    &ask->work->signals->ticket) != ERR_NONE) {
        return false;
    }
    ask->is_over = true; /* in its next turn it is answered, for whatever reason that comes */
    return true;
}

void ask_drop_signals(struct ask *ask)
{
    if (ask->work->signals == NULL) {
        return;
    }
    if (ask->work->signals->ticket != NULL) {
        signals_cancel(ask->work->signals->ticket);
    }
    free(ask->work->signals);
    ask->work->signals = NULL;
}

void ask_apply_signals(const struct ask *ask, struct record *record)
{
    if (ask->work->signals != NULL && ask->work->signals->ticket == NULL) {
        signals_apply(&ask->work->signals->told, record);
    }
}
