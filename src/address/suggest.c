/* address/suggest: did you mean: a domain that is one slip away from a well-known one. Measured by
 * tests/address/suggest_test: it must find slips and must leave every known domain alone.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "address/lists_private.h"
#include "base/slice.h"

enum { SUGGEST_BYTES_MAX = 63, SUGGEST_FAR = 99 };

/* Optimal string alignment: insertions, deletions, changes and swapped neighbours cost one each. */
static unsigned distance(struct slice a, struct slice b, unsigned limit)
{
    unsigned rows[3][SUGGEST_BYTES_MAX + 1];
    size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > SUGGEST_BYTES_MAX || b.len > SUGGEST_BYTES_MAX || gap > limit) {
        return SUGGEST_FAR;
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

static bool is_known(const struct address_lists *lists, struct slice domain)
{
    return list_find(&lists->lists[LIST_POPULAR], domain).len > 0 ||
           list_find(&lists->lists[LIST_FREE], domain).len > 0;
}

static struct slice name_of(struct slice domain)
{
    return slice_sub(domain, 0, slice_find_byte(domain, '.', 0));
}

/* How much a slip may cost: short names are close to many others by chance. */
static unsigned slips_allowed(struct slice known)
{
    size_t name = name_of(known).len;
    return name <= 3 ? 0 : name <= 8 ? 1 : 2;
}

/* The name must be right or nearly, the ending right or nearly: both off is another domain. */
static unsigned cost(struct slice given, struct slice known)
{
    struct slice name = name_of(given);
    struct slice known_name = name_of(known);
    struct slice ending = slice_sub(given, name.len, given.len);
    struct slice known_ending = slice_sub(known, known_name.len, known.len);
    unsigned allowed = slips_allowed(known);
    if (slice_equal(name, known_name)) {
        unsigned slips = distance(ending, known_ending, 2);
        return slips == 1 && known_ending.len > 3 && known_name.len > 3 ? 1 : SUGGEST_FAR;
    }
    if (slice_equal(ending, known_ending)) {
        unsigned slips = distance(name, known_name, allowed);
        return slips <= allowed ? slips : SUGGEST_FAR;
    }
    unsigned slips = distance(name, known_name, 1) + distance(ending, known_ending, 1);
    return allowed > 0 && known_name.len >= 5 && slips <= 2 ? slips + 1 : SUGGEST_FAR;
}

bool address_suggest(const struct address_lists *lists, const struct hel_address *address,
                     char out[HEL_WIRE_BYTES])
{
    struct slice domain = hel_address_domain(address);
    if (address->is_literal || is_known(lists, domain)) {
        return false;
    }
    const struct list *popular = &lists->lists[LIST_POPULAR];
    struct slice best = SLICE_NONE;
    unsigned best_cost = SUGGEST_FAR;
    for (size_t i = 0; i < popular->count; i++) {
        unsigned now = cost(domain, popular->entries[i]);
        /* Of equals the one with the same first letter: people slip later in a word. */
        bool is_better = now < best_cost ||
                         (now == best_cost && now < SUGGEST_FAR && best.at[0] != domain.at[0] &&
                          popular->entries[i].at[0] == domain.at[0]);
        if (is_better) {
            best = popular->entries[i];
            best_cost = now;
        }
    }
    if (best_cost >= SUGGEST_FAR) {
        return false;
    }
    struct slice local = hel_address_local(address);
    memcpy(out, local.at, local.len);
    out[local.len] = '@';
    memcpy(out + local.len + 1, best.at, best.len);
    out[local.len + 1 + best.len] = '\0';
    return true;
}
