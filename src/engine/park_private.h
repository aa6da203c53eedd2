/* engine/park_private: what stands for an address that waits: some two hundred bytes instead of an ask, its case, its
 * evidence and its timers. The knocker's part of it is in engine/knocker_private; how it is put together in park.c,
 * park_bytes.c (an ask as bytes and back), park_queue.c (by time), park_table.c (by address).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_PARK_PRIVATE_H
#define ENGINE_PARK_PRIVATE_H

#include "base/pack.h"

struct ask;
struct domain;
struct knocker_leaver;

struct parked {
    struct domain *domain; /* which it holds on to */
    uint64_t due_ms;       /* 0: it awaits a change of the domain's memory */
    uint32_t place;        /* in its queue, from 1 */
    uint32_t hash;         /* of its key, as the table counts */
    uint16_t len;          /* of the bytes */
    bool is_owner;         /* others may await what it is asking for */
    unsigned char bytes[]; /* park_bytes.c */
};

/* Those that wait, the first one in front: a heap by due_ms. A zeroed one is empty. */
struct park_queue {
    struct parked **at;
    uint32_t count, cap;
};

void park_queue_done(struct park_queue *queue);
enum err park_queue_reserve(struct park_queue *queue) MUST_USE; /* room for one more. ERR_NOMEM */
void park_queue_put(struct park_queue *queue, struct parked *parked); /* there must be room */
void park_queue_remove(struct park_queue *queue, struct parked *parked);
bool park_queue_has(const struct park_queue *queue, const struct parked *parked);

/* All that are parked, by address: open addressing, eleven to twenty-one bytes each. */
struct park_table {
    struct parked **slots;
    uint32_t cap, count; /* cap is a power of two, or 0 */
    uint64_t seed;
};

void park_table_done(struct park_table *table);
enum err park_table_reserve(struct park_table *table) MUST_USE; /* ERR_NOMEM, ERR_LIMIT */
uint32_t park_table_hash(const struct park_table *table, struct slice key);
void park_table_put(struct park_table *table, struct parked *parked); /* there must be room */
void park_table_remove(struct park_table *table, const struct parked *parked);
/* The next one with this hash, from *cursor on, which begins as the hash; NULL: no more. */
struct parked *park_table_find(const struct park_table *table, uint32_t hash, uint32_t *cursor);

/* The ask as bytes; its case stays as it is. ERR_NOMEM, ERR_LIMIT. Then either park_bytes_forget(ask), or
 * park_bytes_drop. */
enum err park_bytes_write(struct ask *ask, struct buf *out) MUST_USE;
void park_bytes_drop(struct ask *ask, struct slice bytes);
/* Makes the ask again: in the knocker's table, without timers. bytes are of no use afterwards. ERR_NOMEM: they are as before. */
enum err park_bytes_read(struct domain *domain, struct slice bytes, struct ask **out) MUST_USE;

/* What can be seen without. Slices are borrowed from the bytes. */
struct park_view {
    struct slice local; /* part of the address */
    bool folds;         /* its key has the local part in lower case */
    bool is_greylisted; /* by the last answer */
    const char *host;   /* NULL: none was tried */
};
void park_bytes_view(const struct domain *domain, struct slice bytes, struct park_view *out);
bool park_bytes_has_context(struct slice bytes, const void *context); /* of one of its callers */
bool park_bytes_is_leaving(struct slice bytes,
                           const struct knocker_leaver *leaver); /* one of them */

#endif
