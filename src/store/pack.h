/* store/pack: the records of verdicts say the same in nearly the same words, so a row keeps a record as its differences
 * from a text that is known: pieces of that text, and what stands between them. A third of the size, and as much less to
 * write, twice. What was packed says by its first byte which text it was packed against; that is written into files, so a
 * text that has a number never changes, and others get another number. Behind that byte stand three of the record's length
 * and a block of LZ4 with the known text as its dictionary.
 * No I/O.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct pack_state;

/* Zeroed: nothing is prepared yet. */
struct pack {
    struct pack_state *state;
};

/* Twice is fine. */
void store_pack_done(struct pack *pack);

/* Appends the text packed; where that would be no shorter than the text *out_is_packed is false, and nothing is
 * appended. ERR_LIMIT, ERR_NOMEM. */
enum err store_pack(struct pack *pack, struct slice text, struct buf *out, bool *out_is_packed)
    MUST_USE;

/* Appends the text. ERR_SYNTAX: this is nothing that store_pack made; ERR_LIMIT, ERR_NOMEM. After any of these *out is as
 * it was. */
enum err store_unpack(struct slice packed, struct buf *out) MUST_USE;

#endif
