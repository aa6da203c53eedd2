/* providers/codes: what a reply's numbers say, without its text. The reading is what RFC 5321 4.2.3
 * and RFC 3463 write, however misleading; the fallback is what may be concluded from it, which is
 * less: common servers use the same numbers for different things.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_CODES_H
#define PROVIDERS_CODES_H

#include "providers/classify.h"

/* By the enhanced code where there is one, else by the code; as if the peer followed the RFCs. */
enum reply_reason codes_reading(uint16_t code, struct hel_enhanced enhanced);

/* Whom a reason is usually about. */
enum reply_scope codes_scope_of(enum reply_reason reason);

/* Never claims a mailbox's absence from a bare code. rule is "enhanced:x.1.1", or NULL where the
 * code itself decided. Before RCPT it never speaks of a mailbox. */
struct classification codes_fallback(enum hel_smtp_stage stage, uint16_t code,
                                     struct hel_enhanced enhanced);

#endif
