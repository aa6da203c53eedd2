/* decode/encoded_word: words of other charsets in header fields (RFC 2047): =?iso-8859-1?q?J=F6rg?=
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_ENCODED_WORD_H
#define DECODE_ENCODED_WORD_H

#include <stdbool.h>

#include "base/buf.h"

struct encoded_word {
    struct slice charset; /* without the language that RFC 2231 allows behind it */
    struct slice text;    /* as it stands */
    bool is_base64;       /* else "Q" */
};

/* The word at the beginning of text and how long it is; false: there is none. */
bool encoded_word_read(struct slice text, struct encoded_word *out, size_t *out_len);
/* Appends its bytes, which are in its charset. ERR_NOMEM, ERR_LIMIT. */
enum err encoded_word_decode(const struct encoded_word *word, struct buf *out) MUST_USE;

#endif
