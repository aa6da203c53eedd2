/* SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim.h"

const char *dkim_algorithm_name(enum dkim_algorithm algorithm)
{
    switch (algorithm) {
    case DKIM_RSA_SHA256: return "rsa-sha256";
    case DKIM_ED25519_SHA256: return "ed25519-sha256";
    case DKIM_RSA_SHA1: return "rsa-sha1";
    }
    return "";
}

const char *dkim_canon_name(enum dkim_canon canon)
{
    switch (canon) {
    case DKIM_SIMPLE: return "simple";
    case DKIM_RELAXED: return "relaxed";
    }
    return "";
}

const char *dkim_result_name(enum dkim_result result)
{
    switch (result) {
    case DKIM_NONE: return "none";
    case DKIM_PASS: return "pass";
    case DKIM_FAIL: return "fail";
    case DKIM_NEUTRAL: return "neutral";
    case DKIM_TEMPERROR: return "temperror";
    case DKIM_PERMERROR: return "permerror";
    case DKIM_POLICY: return "policy";
    }
    return "";
}

/* RFC 8601 2.7.1; RFC 6376 3.9, 6.1: what is PERMFAIL there is told apart here. */
enum dkim_result dkim_fault_result(enum dkim_fault fault)
{
    switch (fault) {
    case DKIM_FAULT_NONE: return DKIM_PASS;
    case DKIM_FAULT_SYNTAX:
    case DKIM_FAULT_TAG_DOUBLE:
    case DKIM_FAULT_VERSION:
    case DKIM_FAULT_ALGORITHM:
    case DKIM_FAULT_CANON:
    case DKIM_FAULT_DOMAIN:
    case DKIM_FAULT_HEADERS:
    case DKIM_FAULT_BODY_HASH:
    case DKIM_FAULT_SIGNATURE:
    case DKIM_FAULT_LENGTH:
    case DKIM_FAULT_QUERY:
    case DKIM_FAULT_TIME: return DKIM_NEUTRAL;
    case DKIM_FAULT_TAG_MISSING:
    case DKIM_FAULT_IDENTITY:
    case DKIM_FAULT_NO_FROM:
    case DKIM_FAULT_EXPIRED:
    case DKIM_FAULT_FUTURE:
    case DKIM_FAULT_KEY_NONE:
    case DKIM_FAULT_KEY_SEVERAL:
    case DKIM_FAULT_KEY_SYNTAX:
    case DKIM_FAULT_KEY_VERSION:
    case DKIM_FAULT_KEY_MISSING:
    case DKIM_FAULT_KEY_REVOKED:
    case DKIM_FAULT_KEY_KIND:
    case DKIM_FAULT_KEY_BROKEN:
    case DKIM_FAULT_KEY_HASH:
    case DKIM_FAULT_KEY_SERVICE:
    case DKIM_FAULT_KEY_OTHER:
    case DKIM_FAULT_KEY_STRICT:
    case DKIM_FAULT_SHA1: return DKIM_PERMERROR;
    case DKIM_FAULT_BODY_SHORT:
    case DKIM_FAULT_BODY_CHANGED:
    case DKIM_FAULT_WRONG: return DKIM_FAIL;
    case DKIM_FAULT_KEY_SMALL: return DKIM_POLICY;
    case DKIM_FAULT_KEY_DNS:
    case DKIM_FAULT_CRYPTO: return DKIM_TEMPERROR;
    }
    return DKIM_NEUTRAL;
}

const char *dkim_fault_text(enum dkim_fault fault)
{
    switch (fault) {
    case DKIM_FAULT_NONE: return "";
    case DKIM_FAULT_SYNTAX: return "the signature is no list of tags";
    case DKIM_FAULT_TAG_DOUBLE: return "the signature has a tag twice";
    case DKIM_FAULT_TAG_MISSING: return "the signature lacks a tag that it must have";
    case DKIM_FAULT_VERSION: return "the signature is of another version of DKIM";
    case DKIM_FAULT_ALGORITHM: return "the signature's algorithm is not known";
    case DKIM_FAULT_CANON: return "the signature's canonical form is not known";
    case DKIM_FAULT_DOMAIN: return "the signature's domain and selector are no names";
    case DKIM_FAULT_IDENTITY: return "the signer's identity is not in the signature's domain";
    case DKIM_FAULT_HEADERS: return "the list of signed header fields cannot be read";
    case DKIM_FAULT_NO_FROM: return "the From field is not signed";
    case DKIM_FAULT_BODY_HASH: return "the hash of the body cannot be read";
    case DKIM_FAULT_SIGNATURE: return "the signature's own bytes cannot be read";
    case DKIM_FAULT_LENGTH: return "the length of the signed body is no number";
    case DKIM_FAULT_QUERY: return "the signature's key is not to be found in DNS";
    case DKIM_FAULT_TIME: return "the times of the signature cannot be";
    case DKIM_FAULT_EXPIRED: return "the signature has expired";
    case DKIM_FAULT_FUTURE: return "the signature is of the future";
    case DKIM_FAULT_KEY_DNS: return "the DNS question for the key failed";
    case DKIM_FAULT_KEY_NONE: return "there is no key record";
    case DKIM_FAULT_KEY_SEVERAL: return "there are several key records under one selector";
    case DKIM_FAULT_KEY_SYNTAX: return "the key record is no list of tags";
    case DKIM_FAULT_KEY_VERSION: return "the key record is not of version DKIM1";
    case DKIM_FAULT_KEY_MISSING: return "the key record has no key (p=)";
    case DKIM_FAULT_KEY_REVOKED: return "the key is revoked (p= is empty)";
    case DKIM_FAULT_KEY_KIND: return "the key is of an unknown kind (k=)";
    case DKIM_FAULT_KEY_BROKEN: return "the key record's p= is no public key of its kind";
    case DKIM_FAULT_KEY_HASH: return "the key record does not allow the signature's hash (h=)";
    case DKIM_FAULT_KEY_SERVICE: return "the key is not for mail (s=)";
    case DKIM_FAULT_KEY_OTHER: return "the key is of another kind than the signature";
    case DKIM_FAULT_KEY_STRICT:
        return "the signer's identity is in a subdomain, which the key record rules out (t=s)";
    case DKIM_FAULT_KEY_SMALL: return "the key has fewer than 1024 bits";
    case DKIM_FAULT_BODY_SHORT: return "the body is shorter than what was signed";
    case DKIM_FAULT_BODY_CHANGED: return "the body is not what was signed";
    case DKIM_FAULT_WRONG: return "the header fields are not what was signed with this key";
    case DKIM_FAULT_SHA1: return "signatures with SHA-1 count for nothing";
    case DKIM_FAULT_CRYPTO: return "the cryptographic library could not check it";
    }
    return "";
}
