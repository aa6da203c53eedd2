/* sim/campaign_owed: the replies that a server owes on one line, as the network sees both sides: so it is known how
 * many RCPTs are unanswered, whatever our side believes. Zeroed is a line on which nothing was said yet.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_OWED_H
#define SIM_CAMPAIGN_OWED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct campaign_owed {
    uint8_t others, rcpts; /* unanswered: commands before the RCPTs, and these */
    uint8_t column;        /* of the reply line that is coming in, as far as it matters */
    bool is_last_line;     /* of its reply */
};

/* We say this. False: the order of things is broken. Several RCPTs may be unanswered together, and one with its MAIL;
 * nothing but QUIT may follow before they are answered. */
bool campaign_owed_sent(struct campaign_owed *owed, struct slice verb);

/* The server says this, in whatever pieces. */
void campaign_owed_received(struct campaign_owed *owed, struct slice bytes);

#endif
