/* message/header: the header fields of a message (RFC 5322 2.2), cut out of bytes that come in any pieces. Bytes are
 * kept as they came, folds and all, but that every line ends with CRLF: a lone LF is taken for one, as a line of a
 * file is when it is sent. A lone CR is a byte like others.
 *
 *     message_header_init -> feed until is_complete (or finish) -> count, at, find -> done
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_HEADER_H
#define MESSAGE_HEADER_H

#include <stdbool.h>

#include "base/buf.h"

enum {
    MESSAGE_HEADER_BYTES_MAX = 1 << 20, /* many times what a mail server takes */
    MESSAGE_FIELDS_MAX = 4096,
};

struct message_field {
    struct slice raw; /* all of it, with the CRLF at its end */
    struct slice
        name; /* without the white space that obsolete syntax allows before the colon (RFC 5322
                           4.5.8); empty: the line is no header field */
    struct slice value; /* all behind the colon, folds included, without the last CRLF */
};

struct message_header {
    struct buf bytes;
    struct message_field *fields; /* there when it is complete */
    size_t count;
    size_t line_bytes; /* of the line under way */
    bool is_complete, was_cr;
};

void message_header_init(struct message_header *header);
void message_header_done(struct message_header *header); /* safe on a zeroed one and twice */

/* Takes the bytes of the header from the front of *rest, up to and with the empty line; what is left then belongs to
 * the body. ERR_LIMIT: a ceiling from above is reached. ERR_NOMEM. */
enum err message_header_feed(struct message_header *header, struct slice *rest) MUST_USE;

/* No byte comes any more: a message may end with its header (RFC 5322 3.5). Again does no harm. ERR_LIMIT, ERR_NOMEM.
 */
enum err message_header_finish(struct message_header *header) MUST_USE;

/* ---- of one that is complete; what is lent lives until done ---- */

/* The index of the first field of that name at or after from, case apart; header->count: there is none. */
size_t message_header_find(const struct message_header *header, struct slice name, size_t from);
size_t message_header_count(const struct message_header *header, struct slice name);

/* Appends the value on one line: the line ends of its folds are gone, white space at both ends too (RFC 5322 2.2.3).
 * ERR_LIMIT, ERR_NOMEM. */
enum err message_value_unfold(struct slice value, struct buf *out) MUST_USE;

#endif
