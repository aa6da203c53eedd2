/* The queue and the table of those that wait, each against a plain array.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "engine/park_private.h"
#include "fail_alloc.h"

enum { MEMBERS = 300, STEPS = 20000, TIMES = 50, HASHES = 40 };

static void members_new(struct parked *members[MEMBERS])
{
    for (size_t i = 0; i < MEMBERS; i++) {
        members[i] = calloc(1, sizeof *members[i]);
        assert_non_null(members[i]);
    }
}

static void members_free(struct parked *members[MEMBERS])
{
    for (size_t i = 0; i < MEMBERS; i++) {
        free(members[i]);
    }
}

/* Members come, go from the middle, and leave in front, where the earliest stands. */
static void the_earliest_is_in_front(void **state)
{
    (void)state;
    struct random random = {.state = 5};
    struct parked *members[MEMBERS];
    struct park_queue queue = {.count = 0};
    uint32_t count = 0;
    fail_alloc_at(0);
    members_new(members);
    for (unsigned step = 0; step < STEPS; step++) {
        struct parked *member = members[random_below(&random, MEMBERS)];
        if (member->place == 0) {
            member->due_ms = random_below(&random, TIMES);
            assert_int_equal(park_queue_reserve(&queue), ERR_NONE);
            park_queue_put(&queue, member);
            count++;
        } else {
            park_queue_remove(&queue, step % 2 == 0 ? member : queue.at[0]);
            count--;
        }
        assert_int_equal(queue.count, count);
        uint64_t least = UINT64_MAX;
        for (size_t i = 0; i < MEMBERS; i++) {
            assert_int_equal(park_queue_has(&queue, members[i]), members[i]->place != 0);
            bool is_less = members[i]->place != 0 && members[i]->due_ms < least;
            least = is_less ? members[i]->due_ms : least;
        }
        assert_true(count == 0 || queue.at[0]->due_ms == least);
    }
    while (queue.count > 0) {
        uint64_t due_ms = queue.at[0]->due_ms;
        park_queue_remove(&queue, queue.at[0]);
        assert_true(queue.count == 0 || queue.at[0]->due_ms >= due_ms);
    }
    members_free(members);
    assert_int_equal(fail_alloc_end(), 0); /* an empty one holds nothing */
}

static unsigned find_all(const struct park_table *table, uint32_t hash, const struct parked *wanted)
{
    unsigned times = 0;
    uint32_t cursor = hash;
    for (const struct parked *found = park_table_find(table, hash, &cursor); found != NULL;
         found = park_table_find(table, hash, &cursor)) {
        assert_int_equal(found->hash, hash);
        times += found == wanted ? 1 : 0;
    }
    return times;
}

/* Few hashes for many: runs are long, and wrap around. */
static void each_is_found_by_its_hash(void **state)
{
    (void)state;
    struct random random = {.state = 6};
    struct parked *members[MEMBERS];
    struct park_table table = {.seed = 1};
    uint32_t count = 0;
    fail_alloc_at(0);
    members_new(members);
    for (unsigned step = 0; step < STEPS; step++) {
        size_t i = random_below(&random, MEMBERS);
        if (members[i]->place == 0) {
            members[i]->place = 1;
            members[i]->hash = UINT32_MAX - random_below(&random, HASHES);
            assert_int_equal(park_table_reserve(&table), ERR_NONE);
            park_table_put(&table, members[i]);
            count++;
        } else {
            members[i]->place = 0;
            park_table_remove(&table, members[i]);
            count--;
        }
        assert_int_equal(table.count, count);
        size_t seen = random_below(&random, MEMBERS);
        assert_int_equal(find_all(&table, members[seen]->hash, members[seen]),
                         members[seen]->place);
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i]->place != 0) {
            assert_int_equal(find_all(&table, members[i]->hash, members[i]), 1);
            park_table_remove(&table, members[i]);
        }
    }
    members_free(members);
    assert_int_equal(fail_alloc_end(), 0);
}

static void the_hash_is_of_the_key(void **state)
{
    (void)state;
    struct park_table table = {.seed = 1}, other = {.seed = 2};
    uint32_t hash = park_table_hash(&table, SLICE("jane@d.test"));
    assert_int_equal(park_table_hash(&table, SLICE("jane@d.test")), hash);
    assert_int_not_equal(park_table_hash(&other, SLICE("jane@d.test")), hash);
    uint32_t cursor = hash;
    assert_null(park_table_find(&table, hash, &cursor));
}

static void memory_may_fail(void **state)
{
    (void)state;
    struct park_queue queue = {.count = 0};
    struct park_table table = {.seed = 1};
    fail_alloc_at(1);
    assert_int_equal(park_queue_reserve(&queue), ERR_NOMEM);
    fail_alloc_at(1);
    assert_int_equal(park_table_reserve(&table), ERR_NOMEM);
    assert_int_equal(fail_alloc_end(), 0);
    park_queue_done(&queue);
    park_table_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_is_in_front),
        cmocka_unit_test(each_is_found_by_its_hash),
        cmocka_unit_test(the_hash_is_of_the_key),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
