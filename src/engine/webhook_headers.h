/* engine/webhook_headers: the headers that an uploader wants with the requests of its webhook, such as a key of its own
 * service: which of them may be sent, and the text in which the store keeps them. Names are HTTP's own tokens, values
 * printable ASCII (RFC 9110 5.5, 5.6.2), so no line of a request can be made of them. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WEBHOOK_HEADERS_H
#define ENGINE_WEBHOOK_HEADERS_H

#include "base/buf.h"
#include "base/err.h"

enum {
    WEBHOOK_HEADERS_MAX = 8,
    WEBHOOK_HEADERS_BYTES_MAX = 2048, /* names, values and an end of each */
};

/* One more for lines, a buffer of at least WEBHOOK_HEADERS_BYTES_MAX. A Content-Type of JSON is passed over, since that is
 * what is sent. ERR_SYNTAX with what is wrong: no header, one that belongs to the connection, the body or our signature
 * (RFC 9110 7.6.1), a second one of that name, too many; ERR_NOMEM. */
enum err webhook_headers_add(struct buf *lines, struct slice name, struct slice value,
                             struct fault *out_fault) MUST_USE;

struct webhook_headers {
    struct {
        const char *name;
        struct slice value;
    } at[WEBHOOK_HEADERS_MAX];
    size_t count;
    char text[WEBHOOK_HEADERS_BYTES_MAX + 1]; /* what those point into */
};

/* What was made by webhook_headers_add; lines that were not are left out. *out must not be moved. */
void webhook_headers_read(struct slice lines, struct webhook_headers *out);

#endif
