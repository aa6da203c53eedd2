/* message/dkim_sign: signs a message with DKIM (RFC 6376 5, 8463): its bytes in, in any pieces, a DKIM-Signature field
 * out, to be put before them.
 *
 *     dkim_signer_new(crypto, &request, &signer) -> feed ... -> finish(signer, &field) -> free
 *
 * crypto and the key come from net/crypto (crypter_interface, crypter_key_read).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_DKIM_SIGN_H
#define MESSAGE_DKIM_SIGN_H

#include "base/buf.h"
#include "message/dkim.h"

struct dkim_sign_request {
    const struct crypto_key *key; /* its kind decides the algorithm: rsa-sha256 or ed25519-sha256 */
    struct slice domain, selector; /* d=, s= */
    struct slice identity;         /* i=, "user@sub.domain"; empty: none */
    /* h=, parted by colons. Every name signs one field from the bottom up; a name more often than the field is there
     * signs that no more of it comes (RFC 6376 5.4.2). Empty: DKIM_HEADERS_DEFAULT as far as they are there, and From
     * once more. */
    struct slice headers;
    enum dkim_canon header_canon, body_canon; /* a zero is simple; relaxed survives more */
    int64_t time_s;                           /* t=; 0: none */
    int64_t lifetime_s;                       /* x= is t= and this; 0: none */
};

/* RFC 6376 5.4.1 */
#define DKIM_HEADERS_DEFAULT                                                                   \
    "from:reply-to:subject:date:to:cc:message-id:in-reply-to:references:mime-version:content-" \
    "type:"                                                                                    \
    "content-transfer-encoding:list-id:list-unsubscribe:list-unsubscribe-post"

struct dkim_signer;

/* Copies what the request says but the key, which is borrowed as crypto is. ERR_SYNTAX: domain, selector, identity or
 * headers cannot stand in a signature (headers must have From). ERR_NOMEM, ERR_SYSTEM. */
enum err dkim_signer_new(const struct crypto *crypto, const struct dkim_sign_request *request,
                         struct dkim_signer **out) MUST_USE;
void dkim_signer_free(struct dkim_signer *signer); /* NULL is fine */

/* The message as it is sent, before dot-stuffing; lone LFs count as CRLF, and must be sent so. ERR_LIMIT: its header is
 * too large. ERR_NOMEM, ERR_SYSTEM. */
enum err dkim_signer_feed(struct dkim_signer *signer, struct slice bytes) MUST_USE;

/* Appends the field, folded, with its CRLF. Once. ERR_SYNTAX: the message has no From. ERR_LIMIT, ERR_NOMEM,
 * ERR_SYSTEM. */
enum err dkim_signer_finish(struct dkim_signer *signer, struct buf *out) MUST_USE;

#endif
