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

#include <sqlite3.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/must.h"
#include "base/slice.h"
#include "net/uv_door.h"

static struct door *open_door(void)
{
    const struct uv_door_config config = {.resolver_count = 0};
    struct door *door = NULL;
    struct fault fault;
    assert_int_equal(uv_door_open(&config, &door, &fault), ERR_NONE);
    return door;
}

static void opens(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "s.db", path);
    const char *paths[] = {path, ":memory:"};
    struct door *door = open_door();
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
        assert_int_equal(store_opener_take(opener, door, &store, &fault), ERR_NONE);
        store_opener_free(opener);
        assert_int_equal(store_claim_try(store, SLICE("key"), 1, &is_ours), ERR_NONE);
        assert_true(is_ours);
        assert_int_equal(store_flush(store, &fault), ERR_NONE);
        store_close(store);
    }
    uv_door_close(door);
}

/* Somebody has the file for himself, until the loop that runs meanwhile lets it go. */
struct lock {
    sqlite3 *db;
    struct timer timer;
    unsigned fired;
};

static void on_timer(void *context)
{
    struct lock *lock = context;
    lock->fired++;
    assert_int_equal(sqlite3_exec(lock->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
}

static void the_loop_runs_meanwhile(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "s.db", path);
    struct lock lock = {.timer = {.fired = on_timer, .context = &lock}};
    assert_int_equal(sqlite3_open(path, &lock.db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(lock.db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    struct door *door = open_door();
    struct store_opener *opener = NULL;
    struct store *store = NULL;
    struct fault fault;
    assert_int_equal(store_opener_start(&opener), ERR_NONE);
    store_opener_open(opener, path);
    door_timer_start(door, &lock.timer, door_now_ms(door) + 50);
    assert_int_equal(store_opener_take(opener, door, &store, &fault), ERR_NONE);
    assert_int_equal(lock.fired, 1);
    store_opener_free(opener);
    store_close(store);
    assert_int_equal(sqlite3_close(lock.db), SQLITE_OK);
    uv_door_close(door);
}

/* A stop that was meant for the loop (a signal) ends neither the waiting nor the next run. */
static void on_stop(void *context)
{
    door_stop(context);
}

static void a_stop_does_not_end_the_waiting(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "s.db", path);
    for (int i = 0; i < 20; i++) {
        struct door *door = open_door();
        struct timer timer = {.fired = on_stop, .context = door};
        struct store_opener *opener = NULL;
        struct store *store = NULL;
        struct fault fault;
        assert_int_equal(store_opener_start(&opener), ERR_NONE);
        store_opener_open(opener, path);
        door_timer_start(door, &timer, door_now_ms(door));
        assert_int_equal(store_opener_take(opener, door, &store, &fault), ERR_NONE);
        assert_non_null(store);
        store_opener_free(opener);
        store_close(store);
        uv_door_close(door);
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
    struct door *door = open_door();
    assert_int_equal(store_opener_take(opener, door, &store, &fault), e);
    uv_door_close(door);
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
        cmocka_unit_test_setup_teardown(the_loop_runs_meanwhile, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_stop_does_not_end_the_waiting, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(tells_what_is_wrong, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(ends_untaken, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
