/* verify/wording: a reply's text in two parts: the words that the server says to everybody, and those that are one
 * recipient's (addresses, numbers, identifiers). Of many texts the first part is the same and need be kept only
 * once. wording_join(wording_split(text)) is the text, whatever its bytes are.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_WORDING_H
#define VERIFY_WORDING_H

#include "base/buf.h"

/* Appends to both. address is what was asked for; where it stands in the text as it was given it costs a byte. ERR_NOMEM,
 * ERR_LIMIT: both hold what fitted. */
enum err wording_split(struct slice text, struct slice address, struct buf *common, struct buf *own)
    MUST_USE;

/* The text, NUL-terminated in so many bytes; common, own and address are those of the split, and the text fitted. */
void wording_join(struct slice common, struct slice own, struct slice address, char *out,
                  size_t out_bytes);

#endif
