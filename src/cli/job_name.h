/* cli/job_name: what a bulk run is called in the list of jobs, and what makes two calls the same job: the file as it
 * is now, and what changes the answers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOB_NAME_H
#define CLI_JOB_NAME_H

#include <limits.h>

#include "base/buf.h"
#include "cli/probe_options.h"
#include "store/store.h"

struct job_call {
    const struct probe_options *probe;
    const char *input, *output, *output_format, *column, *sheet; /* all but input may be NULL */
    bool is_stdin; /* input is a copy of it: nobody can run that again */
    int argc;
    char *const *argv;
};

struct job_name {
    struct buf fingerprint, command;
    char folder[PATH_MAX];
    struct store_job_name name; /* borrows from the above and from the call */
};

/* An exit code; what is wrong was said then. job_name_done is owed either way. */
int job_name_make(const struct job_call *call, struct job_name *out);
void job_name_done(struct job_name *name);

#endif
