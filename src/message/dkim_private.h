/* message/dkim_private: what signing and verifying share: the hash of the header fields that a signature names.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_DKIM_PRIVATE_H
#define MESSAGE_DKIM_PRIVATE_H

#include "message/dkim_canon.h"

/* A hash that canonical text is written to: dkim_hash_write with a struct dkim_hash as `to`. */
struct dkim_hash {
    const struct crypto *crypto;
    struct crypto_hasher *hasher; /* NULL: none is under way */
};

enum err dkim_hash_begin(struct dkim_hash *hash, const struct crypto *crypto) MUST_USE;
enum err dkim_hash_write(void *hash, struct slice bytes) MUST_USE;
enum err dkim_hash_end(struct dkim_hash *hash, struct crypto_digest *out) MUST_USE;
void dkim_hash_done(struct dkim_hash *hash); /* safe on a zeroed one and twice */

/* RFC 6376 3.7: what the signature itself is of. names: parted by colons; each takes the lowest field of that name that
 * was not taken yet, or nothing. Then the signature's own field with an empty b=, without its line end. */
struct dkim_header_hash {
    const struct crypto *crypto;
    enum dkim_canon canon;
    const struct message_header *header;
    struct slice names;
    struct message_field own; /* b= may have a value, which is left out; raw ends with CRLF */
};
enum err dkim_header_digest(const struct dkim_header_hash *what, struct crypto_digest *out)
    MUST_USE;

#endif
