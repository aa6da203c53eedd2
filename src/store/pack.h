/* store/pack: the records of verdicts say the same in nearly the same words, so a row keeps a record as its differences
 * from a text that is known: pieces of that text, and what stands between them. A third of the size, and as much less to
 * write, twice. What was packed says by its first byte which text it was packed against; that is written into files, so a
 * text that has a number never changes, and others get another number.
 *
 *     packed  = number *(piece | letters)
 *     letters = 0nnnnnnn, and n+1 bytes as they are
 *     piece   = 1aaaaaaa aaaaalll [m]: l + 5 bytes of the known text from its a-th on; where l is 7, m + 12
 *
 * No I/O.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { PACK_SLOTS = 4096 };

/* Where in the known text a few bytes stand. Zeroed: not made yet. */
struct pack_index {
    bool is_made;
    uint16_t slots[PACK_SLOTS]; /* by the hash of those bytes: the place plus one */
};

/* Appends the text packed; where that would be no shorter than the text *out_is_packed is false, and nothing is
 * appended. ERR_LIMIT, ERR_NOMEM. */
enum err store_pack(struct pack_index *index, struct slice text, struct buf *out,
                    bool *out_is_packed) MUST_USE;

/* Appends the text. ERR_SYNTAX: this is nothing that store_pack made; ERR_LIMIT, ERR_NOMEM. After any of these *out is as
 * it was. */
enum err store_unpack(struct slice packed, struct buf *out) MUST_USE;

#endif
