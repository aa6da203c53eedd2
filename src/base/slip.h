/* base/slip: how many slips of the hand lie between two words, for "did you mean".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SLIP_H
#define BASE_SLIP_H

#include "base/attr.h"

enum {
    SLIP_BYTES_MAX = 63, /* longer words are far from everything */
    SLIP_FAR = 99,
};

/* Optimal string alignment: insertions, deletions, changes and swapped neighbours cost one each. More than
 * limit where more lie between; SLIP_FAR where that can be told without looking closely. */
unsigned slip_distance(struct slice a, struct slice b, unsigned limit);

#endif
