/* http/framing: whether the header fields of a request leave one way to read where it ends and whom it is for. A proxy in
 * front of us that reads them otherwise would take a part of one request for another one, so nothing ambiguous is served
 * (RFC 9112 3.2, 5.1, 6.1, 6.3, 11.2). Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include <stdbool.h>

#include "base/slice.h"

struct framing {
    unsigned hosts, lengths, codings; /* fields of these names */
    bool is_chunked;                  /* the last coding is that, and nothing else */
    bool has_bad_field;               /* a name that is none, a control character in a value */
};

/* One field, as it came; framing is zero before the first. */
void framing_take(struct framing *framing, struct slice name, struct slice value);

/* What is wrong, a sentence without full stop, static; NULL: nothing. version: "HTTP/1.1". */
const char *framing_fault(const struct framing *framing, struct slice version);

#endif
