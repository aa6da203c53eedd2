/* What is older than its retention goes, in turns, about once a day.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/upkeep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/slice.h"
#include "store/signals.h"

enum { FACTS = 3000, SIGNALS = 1200, DAY_MS = 86400000 };

static void put_facts(struct store *store, int64_t at_ms, unsigned count)
{
    struct fault fault;
    for (unsigned i = 0; i < count; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "user%u@d.example", i);
        const struct store_fact fact = {.key = slice_of(key),
                                        .domain = SLICE("d.example"),
                                        .kind = SLICE("probe"),
                                        .source = SLICE("default"),
                                        .detail = SLICE("accepted"),
                                        .at_ms = at_ms};
        assert_int_equal(store_fact_put(store, &fact), ERR_NONE);
    }
    assert_int_equal(store_flush(store, &fault), ERR_NONE);
}

static struct store_retention facts_before(int64_t before_ms)
{
    return (struct store_retention){
        .verdicts_before_ms = INT64_MIN, .facts_before_ms = before_ms, .jobs_before_ms = INT64_MIN};
}

static void old_facts_go_and_young_ones_stay(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "store.db", path);
    struct desk desk = {.store = scratch_open(path)};
    struct upkeep upkeep = {.began_at_ms = 0};
    const int64_t now_ms = INT64_C(100) * DAY_MS;
    put_facts(desk.store, now_ms - 50 * INT64_C(1) * DAY_MS, FACTS);
    put_facts(desk.store, now_ms - DAY_MS, 10);
    const struct store_retention retention = facts_before(now_ms - 30 * INT64_C(1) * DAY_MS);
    for (int turn = 0; turn < 100 && !upkeep.sweep.is_done; turn++) {
        upkeep_turn(&upkeep, &desk, now_ms + turn * 1000, &retention);
        assert_int_equal(upkeep.fault.err, ERR_NONE);
    }
    assert_true(upkeep.sweep.is_done);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM fact"), 10);
    store_close(desk.store);
}

static void a_round_begins_a_day_after_the_last_one(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "store.db", path);
    struct desk desk = {.store = scratch_open(path)};
    struct upkeep upkeep = {.began_at_ms = 0};
    int64_t now_ms = INT64_C(100) * DAY_MS;
    struct store_retention retention = facts_before(now_ms);
    upkeep_turn(&upkeep, &desk, now_ms, &retention);
    assert_true(upkeep.sweep.is_done);
    put_facts(desk.store, now_ms - 1, 5);
    upkeep_turn(&upkeep, &desk, now_ms + DAY_MS - 1, &retention);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM fact"), 5);
    upkeep_turn(&upkeep, &desk, now_ms + DAY_MS, &retention);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM fact"), 0);
    store_close(desk.store);
}

static void what_is_kept_for_good_stays(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "store.db", path);
    struct desk desk = {.store = scratch_open(path)};
    struct upkeep upkeep = {.began_at_ms = 0};
    const struct store_retention retention = facts_before(INT64_MIN);
    put_facts(desk.store, 1, 5);
    upkeep_turn(&upkeep, &desk, INT64_C(100) * DAY_MS, &retention);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM fact"), 5);
    store_close(desk.store);
}

static void what_services_said_goes_when_its_life_is_over(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault;
    scratch_path(state, "store.db", path);
    struct desk desk = {.store = scratch_open(path)};
    struct upkeep upkeep = {.began_at_ms = 0};
    const struct store_retention retention = facts_before(INT64_MIN);
    const int64_t now_ms = INT64_C(100) * DAY_MS;
    for (unsigned i = 0; i < SIGNALS; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "user%u@d.example", i);
        const struct store_signal signal = {.key = slice_of(key),
                                            .service = SLICE("gravatar"),
                                            .at_ms = now_ms - DAY_MS,
                                            .expires_at_ms = now_ms + (i < 3 ? 1 : 0)};
        assert_int_equal(store_signal_put(desk.store, &signal), ERR_NONE);
    }
    assert_int_equal(store_flush(desk.store, &fault), ERR_NONE);
    for (int turn = 0; turn < 10 && !upkeep.are_signals_done; turn++) {
        upkeep_turn(&upkeep, &desk, now_ms, &retention);
        assert_int_equal(upkeep.fault.err, ERR_NONE);
    }
    assert_true(upkeep.are_signals_done);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM signal"), 3);
    store_close(desk.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(old_facts_go_and_young_ones_stay, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(a_round_begins_a_day_after_the_last_one, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(what_is_kept_for_good_stays, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(what_services_said_goes_when_its_life_is_over, scratch_make,
                                        scratch_remove),
    };
    return cmocka_run_group_tests_name("engine/upkeep", tests, NULL, NULL);
}
