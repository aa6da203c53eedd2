/* engine/transcript: the lines of a conversation as one probe saw them, bounded; and the observer that
 * watches them as they happen. Lines are raw bytes of strangers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_TRANSCRIPT_H
#define ENGINE_TRANSCRIPT_H

#include <stdint.h>

#include "base/buf.h"

enum {
    TRANSCRIPT_BYTES_MAX = 32768, /* a greeting, EHLO, a few probes and retries */
    TRANSCRIPT_LINE_BYTES_MAX = 1000,
};

typedef void (*transcript_fn)(void *context, uint32_t t_ms, char direction, struct slice line);

struct transcript {
    struct buf lines; /* records of: u32 time, u16 length, direction, bytes */
    uint64_t started_ms;
    transcript_fn observe; /* NULL: nobody watches */
    void *context;
};

void transcript_init(struct transcript *t, uint64_t now_ms, transcript_fn observe, void *context);
void transcript_done(struct transcript *t);

/* Adds one line (cut where too long); silently stops at the ceiling. */
void transcript_add(struct transcript *t, uint64_t at_ms, char direction, struct slice line);

/* Each line of a chunk of bytes on the wire; CR and LF are cut. */
void transcript_add_bytes(struct transcript *t, uint64_t at_ms, char direction, struct slice bytes);

/* All lines of `from`; t's observer is not told: it saw them when they happened. */
void transcript_append(struct transcript *t, const struct transcript *from);
/* The same, and it is told now. */
void transcript_repeat(struct transcript *t, const struct transcript *from);

void transcript_clear(struct transcript *t);
void transcript_each(const struct transcript *t, transcript_fn fn, void *context);

#endif
