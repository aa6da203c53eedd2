/* tools/probe_report: the results of a probe for people (text, with colours where they are wanted) and for programs
 * (one JSON object). All that strangers said is made safe to show.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_REPORT_H
#define TOOLS_PROBE_REPORT_H

#include "engine/writer.h"
#include "tools/probe_judge.h"

enum { PROBE_REPORT_BYTES = 32 * 1024 * 1024 };

/* One line of a conversation as it happens: time, side, text; what an answer or an extension means behind it. */
void probe_write_line(struct writer *w, uint32_t t_ms, char direction, struct slice line,
                      bool with_words);

/* What is known in the end. ERR_NOMEM, ERR_LIMIT. */
enum err probe_write_text(const struct probe_plan *plan, const struct probe_result *result,
                          const struct probe_findings *findings, bool has_colour, struct buf *out)
    MUST_USE;
enum err probe_write_json(const struct probe_plan *plan, const struct probe_result *result,
                          const struct probe_findings *findings, struct buf *out) MUST_USE;

#endif
