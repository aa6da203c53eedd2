/* document/tool: a program that turns a file into text, run without a shell: its standard input is the file, what it writes
 * is taken piece by piece; its time, memory and output have limits.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_TOOL_H
#define DOCUMENT_TOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct tool {
    char *const *argv; /* the program is looked for in PATH; ends with NULL */
    int in_fd;
    uint32_t time_ms; /* then it is killed */
    uint64_t memory_bytes;
    uint64_t output_bytes_max;
    bool (*may_go_on)(void *context); /* NULL: always */
    void *context;
};

enum tool_end {
    TOOL_DONE,
    TOOL_FAILED,  /* it said so, or died */
    TOOL_MISSING, /* it is not installed */
    TOOL_TOO_LONG,
    TOOL_TOO_MUCH, /* output */
};

struct tool_outcome {
    enum tool_end end;
    uint32_t took_ms;
};

/* ERR_NONE: *out says how it ended. ERR_SYSTEM: it could not be begun; errno says why. ERR_STATE: it was stopped. Else
 * what take returned; it is killed then. */
enum err tool_run(const struct tool *tool, enum err (*take)(void *context, struct slice output),
                  void *context, struct tool_outcome *out) MUST_USE;

#endif
