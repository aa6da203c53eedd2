/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/erase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/slice.h"

static void spellings_that_share_answers_go_together(void **state)
{
    (void)state;
    static const struct {
        const char *key, *asked;
        uint64_t verdicts;
    } cases[] = {
        {"jane@b.example", "jane@b.example", 1}, {"jane@b.example", "jane@B.Example", 1},
        {"jane@b.example", "Jane@b.example", 0}, {"jane@gmail.com", "Jane@GMail.com", 1},
        {"jane@b.example", "john@b.example", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store_erased erased;
        struct fault fault;
        struct store *store = scratch_open(":memory:");
        assert_int_equal(scratch_put(store, cases[i].key, "{}"), ERR_NONE);
        assert_int_equal(erase_address(store, slice_of(cases[i].asked), &erased, &fault), ERR_NONE);
        assert_int_equal(erased.verdicts, cases[i].verdicts);
        store_close(store);
    }
}

static void what_is_no_address_is_told(void **state)
{
    (void)state;
    struct store_erased erased;
    struct fault fault;
    struct store *store = scratch_open(":memory:");
    assert_int_equal(erase_address(store, SLICE("jane doe@b.example"), &erased, &fault),
                     ERR_SYNTAX);
    assert_non_null(strstr(fault.text, "this is no address: column 5"));
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_that_share_answers_go_together),
        cmocka_unit_test(what_is_no_address_is_told),
    };
    return cmocka_run_group_tests_name("engine/erase", tests, NULL, NULL);
}
