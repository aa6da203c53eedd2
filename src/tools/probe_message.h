/* tools/probe_message: the message that a probe sends: a user's own, completed where it lacks what every message has
 * (RFC 5322 3.6), or a generated one with a text, header fields and attachments (RFC 2045, 2046). Time and random bytes
 * are arguments. Lines end with CRLF, whatever they ended with before.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_MESSAGE_H
#define TOOLS_PROBE_MESSAGE_H

#include <stdbool.h>

#include "base/buf.h"

enum {
    PROBE_MESSAGE_BYTES = 64 * 1024 * 1024,
    PROBE_ADDED_BYTES = 4096,
    PROBE_ATTACHMENTS_MAX = 16,
    PROBE_HEADERS_MAX = 64,
};

struct probe_attachment {
    struct slice name; /* shown; printable ASCII without quotes is kept, the rest becomes '_' */
    struct slice type; /* "image/png"; empty: application/octet-stream */
    struct slice content;
};

struct probe_message_plan {
    struct slice raw;      /* a whole message; empty: one is generated */
    bool adds_nothing;     /* the raw one goes as it is but for its line ends */
    struct slice from, to; /* envelope addresses, for the header */
    struct slice host;     /* ours, for Message-ID */
    struct slice text;     /* of the generated one; empty: a sentence that says what it is */
    const struct slice
        *headers; /* "Subject: hello": each replaces the field of its name, or is added */
    size_t header_count;
    const struct probe_attachment *attachments;
    size_t attachment_count;
    int64_t now_s; /* Unix time */
    uint64_t random;
};

struct probe_message {
    struct buf bytes;
    struct buf added; /* the fields that we put before the user's own, for show; all lines end with
                         LF. Of a generated message, which is all ours: none */
    bool needs_8bit;
};

/* Sets all of *out, which probe_message_done frees. ERR_NOMEM, ERR_LIMIT; ERR_SYNTAX: a header line that is none. */
enum err probe_message_make(const struct probe_message_plan *plan, struct probe_message *out)
    MUST_USE;
void probe_message_done(struct probe_message *message);

#endif
