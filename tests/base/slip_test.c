/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static void counts_slips(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned slips;
    } rows[] = {
        {"", "", 0},
        {"port", "port", 0},
        {"port", "prot", 1}, /* swapped */
        {"port", "por", 1},
        {"port", "ports", 1},
        {"port", "pert", 1},
        {"rcpts", "rpctz", 2},
        {"", "ab", 2},
        {"abcdef", "abc", 3},
        {"max-per-site", "max_per_site", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(slip_distance(slice_of(rows[i].a), slice_of(rows[i].b), 3), rows[i].slips);
        assert_int_equal(slip_distance(slice_of(rows[i].b), slice_of(rows[i].a), 3), rows[i].slips);
    }
}

static void beyond_the_limit_is_more_than_it(void **state)
{
    (void)state;
    assert_true(slip_distance(SLICE("port"), SLICE("store"), 1) > 1);
    assert_int_equal(slip_distance(SLICE("abc"), SLICE("xyz"), 1), SLIP_FAR);
    assert_int_equal(slip_distance(SLICE("a"), SLICE("abcd"), 2), SLIP_FAR);
}

static void length_has_a_ceiling(void **state)
{
    (void)state;
    char word[SLIP_BYTES_MAX + 1];
    memset(word, 'a', sizeof word);
    struct slice longest = slice_make(word, SLIP_BYTES_MAX);
    struct slice longer = slice_make(word, SLIP_BYTES_MAX + 1);
    assert_int_equal(slip_distance(longest, longest, 1), 0);
    assert_int_equal(slip_distance(longer, longer, 1), SLIP_FAR);
    assert_int_equal(slip_distance(longest, longer, 1), SLIP_FAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_slips),
        cmocka_unit_test(beyond_the_limit_is_more_than_it),
        cmocka_unit_test(length_has_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
