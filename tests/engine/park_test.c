/* engine/park on the virtual clock: who waits is answered as if it had waited whole (which every scene of
 * tests/scenarios holds too), goes on when it is time, shares its answer, can be asked about, is told to stop at once,
 * takes few bytes, and does not come back with all others at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "base/slice.h"
#include "engine/knocker.h"
#include "engine/record_json.h"
#include "fail_alloc.h"
#include "sim/peer.h"
#include "sim/world.h"

enum {
    GREYLIST_S = 600,
    DOMAINS = 20,
    FEW = 2000,
    MANY = 6000,     /* more than are made whole at once */
    WHOLE_MAX = 512, /* of one site */
    LONGEST_MS = 3600 * 1000,
    ALLOCATIONS = POOL_IS_WATCHED ? 3 : 0,
    JSON_BYTES_MAX = 1 << 20,
    WAITING_BYTES_MAX = 300,
};

struct answers {
    unsigned count;
    unsigned by_sub[SUB_COUNT];
    uint64_t last_ms;
    struct buf json; /* of the last one */
    struct world *world;
};

/* One host for all domains, that greylists for ten minutes; half of the mailboxes exist. */
struct play {
    struct world *world;
    struct knocker *knocker;
    struct peer_script script;
    struct answers answers;
    bool greylists;
};

static const struct knowledge *shared_knowledge(void)
{
    static struct knowledge *knowledge;
    struct fault fault;
    if (knowledge == NULL && knowledge_open(DATA_DIR, &knowledge, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return knowledge;
}

static const char *mailbox(const void *context, struct slice path)
{
    const struct play *play = context;
    if (play->greylists) {
        return "451 4.7.1 <%r>: Greylisted, try again in 600 seconds";
    }
    return slice_starts(path, SLICE("live")) ? "" : NULL;
}

static void on_answer(void *context, const struct record *record)
{
    struct answers *answers = context;
    answers->count++;
    answers->by_sub[record->sub]++;
    answers->last_ms = door_now_ms(world_door(answers->world));
    buf_clear(&answers->json);
    assert_int_equal(record_write_json(record, &answers->json), ERR_NONE);
}

static struct play *play_new(uint32_t park_ms_min)
{
    struct play *play = calloc(1, sizeof *play);
    assert_non_null(play);
    struct world_config config = {.seed = 4};
    assert_int_equal(world_new(&config, &play->world), ERR_NONE);
    play->greylists = true;
    play->script = (struct peer_script){.mailbox = mailbox, .mailbox_context = play};
    struct world_host host = {.ip = "5.9.1.1", .script = &play->script};
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
    knocker.park_ms_min = park_ms_min;
    assert_int_equal(
        knocker_new(world_door(play->world), shared_knowledge(), &knocker, NULL, &play->knocker),
        ERR_NONE);
    play->answers.world = play->world;
    buf_init(&play->answers.json, JSON_BYTES_MAX);
    return play;
}

static void play_free(struct play *play)
{
    knocker_free(play->knocker);
    world_free(play->world);
    buf_done(&play->answers.json);
    free(play);
}

static void ask(struct play *play, const char *address)
{
    assert_int_equal(knocker_ask(play->knocker, slice_of(address), on_answer, &play->answers),
                     ERR_NONE);
}

static void pass(struct play *play, uint64_t ms)
{
    world_run_until(play->world, door_now_ms(world_door(play->world)) + ms);
}

static unsigned waiting(const struct play *play)
{
    struct knocker_counts counts;
    knocker_count(play->knocker, &counts);
    return counts.waiting;
}

/* Asked, greylisted, and now it waits. */
static void ask_and_wait(struct play *play, const char *address)
{
    unsigned before = waiting(play);
    ask(play, address);
    pass(play, 30000);
    assert_int_equal(waiting(play), before + 1);
    assert_int_equal(play->answers.count, 0);
}

/* The answer of an address that waited in this way, owned by the caller. */
static char *answer_of(const char *address, uint32_t park_ms_min)
{
    struct play *play = play_new(park_ms_min);
    ask_and_wait(play, address);
    play->greylists = false;
    pass(play, 2000000);
    assert_int_equal(play->answers.count, 1);
    assert_int_equal(waiting(play), 0);
    char *json = buf_take_text(&play->answers.json);
    assert_non_null(json);
    play_free(play);
    return json;
}

static void the_record_is_the_same(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "live@d0.test", "gone@d0.test",      "Live.Upper+tag@D1.test", "\"live quoted\"@d2.test",
        "info@d3.test", "gone.x7kq@d4.test", "<live@d5.test>",         "  live@d6.test  ",
    };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        char *parked = answer_of(addresses[i], 2000);
        char *whole = answer_of(addresses[i], UINT32_MAX);
        assert_string_equal(parked, whole);
        free(parked);
        free(whole);
    }
}

static void it_goes_on_when_it_is_time(void **state)
{
    (void)state;
    struct play *play = play_new(2000);
    uint64_t began_ms = door_now_ms(world_door(play->world));
    ask_and_wait(play, "live@d0.test");
    play->greylists = false;
    door_run(world_door(play->world));
    assert_int_equal(play->answers.by_sub[SUB_ACCEPTED], 1);
    uint64_t took_ms = play->answers.last_ms - began_ms;
    assert_in_range(took_ms, GREYLIST_S * 1000, (GREYLIST_S + 12) * 1000);
    play_free(play);
}

