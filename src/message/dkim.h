/* message/dkim: the words of DKIM (RFC 6376, 8301, 8463) that its parts share: algorithms, canonical forms, results
 * and faults, with their names.
 *
 *     message/dkim_key        what a key record says              (a look at one record: dkim_key_read)
 *     message/dkim_signature  what a DKIM-Signature field says
 *     message/dkim_canon      canonical forms of header and body
 *     message/dkim_verify     a machine that judges a message's signatures; it asks for keys and is answered
 *     message/dkim_sign       a signer: bytes of a message in, a DKIM-Signature field out
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MESSAGE_DKIM_H
#define MESSAGE_DKIM_H

#include "base/attr.h"
#include "base/crypto.h"

enum {
    DKIM_RSA_BITS_MIN = 1024,  /* RFC 8301 3.2: verifiers must not take less */
    DKIM_RSA_BITS_GOOD = 2048, /* RFC 8301 3.2: signers should have at least these */
};

enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256, DKIM_RSA_SHA1 };

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };

/* RFC 8601 2.7.1 */
enum dkim_result {
    DKIM_NONE, /* there is no signature */
    DKIM_PASS,
    DKIM_FAIL,    /* it could be checked, and is wrong */
    DKIM_NEUTRAL, /* it cannot be understood */
    DKIM_TEMPERROR,
    DKIM_PERMERROR, /* it can never be checked: a tag or the key is missing or broken */
    DKIM_POLICY,    /* it is right, but we do not take such ones */
};

enum dkim_fault {
    DKIM_FAULT_NONE,
    /* the field */
    DKIM_FAULT_SYNTAX, /* no list of tags */
    DKIM_FAULT_TAG_DOUBLE,
    DKIM_FAULT_TAG_MISSING,
    DKIM_FAULT_VERSION,
    DKIM_FAULT_ALGORITHM, /* unknown */
    DKIM_FAULT_CANON,
    DKIM_FAULT_DOMAIN,   /* d= or s= is no name */
    DKIM_FAULT_IDENTITY, /* i= is not in d= */
    DKIM_FAULT_HEADERS,  /* h= is no list of names */
    DKIM_FAULT_NO_FROM,  /* h= is without From */
    DKIM_FAULT_BODY_HASH,
    DKIM_FAULT_SIGNATURE,
    DKIM_FAULT_LENGTH, /* l= is no number */
    DKIM_FAULT_QUERY,  /* q= knows no way that we know */
    DKIM_FAULT_TIME,   /* t= or x= is no number, or x= is not after t= */
    DKIM_FAULT_EXPIRED,
    DKIM_FAULT_FUTURE,
    /* the key record */
    DKIM_FAULT_KEY_DNS,  /* the question failed: this may be over soon */
    DKIM_FAULT_KEY_NONE, /* there is no record */
    DKIM_FAULT_KEY_SEVERAL,
    DKIM_FAULT_KEY_SYNTAX,
    DKIM_FAULT_KEY_VERSION,
    DKIM_FAULT_KEY_MISSING, /* no p= */
    DKIM_FAULT_KEY_REVOKED, /* p= is empty */
    DKIM_FAULT_KEY_KIND,    /* k= is unknown */
    DKIM_FAULT_KEY_BROKEN,  /* p= is no key of that kind */
    DKIM_FAULT_KEY_HASH,    /* h= does not allow the signature's */
    DKIM_FAULT_KEY_SERVICE, /* s= is not for mail */
    DKIM_FAULT_KEY_OTHER,   /* of another kind than the signature's algorithm */
    DKIM_FAULT_KEY_STRICT,  /* t=s and the identity is below the domain */
    DKIM_FAULT_KEY_SMALL,   /* below DKIM_RSA_BITS_MIN */
    /* the message */
    DKIM_FAULT_BODY_SHORT,   /* l= is beyond its end */
    DKIM_FAULT_BODY_CHANGED, /* bh= is another */
    DKIM_FAULT_WRONG,        /* the signature is not of these fields by that key */
    /* us */
    DKIM_FAULT_SHA1,   /* RFC 8301 3.1: rsa-sha1 counts for nothing */
    DKIM_FAULT_CRYPTO, /* the library of this machine would not */
};

const char *dkim_algorithm_name(enum dkim_algorithm algorithm); /* "rsa-sha256", ... */
const char *dkim_canon_name(enum dkim_canon canon);             /* "simple", "relaxed" */
const char *dkim_result_name(enum dkim_result result);          /* "pass", ...: RFC 8601 2.7.1 */
enum dkim_result dkim_fault_result(enum dkim_fault fault);      /* DKIM_PASS of none */
const char *dkim_fault_text(enum dkim_fault fault); /* in words, without full stop; "" for none */

#endif
