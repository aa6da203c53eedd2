/* decode/transfer: bodies made safe for mail (RFC 2045 6.7, 6.8) as they were: quoted-printable and base64, fed in pieces of
 * any size. As people's programs write them, not as they should: what is no base64 is passed over, what is no quoted
 * byte stays as it stands.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_TRANSFER_H
#define DECODE_TRANSFER_H

#include "base/buf.h"

enum transfer_kind {
    TRANSFER_PLAIN, /* 7bit, 8bit, binary, and what nobody knows */
    TRANSFER_QUOTED_PRINTABLE,
    TRANSFER_BASE64,
};

struct transfer {
    enum transfer_kind kind;
    char held[3]; /* quoted-printable: '=' and what followed it, not yet decided */
    size_t held_len;
    unsigned bits, bit_count; /* base64: not yet a byte */
};

void transfer_init(struct transfer *transfer, enum transfer_kind kind);
/* By its name in Content-Transfer-Encoding or a vCard's ENCODING, whatever its case. */
enum transfer_kind transfer_by_name(struct slice name);
/* Appends at most as many bytes as there are, and three more. ERR_NOMEM, ERR_LIMIT (*out is full). */
enum err transfer_feed(struct transfer *transfer, struct slice bytes, struct buf *out) MUST_USE;
/* The body is over: appends what was held. */
enum err transfer_end(struct transfer *transfer, struct buf *out) MUST_USE;

/* The value of a hexadecimal digit; 16: it is none. */
unsigned hex_value(char c);

#endif
