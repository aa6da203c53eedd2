/* engine/doctor_report: what an examination found, for people and for programs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DOCTOR_REPORT_H
#define ENGINE_DOCTOR_REPORT_H

#include "base/buf.h"
#include "verify/fitness.h"

/* One line for each finding, a second one for its hint, and a summary. Safe for terminals. ERR_NOMEM, ERR_LIMIT. */
enum err doctor_write_text(const struct fitness_facts *facts, const struct fitness_report *report,
                           bool has_colour, struct buf *out) MUST_USE;

/* One object in one line (docs of the fields: heloise-doctor(1)). */
enum err doctor_write_json(const struct fitness_facts *facts, const struct fitness_report *report,
                           struct buf *out) MUST_USE;

/* "fit", "unknown" or "unfit". */
const char *doctor_verdict_name(const struct fitness_report *report);

#endif
