/* sim/campaign_talk: the conversations of a simulated campaign that shall be shown: those in which an address was
 * named, or all with one far end; of many, the last.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CAMPAIGN_TALK_H
#define SIM_CAMPAIGN_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct campaign_talk;

/* address: without it in them conversations are forgotten when they end; empty: all are kept. ERR_NOMEM. */
enum err campaign_talk_new(struct slice address, struct campaign_talk **out) MUST_USE;
void campaign_talk_free(struct campaign_talk *talk); /* NULL is fine */

/* What happened on a line; what: "connected to 5.1.0.1", ">" said by us, "<" by the server. Memory that is short
 * leaves something out. */
void campaign_talk_note(struct campaign_talk *talk, uint32_t line, uint64_t now_ms,
                        const char *what, struct slice bytes);
void campaign_talk_closed(struct campaign_talk *talk, uint32_t line);

/* Appends what is kept, one line of text for each line said. ERR_NOMEM, ERR_LIMIT. */
enum err campaign_talk_write(const struct campaign_talk *talk, struct buf *out) MUST_USE;

#endif
