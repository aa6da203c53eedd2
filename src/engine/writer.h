/* engine/writer: text for people, put together piece by piece: after the first failure nothing more is written and
 * the error stays, so that only the end is looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WRITER_H
#define ENGINE_WRITER_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"

#define WRITER_COLOUR_END "\033[0m"

struct writer {
    struct buf *out;
    bool has_colour;
    enum err err; /* ERR_NOMEM, ERR_LIMIT: of out */
};

void writer_put(struct writer *w, const char *text);
void writer_put_safe(struct writer *w,
                     struct slice text); /* foreign text: without control characters */
void writer_put_colour(struct writer *w, const char *colour); /* where colours are wanted */
void writer_printf(struct writer *w, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
