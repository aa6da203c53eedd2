/* tools/health_report: what was found out about a domain and what it means, for people and for programs. Whatever
 * strangers wrote in it is safe for terminals.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_HEALTH_REPORT_H
#define TOOLS_HEALTH_REPORT_H

#include "base/buf.h"
#include "verify/health.h"

enum { HEALTH_REPORT_BYTES_MAX = 16 << 20 };

/* Area by area: what stands there, then the findings with what to do. ERR_NOMEM, ERR_LIMIT; so all of these. */
enum err health_write_text(const struct health_facts *facts, const struct health_report *report,
                           bool has_colour, struct buf *out) MUST_USE;

/* Nothing but the records to publish, as lines of a zone file with remarks. */
enum err health_write_fixes(const struct health_facts *facts, const struct health_report *report,
                            struct buf *out) MUST_USE;

/* One object in one line (docs of the fields: heloise-dns(1)), without a line end. */
enum err health_write_json(const struct health_facts *facts, const struct health_report *report,
                           struct buf *out) MUST_USE;

/* RFC 4180: a line of names, and a line for each finding, or one where there is none. */
enum err health_write_csv_head(struct buf *out) MUST_USE;
enum err health_write_csv(const struct health_facts *facts, const struct health_report *report,
                          struct buf *out) MUST_USE;

#endif
