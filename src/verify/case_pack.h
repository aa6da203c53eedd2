/* verify/case_pack: a case that waits, in a hundred bytes instead of some thousands: for lists of which a million
 * addresses wait at once. What is unpacked goes on exactly as the case would have, to the same verdict and summary.
 *
 *     verify_case_pack -> verify_case_forget          ... verify_case_unpack
 *                      -> verify_packed_drop, where the bytes could not be kept: the case goes on
 *
 * Packed, the case keeps its place in the domain's memory: what it was asking for stays asked, and unpacking is owed.
 * What many replies have in common (words, code, rule) is kept once, in the caller's table.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_CASE_PACK_H
#define VERIFY_CASE_PACK_H

#include "base/intern.h"
#include "base/pack.h"
#include "verify/case.h"

enum { VERIFY_PACKED_BYTES_MAX = 32768 }; /* of one; usually a hundred */

/* Appends the case. No answer may be owed to it, and its route must have been told. ERR_NOMEM, ERR_LIMIT: to holds some
 * bytes more, which mean nothing. */
enum err verify_case_pack(struct verify_case *c, struct intern *sayings, struct buf *to) MUST_USE;
/* Frees a case that lives on in its bytes. */
void verify_case_forget(struct verify_case *c);
/* The case lives on, and what was packed of it is not wanted. */
void verify_packed_drop(struct slice packed, struct intern *sayings);

/* What the case borrows; the same as before, or equal to it. */
struct verify_borrowed {
    const struct verify_config *config;
    const struct hel_address *address;
    struct verify_domain *domain;
    const struct route *route;
    const struct provider *provider;
    struct pool *spare; /* as of verify_case_new */
};
/* Reads on where the case was packed. ERR_NOMEM: nothing was taken, and another try may do. */
enum err verify_case_unpack(struct pack *from, const struct verify_borrowed *borrowed,
                            struct intern *sayings, struct verify_case **out) MUST_USE;

/* The control or postmaster is being asked by this case, and others may wait for that. */
bool verify_case_asks_for_others(const struct verify_case *c);

#endif
