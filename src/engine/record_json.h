/* engine/record_json: the record as JSON: as `verify --json` prints it, as the store keeps it. Field names and
 * their meaning stand in docs/verdicts.md.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_RECORD_JSON_H
#define ENGINE_RECORD_JSON_H

#include "base/buf.h"
#include "verify/record.h"

/* One object on one line. ERR_LIMIT, ERR_NOMEM. */
enum err record_write_json(const struct record *record, struct buf *out) MUST_USE;

/* Fills *out, whose texts live in its own arena: record_done is owed on ERR_NONE. ERR_SYNTAX for what is not
 * one of our records. */
enum err record_read_json(struct slice json, struct record *out) MUST_USE;

/* Safe on a zeroed record. */
void record_done(struct record *record);

#endif
