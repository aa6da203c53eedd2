/* base/text: bytes from strangers made safe to show.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>

#include "base/buf.h"

/* Appends s with everything a terminal or log could act on (C0 and C1 controls, DEL, bidirectional
 * and other format controls, bytes that are not UTF-8) written as \xNN or \u{NNNN}; printable UTF-8
 * stays. Tabs become spaces. At most s.len * 8 bytes are added. */
enum err text_append_printable(struct buf *out, struct slice s) MUST_USE;

/* Whether a terminal would act on it, or it hides or turns text: what text_append_printable escapes. */
bool text_is_dangerous(unsigned code_point);

/* How many bytes from the front on are printable ASCII, which needs no escape: all of most texts. */
size_t text_plain_run(struct slice s);

/* No byte above 0x7f. */
bool text_is_ascii(struct slice s);

/* A name of a header field: RFC 9110 5.6.2. */
bool text_is_http_token(struct slice s);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(struct slice s);

/* The length in bytes of the UTF-8 character at the start of s (1 to 4) and its code point, or 0 when
 * it is malformed or s is empty. */
size_t text_utf8_next(struct slice s, unsigned *out_code_point);

enum { TEXT_UTF8_BYTES = 4, TEXT_REPLACEMENT = 0xfffd };

/* Writes the code point as UTF-8, and says in how many bytes; U+FFFD for what is none. */
size_t text_utf8_write(unsigned code_point, char out[TEXT_UTF8_BYTES]);

#endif
