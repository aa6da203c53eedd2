/* providers/hint: the delay that a refusal names in its text ("in 00:05:00", "for 5 minutes",
 * "300 seconds", "nach 10 Minuten"), in seconds.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_HINT_H
#define PROVIDERS_HINT_H

#include <stdint.h>

#include "base/attr.h"

enum {
    HINT_SECONDS_MAX = 24 * 60 * 60, /* longer delays are cut to it */
};

/* text is folded. 0: none. A quantity that is a rate ("100 per 1 hour") or looks back ("in the last 10
 * minutes") is no delay. */
uint32_t hint_delay(struct slice text);

#endif
