/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/transcript.h"

#include <string.h>

#include "base/reader.h"
#include "base/slice.h"

struct line_head {
    uint32_t t_ms;
    uint16_t len;
    char direction;
};

void transcript_init(struct transcript *t, uint64_t now_ms, transcript_fn observe, void *context)
{
    *t = (struct transcript){.started_ms = now_ms, .observe = observe, .context = context};
    buf_init(&t->lines, TRANSCRIPT_BYTES_MAX);
}

void transcript_done(struct transcript *t)
{
    buf_done(&t->lines);
}

static void add(struct transcript *t, uint32_t t_ms, char direction, struct slice line)
{
    struct line_head head = {.t_ms = t_ms, .len = (uint16_t)line.len, .direction = direction};
    if (buf_reserve(&t->lines, sizeof head + line.len) != ERR_NONE) {
        return; /* the ceiling: the first lines are the ones that tell */
    }
    memcpy(t->lines.at + t->lines.len, &head, sizeof head);
    if (line.len > 0) {
        memcpy(t->lines.at + t->lines.len + sizeof head, line.at, line.len);
    }
    t->lines.len += sizeof head + line.len;
}

void transcript_add(struct transcript *t, uint64_t at_ms, char direction, struct slice line)
{
    uint64_t since = at_ms > t->started_ms ? at_ms - t->started_ms : 0;
    struct slice cut = slice_sub(line, 0, TRANSCRIPT_LINE_BYTES_MAX);
    if (t->observe != NULL) {
        t->observe(t->context, (uint32_t)since, direction, cut);
    }
    add(t, (uint32_t)since, direction, cut);
}

void transcript_add_bytes(struct transcript *t, uint64_t at_ms, char direction, struct slice bytes)
{
    struct reader r = reader_over(bytes);
    struct slice line;
    while (reader_line(&r, &line)) {
        transcript_add(t, at_ms, direction, line);
    }
}

void transcript_clear(struct transcript *t)
{
    buf_clear(&t->lines);
}

void transcript_each(const struct transcript *t, transcript_fn fn, void *context)
{
    struct slice rest = buf_view(&t->lines);
    while (rest.len > 0) {
        struct line_head head;
        memcpy(&head, rest.at, sizeof head);
        fn(context, head.t_ms, head.direction,
           slice_sub(rest, sizeof head, sizeof head + head.len));
        rest = slice_sub(rest, sizeof head + head.len, rest.len);
    }
}

struct append_to {
    struct transcript *to;
    uint64_t from_started_ms;
};

static void append_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    const struct append_to *append = context;
    uint64_t at_ms = append->from_started_ms + t_ms;
    uint64_t since = at_ms > append->to->started_ms ? at_ms - append->to->started_ms : 0;
    add(append->to, (uint32_t)since, direction, line);
}

static void repeat_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    const struct append_to *append = context;
    transcript_add(append->to, append->from_started_ms + t_ms, direction, line);
}

void transcript_repeat(struct transcript *t, const struct transcript *from)
{
    struct append_to append = {t, from->started_ms};
    transcript_each(from, repeat_line, &append);
}

void transcript_append(struct transcript *t, const struct transcript *from)
{
    struct append_to append = {t, from->started_ms};
    transcript_each(from, append_line, &append);
}
