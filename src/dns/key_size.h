/* dns/key_size: how large the public key is that a DKIM record holds (RFC 6376 3.6.1, RFC 8463), read from its
 * bytes as far as that takes; whether it is a good key is not looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_KEY_SIZE_H
#define DNS_KEY_SIZE_H

#include "base/attr.h"

/* The bits of the modulus of an RSA key, given as SubjectPublicKeyInfo (RFC 5280 4.1) or as RSAPublicKey alone
 * (RFC 8017 A.1.1), both in DER. 0: it is neither. */
unsigned dns_rsa_bits(struct slice der);

#endif
