/* message/dkim_verify: judges the DKIM signatures of a message (RFC 6376 6): a machine. It sends nothing and reads no
 * clock: feed it the message in any pieces, then take its questions and give it the answers, one at a time.
 *
 *     dkim_verifier_new -> feed ... -> finish -> loop { next -> question; answered(...) } -> count, verdict -> free
 *
 * Memory is bounded by that of the header: of the body only hashes are kept. The first signatures_max signatures are
 * looked at (RFC 6376 6.1: a verifier may limit the number).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_DKIM_VERIFY_H
#define MESSAGE_DKIM_VERIFY_H

#include "message/dkim_key.h"
#include "message/dkim_signature.h"
#include "message/header.h"

enum { DKIM_SIGNATURES_MAX = 16 };

struct dkim_verify_options {
    int64_t now_s;           /* Unix time; for x= and t= */
    unsigned signatures_max; /* 0: DKIM_SIGNATURES_MAX, which is the most */
};

struct dkim_verdict {
    enum dkim_result result;
    enum dkim_fault fault;           /* DKIM_FAULT_NONE with DKIM_PASS */
    size_t field;                    /* index of its field in the header */
    struct dkim_signature signature; /* as far as it could be read */
    bool has_key;
    struct dkim_key
        key; /* with has_key: as far as it could be read; key.is_testing says that the owner tests */
    uint64_t body_bytes;  /* of the canonical body */
    bool is_body_partial; /* l= leaves some of it unsigned */
};

struct dkim_verifier;

/* crypto is borrowed and must outlive the machine. ERR_NOMEM. */
enum err dkim_verifier_new(const struct crypto *crypto, const struct dkim_verify_options *options,
                           struct dkim_verifier **out) MUST_USE;
void dkim_verifier_free(struct dkim_verifier *verifier); /* NULL is fine */

/* The message as it is sent, without dot-stuffing. ERR_LIMIT: the header is too large. ERR_NOMEM, ERR_SYSTEM. After an
 * error only free. */
enum err dkim_verifier_feed(struct dkim_verifier *verifier, struct slice bytes) MUST_USE;
enum err dkim_verifier_finish(struct dkim_verifier *verifier) MUST_USE; /* all has come; once */

/* After finish. True: ask this, of type TXT; the name is valid until it is answered. False: all is judged. */
bool dkim_verifier_next(struct dkim_verifier *verifier, struct slice *out_name, uint16_t *out_type);
enum err dkim_verifier_answered(struct dkim_verifier *verifier, enum dns_transport transport,
                                struct slice message) MUST_USE; /* ERR_NOMEM */

/* In the order of the header. Valid until free. */
size_t dkim_verifier_count(const struct dkim_verifier *verifier);
const struct dkim_verdict *dkim_verifier_verdict(const struct dkim_verifier *verifier, size_t i);

/* The header of the message, complete after finish: for From, among others. */
const struct message_header *dkim_verifier_header(const struct dkim_verifier *verifier);

#endif
