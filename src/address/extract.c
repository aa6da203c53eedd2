/* address/extract: the window: some text before the place that is looked at, and enough behind it that no decision
 * depends on where a piece ended.
 * SPDX-License-Identifier: Apache-2.0 */
#include "address/extract.h"

#include <stdlib.h>
#include <string.h>

#include "address/extract_private.h"
#include "base/slice.h"

enum {
    WINDOW_BYTES = 65536,
    SIGN_BYTES = sizeof EXTRACT_SIGN_BYTES - 1,
};

/* The next of one of these bytes in the window: found once, though the places of others are looked at first. */
struct sign_search {
    size_t next;   /* none before it, from the place that is looked at on */
    bool is_found; /* it stands there */
};

struct extract {
    struct extract_config config;
    struct slice input; /* the piece that is not yet in the window */
    bool is_over;
    char window[WINDOW_BYTES];
    size_t lines_end; /* behind the last LF: what follows it is no part of what stands before */
    size_t len, at;   /* bytes there are; the place that is looked at next */
    size_t used;      /* behind the last address that was found: nothing before it counts */
    uint64_t offset;  /* of window[0] */
    uint64_t line;    /* of window[counted] */
    size_t counted;   /* lines are counted up to here */
    struct sign_search signs[SIGN_BYTES];
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

void extract_restart(struct extract *x)
{
    x->input = SLICE_NONE;
    x->is_over = false;
    x->lines_end = x->len = x->at = x->used = x->counted = 0;
    x->offset = 0;
    x->line = 1;
    memset(x->signs, 0, sizeof x->signs);
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

static void count_lines(struct extract *x, size_t to)
{
    if (!x->config.has_no_lines) {
        x->line += slice_count_byte(slice_make(x->window + x->counted, to - x->counted), '\n');
    }
    x->counted = to;
}

/* What is too far back to count makes room. */
static void move_window(struct extract *x)
{
    size_t gone = x->at > EXTRACT_KEPT_BYTES ? x->at - EXTRACT_KEPT_BYTES : 0;
    count_lines(x, x->counted > gone ? x->counted : gone);
    memmove(x->window, x->window + gone, x->len - gone);
    x->offset += gone;
    x->len -= gone;
    x->at -= gone;
    x->used = x->used > gone ? x->used - gone : 0;
    x->lines_end = x->lines_end > gone ? x->lines_end - gone : 0;
    x->counted -= gone;
    for (size_t i = 0; i < SIGN_BYTES; i++) {
        struct sign_search *search = &x->signs[i];
        search->is_found = search->is_found && search->next >= gone;
        search->next = search->next > gone ? search->next - gone : 0;
    }
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
        bool is_end =
            newline < taken && !extract_may_break(slice_make(x->window, x->len + newline));
        x->lines_end = is_end ? x->len + newline + 1 : x->lines_end;
        x->input = slice_sub(x->input, taken, x->input.len);
        x->len += taken;
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
    count_lines(x, x->at);
    out->line = x->line;
    out->offset += x->offset;
    out->end += x->offset;
    x->at = end;
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

static size_t find_byte(struct extract *x, struct sign_search *search, char byte)
{
    if (search->next < x->at || (!search->is_found && search->next < x->len)) {
        size_t from = search->next > x->at ? search->next : x->at;
        search->next = slice_find_byte(slice_make(x->window, x->len), byte, from);
        search->is_found = search->next < x->len;
    }
    return search->next;
}

/* Where an at sign may begin next, before limit; limit: nowhere. */
static size_t find_sign(struct extract *x, size_t limit)
{
    static const char bytes[] = EXTRACT_SIGN_BYTES;
    size_t at = x->at;
    if (x->config.wants_obfuscated) {
        while (at < limit && !extract_may_begin_at_sign(x->window[at])) {
            at++;
        }
        return at;
    }
    size_t first = limit;
    for (size_t i = 0; i < SIGN_BYTES; i++) {
        size_t next = find_byte(x, &x->signs[i], bytes[i]);
        first = next < first ? next : first;
    }
    return first;
}

bool extract_next(struct extract *x, struct extract_found *out)
{
    for (;;) {
        size_t limit = decided(x);
        while (x->at < limit) {
            x->at = find_sign(x, limit);
            if (x->at < limit && look(x, out)) {
                return true;
            }
            x->at += x->at < limit ? 1 : 0;
        }
        if (x->input.len == 0) {
            return false;
        }
        fill(x);
    }
}
