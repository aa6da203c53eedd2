/* Places: they stand in files, so they are pinned; those of a domain are neighbours.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/slice.h"

struct place_row {
    const char *name;
    struct slice key;
    int64_t place;
};

static const struct place_row rows[] = {
    {"an address", SLICE_LITERAL("a@b.example"), INT64_C(-3411564940235045511)},
    {"its variant", SLICE_LITERAL("a@b.example port=1 mode=1"), INT64_C(-3411564940235045511)},
    {"its neighbour", SLICE_LITERAL("c@b.example"), INT64_C(-3411565429191673659)},
    {"an '@' in quotes", SLICE_LITERAL("\"x@y\"@b.example"), INT64_C(-3411565653287600105)},
    {"another domain", SLICE_LITERAL("a@d.example"), INT64_C(124475550893134972)},
    {"no domain", SLICE_LITERAL("a"), INT64_C(2202906278610100429)},
    {"nothing", SLICE_LITERAL(""), INT64_C(2202905762413124979)},
    {"an empty domain", SLICE_LITERAL("a@"), INT64_C(2202905648516557342)},
    {"a NUL within", SLICE_LITERAL("a\0b@b.example"), INT64_C(-3411565548849824185)},
};

static void places_never_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (store_place(rows[i].key) != rows[i].place) {
            fail_msg("%s: %lld", rows[i].name, (long long)store_place(rows[i].key));
        }
    }
}

static void those_of_a_domain_are_neighbours(void **state)
{
    (void)state;
    int64_t first = store_place(SLICE("a@b.example")) >> STORE_PLACE_KEY_BITS;
    for (int i = 0; i < 1000; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "person%d@b.example", i);
        assert_true(store_place(slice_of(key)) >> STORE_PLACE_KEY_BITS == first);
        (void)snprintf(key, sizeof key, "a@b%d.example", i);
        assert_true(store_place(slice_of(key)) >> STORE_PLACE_KEY_BITS != first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_never_change),
        cmocka_unit_test(those_of_a_domain_are_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