/* Also in another spelling of the domain; not of the local part, which is another mailbox's. */
static void a_second_question_shares_the_answer(void **state)
{
    (void)state;
    struct play *play = play_new(2000);
    ask_and_wait(play, "live@d0.test");
    ask(play, "live@D0.TEST");
    ask(play, "live@d0.test");
    assert_int_equal(waiting(play), 1);
    ask(play, "LIVE@d0.test");
    pass(play, 30000);
    assert_int_equal(waiting(play), 2);
    play->greylists = false;
    door_run(world_door(play->world));
    assert_int_equal(play->answers.count, 4);
    struct knocker_counts counts;
    knocker_count(play->knocker, &counts);
    assert_int_equal(counts.probes - counts.control_probes, 4); /* twice for each mailbox */
    play_free(play);
}

static void it_can_be_asked_about(void **state)
{
    (void)state;
    struct play *play = play_new(2000);
    struct buf news;
    buf_init(&news, 256);
    ask_and_wait(play, "live@d0.test");
    assert_int_equal(knocker_describe(play->knocker, &play->answers, &news), ERR_NONE);
    assert_true(
        slice_starts(buf_view(&news), SLICE("waiting for mx.test: greylisted, asking again in ")));
    buf_clear(&news);
    assert_int_equal(knocker_describe(play->knocker, &news, &news), ERR_NONE);
    assert_int_equal(news.len, 0);
    buf_done(&news);
    knocker_cancel(play->knocker);
    pass(play, 0);
    play_free(play);
}

static void ask_many(struct play *play, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char address[48];
        (void)snprintf(address, sizeof address, "%s.number%u@d%u.test",
                       i % 2 == 0 ? "live" : "gone", i, i % DOMAINS);
        ask(play, address);
    }
    while (waiting(play) < to) {
        pass(play, 1000);
        assert_int_equal(play->answers.count, 0);
    }
}

static void all_are_told_to_stop(void **state)
{
    (void)state;
    struct play *play = play_new(2000);
    ask_many(play, 0, MANY);
    knocker_cancel(play->knocker);
    pass(play, 0);
    assert_int_equal(play->answers.by_sub[SUB_SKIPPED], MANY);
    assert_int_equal(waiting(play), 0);
    play_free(play);
}

/* Under a sanitizer the heap is not glibc's, and there is nothing to measure. */
static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void they_take_few_bytes(void **state)
{
    (void)state;
    struct play *play = play_new(2000);
    ask_many(play, 0, FEW);
    size_t few = heap_bytes();
    ask_many(play, FEW, MANY);
    size_t many = heap_bytes();
    assert_true(many - few <= (size_t)(MANY - FEW) * WAITING_BYTES_MAX);
    knocker_cancel(play->knocker);
    pass(play, 0);
    play_free(play);
}

/* The asks of a round that are whole at a time are those that wait for nothing. */
static void they_go_on_by_the_handful(void **state)
{
    (void)state;
    struct play *play = play_new(2000);
    ask_many(play, 0, MANY);
    play->greylists = false;
    unsigned whole_max = 0;
    while (play->answers.count < MANY) {
        pass(play, 1000);
        unsigned whole = MANY - play->answers.count - waiting(play);
        whole_max = whole > whole_max ? whole : whole_max;
    }
    assert_in_range(whole_max, 1, WHOLE_MAX);
    assert_int_equal(play->answers.by_sub[SUB_ACCEPTED], MANY / 2);
    assert_int_equal(play->answers.by_sub[SUB_MAILBOX_NOT_FOUND], MANY / 2);
    play_free(play);
}

/* Whom the greylist let pass awaits the control of its domain, which is greylisted in its turn: as few bytes too, so
 * that those of other domains go on. */
static void they_await_a_control_together(void **state)
{
    (void)state;
    struct play *play = play_new(2000);
    play->greylists = false;
    play->script.greylist_s = 300;
    uint64_t began_ms = door_now_ms(world_door(play->world));
    ask_many(play, 0, MANY);
    while (play->answers.count < MANY) {
        pass(play, 1000);
        assert_in_range(MANY - play->answers.count - waiting(play), 0, WHOLE_MAX);
        assert_true(door_now_ms(world_door(play->world)) < began_ms + LONGEST_MS);
    }
    assert_int_equal(play->answers.by_sub[SUB_ACCEPTED], MANY / 2);
    assert_int_equal(play->answers.by_sub[SUB_MAILBOX_NOT_FOUND], MANY / 2);
    play_free(play);
}

/* When it is made whole: the ask, its work and its case, which come out of pools where there are any, and nothing else. Each
 * of these fails once, and it goes on a second later. */
static void memory_may_fail_when_it_goes_on(void **state)
{
    (void)state;
    for (size_t failing = 1; failing <= ALLOCATIONS; failing++) {
        struct play *play = play_new(2000);
        uint64_t began_ms = door_now_ms(world_door(play->world));
        ask_and_wait(play, "live@d0.test");
        play->greylists = false;
        bool has_failed = false;
        while (!has_failed) {
            fail_alloc_at(failing);
            pass(play, 1);
            has_failed = fail_alloc_happened();
            (void)fail_alloc_end();
        }
        assert_int_equal(waiting(play), 1);
        door_run(world_door(play->world));
        assert_int_equal(play->answers.by_sub[SUB_ACCEPTED], 1);
        assert_in_range(play->answers.last_ms - began_ms, GREYLIST_S * 1000,
                        (GREYLIST_S + 14) * 1000);
        play_free(play);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_is_the_same),
        cmocka_unit_test(it_goes_on_when_it_is_time),
        cmocka_unit_test(a_second_question_shares_the_answer),
        cmocka_unit_test(it_can_be_asked_about),
        cmocka_unit_test(all_are_told_to_stop),
        cmocka_unit_test(they_take_few_bytes),
        cmocka_unit_test(they_go_on_by_the_handful),
        cmocka_unit_test(they_await_a_control_together),
        cmocka_unit_test(memory_may_fail_when_it_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
