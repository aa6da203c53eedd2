/* engine/store_opener: opens a store on a thread of its own: to load SQLite, to make the files of its log and to read
 * what tables there are takes about as long as everything else before the first question. It may be started before
 * anybody knows which store it will be.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_STORE_OPENER_H
#define ENGINE_STORE_OPENER_H

#include "net/door.h"
#include "store/store.h"

struct store_opener;

/* ERR_NOMEM. Where there is no thread to be had, the waiting opens. */
enum err store_opener_start(struct store_opener **out) MUST_USE;
/* Which one, as for store_open; once. The path is borrowed until the store is taken, or the opener freed. */
void store_opener_open(struct store_opener *opener, const char *path);
/* Waits until the one it was told is open, which then is the caller's; the loop of the door (net/uv_door) runs meanwhile.
 * Errors are those of store_open. */
enum err store_opener_take(struct store_opener *opener, struct door *door, struct store **out,
                           struct fault *out_fault) MUST_USE;
/* After the thread's end, which it awaits; a store that nobody took is closed. NULL is fine. */
void store_opener_free(struct store_opener *opener);

#endif
