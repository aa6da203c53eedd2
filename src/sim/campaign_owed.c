/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign_owed.h"

enum { COLUMN_OF_LAST = 3 }; /* "250-" goes on, "250 " ends the reply (RFC 5321 4.2) */

static void one_more(uint8_t *count)
{
    *count = *count < UINT8_MAX ? (uint8_t)(*count + 1) : UINT8_MAX;
}

bool campaign_owed_sent(struct campaign_owed *owed, struct slice verb)
{
    if (slice_equal(verb, SLICE("QUIT"))) {
        return true;
    }
    if (slice_equal(verb, SLICE("RCPT"))) {
        one_more(&owed->rcpts);
        return owed->others == 0 || owed->rcpts == 1;
    }
    /* Whatever was said before it is not answered any more: with TLS all begins anew. */
    bool is_hello = slice_equal(verb, SLICE("EHLO")) || slice_equal(verb, SLICE("HELO"));
    if (is_hello) {
        *owed = (struct campaign_owed){0};
    }
    one_more(&owed->others);
    return owed->rcpts == 0;
}

static void take_reply(struct campaign_owed *owed)
{
    if (owed->others > 0) {
        owed->others--;
    } else if (owed->rcpts > 0) {
        owed->rcpts--;
    }
}

void campaign_owed_received(struct campaign_owed *owed, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.at[i];
        if (c == '\n') {
            if (owed->is_last_line || owed->column < COLUMN_OF_LAST) {
                take_reply(owed);
            }
            owed->column = 0;
            owed->is_last_line = false;
            continue;
        }
        owed->is_last_line = owed->column == COLUMN_OF_LAST ? c != '-' : owed->is_last_line;
        owed->column = owed->column <= COLUMN_OF_LAST ? (uint8_t)(owed->column + 1) : owed->column;
    }
}
