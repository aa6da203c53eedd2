/* tools/probe_words: what the parts of a mail server's answers mean, for people: the keywords of EHLO, enhanced status
 * codes (RFC 3463 and IANA's registry), plain codes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_WORDS_H
#define TOOLS_PROBE_WORDS_H

#include "heloise/reply.h"

/* Of one line of EHLO's answer ("SIZE 10240000"); NULL: a keyword that is not registered. */
const char *probe_words_extension(struct slice line);

/* "a temporary problem: the mailbox is full"; room 160 is enough. Without an enhanced code the plain one is told. Returns
 * out. */
enum { PROBE_WORDS_BYTES = 200 };
const char *probe_words_reply(uint16_t code, struct hel_enhanced enhanced,
                              char out[PROBE_WORDS_BYTES]);

/* The code that a line of an answer begins with; 0: none. */
unsigned probe_words_code(struct slice line);
/* Of one line of an answer as it came: an extension, or the code of a refusal's last line; NULL: nothing is to be added. */
const char *probe_words_line(struct slice line, char room[PROBE_WORDS_BYTES]);

#endif
