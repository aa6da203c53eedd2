/* engine/batch_json: batches as JSON, as the service shows them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_BATCH_JSON_H
#define ENGINE_BATCH_JSON_H

#include "engine/batches.h"

enum { BATCH_PROVIDERS_MAX = 20 }; /* shown, those with the most results */

/* One object on one line; live: how it runs just now, or NULL; providers: a store of the calling thread, from which the
 * results by provider are added, or NULL. ERR_LIMIT, ERR_NOMEM, ERR_STORE. */
enum err batch_write_json(const struct store_batch *batch, const struct batches_live *live,
                          struct store *providers, struct buf *out) MUST_USE;

/* By id, with its providers, with a store of the calling thread; batches tells what runs just now, and may be NULL. ERR_CLOSED: there is
 * none. */
enum err batch_find_json(struct store *store, struct batches *batches, struct slice id,
                         struct buf *out, struct fault *out_fault) MUST_USE;

/* A page of the list, newest first: {"batches": [...], "next": "number" or null}. The number is
 * where the next page begins (before). */
enum err batch_list_json(struct store *store, struct batches *batches,
                         const struct store_page *page, struct buf *out, struct fault *out_fault)
    MUST_USE;

#endif
