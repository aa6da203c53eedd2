/* base/intern: byte strings of which many hold the same one: each is there once, and counted. A zeroed one is not
 * ready: intern_init. Seed it randomly where strangers choose the bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "base/map.h"

struct interned; /* never moves while somebody holds it */

struct intern {
    struct map map;
};

void intern_init(struct intern *intern, uint64_t seed);
void intern_done(struct intern *intern); /* those still held with it */

/* One more holder of these bytes. NULL: no memory. */
struct interned *intern_hold(struct intern *intern, struct slice bytes) MUST_USE;
/* One less; the last one frees it. */
void intern_drop(struct intern *intern, struct interned *interned);
struct slice interned_view(const struct interned *interned);

#endif
