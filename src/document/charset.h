/* document/charset: text of any charset that iconv knows, as UTF-8, fed in pieces of any size. What is no character becomes
 * U+FFFD. UTF-8 and what nobody knows stay as they are.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_CHARSET_H
#define DOCUMENT_CHARSET_H

#include <iconv.h>
#include <stdbool.h>

#include "base/buf.h"

enum { CHARSET_NAME_BYTES = 40, CHARSET_HELD_BYTES = 16 };

struct charset {
    iconv_t converter;
    bool is_open; /* else text goes through as it is */
    char name[CHARSET_NAME_BYTES + 1];
    char held[CHARSET_HELD_BYTES]; /* the beginning of a character */
    size_t held_len;
};

/* A zeroed one is UTF-8. Again with the same name costs nothing but a fresh beginning. */
void charset_set(struct charset *charset, struct slice name);
void charset_done(struct charset *charset); /* safe on a zeroed one and twice */
/* Whether text of that charset would be changed. */
bool charset_is_foreign(struct slice name);
/* Appends up to four times as many bytes. ERR_NOMEM, ERR_LIMIT. */
enum err charset_feed(struct charset *charset, struct slice bytes, struct buf *out) MUST_USE;
enum err charset_end(struct charset *charset, struct buf *out) MUST_USE;

#endif
