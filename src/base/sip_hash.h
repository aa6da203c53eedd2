/* base/sip_hash: SipHash-2-4 (Aumasson, Bernstein: a fast short-input PRF): the same on every machine, and so mixed that
 * nobody can make many texts that fall together, even where the key is known and only a part of the hash is used. For
 * what is kept in files, and so cannot be seeded anew in each run; tables in memory use slice_hash.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIP_HASH_H
#define BASE_SIP_HASH_H

#include <stdint.h>

#include "base/attr.h"

uint64_t sip_hash(struct slice s, uint64_t key0, uint64_t key1);

#endif
