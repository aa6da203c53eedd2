/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"

void input_done(struct input *input)
{
    free(input->bytes);
    *input = (struct input){0};
}

/* A line out of what was read; false: there is no whole one. */
static bool cut_line(struct input *input, struct slice *out)
{
    while (input->begin < input->end) {
        struct slice unread = slice_make(input->bytes + input->begin, input->end - input->begin);
        size_t len = slice_find_byte(unread, '\n', 0);
        bool is_whole = len < unread.len;
        bool is_full = unread.len >= INPUT_LINE_BYTES_MAX;
        bool was_skipping = input->is_skipping;
        if (!is_whole && !is_full && !input->is_at_end && !was_skipping) {
            return false;
        }
        input->begin += is_whole ? len + 1 : unread.len;
        input->is_skipping = !is_whole && !input->is_at_end;
        if (!was_skipping) {
            *out = slice_sub(unread, 0, len);
            return true;
        }
    }
    return false;
}

/* False: nothing is there yet. */
static bool read_more(struct input *input)
{
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&ready, 1, 0) <= 0) { /* a signal in between says nothing; read would wait */
        return false;
    }
    if (input->bytes == NULL) {
        input->bytes = malloc((size_t)2 * INPUT_LINE_BYTES_MAX);
    }
    if (input->bytes == NULL) {
        input->is_at_end = true;
        return true;
    }
    memmove(input->bytes, input->bytes + input->begin, input->end - input->begin);
    input->end -= input->begin;
    input->begin = 0;
    ssize_t len = read(STDIN_FILENO, input->bytes + input->end, INPUT_LINE_BYTES_MAX);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    input->is_at_end = len <= 0;
    input->end += len > 0 ? (size_t)len : 0;
    return true;
}

enum input_result input_next(struct input *input, struct slice *out)
{
    while (!cut_line(input, out)) {
        if (input->is_at_end) {
            return INPUT_END;
        }
        if (!read_more(input)) {
            return INPUT_NOT_YET;
        }
    }
    return INPUT_LINE;
}
