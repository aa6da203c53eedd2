/* message/dkim_signature: what a DKIM-Signature field says (RFC 6376 3.5), before anything is checked against the
 * message.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_DKIM_SIGNATURE_H
#define MESSAGE_DKIM_SIGNATURE_H

#include "dns/route.h"
#include "message/dkim.h"

enum { DKIM_HEADERS_MAX = 256 }; /* names in h= */

struct dkim_signature {
    enum dkim_algorithm algorithm;
    enum dkim_canon header_canon, body_canon;
    char domain[DNS_NAME_BYTES];   /* d=, lower case */
    char selector[DNS_NAME_BYTES]; /* s= */
    struct slice identity; /* i= as it stands; empty: "@" and the domain. Borrowed from the field */
    bool is_identity_below; /* the domain of i= is below that of d= */
    struct slice headers;   /* h= as it stands, names parted by colons: tag_item_next. Borrowed */
    struct crypto_digest body_hash; /* nothing of rsa-sha1, which nobody checks any more */
    uint8_t signature[CRYPTO_SIGNATURE_BYTES_MAX];
    size_t signature_bytes;
    bool has_length, has_time, has_expiry;
    uint64_t length;           /* l=: bytes of the canonical body that are signed */
    uint64_t time_s, expiry_s; /* t=, x= */
};

/* value: of the field, as message_field has it. Filled as far as it could be read, domain and selector first, also with
 * a fault. *out_bad (NULL is fine): the name of the tag at fault or missing; "" where it is none of them. */
enum dkim_fault dkim_signature_read(struct slice value, struct dkim_signature *out,
                                    const char **out_bad);

#endif
