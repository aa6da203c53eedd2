/* SPDX-License-Identifier: Apache-2.0 */
#include "store/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

static void put(struct store *store, const char *key, const char *service, int64_t expires_at_ms)
{
    const struct store_signal signal = {.key = slice_of(key),
                                        .service = slice_of(service),
                                        .result = 1,
                                        .number = 7,
                                        .at_ms = 100,
                                        .expires_at_ms = expires_at_ms};
    assert_int_equal(store_signal_put(store, &signal), ERR_NONE);
}

static bool has(struct store *store, const char *key, const char *service, int64_t now_ms)
{
    struct store_signal signal = {.key = slice_of(key), .service = slice_of(service)};
    bool is_found = store_signal_find(store, now_ms, &signal);
    assert_true(!is_found || (signal.result == 1 && signal.number == 7 && signal.at_ms == 100));
    return is_found;
}

static void answers_live_and_die(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    size_t count;
    put(store, "a@b", "hibp", 200);
    put(store, "a@b", "gravatar", 300);
    put(store, "b", "rdap", 200);
    assert_true(has(store, "a@b", "hibp", 199));
    assert_false(has(store, "a@b", "hibp", 200));
    assert_false(has(store, "a@b", "rdap", 150));
    assert_false(has(store, "c@b", "hibp", 150));
    put(store, "a@b", "hibp", 250); /* said anew */
    assert_true(has(store, "a@b", "hibp", 200));
    assert_int_equal(store_signal_prune(store, 200, 9, &count), ERR_NONE);
    assert_int_equal(count, 1);
    assert_false(has(store, "b", "rdap", 150));
    assert_int_equal(store_signal_erase(store, SLICE("a@b"), &count), ERR_NONE);
    assert_int_equal(count, 2);
    assert_false(has(store, "a@b", "hibp", 150));
    assert_false(has(store, "a@b", "gravatar", 150));
    store_close(store);
}

static void what_a_wrong_clock_wrote_is_not_believed(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    struct store_signal signal = {.key = SLICE("a@b"),
                                  .service = SLICE("hibp"),
                                  .at_ms = INT64_C(86400001) * 2,
                                  .expires_at_ms = INT64_MAX};
    assert_int_equal(store_signal_put(store, &signal), ERR_NONE);
    assert_false(store_signal_find(store, 86400001, &signal));
    assert_true(store_signal_find(store, 86400002, &signal));
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_live_and_die),
        cmocka_unit_test(what_a_wrong_clock_wrote_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
