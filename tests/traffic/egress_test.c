/* traffic/egress: what can be a way out, and what is said of what cannot.
 * SPDX-License-Identifier: Apache-2.0 */
#include "traffic/egress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static void test_one(void **state)
{
    (void)state;
    static const struct {
        struct traffic_egress egress;
        const char *complaint; /* NULL: none */
    } rows[] = {
        {{.name = SLICE_LITERAL("north-1.example_a"), .weight = 1}, NULL},
        {{.name = SLICE_LITERAL("v6"), .weight = 1000, .no_ipv4 = true}, NULL},
        {{.name = SLICE_LITERAL(""), .weight = 1}, "a name has"},
        {{.name = SLICE_LITERAL("a b"), .weight = 1}, "a name has"},
        {{.name = SLICE_LITERAL("a:b"), .weight = 1}, "a name has"},
        {{.name = SLICE_LITERAL("a\0b"), .weight = 1}, "a name has"},
        {{.name = SLICE_LITERAL("1234567890123456789012345678901234567890123456789012345678901234"),
          .weight = 1},
         "a name has"},
        {{.name = SLICE_LITERAL("a"), .weight = 0}, "a weight is 1 to 1000"},
        {{.name = SLICE_LITERAL("a"), .weight = 1001}, "a weight is 1 to 1000"},
        {{.name = SLICE_LITERAL("a"), .weight = 1, .no_ipv4 = true, .no_ipv6 = true}, "neither"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault = {0};
        enum err e = traffic_egresses_check(&rows[i].egress, 1, &fault);
        assert_int_equal(e, rows[i].complaint == NULL ? ERR_NONE : ERR_SYNTAX);
        if (rows[i].complaint != NULL) {
            assert_non_null(strstr(fault.text, rows[i].complaint));
        }
    }
}

static void test_many(void **state)
{
    (void)state;
    static char names[TRAFFIC_EGRESSES_MAX + 1][2];
    struct traffic_egress egresses[TRAFFIC_EGRESSES_MAX + 1];
    for (size_t i = 0; i <= TRAFFIC_EGRESSES_MAX; i++) {
        names[i][0] = (char)('a' + i % 26);
        names[i][1] = (char)('a' + i / 26);
        egresses[i] = (struct traffic_egress){.name = slice_make(names[i], 2), .weight = 1};
    }
    struct fault fault;
    assert_int_equal(traffic_egresses_check(egresses, TRAFFIC_EGRESSES_MAX, &fault), ERR_NONE);
    assert_int_equal(traffic_egresses_check(egresses, TRAFFIC_EGRESSES_MAX + 1, &fault),
                     ERR_SYNTAX);
    assert_int_equal(traffic_egresses_check(egresses, 0, &fault), ERR_SYNTAX);
    egresses[7].name = egresses[3].name;
    assert_int_equal(traffic_egresses_check(egresses, 8, &fault), ERR_SYNTAX);
    assert_non_null(strstr(fault.text, "twice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
