/* engine/leave on the virtual clock: callers that leave get no answer, those that stay get theirs, what nobody asks any more
 * ends; the same for addresses that are being asked, wait in a queue, or wait as a few bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"
#include "engine/knocker.h"
#include "known.h"
#include "sim/peer.h"
#include "sim/world.h"

enum { ADDRESSES = 40, MANY = 5000, DOMAINS = 4, STEPS = 60 };

/* Who asks: a list that will leave, and one that stays. */
struct asker {
    unsigned asked, answered, left;
    unsigned by_sub[SUB_COUNT];
};

struct play {
    struct world *world;
    struct knocker *knocker;
    struct peer_script script;
    bool greylists;
    struct asker leaving, staying;
};

static const char *mailbox(const void *context, struct slice path)
{
    const struct play *play = context;
    (void)path;
    return play->greylists ? "451 4.7.1 Greylisted, try again in 600 seconds" : "";
}

static void play_init(struct play *play, bool greylists)
{
    *play = (struct play){.greylists = greylists};
    const struct world_config config = {.seed = 4};
    assert_int_equal(world_new(&config, &play->world), ERR_NONE);
    play->script = (struct peer_script){.mailbox = mailbox, .mailbox_context = play};
    const struct world_host host = {.ip = "5.9.1.1", .script = &play->script};
    struct zone *zone = world_zone(play->world);
    assert_int_equal(world_host_add(play->world, &host), ERR_NONE);
    assert_int_equal(zone_add(zone, "mx.test", DNS_A, host.ip, 86400), ERR_NONE);
    for (unsigned i = 0; i < DOMAINS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "d%u.test", i);
        assert_int_equal(zone_add(zone, name, DNS_MX, "10 mx.test", 86400), ERR_NONE);
    }
    struct knocker_config knocker;
    knocker_config_init(&knocker);
    knocker.is_budget_wall_clock = false;
    knocker.invalids_per_hour = 1000000;
    assert_int_equal(knocker_new(world_door(play->world), known(), &knocker, NULL, &play->knocker),
                     ERR_NONE);
}

static void play_done(struct play *play)
{
    door_run(world_door(play->world));
    knocker_free(play->knocker);
    world_free(play->world);
}

static void pass(struct play *play, uint64_t ms)
{
    world_run_until(play->world, door_now_ms(world_door(play->world)) + ms);
}

static void on_answer(void *context, const struct record *record)
{
    struct asker *asker = context;
    asker->answered++;
    asker->by_sub[record->sub]++;
}

static bool is_leaving(void *of, knocker_fn fn, const void *context)
{
    return fn == on_answer && context == of;
}

static void left(void *of, void *context)
{
    struct asker *asker = of;
    assert_ptr_equal(of, context);
    asker->left++;
}

static enum err leave(struct play *play)
{
    const struct knocker_leaver leaver = {
        .of = &play->leaving, .is_leaving = is_leaving, .left = left};
    return knocker_leave(play->knocker, &leaver);
}

static void ask(struct play *play, struct asker *asker, unsigned number)
{
    char address[48];
    (void)snprintf(address, sizeof address, "n%u@d%u.test", number, number % DOMAINS);
    const struct knocker_wishes wishes = {.is_patient = asker == &play->leaving};
    enum err e = knocker_ask_with(play->knocker, slice_of(address), &wishes, on_answer, asker);
    assert_int_equal(e, ERR_NONE);
    asker->asked++;
}

static void check_ended(struct play *play)
{
    struct knocker_counts counts;
    door_run(world_door(play->world));
    knocker_count(play->knocker, &counts);
    assert_int_equal(counts.asked, counts.answered);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(play->leaving.answered + play->leaving.left, play->leaving.asked);
    assert_int_equal(play->staying.answered, play->staying.asked);
    assert_int_equal(play->staying.by_sub[SUB_SKIPPED], 0);
}

/* At every moment of such a run: each third address is asked by both. */
static void at_any_moment(void **state)
{
    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        struct play play;
        play_init(&play, false);
        for (unsigned i = 0; i < ADDRESSES; i++) {
            ask(&play, &play.leaving, i);
            if (i % 3 == 0) {
                ask(&play, &play.staying, i);
            }
        }
        pass(&play, step * 20);
        assert_int_equal(leave(&play), ERR_NONE);
        unsigned answered = play.leaving.answered;
        check_ended(&play);
        assert_int_equal(play.leaving.answered, answered); /* none came afterwards */
        play_done(&play);
    }
}

static void those_that_wait(void **state)
{
    (void)state;
    struct play play;
    struct knocker_counts counts;
    play_init(&play, true);
    for (unsigned i = 0; i < ADDRESSES; i++) {
        ask(&play, &play.leaving, i);
    }
    ask(&play, &play.staying, 7);
    pass(&play, 60000);
    knocker_count(play.knocker, &counts);
    assert_int_equal(counts.parked, ADDRESSES);
    assert_int_equal(leave(&play), ERR_NONE);
    assert_int_equal(play.leaving.left, ADDRESSES);
    knocker_count(play.knocker, &counts);
    assert_int_equal(counts.waiting, 1);
    ask(&play, &play.staying, 9); /* anew, though it was given up just now */
    play.greylists = false;
    check_ended(&play);
    assert_int_equal(play.staying.by_sub[SUB_ACCEPTED] + play.staying.by_sub[SUB_CATCH_ALL], 2);
    play_done(&play);
}

static void many_leave_in_parts(void **state)
{
    (void)state;
    struct play play;
    struct knocker_counts counts = {.parked = 0};
    unsigned parts = 1;
    play_init(&play, true);
    for (unsigned i = 0; i < MANY; i++) {
        ask(&play, &play.leaving, i);
    }
    while (counts.parked < MANY) {
        pass(&play, 1000);
        knocker_count(play.knocker, &counts);
    }
    while (leave(&play) == ERR_LIMIT) {
        parts++;
    }
    assert_true(parts > 1);
    assert_int_equal(play.leaving.left, MANY);
    check_ended(&play);
    play_done(&play);
}

static void asked_again_at_once(void **state)
{
    (void)state;
    struct play play;
    play_init(&play, false);
    ask(&play, &play.leaving, 1);
    pass(&play, 100);
    assert_int_equal(leave(&play), ERR_NONE);
    ask(&play, &play.staying, 1);
    check_ended(&play);
    assert_int_equal(play.leaving.answered, 0);
    play_done(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_any_moment),
        cmocka_unit_test(those_that_wait),
        cmocka_unit_test(many_leave_in_parts),
        cmocka_unit_test(asked_again_at_once),
    };
    return cmocka_run_group_tests(tests, known_open, known_close);
}
