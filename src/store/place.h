/* store/place: where a key lies: a number made of its domain (what follows the last '@') and of its whole address, whatever
 * variant stands behind that. Indexes begin with it, so that the keys of a domain, which are asked one after the other, are
 * neighbours there, in an order that has nothing to do with their names and is that of a job's addresses. Two keys may share a place: who looks one up compares the key as well. It
 * is written into files, so it never changes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include <stdint.h>

#include "base/attr.h"

/* So that neither a million domains nor a million keys of one often fall together, nor can be made to. */
enum { STORE_PLACE_KEY_BITS = 40 }; /* the low ones; those above are the domain's */

int64_t store_place(struct slice key);

/* The places of a domain's keys: from the first to the last, both included. */
void store_place_range(struct slice domain, int64_t *out_first, int64_t *out_last);

/* What a key has behind its address, from the first space after the last '@' on; empty in most. */
struct slice store_variant(struct slice key);

#endif
