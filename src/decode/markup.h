/* decode/markup: the text of HTML and XML, fed in pieces of any size: what a reader sees, with character references
 * resolved, and the values of attributes that may hold an address, apart from it. Text that tags of style part is
 * joined, what other tags part is parted by a form feed; every newline of the source becomes one of the text, so that
 * lines keep their numbers. Comments, style and scripts are left out, but for JSON-LD. No fault ends it: documents that
 * are not well-formed are read as far as they make sense.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_MARKUP_H
#define DECODE_MARKUP_H

#include <stdbool.h>

#include "base/buf.h"

enum markup_dialect {
    MARKUP_HTML,
    MARKUP_OFFICE, /* parts of Office Open XML and OpenDocument: few tags part text */
    MARKUP_XML,    /* all of them do */
};

struct markup_config {
    enum markup_dialect dialect;
    bool wants_hidden; /* comments and scripts too */
};

struct markup;

enum err markup_new(const struct markup_config *config, struct markup **out) MUST_USE;
void markup_free(struct markup *markup); /* safe on NULL */

/* bytes are an ASCII superset. Appends the text, not more than twice as much as there is and 256 KiB. ERR_NOMEM,
 * ERR_LIMIT (*out is full). */
enum err markup_feed(struct markup *markup, struct slice bytes, struct buf *out) MUST_USE;
enum err markup_end(struct markup *markup, struct buf *out) MUST_USE;

#endif
