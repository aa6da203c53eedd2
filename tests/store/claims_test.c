/* Claims: of several processes that want one key at the same time, one gets it, until it gives it back or is
 * gone.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum { RACERS = 8, ROUNDS = 40, NOW_MS = 1000 };

static bool try_claim(struct store *store, const char *key, int64_t now_ms)
{
    bool is_mine = false;
    assert_int_equal(store_claim_try(store, slice_of(key), now_ms, &is_mine), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    return is_mine;
}

struct step_row {
    const char *name;
    enum {
        ONE_TRIES,
        TWO_TRIES,
        ONE_RELEASES,
        TWO_RELEASES,
        ONE_PUTS,
        ONE_FLUSHES,
        ONE_CLOSES
    } step;
    const char *key;
    int64_t now_ms;
    bool is_mine;    /* of a try */
    bool stays_open; /* the group of the first one is not flushed */
};

/* Two connections, one step after another. */
static const struct step_row step_rows[] = {
    {"the first one gets it", ONE_TRIES, "a", NOW_MS, true, false},
    {"the second one does not", TWO_TRIES, "a", NOW_MS, false, false},
    {"another key is free", TWO_TRIES, "b", NOW_MS, true, false},
    {"and then it is not", ONE_TRIES, "b", NOW_MS, false, false},
    {"the holder may have it again", ONE_TRIES, "a", NOW_MS, true, false},
    {"what is another's cannot be released", TWO_RELEASES, "a", 0, false, false},
    {"so it is still held", TWO_TRIES, "a", NOW_MS, false, false},
    {"released", ONE_RELEASES, "a", 0, false, false},
    {"twice does no harm", ONE_RELEASES, "a", 0, false, false},
    {"now the second one gets it", TWO_TRIES, "a", NOW_MS, true, false},
    {"and the first one does not", ONE_TRIES, "a", NOW_MS, false, false},
    {"a key with odd signs", ONE_TRIES, "'; DROP TABLE claim; --", NOW_MS, true, false},
    {"is one key", TWO_TRIES, "'; DROP TABLE claim; --", NOW_MS, false, false},
    {"one takes a key to keep", ONE_TRIES, "c", NOW_MS, true, false},
    {"it is held to the last moment", TWO_TRIES, "c", NOW_MS + STORE_CLAIM_LIFE_MS - 1, false,
     false},
    {"asked for again it lives on", ONE_TRIES, "c", NOW_MS + 500, true, false},
    {"so it is held here", TWO_TRIES, "c", NOW_MS + STORE_CLAIM_LIFE_MS, false, false},
    {"and not here", TWO_TRIES, "c", NOW_MS + STORE_CLAIM_LIFE_MS + 500, true, false},
    {"the old holder has lost it", ONE_TRIES, "c", NOW_MS + STORE_CLAIM_LIFE_MS + 501, false,
     false},
    {"and cannot release it", ONE_RELEASES, "c", 0, false, false},
    {"which changed nothing", ONE_TRIES, "c", NOW_MS + STORE_CLAIM_LIFE_MS + 502, false, false},
    {"a row is waiting to be written", ONE_PUTS, "x", 0, false, true},
    {"a claim joins it", ONE_TRIES, "d", NOW_MS, true, true},
    {"written", ONE_FLUSHES, "", 0, false, false},
    {"the second one sees both", TWO_TRIES, "d", NOW_MS, false, false},
    {"the verdict and", ONE_PUTS, "d", 0, false, true},
    {"the release in one group", ONE_RELEASES, "d", 0, false, true},
    {"not yet seen", TWO_TRIES, "d", NOW_MS, false, false},
    {"written", ONE_FLUSHES, "", 0, false, false},
    {"now it is free", TWO_TRIES, "d", NOW_MS, true, false},
    {"one more to keep", ONE_TRIES, "e", NOW_MS, true, false},
    {"the first one goes", ONE_CLOSES, "", 0, false, false},
    {"and leaves nothing claimed", TWO_TRIES, "e", NOW_MS, true, false},
};

static void claims_go_from_hand_to_hand(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *one = scratch_open(path);
    struct store *two = scratch_open(path);
    for (size_t i = 0; i < sizeof step_rows / sizeof step_rows[0]; i++) {
        const struct step_row *row = &step_rows[i];
        struct slice key = slice_of(row->key);
        bool is_mine = row->is_mine;
        enum err e = ERR_NONE;
        switch (row->step) {
        case ONE_TRIES: e = store_claim_try(one, key, row->now_ms, &is_mine); break;
        case TWO_TRIES: e = store_claim_try(two, key, row->now_ms, &is_mine); break;
        case ONE_RELEASES: e = store_claim_release(one, key); break;
        case TWO_RELEASES: e = store_claim_release(two, key); break;
        case ONE_PUTS: e = scratch_put(one, row->key, "{}"); break;
        case ONE_FLUSHES: e = store_flush(one, NULL); break;
        case ONE_CLOSES:
            store_close(one);
            one = NULL;
            break;
        }
        if (one != NULL && !row->stays_open && e == ERR_NONE) {
            e = store_flush(one, NULL);
        }
        if (e == ERR_NONE) {
            e = store_flush(two, NULL);
        }
        if (e != ERR_NONE || is_mine != row->is_mine) {
            fail_msg("%s: %s, %s", row->name, err_name(e), is_mine ? "mine" : "not mine");
        }
    }
    assert_true(scratch_has(two, "d", "{}"));
    store_close(two);
}

