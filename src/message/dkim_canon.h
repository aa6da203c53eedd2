/* message/dkim_canon: the canonical forms that DKIM signs (RFC 6376 3.4). The body comes in any pieces and goes on in
 * any pieces; what is kept of it are counts, so that memory does not depend on it. A lone LF counts as CRLF.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_DKIM_CANON_H
#define MESSAGE_DKIM_CANON_H

#include "message/dkim.h"
#include "message/header.h"

/* Takes the next piece of canonical text. What it returns ends the call that gave it. */
typedef enum err (*dkim_write_fn)(void *to, struct slice bytes);

/* A field as it is signed (RFC 6376 3.4.1, 3.4.2), without the CRLF at its end. */
enum err dkim_field_write(const struct message_field *field, enum dkim_canon canon,
                          dkim_write_fn write, void *to) MUST_USE;

struct dkim_body {
    enum dkim_canon canon;
    bool has_limit;
    uint64_t limit; /* with has_limit: bytes that are written; further ones are counted alone */
    uint64_t bytes; /* canonical ones so far, written or not */
    uint64_t empty_lines; /* that are only there if something follows */
    bool has_text;        /* the line under way has bytes besides white space at its end */
    bool has_space;       /* DKIM_RELAXED: white space, that is only there if something follows */
    bool was_cr;
    dkim_write_fn write;
    void *to;
};

void dkim_body_init(struct dkim_body *body, enum dkim_canon canon, dkim_write_fn write, void *to);
/* RFC 6376 3.5, l=. Before the first byte. */
void dkim_body_limit(struct dkim_body *body, uint64_t limit);
enum err dkim_body_feed(struct dkim_body *body, struct slice bytes) MUST_USE;
enum err dkim_body_finish(struct dkim_body *body) MUST_USE; /* once, when all has come */

#endif
