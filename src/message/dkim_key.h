/* message/dkim_key: what a DKIM key record says (RFC 6376 3.6.1, 8301, 8463). Under SELECTOR._domainkey.DOMAIN, type
 * TXT; the strings of one record are put together without anything between.
 *
 *     dkim_key_name("s1", "example.com", name)      -> ask for name, DNS_TXT
 *     dkim_key_answer(&dns_answer, &key)            -> fault; or dkim_key_read(text, &key) with the record's text
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_DKIM_KEY_H
#define MESSAGE_DKIM_KEY_H

#include "dns/answer.h"
#include "message/dkim.h"

enum {
    DKIM_KEY_BYTES_MAX = 2200,  /* RSA of 16384 bits, which is more than anybody publishes */
    DKIM_KEY_TEXT_BYTES = 4096, /* of a record; longer ones are at fault */
};

struct dkim_key {
    enum crypto_kind kind;
    uint8_t bytes[DKIM_KEY_BYTES_MAX]; /* the public key as base/crypto takes it */
    size_t byte_count;
    unsigned bits;                 /* of RSA its modulus, of Ed25519 256; 0: no key could be read */
    bool has_version;              /* v=DKIM1; should be there, and first */
    bool is_testing;               /* t=y: whoever verifies should treat it like no signature */
    bool is_strict;                /* t=s: i= must be in the domain itself, not below it */
    bool takes_sha256, takes_sha1; /* h=; both without */
    bool is_for_mail;              /* s= has "*" or "email", or is not there */
    bool is_revoked;               /* p= is empty */
    bool has_notes;                /* n= is there: for people */
};

/* False: it would be too long, or one of them is empty. */
bool dkim_key_name(struct slice selector, struct slice domain, char out[DNS_NAME_BYTES]);

/* What the record says; out is filled as far as it could be read, also with a fault. A small or testing key is not at
 * fault here: bits and is_testing tell. *out_bad (NULL is fine) is the tag at fault, borrowed from text. */
enum dkim_fault dkim_key_read(struct slice text, struct dkim_key *out, struct slice *out_bad);

/* Of the answer to that question, read. Of several records the only one that can be a key counts; more are
 * DKIM_FAULT_KEY_SEVERAL (RFC 6376 3.6.2.2 leaves open what then). */
enum dkim_fault dkim_key_answer(const struct dns_answer *answer, struct dkim_key *out);

#endif
