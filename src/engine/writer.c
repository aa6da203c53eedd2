/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/writer.h"

#include <stdarg.h>

#include "base/slice.h"
#include "base/text.h"

void writer_put(struct writer *w, const char *text)
{
    if (w->err == ERR_NONE) {
        w->err = buf_append(w->out, slice_of(text));
    }
}

void writer_put_safe(struct writer *w, struct slice text)
{
    if (w->err == ERR_NONE) {
        w->err = text_append_printable(w->out, text);
    }
}

void writer_put_colour(struct writer *w, const char *colour)
{
    if (w->has_colour) {
        writer_put(w, colour);
    }
}

void writer_printf(struct writer *w, const char *format, ...)
{
    if (w->err != ERR_NONE) {
        return;
    }
    va_list args;
    va_start(args, format);
    w->err = buf_vprintf(w->out, format, args);
    va_end(args);
}
