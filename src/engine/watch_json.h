/* engine/watch_json: watched lists and what changed as JSON, for the service and its webhooks.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WATCH_JSON_H
#define ENGINE_WATCH_JSON_H

#include "engine/batches.h"
#include "engine/json_write.h"
#include "store/watches.h"

/* One object. batches NULL: how far a run is is not said; from any thread. ERR_LIMIT, ERR_NOMEM. */
enum err watch_write_json(const struct store_watch *watch, struct batches *batches, struct buf *out)
    MUST_USE;
/* The same of the one with this id. ERR_CLOSED: there is none; ERR_STORE. */
enum err watch_find_json(struct store *store, struct batches *batches, struct slice id,
                         struct buf *out, struct fault *out_fault) MUST_USE;
/* {"watches": [...], "next": what to ask the next page with, or null} */
enum err watch_list_json(struct store *store, struct batches *batches,
                         const struct store_page *page, struct buf *out, struct fault *out_fault)
    MUST_USE;

void watch_change_write(struct json_writer *w, const struct store_watch_change *change);

#endif
