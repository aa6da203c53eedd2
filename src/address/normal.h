/* address/normal: the one mailbox behind several spellings, as far as providers say so in public: Gmail ignores
 * dots, several ignore what follows a plus. Beside what is sent on the wire, never instead of it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ADDRESS_NORMAL_H
#define ADDRESS_NORMAL_H

#include "heloise/address.h"

/* The normal form, NUL-terminated: lower case and without tag at providers known to do so; elsewhere the local
 * part as given (RFC 5321 2.4: only the host may judge its case). */
void address_normal(const struct hel_address *address, char out[HEL_WIRE_BYTES]);

/* The key under which answers are kept. Each tag has an answer of its own; only case falls together, and only
 * where the provider ignores it. */
void address_key(const struct hel_address *address, char out[HEL_WIRE_BYTES]);

/* What follows the first '+' of an unquoted local part; false: no tag. */
bool address_tag(const struct hel_address *address, struct slice *out);

#endif
