/* engine/webhook_schedule: when an event is sent again, and when it is given up. A pure function of what came of the
 * try: some seconds at first, hours later, about a day in all; a receiver that names a time is heard.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WEBHOOK_SCHEDULE_H
#define ENGINE_WEBHOOK_SCHEDULE_H

#include "net/http_client.h"
#include "store/webhooks.h"

enum { WEBHOOK_TRIES_MAX = 12 };

/* What came of a try. */
struct webhook_try {
    unsigned tries; /* made so far, this one included: from 1 on */
    int64_t now_ms;
    enum http_client_end end;
    unsigned status;        /* of HTTP; 0: there was no answer */
    uint32_t retry_after_s; /* 0: nothing was said */
    uint32_t
        chance; /* any number: moves the time by up to a tenth, so that many do not come at once */
};

struct webhook_next {
    enum store_webhook_state state;
    int64_t at_ms; /* while it waits; otherwise now_ms */
};

/* 2xx is delivery. 410 is a refusal for good (as the Standard Webhooks specification has it). All else is tried again,
 * not before Retry-After, and not later than a day from now for its sake. */
struct webhook_next webhook_schedule(const struct webhook_try *done);

#endif
