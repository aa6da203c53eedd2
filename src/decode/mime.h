/* decode/mime: mail taken apart (RFC 5322, 2045, 2046): header fields, and bodies with what their header says of them, in
 * the order in which they stand; multiparts and attached messages to any depth that makes sense, one message or an mbox
 * (RFC 4155). Without I/O: give it bytes, take events.
 *
 *     for each piece: mime_feed(mime, piece);  while (mime_next(mime, &event)) ...
 *     mime_end(mime);                          while (mime_next(mime, &event)) ...
 *
 * What is broken is read as far as it makes sense: a header without end, a multipart without its last boundary.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_MIME_H
#define DECODE_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/transfer.h"

enum mime_event_kind {
    MIME_EVENT_FIELD,
    MIME_EVENT_PART, /* a body begins */
    MIME_EVENT_BODY, /* some of it, still as it was made safe for mail */
    MIME_EVENT_END,  /* it is over */
};

enum { MIME_PATH_BYTES = 128 };

struct mime_part {
    uint64_t message;     /* from 1, in the mbox */
    struct slice path;    /* "2.1": the first part of the second; empty: all of the message */
    struct slice type;    /* "text/html", in lower case; empty: not said, which means text/plain */
    struct slice charset; /* as given; empty: not said */
    struct slice file_name; /* as given; empty: not said */
    enum transfer_kind transfer;
};

/* All slices until the next call. */
struct mime_event {
    enum mime_event_kind kind;
    struct slice name, value; /* of a field: unfolded, without spaces around */
    struct slice body;
    struct mime_part part; /* of all but fields whole; there message and path */
};

struct mime;

enum err mime_new(bool is_mbox, struct mime **out) MUST_USE;
void mime_free(struct mime *mime); /* safe on NULL */

/* The piece before it must be used up (mime_next has said false); bytes must live until this one is. */
void mime_feed(struct mime *mime, struct slice bytes);
void mime_end(struct mime *mime);
/* *out_is_event false: nothing more without more bytes. ERR_NOMEM. */
enum err mime_next(struct mime *mime, struct mime_event *out, bool *out_is_event) MUST_USE;

#endif
