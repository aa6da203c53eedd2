/* address/extract: the window: some text before the place that is looked at, and enough behind it that no decision
 * depends on where a piece ended.
 * SPDX-License-Identifier: Apache-2.0 */
#include "address/extract.h"

#include <stdlib.h>
#include <string.h>

#include "address/extract_private.h"
#include "base/slice.h"

enum { WINDOW_BYTES = 65536 };

struct extract {
    struct extract_config config;
    struct slice input; /* the piece that is not yet in the window */
    bool is_over;
    char window[WINDOW_BYTES];
    size_t lines_end; /* behind the last LF: what follows it is no part of what stands before */
    size_t len, at;   /* bytes there are; the place that is looked at next */
    size_t used;      /* behind the last address that was found: nothing before it counts */
    uint64_t offset;  /* of window[0] */
    uint64_t line;    /* of window[at] */
    char text[EXTRACT_TEXT_BYTES];
};

enum err extract_new(const struct extract_config *config, struct extract **out)
{
    struct extract *x = calloc(1, sizeof *x);
    if (x == NULL) {
        return ERR_NOMEM;
    }
    x->config = *config;
    x->line = 1;
    *out = x;
    return ERR_NONE;
}

void extract_free(struct extract *x)
{
    free(x);
}

void extract_feed(struct extract *x, struct slice bytes)
{
    x->input = bytes;
}

void extract_end(struct extract *x)
{
    x->is_over = true;
}

/* What is too far back to count makes room. */
static void move_window(struct extract *x)
{
    size_t gone = x->at > EXTRACT_BEHIND_BYTES ? x->at - EXTRACT_BEHIND_BYTES : 0;
    memmove(x->window, x->window + gone, x->len - gone);
    x->offset += gone;
    x->len -= gone;
    x->at -= gone;
    x->used = x->used > gone ? x->used - gone : 0;
    x->lines_end = x->lines_end > gone ? x->lines_end - gone : 0;
}

static void fill(struct extract *x)
{
    if (x->len == sizeof x->window) {
        move_window(x);
    }
    size_t room = sizeof x->window - x->len;
    size_t taken = x->input.len < room ? x->input.len : room;
    if (taken > 0) {
        memcpy(x->window + x->len, x->input.at, taken);
        size_t newline = slice_find_last_byte(slice_make(x->window + x->len, taken), '\n');
        x->lines_end = newline < taken ? x->len + newline + 1 : x->lines_end;
        x->input = slice_sub(x->input, taken, x->input.len);
        x->len += taken;
    }
}

static void move_on(struct extract *x, size_t to)
{
    for (; x->at < to; x->at++) {
        x->line += x->window[x->at] == '\n' ? 1 : 0;
    }
}

/* Whether an address stands around window[at], which is not yet behind. */
static bool look(struct extract *x, struct extract_found *out)
{
    const struct extract_rules rules = {.has_percent = true,
                                        .has_words = x->config.wants_obfuscated};
    struct slice text = slice_make(x->window, x->len);
    struct slice near = slice_sub(text, 0, x->at + EXTRACT_AHEAD_BYTES);
    const struct extract_spot spot = {
        .text = near,
        .begin = x->used,
        .at = x->at,
        .sign = extract_unit_at(slice_sub(near, x->at, near.len), rules),
    };
    if (spot.sign.code != '@' || !extract_judge(&x->config, &spot, x->text, out)) {
        return false;
    }
    size_t end = out->end;
    out->line = x->line;
    out->offset += x->offset;
    out->end += x->offset;
    move_on(x, end);
    x->used = end;
    return true;
}

/* Up to where more text changes nothing. */
static size_t decided(const struct extract *x)
{
    if (x->is_over && x->input.len == 0) {
        return x->len;
    }
    size_t far = x->len > EXTRACT_AHEAD_BYTES ? x->len - EXTRACT_AHEAD_BYTES : 0;
    return far > x->lines_end ? far : x->lines_end;
}

bool extract_next(struct extract *x, struct extract_found *out)
{
    for (;;) {
        size_t limit = decided(x);
        while (x->at < limit) {
            if (extract_may_begin_at_sign(x->window[x->at], x->config.wants_obfuscated) &&
                look(x, out)) {
                return true;
            }
            move_on(x, x->at + 1);
        }
        if (x->input.len == 0) {
            return false;
        }
        fill(x);
    }
}
