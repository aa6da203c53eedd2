/* cli/input: lines of standard input, without waiting for those that are not there yet: lines to mail servers
 * are served meanwhile.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>

#include "base/attr.h"

enum { INPUT_LINE_BYTES_MAX = 65536 }; /* what is longer is cut */

struct input {
    char *bytes;
    size_t begin, end; /* unread ones */
    bool is_at_end;
    bool is_skipping; /* the rest of a line that was too long */
};

void input_done(struct input *input); /* safe on a zeroed one */

enum input_result { INPUT_LINE, INPUT_NOT_YET, INPUT_END };

/* The line lives until the next call; it has no line end. */
enum input_result input_next(struct input *input, struct slice *out);

#endif
