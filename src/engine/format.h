/* engine/format: the record in the shapes of other services, so that who switches changes nothing: Reacher's
 * check_email, ZeroBounce's validate, Kickbox's verify, NeverBounce's single/check. The mapping of words is
 * docs/verdicts.md's; many of ours fall on one of theirs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_FORMAT_H
#define ENGINE_FORMAT_H

#include "base/buf.h"
#include "verify/record.h"

/* Each writes one JSON object on one line. ERR_LIMIT, ERR_NOMEM. */
enum err record_write_reacher(const struct record *record, struct buf *out) MUST_USE;
enum err record_write_zerobounce(const struct record *record, struct buf *out) MUST_USE;
enum err record_write_kickbox(const struct record *record, struct buf *out) MUST_USE;
enum err record_write_neverbounce(const struct record *record, struct buf *out) MUST_USE;

#endif
