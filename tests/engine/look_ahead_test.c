/* knocker_look_ahead on the virtual clock: whose domain is looked up before it is asked is not looked up again; what the
 * store knows of the domain counts though it came later; nothing is lost where nobody asks.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "engine/knocker.h"
#include "known.h"
#include "sim/peer.h"
#include "sim/world.h"
#include "store/store.h"

enum { LOOK_UP_MS = 1000 };

struct play {
    struct world *world;
    struct knocker *knocker;
    struct peer_script script;
    struct store *store;
    unsigned answered;
    enum verdict_sub sub; /* of the last answer */
};

static const char *mailbox(const void *context, struct slice path)
{
    (void)context;
    return slice_starts(path, SLICE("live")) ? "" : "550 5.1.1 No such user here";
}

static void begin(struct play *play)
{
    struct knocker_config config;
    knocker_config_init(&config);
    config.is_budget_wall_clock = false;
    play->answered = 0;
    assert_int_equal(knocker_new(world_door(play->world), known(), &config, NULL, &play->knocker),
                     ERR_NONE);
}

static void play_init(struct play *play)
{
    *play = (struct play){.script = {.mailbox = mailbox}};
    const struct world_config config = {.seed = 4};
    const struct world_host host = {.ip = "5.9.1.1", .script = &play->script};
    assert_int_equal(world_new(&config, &play->world), ERR_NONE);
    struct zone *zone = world_zone(play->world);
    assert_int_equal(world_host_add(play->world, &host), ERR_NONE);
    assert_int_equal(zone_add(zone, "mx.test", DNS_A, host.ip, 0), ERR_NONE);
    assert_int_equal(zone_add(zone, "a.test", DNS_MX, "10 mx.test", 0), ERR_NONE);
    assert_int_equal(zone_add(zone, "b.test", DNS_MX, "10 mx.test", 0), ERR_NONE);
    begin(play);
}

static uint64_t queries(const struct play *play)
{
    struct world_counts counts;
    world_count(play->world, &counts);
    return counts.queries;
}

static void pass(struct play *play, uint64_t ms)
{
    world_run_until(play->world, door_now_ms(world_door(play->world)) + ms);
}

static void play_done(struct play *play)
{
    knocker_free(play->knocker);
    pass(play, LOOK_UP_MS); /* for the answers that are on their way */
    store_close(play->store);
    world_free(play->world);
}

static void on_answer(void *context, const struct record *record)
{
    struct play *play = context;
    play->answered++;
    play->sub = record->sub;
}

static void ask(struct play *play, const char *address)
{
    unsigned before = play->answered;
    assert_int_equal(knocker_ask(play->knocker, slice_of(address), on_answer, play), ERR_NONE);
    door_run(world_door(play->world));
    assert_int_equal(play->answered, before + 1);
}

/* However far the lookup is when the question comes. */
static void is_looked_up_once(void **state)
{
    (void)state;
    struct play plain;
    play_init(&plain);
    ask(&plain, "live@a.test");
    uint64_t wanted = queries(&plain);
    play_done(&plain);
    assert_true(wanted > 0);
    for (uint64_t ms = 0; ms <= LOOK_UP_MS; ms += 5) {
        struct play play;
        play_init(&play);
        knocker_look_ahead(play.knocker, SLICE("live@a.test"));
        pass(&play, ms);
        ask(&play, "live@a.test");
        assert_int_equal(play.sub, SUB_ACCEPTED);
        assert_int_equal(queries(&play), wanted);
        play_done(&play);
    }
}

static void another_may_be_asked(void **state)
{
    (void)state;
    struct play play;
    play_init(&play);
    knocker_look_ahead(play.knocker, SLICE("live@a.test"));
    ask(&play, "live@b.test");
    assert_int_equal(play.sub, SUB_ACCEPTED);
    ask(&play, "gone@a.test");
    assert_int_equal(play.sub, SUB_MAILBOX_NOT_FOUND);
    play_done(&play);
}

static void no_address_is_left_to_the_question(void **state)
{
    (void)state;
    struct play play;
    play_init(&play);
    knocker_look_ahead(play.knocker, SLICE("nobody"));
    pass(&play, LOOK_UP_MS);
    assert_int_equal(queries(&play), 0);
    ask(&play, "nobody");
    assert_int_equal(play.sub, SUB_INVALID_SYNTAX);
    play_done(&play);
}

static void may_stay_unasked(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms <= LOOK_UP_MS; ms += 10) {
        struct play play;
        play_init(&play);
        knocker_look_ahead(play.knocker, SLICE("live@a.test"));
        pass(&play, ms);
        play_done(&play);
    }
}

static unsigned control_probes(const struct play *play)
{
    struct knocker_counts counts;
    knocker_count(play->knocker, &counts);
    return (unsigned)counts.control_probes;
}

/* What an earlier run learned of the domain: that it refuses made-up addresses. */
static void the_store_counts_though_it_came_later(void **state)
{
    (void)state;
    struct play play;
    struct fault fault;
    play_init(&play);
    assert_int_equal(store_open(":memory:", &play.store, &fault), ERR_NONE);
    knocker_use_store(play.knocker, play.store);
    ask(&play, "lived@a.test");
    assert_true(control_probes(&play) > 0);
    knocker_free(play.knocker);
    begin(&play);
    knocker_look_ahead(play.knocker, SLICE("lives@a.test"));
    pass(&play, LOOK_UP_MS);
    knocker_use_store(play.knocker, play.store);
    ask(&play, "lives@a.test");
    assert_int_equal(play.sub, SUB_ACCEPTED);
    assert_int_equal(control_probes(&play), 0);
    play_done(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_looked_up_once),
        cmocka_unit_test(another_may_be_asked),
        cmocka_unit_test(no_address_is_left_to_the_question),
        cmocka_unit_test(may_stay_unasked),
        cmocka_unit_test(the_store_counts_though_it_came_later),
    };
    return cmocka_run_group_tests(tests, known_open, known_close);
}
