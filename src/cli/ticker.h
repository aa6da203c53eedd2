/* cli/ticker: one line on standard error that is rewritten in place, cut to the terminal's width; on anything
 * but a terminal it stays silent.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TICKER_H
#define CLI_TICKER_H

#include <stdbool.h>

#include "base/attr.h"

struct ticker {
    bool is_on;    /* standard error is a terminal, and progress is wanted */
    bool has_line; /* one is there now */
};

void ticker_init(struct ticker *ticker, bool is_wanted);

void ticker_show(struct ticker *ticker, const char *text);

/* Before anything else is written where it stands. */
void ticker_clear(struct ticker *ticker);

#endif
