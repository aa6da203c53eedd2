/* Results on their way into the file: read back at any moment, written in the order of the list, gone with their group.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum { ITEMS = 200, TEXT_BYTES = 64, LONG_BYTES = 1 << 20, LONG_ITEMS = 9 };

struct turns {
    uint64_t ids[ITEMS];
    char keys[ITEMS][TEXT_BYTES];
    size_t count;
};

static void note(void *context, const struct store_item *item)
{
    struct turns *turns = context;
    assert_true(turns->count < ITEMS && item->key.len < TEXT_BYTES);
    turns->ids[turns->count] = item->id;
    (void)snprintf(turns->keys[turns->count++], TEXT_BYTES, "%.*s", SLICE_ARG(item->key));
}

static struct turns left(struct store_job *job)
{
    struct turns turns = {.count = 0};
    uint64_t cursor = 0;
    size_t count;
    assert_int_equal(store_job_next(job, &cursor, ITEMS, note, &turns, &count), ERR_NONE);
    return turns;
}

/* A list whose domains are mixed, so that its order is not that in which it is asked. */
static struct store_job *load(struct store *store, const char *fingerprint, unsigned items)
{
    struct store_job *job;
    struct fault fault;
    uint64_t count;
    const struct store_job_name name = {.fingerprint = slice_of(fingerprint)};
    assert_int_equal(store_job_open(store, &name, 1, &job, &fault), ERR_NONE);
    for (unsigned i = 0; i < items; i++) {
        char key[TEXT_BYTES];
        (void)snprintf(key, sizeof key, "%u@%u.example", i, i % 7);
        struct slice domain = slice_of(strchr(key, '@') + 1);
        assert_int_equal(store_job_add(job, slice_of(key), slice_of(key), domain), ERR_NONE);
    }
    assert_int_equal(store_job_loaded(job, &count, &fault), ERR_NONE);
    assert_int_equal(count, items);
    return job;
}

static void put(struct store_job *job, uint64_t turn, const char *text)
{
    assert_int_equal(store_job_result_put(job, turn, SLICE("valid"), slice_of(text)), ERR_NONE);
}

static void check(struct store_job *job, const char *key, const char *text)
{
    struct buf found;
    buf_init(&found, TEXT_BYTES);
    assert_int_equal(store_job_result_find(job, slice_of(key), &found), text[0] != '\0');
    assert_true(slice_equal(buf_view(&found), slice_of(text)));
    buf_done(&found);
}

static void count_valid(void *context, struct slice status, uint64_t count)
{
    assert_true(slice_equal(status, SLICE("valid")));
    *(uint64_t *)context += count;
}

static void each_group_is_in_the_order_of_the_list(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = load(store, "f", ITEMS);
    struct turns turns = left(job);
    assert_int_equal(turns.count, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) { /* in two groups */
        put(job, turns.ids[i], turns.keys[i]);
        if (i == ITEMS / 2 - 1) {
            assert_int_equal(store_flush(store, NULL), ERR_NONE);
        }
    }
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_result"), ITEMS);
    assert_int_equal(scratch_sql(path,
                                 "SELECT count(*) FROM (SELECT t.item-lag(t.item) OVER (ORDER BY"
                                 " r.id) AS step FROM job_result r JOIN job_turn t"
                                 " ON t.result=r.id) WHERE step<0"),
                     1);
    for (size_t i = 0; i < ITEMS; i++) {
        check(job, turns.keys[i], turns.keys[i]);
    }
    store_job_close(job);
    store_close(store);
}

static void what_waits_is_seen(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault;
    uint64_t valid = 0;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = load(store, "f", ITEMS);
    struct turns turns = left(job);
    put(job, turns.ids[3], "three");
    assert_int_equal(left(job).count, ITEMS - 1);
    put(job, turns.ids[4], "four");
    check(job, turns.keys[4], "four");
    check(job, turns.keys[5], "");
    put(job, turns.ids[5], "five");
    assert_int_equal(store_job_count_statuses(job, count_valid, &valid), ERR_NONE);
    assert_int_equal(valid, 3);
    put(job, turns.ids[6], "six");
    struct store_job *other;
    assert_int_equal(store_job_look(store, store_job_info(job).id, &other, &fault), ERR_NONE);
    assert_int_equal(store_job_info(other).done_count, 4);
    store_job_close(other);
    put(job, turns.ids[7], "seven"); /* closed without a flush */
    store_job_close(job);
    store_close(store);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_turn WHERE result<>0"), 5);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_result"), 5);
}

/* The newer one counts, and the older one leaves nothing behind. */
static void one_that_comes_again(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = load(store, "f", ITEMS);
    struct turns turns = left(job);
    put(job, turns.ids[0], "first");
    put(job, turns.ids[1], "beside");
    put(job, turns.ids[0], "second");
    check(job, turns.keys[0], "second");
    put(job, turns.ids[0], "third");
    check(job, turns.keys[0], "third");
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    put(job, turns.ids[0], "fourth");
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    check(job, turns.keys[0], "fourth");
    check(job, turns.keys[1], "beside");
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_result"), 2);
    store_job_close(job);
    store_close(store);
}

/* More than is gathered. */
static void long_ones(void **state)
{
    static char text[LONG_BYTES + 1];
    char path[SCRATCH_PATH_BYTES];
    struct buf found;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *job = load(store, "f", LONG_ITEMS);
    struct turns turns = left(job);
    for (size_t i = 0; i < LONG_ITEMS; i++) {
        memset(text, 'a' + (int)i, LONG_BYTES);
        put(job, turns.ids[i], text);
    }
    buf_init(&found, LONG_BYTES);
    for (size_t i = 0; i < LONG_ITEMS; i++) {
        buf_clear(&found);
        assert_true(store_job_result_find(job, slice_of(turns.keys[i]), &found));
        assert_int_equal(found.len, LONG_BYTES);
        assert_true(found.at[0] == 'a' + (int)i && found.at[LONG_BYTES - 1] == found.at[0]);
    }
    buf_done(&found);
    store_job_close(job);
    store_close(store);
}

/* Results of another job stay where one goes, also those that wait. */
static void each_job_has_its_own(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    struct fault fault;
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *goes = load(store, "goes", ITEMS);
    struct store_job *stays = load(store, "stays", ITEMS);
    struct turns of_one = left(goes);
    struct turns of_other = left(stays);
    put(goes, of_one.ids[0], "one");
    put(stays, of_other.ids[0], "other");
    put(goes, of_one.ids[1], "one");
    assert_int_equal(left(goes).count, ITEMS - 2);
    put(stays, of_other.ids[1], "other");
    assert_int_equal(store_job_end(goes, STORE_JOB_DONE, 1, &fault), ERR_NONE);
    assert_int_equal(scratch_sql(path, "SELECT count(*) FROM job_result"), 2);
    check(stays, of_other.keys[0], "other");
    check(stays, of_other.keys[1], "other");
    store_job_close(stays);
    store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(each_group_is_in_the_order_of_the_list),
        IN_FOLDER(what_waits_is_seen),
        IN_FOLDER(one_that_comes_again),
        IN_FOLDER(long_ones),
        IN_FOLDER(each_job_has_its_own),
    };
    return cmocka_run_group_tests_name("store/results", tests, NULL, NULL);
}
