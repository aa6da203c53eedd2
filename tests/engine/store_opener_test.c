/* engine/store_opener: what was named is there when it is taken, whenever it was named; what is wrong is told as store_open
 * tells it; what nobody takes is closed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/store_opener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/must.h"
#include "base/slice.h"

static void opens(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "s.db", path);
    const char *paths[] = {path, ":memory:"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct store_opener *opener = NULL;
        struct store *store = NULL;
        struct fault fault;
        bool is_ours = false;
        assert_int_equal(store_opener_start(&opener), ERR_NONE);
        if (i == 1) { /* who settles options for long */
            must(usleep(20000) == 0);
        }
        store_opener_open(opener, paths[i]);
        assert_int_equal(store_opener_take(opener, &store, &fault), ERR_NONE);
        store_opener_free(opener);
        assert_int_equal(store_claim_try(store, SLICE("key"), 1, &is_ours), ERR_NONE);
        assert_true(is_ours);
        assert_int_equal(store_flush(store, &fault), ERR_NONE);
        store_close(store);
    }
}

static void tells_what_is_wrong(void **state)
{
    struct store_opener *opener = NULL;
    struct store *store = NULL;
    struct fault fault = {.err = ERR_NONE};
    struct fault expected = {.err = ERR_NONE};
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "s.db", path);
    FILE *file = fopen(path, "we");
    must(file != NULL && fputs("This is no database, however long it is read.", file) >= 0 &&
         fclose(file) == 0);
    enum err e = store_open(path, &store, &expected);
    assert_int_not_equal(e, ERR_NONE);
    assert_int_equal(store_opener_start(&opener), ERR_NONE);
    store_opener_open(opener, path);
    assert_int_equal(store_opener_take(opener, &store, &fault), e);
    assert_string_equal(fault.text, expected.text);
    assert_null(store);
    store_opener_free(opener);
}

/* Options were wrong, or something else did not open. */
static void ends_untaken(void **state)
{
    struct store_opener *opener = NULL;
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "s.db", path);
    assert_int_equal(store_opener_start(&opener), ERR_NONE);
    store_opener_free(opener);
    assert_int_equal(store_opener_start(&opener), ERR_NONE);
    store_opener_open(opener, path);
    store_opener_free(opener);
    store_opener_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opens, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(tells_what_is_wrong, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(ends_untaken, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