/* What is released in the group in which it was taken is never written; what is held is, with its last time. */
static void only_what_is_held_gets_a_row(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    bool is_mine;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    static const char *const keys[] = {"a@b", "c@b", "d@b"};
    assert_true(try_claim(store, "d@b", NOW_MS));
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM claim"), 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(store_claim_try(store, slice_of(keys[i]), NOW_MS + 1, &is_mine), ERR_NONE);
        assert_true(is_mine);
    }
    assert_int_equal(store_claim_try(store, SLICE("c@b"), NOW_MS + 2, &is_mine), ERR_NONE);
    assert_int_equal(store_claim_release(store, SLICE("a@b")), ERR_NONE);
    assert_int_equal(store_claim_release(store, SLICE("d@b")), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM claim"), 1);
    assert_int_equal(scratch_sql(path, "SELECT at FROM claim WHERE key='c@b'"), NOW_MS + 2);
    assert_int_equal(store_claim_release(store, SLICE("c@b")), ERR_NONE);
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM claim"), 0);
    store_close(store);
}

static void in_memory_all_is_ours(void **state)
{
    (void)state;
    struct store *store = scratch_open(":memory:");
    assert_true(try_claim(store, "a", NOW_MS));
    assert_true(try_claim(store, "a", NOW_MS));
    assert_int_equal(store_claim_release(store, SLICE("a")), ERR_NONE);
    store_close(store);
}

static size_t count_locks(void **state)
{
    size_t count = 0;
    DIR *entries = opendir(*state);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        count += strstr(entry->d_name, ".holder-") != NULL ? 1 : 0;
    }
    (void)closedir(entries);
    return count;
}

static int claim_and_die(const void *context, const struct scratch_ends *ends)
{
    struct store *store;
    bool is_mine = false;
    if (store_open(context, &store, NULL) != ERR_NONE ||
        store_claim_try(store, SLICE("a"), NOW_MS, &is_mine) != ERR_NONE ||
        store_claim_try(store, SLICE("b"), NOW_MS, &is_mine) != ERR_NONE || !is_mine ||
        store_flush(store, NULL) != ERR_NONE) {
        return 1;
    }
    scratch_tell_ready(ends);
    scratch_wait_go(ends);
    return kill(getpid(), SIGKILL);
}

/* The dead hold nothing, and what they left is cleared away, whether or not anybody asks for it. */
static void the_dead_hold_nothing(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct scratch_process child = scratch_start(claim_and_die, path);
    scratch_wait_ready(&child);
    assert_false(try_claim(store, "a", NOW_MS));
    assert_int_equal(count_locks(state), 2);
    scratch_tell_go(&child);
    assert_int_equal(scratch_finish(&child), 256 + SIGKILL);
    assert_true(try_claim(store, "a", NOW_MS));
    struct store *other = scratch_open(path);
    assert_false(try_claim(other, "a", NOW_MS));
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM claim"), 1);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM holder"), 2);
    assert_int_equal(count_locks(state), 2);
    store_close(store);
    store_close(other);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM claim"), 0);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM holder"), 0);
    assert_int_equal(count_locks(state), 0);
}

/* For each key: who gets the claim looks whether it was probed already, "probes" by adding a row to the
 * history, puts the verdict and lets go; who does not get it waits for the verdict. */
static bool probe_once(struct store *store, const char *key)
{
    struct store_fact fact = {
        .key = slice_of(key), .kind = SLICE_LITERAL("probe"), .at_ms = NOW_MS};
    for (;;) {
        bool is_mine = false;
        if (scratch_has(store, key, "{}")) {
            return true;
        }
        if (store_claim_try(store, fact.key, NOW_MS, &is_mine) != ERR_NONE) {
            return false;
        }
        if (is_mine && scratch_has(store, key, "{}")) {
            return store_claim_release(store, fact.key) == ERR_NONE &&
                   store_flush(store, NULL) == ERR_NONE;
        }
        if (is_mine) {
            (void)usleep(500);
            return store_fact_put(store, &fact) == ERR_NONE &&
                   scratch_put(store, key, "{}") == ERR_NONE &&
                   store_claim_release(store, fact.key) == ERR_NONE &&
                   store_flush(store, NULL) == ERR_NONE;
        }
        (void)usleep(200);
    }
}

static int race(const void *context, const struct scratch_ends *ends)
{
    struct store *store;
    if (store_open(context, &store, NULL) != ERR_NONE) {
        return 1;
    }
    scratch_tell_ready(ends);
    scratch_wait_go(ends);
    for (int i = 0; i < ROUNDS; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%d@b", i);
        if (!probe_once(store, key)) {
            return 2;
        }
        if (i == ROUNDS / 2 && getpid() % 4 == 0) {
            return kill(getpid(), SIGKILL);
        }
    }
    store_close(store);
    return 0;
}

static void asked_by_many_at_once_each_key_is_probed_once(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct scratch_process children[RACERS];
    scratch_path(state, "x.db", path);
    store_close(scratch_open(path));
    for (size_t i = 0; i < RACERS; i++) {
        children[i] = scratch_start(race, path);
        scratch_wait_ready(&children[i]);
    }
    for (size_t i = 0; i < RACERS; i++) {
        scratch_tell_go(&children[i]);
    }
    for (size_t i = 0; i < RACERS; i++) {
        int code = scratch_finish(&children[i]);
        assert_true(code == 0 || code == 256 + SIGKILL);
    }
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM fact"), ROUNDS);
    assert_int_equal(scratch_sql(path, "SELECT count(DISTINCT key) FROM fact"), ROUNDS);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(claims_go_from_hand_to_hand),
        IN_FOLDER(only_what_is_held_gets_a_row),
        cmocka_unit_test(in_memory_all_is_ours),
        IN_FOLDER(the_dead_hold_nothing),
        IN_FOLDER(asked_by_many_at_once_each_key_is_probed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
