/* dns/tags: lists "name=value; name=value" that policies in TXT records, and DKIM signatures, are made of: DKIM (RFC 6376
 * 3.2), DMARC (RFC 7489 6.4), MTA-STS (RFC 8461 3.1), TLS reporting (RFC 8460 3), BIMI.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_TAGS_H
#define DNS_TAGS_H

#include <stdbool.h>

#include "base/attr.h"

enum { TAGS_MAX = 64 };

struct tag {
    struct slice name;
    struct slice
        value; /* without white space and folds at both ends; inner folds are still there */
};

struct tag_list {
    size_t count;
    struct tag at[TAGS_MAX];
};

enum tag_fault {
    TAG_FAULT_NONE,
    TAG_FAULT_SYNTAX,
    TAG_FAULT_DOUBLE, /* the same name twice (RFC 6376 3.2: all of it is void) */
    TAG_FAULT_TOO_MANY,
};

/* Reads on after a fault, so that a caller can still say something of the rest; the tag at fault is left out. The
 * fault is the first one, *out_bad the piece between semicolons; SLICE_NONE without. Values borrow from text. */
enum tag_fault tag_list_read(struct slice text, struct tag_list *out, struct slice *out_bad);

/* NULL: there is none. Names are compared with case (RFC 6376 3.2). */
const struct tag *tag_find(const struct tag_list *list, struct slice name);

/* The next item of a list with colons or commas, without white space around it; false at the end. An empty
 * item is one too. Begin with *rest at the value. */
bool tag_item_next(struct slice *rest, char separator, struct slice *out);

/* Base64 with white space between its letters (RFC 6376 2.10). Writes at most room bytes. False: it is none, or too
 * long; out has no meaning then. */
bool tag_base64(struct slice value, char *out, size_t room, size_t *out_len);

#endif
