/* engine/list_shelf: who holds an edition reads on in it while others are put; the next look goes over to the newest, and
 * what nobody holds is freed (the sanitizers would say so). With threads that read as fast as editions come.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/list_shelf.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

enum { TEXT_BYTES = 64, READERS = 4, EDITIONS = 300 };

/* An edition whose only entry tells its number. */
static void put(struct list_shelf *shelf, unsigned number, int64_t changed_at_ms)
{
    char text[TEXT_BYTES];
    struct arena texts;
    struct address_list_source source = {.name = SLICE("free.txt")};
    struct address_lists *lists = NULL;
    struct fault fault;
    int len = snprintf(text, sizeof text, "d%u.example\n", number);
    arena_init(&texts, 1 << 16);
    must(arena_copy(&texts, slice_make(text, (size_t)len), &source.text) == ERR_NONE);
    must(address_lists_load(&source, 1, &lists, &fault) == ERR_NONE);
    must(list_shelf_put(shelf, lists, &texts) == ERR_NONE);
    assert_int_equal(list_shelf_changed_at_ms(shelf),
                     INT64_MAX); /* until it is known, all is older */
    list_shelf_date(shelf, changed_at_ms);
}

static bool has(const struct list_reader *reader, unsigned number)
{
    char word[TEXT_BYTES];
    struct list_match match;
    int len = snprintf(word, sizeof word, "d%u.example", number);
    return list_match(list_reader_lists(reader), LIST_FREE, slice_make(word, (size_t)len), &match);
}

static void reads_on_until_it_looks(void **state)
{
    (void)state;
    struct list_shelf *shelf = NULL;
    assert_int_equal(list_shelf_new(&shelf), ERR_NONE);
    struct list_reader reader = {.shelf = shelf};
    assert_false(list_reader_renew(&reader));
    assert_null(list_reader_lists(&reader));
    assert_null(list_shelf_lists(shelf));
    assert_int_equal(list_reader_number(&reader), 0);
    put(shelf, 1, 0);
    assert_true(list_reader_renew(&reader));
    assert_true(has(&reader, 1));
    put(shelf, 2, 500);
    put(shelf, 3, 700);
    assert_true(has(&reader, 1) && !has(&reader, 3));
    assert_int_equal(list_shelf_changed_at_ms(shelf), 700);
    assert_true(list_reader_renew(&reader));
    assert_true(has(&reader, 3) && !has(&reader, 1));
    assert_int_equal(list_reader_number(&reader), 3);
    assert_int_equal(list_reader_changed_at_ms(&reader), 700);
    list_reader_done(&reader);
    list_reader_done(&reader);
    list_shelf_free(shelf);
    list_shelf_free(NULL);
}

/* Numbers are given once, so that nobody takes what comes later for what was there before. */
static void is_empty_after_it_was_cleared(void **state)
{
    (void)state;
    struct list_shelf *shelf = NULL;
    assert_int_equal(list_shelf_new(&shelf), ERR_NONE);
    struct list_reader reader = {.shelf = shelf};
    list_shelf_clear(shelf);
    put(shelf, 1, 0);
    assert_true(list_reader_renew(&reader));
    list_shelf_clear(shelf);
    list_shelf_clear(shelf);
    assert_null(list_shelf_lists(shelf));
    assert_true(has(&reader, 1));
    assert_false(list_reader_renew(&reader));
    assert_null(list_reader_lists(&reader));
    put(shelf, 2, 0);
    assert_true(list_reader_renew(&reader));
    assert_true(has(&reader, 2));
    assert_int_equal(list_reader_number(&reader), 2);
    list_shelf_clear(shelf);
    put(shelf, 3, 0);
    assert_true(list_reader_renew(&reader));
    assert_true(has(&reader, 3));
    assert_int_equal(list_reader_number(&reader), 3);
    list_reader_done(&reader);
    list_shelf_free(shelf);
}

struct contest {
    struct list_shelf *shelf;
    atomic_bool is_over;
};

/* Numbers only go up, and an edition's content is that of its number. */
static void *read_on(void *context)
{
    struct contest *contest = context;
    struct list_reader reader = {.shelf = contest->shelf};
    uint64_t before = 0;
    bool is_good = true;
    while (!atomic_load(&contest->is_over)) {
        is_good = is_good && list_reader_renew(&reader);
        uint64_t number = list_reader_number(&reader);
        is_good = is_good && number >= before && has(&reader, (unsigned)number);
        before = number;
    }
    list_reader_done(&reader);
    return is_good ? contest : NULL;
}

static void many_read_while_others_are_put(void **state)
{
    (void)state;
    struct contest contest = {.shelf = NULL};
    pthread_t threads[READERS];
    assert_int_equal(list_shelf_new(&contest.shelf), ERR_NONE);
    put(contest.shelf, 1, 0);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &contest), 0);
    }
    for (unsigned number = 2; number <= EDITIONS; number++) {
        put(contest.shelf, number, number);
    }
    atomic_store(&contest.is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
    list_shelf_free(contest.shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_on_until_it_looks),
        cmocka_unit_test(is_empty_after_it_was_cleared),
        cmocka_unit_test(many_read_while_others_are_put),
    };
    return cmocka_run_group_tests_name("engine/list_shelf", tests, NULL, NULL);
}
