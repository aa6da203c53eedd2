/* engine/queries: so many at once, aliases followed, each told once, and none after the queue was dropped.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/queries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../sim/zone_lines.h"
#include "base/slice.h"
#include "sim/world.h"

enum { TEXT_BYTES = 1024, AT_ONCE = 2 };

struct stage {
    struct world *world;
    struct queries queries;
    char told[TEXT_BYTES]; /* a line for each answer */
    unsigned over;
};

static void over(void *owner)
{
    ((struct stage *)owner)->over++;
}

static void open_stage(const char *zone, struct stage *stage)
{
    const struct world_config config = {.seed = 3};
    *stage = (struct stage){.over = 0};
    assert_int_equal(world_new(&config, &stage->world), ERR_NONE);
    zone_add_lines(world_zone(stage->world), zone, NULL);
    queries_init(&stage->queries, world_door(stage->world), AT_ONCE, stage, over);
}

static void run_ms(struct stage *stage, uint64_t ms)
{
    world_run_until(stage->world, door_now_ms(world_door(stage->world)) + ms);
}

static void note(struct stage *stage, const char *line)
{
    size_t len = strlen(stage->told);
    (void)snprintf(stage->told + len, sizeof stage->told - len, "%s\n", line);
}

static void take_answer(void *owner, void *subject, size_t index, const char *asked,
                        const struct dns_answer *answer)
{
    char line[TEXT_BYTES / 2];
    (void)snprintf(line, sizeof line, "%s %zu %s kind %d name %s aliases %u", (const char *)subject,
                   index, asked, (int)answer->kind, answer->name, answer->aliases);
    note(owner, line);
}

static void take_message(void *owner, void *subject, size_t index, enum dns_transport transport,
                         struct slice message)
{
    char line[TEXT_BYTES / 2];
    (void)snprintf(line, sizeof line, "%s %zu transport %d%s", (const char *)subject, index,
                   (int)transport, message.len > 0 ? " with a message" : "");
    note(owner, line);
}

static char x[] = "x"; /* a subject */

static void put(struct stage *stage, const char *name, size_t index)
{
    assert_true(queries_put(&stage->queries, slice_of(name), DNS_A, take_answer, x, index));
}

/* Names are asked in lower case; aliases are followed, and a loop of them is no answer. */
static void test_answers(void **state)
{
    (void)state;
    struct stage stage;
    open_stage("a.test A 192.0.2.1\nalias.test CNAME a.test\n"
               "1.test CNAME 2.test\n2.test CNAME 1.test\nslow.test FAIL timeout\n",
               &stage);
    put(&stage, "A.Test", 1);
    put(&stage, "alias.test", 2);
    put(&stage, "none.test", 3);
    put(&stage, "1.test", 4);
    run_ms(&stage, 1000);
    assert_string_equal(stage.told, "x 1 a.test kind 1 name a.test aliases 0\n"
                                    "x 2 alias.test kind 1 name a.test aliases 1\n"
                                    "x 3 none.test kind 2 name none.test aliases 0\n"
                                    "x 4 1.test kind 5 name 2.test aliases 9\n");
    assert_int_equal(stage.over, 4);
    assert_int_equal(stage.queries.begun, 4);
    queries_drop(&stage.queries);
    world_free(stage.world);
}

/* What a machine reads itself comes as it is, with how it fared on its way. */
static void test_messages(void **state)
{
    (void)state;
    struct stage stage;
    open_stage("a.test A 192.0.2.1\n1.test CNAME 2.test\n2.test CNAME 1.test\n"
               "slow.test FAIL timeout\n",
               &stage);
    static const char *const names[] = {"a.test", "1.test", "slow.test"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(
            queries_put_plain(&stage.queries, slice_of(names[i]), DNS_A, take_message, x, i));
    }
    run_ms(&stage, 10000);
    assert_string_equal(stage.told, "x 0 transport 0 with a message\n"
                                    "x 1 transport 0 with a message\nx 2 transport 1\n");
    assert_int_equal(stage.over, 3);
    world_free(stage.world);
}

/* No more than so many are under way; the others wait for them. */
static void test_at_once(void **state)
{
    (void)state;
    struct stage stage;
    struct world_counts counts;
    open_stage("* FAIL timeout\n", &stage);
    for (size_t i = 0; i < 5; i++) {
        put(&stage, "a.test", i);
    }
    for (unsigned round = 1; round <= 3; round++) {
        world_count(stage.world, &counts);
        assert_int_equal(counts.queries, round < 3 ? AT_ONCE * round : 5);
        assert_true(stage.queries.sent <= AT_ONCE);
        run_ms(&stage, 5000);
    }
    assert_int_equal(stage.over, 5);
    world_free(stage.world);
}

/* Neither those that wait nor those under way tell anything; what cannot be asked is said at once. */
static void test_dropped(void **state)
{
    (void)state;
    struct stage stage;
    char name[DNS_NAME_BYTES + 1];
    open_stage("a.test A 192.0.2.1\n", &stage);
    memset(name, 'n', sizeof name);
    assert_false(
        queries_put(&stage.queries, slice_make(name, DNS_NAME_BYTES), DNS_A, take_answer, x, 0));
    assert_false(queries_put_plain(&stage.queries, slice_make(name, sizeof name), DNS_A,
                                   take_message, x, 0));
    for (size_t i = 0; i < 5; i++) {
        put(&stage, "a.test", i);
    }
    queries_drop(&stage.queries);
    run_ms(&stage, 10000);
    assert_string_equal(stage.told, "");
    assert_int_equal(stage.over, 0);
    world_free(stage.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
