/* net/signature: whether bytes were signed with the secret half of an Ed25519 key (RFC 8032); the
 * signature is what "openssl pkeyutl -sign -rawin" writes, 64 bytes, or those in base64.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_SIGNATURE_H
#define NET_SIGNATURE_H

#include <stdbool.h>

#include "base/err.h"

enum { SIGNATURE_BYTES = 64 };

/* The signature as it stands in a file: raw, or base64 with blanks around it. False: it is none. */
bool signature_read(struct slice text, char out[SIGNATURE_BYTES]) MUST_USE;

/* key_pem: a public key (SubjectPublicKeyInfo in PEM). ERR_SYNTAX: it is no Ed25519 key, or the signature is not of these
 * bytes; ERR_SYSTEM: no OpenSSL; ERR_NOMEM. */
enum err signature_check(struct slice key_pem, const char signature[SIGNATURE_BYTES],
                         struct slice bytes, struct fault *out_fault) MUST_USE;

#endif
