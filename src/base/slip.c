/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slip.h"

#include <string.h>

#include "base/slice.h"

/* Letters that only one of them has. One slip takes away one at most and brings another. */
static unsigned letters_apart(struct slice a, struct slice b)
{
    uint64_t sets[2] = {0, 0};
    for (size_t i = 0; i < a.len; i++) {
        sets[0] |= 1ull << (a.at[i] & 63);
    }
    for (size_t i = 0; i < b.len; i++) {
        sets[1] |= 1ull << (b.at[i] & 63);
    }
    unsigned count = 0;
    for (uint64_t apart = sets[0] ^ sets[1]; apart != 0; apart &= apart - 1) {
        count++;
    }
    return count;
}

unsigned slip_distance(struct slice a, struct slice b, unsigned limit)
{
    UNFILLED unsigned rows[3][SLIP_BYTES_MAX + 1]; /* most words are told apart without it */
    size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > SLIP_BYTES_MAX || b.len > SLIP_BYTES_MAX || gap > limit ||
        letters_apart(a, b) > 2 * limit) {
        return SLIP_FAR;
    }
    unsigned *two_back = rows[0];
    unsigned *back = rows[1];
    unsigned *row = rows[2];
    memset(rows, 0, sizeof rows);
    for (unsigned j = 0; j <= b.len; j++) {
        back[j] = j;
    }
    for (unsigned i = 1; i <= a.len; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned best = back[j - 1] + (a.at[i - 1] == b.at[j - 1] ? 0 : 1);
            best = back[j] + 1 < best ? back[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            bool is_swap =
                i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1];
            if (is_swap && two_back[j - 2] + 1 < best) {
                best = two_back[j - 2] + 1;
            }
            row[j] = best;
        }
        unsigned *spare = two_back;
        two_back = back;
        back = row;
        row = spare;
    }
    return back[b.len];
}
