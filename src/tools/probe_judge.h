/* tools/probe_judge: what is wrong with what a probe found, in sentences, each with what to do. A pure function of the
 * results and the time.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_JUDGE_H
#define TOOLS_PROBE_JUDGE_H

#include "tools/probe.h"

enum probe_level {
    PROBE_LEVEL_OK,
    PROBE_LEVEL_ADVICE,
    PROBE_LEVEL_UNKNOWN, /* could not be found out */
    PROBE_LEVEL_MEND,
};
const char *probe_level_name(enum probe_level level);

struct probe_finding {
    enum probe_level level;
    const char *check; /* "certificate_expired"; static */
    int host;          /* its place in the results; -1: of the target */
    char text[320];    /* may quote the peer: not safe to show as it is */
    const char *hint;  /* static; "" where there is nothing to do */
};

enum { PROBE_FINDINGS_MAX = 256 };

struct probe_findings {
    struct probe_finding at[PROBE_FINDINGS_MAX];
    size_t count;
};

/* Sets all of *out. */
void probe_judge(const struct probe_plan *plan, const struct probe_result *result, int64_t now_s,
                 struct probe_findings *out);
enum probe_level probe_level_of(const struct probe_findings *findings); /* the worst */

#endif
