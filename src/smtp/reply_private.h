/* smtp/reply_private: what the parser tells only its own module.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_REPLY_PRIVATE_H
#define SMTP_REPLY_PRIVATE_H

#include "heloise/reply.h"

/* After HEL_REPLY_BROKEN: it was the allocator, not the peer. */
bool reply_parser_is_starved(const struct hel_reply_parser *parser);

#endif
