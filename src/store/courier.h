/* store/courier: the store as a thread sees it that does not have it. Reads go to the file through a connection of
 * its own and see what is committed; writes are put into an outbox, which is carried to the thread that has the
 * store and done there, in the same order and in its groups.
 *
 *     store_courier_open -> struct store for verdicts, domains, facts, releases of claims; nothing else
 *     its outbox -> (another thread) -> store_carry
 *
 * The outbox is memory of this process only: no format that anybody else reads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_COURIER_H
#define STORE_COURIER_H

#include "store/store.h"

enum { STORE_OUTBOX_BYTES_MAX = 256 << 20 }; /* a ceiling for who empties it far too rarely */

/* path: of a file that store_open has opened; out_box is the caller's, and what is written is appended to it.
 * Claims are not tried here: whoever has the store does. ERR_STORE, ERR_NOMEM. */
enum err store_courier_open(const char *path, struct buf *out_box, struct store **out,
                            struct fault *out_fault) MUST_USE;

/* A word of the caller's own between the writes: given to note when its turn comes. ERR_NOMEM, ERR_LIMIT. */
enum err store_courier_note(struct buf *out_box, struct slice bytes) MUST_USE;

/* Does what stands in an outbox. Goes on after a write that fails; returns the first error. */
typedef void (*store_note_fn)(void *context, struct slice bytes);
enum err store_carry(struct store *store, struct slice outbox, store_note_fn note, void *context)
    MUST_USE;

#endif
