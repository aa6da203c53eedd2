/* engine/report: a record for a person at a terminal. Texts of servers are made harmless first.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "base/buf.h"
#include "verify/record.h"

/* A few lines, ending in a line end. has_colour: with ANSI colours. ERR_LIMIT, ERR_NOMEM. */
enum err report_write(const struct record *record, bool has_colour, struct buf *out) MUST_USE;

/* The colour of a status ("\033[32m"), and what ends it. */
const char *report_colour(enum verdict_status status);

#endif
