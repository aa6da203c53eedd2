/* engine/list_shelf: the address lists that hold, which a change replaces while others read them. Each set of lists is an
 * edition; a reader, one for each thread or piece of work, holds the one that it reads, and the last who lets go of an
 * old edition frees it. To look whether there is a newer one costs a load; the lock is taken only where there is.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_LIST_SHELF_H
#define ENGINE_LIST_SHELF_H

#include <stdint.h>

#include "address/lists.h"
#include "base/arena.h"

struct list_shelf;
struct list_edition;

enum err list_shelf_new(struct list_shelf **out) MUST_USE;
void list_shelf_free(struct list_shelf *shelf); /* no reader holds anything; NULL is fine */

/* The next edition, from any thread. Takes the lists and the texts that they refer to, on failure too. All answers that were
 * made before may rest on other lists, until list_shelf_date says from when on they do not. ERR_NOMEM. */
enum err list_shelf_put(struct list_shelf *shelf, struct address_lists *lists, struct arena *texts)
    MUST_USE;
/* There are none any more, until others are put: freed at once, or by the last reader who lets go of them. */
void list_shelf_clear(struct list_shelf *shelf);
/* After list_shelf_put, by the same thread: answers that were made before then, Unix time, may rest on other lists; 0: none did. A time
 * that was read before the edition was put would leave a gap for those who answer meanwhile. */
void list_shelf_date(struct list_shelf *shelf, int64_t changed_at_ms);

/* The lists that hold, for who knows that nobody puts others; NULL: there are none yet. */
const struct address_lists *list_shelf_lists(const struct list_shelf *shelf);

/* As said of the edition that holds; costs a load. */
int64_t list_shelf_changed_at_ms(const struct list_shelf *shelf);

struct list_reader {
    struct list_shelf *shelf;
    struct list_edition *held; /* NULL: none yet */
};

/* Goes over to the edition that holds now; what was read of the one before is gone then. False: there is none yet. */
bool list_reader_renew(struct list_reader *reader);
/* Of the held edition: */
const struct address_lists *list_reader_lists(const struct list_reader *reader);
uint64_t list_reader_number(const struct list_reader *reader); /* from 1 on, each once */
int64_t list_reader_changed_at_ms(const struct list_reader *reader);
void list_reader_done(struct list_reader *reader);

#endif
