/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "rig.h"

/* Timers. */

struct bell {
    struct rig *rig;
    struct timer timer;
    unsigned rung;
    uint64_t at_ms;
    unsigned *order, place;  /* counts all bells */
    struct bell *silences;   /* stopped when this one rings */
    uint64_t again_after_ms; /* 0: not */
};

static void on_bell(void *context)
{
    struct bell *bell = context;
    assert_false(bell->rig->is_asking);
    bell->rung++;
    bell->at_ms = door_now_ms(bell->rig->door);
    bell->place = bell->order == NULL ? 0 : ++*bell->order;
    if (bell->silences != NULL) {
        door_timer_stop(bell->rig->door, &bell->silences->timer);
    }
    if (bell->again_after_ms > 0) {
        door_timer_start(bell->rig->door, &bell->timer, bell->at_ms + bell->again_after_ms);
        bell->again_after_ms = 0;
    }
    door_stop(bell->rig->door);
}

static struct bell bell_of(struct rig *rig, unsigned *order)
{
    return (struct bell){.rig = rig, .order = order, .timer = {.fired = on_bell}};
}

static void bell_start(struct bell *bell, int64_t after_ms)
{
    uint64_t now = door_now_ms(bell->rig->door);
    bell->timer.context = bell;
    bell->rig->is_asking = true;
    door_timer_start(bell->rig->door, &bell->timer, (uint64_t)((int64_t)now + after_ms));
    bell->rig->is_asking = false;
}

static void timers_ring_in_order_from_the_loop(void **state)
{
    static const int after_ms[] = {40, 3, 0, 25, -5, 12};
    static const unsigned places[] = {6, 3, 2, 5, 1, 4};
    struct rig *rig = *state;
    unsigned order = 0;
    struct bell bells[6];
    uint64_t start = door_now_ms(rig->door);
    for (size_t i = 0; i < 6; i++) {
        bells[i] = bell_of(rig, &order);
        bell_start(&bells[i], start > 5 ? after_ms[i] : 0);
        assert_int_equal(bells[i].rung, 0);
    }
    RIG_UNTIL(rig, order == 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(bells[i].rung, 1);
        assert_int_equal(bells[i].place, places[i]);
        assert_true((int64_t)bells[i].at_ms >= (int64_t)start + after_ms[i]);
    }
}

static void timers_move_stop_and_start_again(void **state)
{
    struct rig *rig = *state;
    unsigned order = 0;
    struct bell moved = bell_of(rig, &order), stopped = bell_of(rig, &order);
    struct bell silenced = bell_of(rig, &order), again = bell_of(rig, &order);
    bell_start(&moved, 1);
    bell_start(&moved, 30);
    bell_start(&stopped, 2);
    door_timer_stop(rig->door, &stopped.timer);
    door_timer_stop(rig->door, &stopped.timer);
    again.again_after_ms = 5;
    again.silences = &silenced;
    bell_start(&again, 3);
    bell_start(&silenced, 4);
    RIG_UNTIL(rig, moved.rung == 1 && again.rung == 2);
    assert_int_equal(order, 3);
    assert_int_equal(stopped.rung + silenced.rung, 0);
}

static void run_ends_when_nothing_is_left(void **state)
{
    struct rig *rig = *state;
    struct bell last = bell_of(rig, NULL);
    rig_run_dry(rig);
    bell_start(&last, 2);
    rig_run_dry(rig); /* stopped by the bell */
    rig_run_dry(rig);
    assert_int_equal(last.rung, 1);
}

static void clocks_go_on_and_random_bytes_differ(void **state)
{
    struct rig *rig = *state;
    uint64_t before = door_now_ms(rig->door);
    rig_rest(rig, 20);
    assert_true(door_now_ms(rig->door) >= before + 20);
    assert_true(door_wall_ms(rig->door) > 1577836800000); /* later than 2020 */
    char one[32], two[32];
    door_random_bytes(rig->door, one, sizeof one);
    door_random_bytes(rig->door, two, sizeof two);
    assert_memory_not_equal(one, two, sizeof one);
}

/* Signals. */

/* Whatever network there is: the address that is told is this machine's own, or there is none. */
static void own_addresses_are_ours(void **state)
{
    static const enum ip_family families[] = {IP_V4, IP_V6};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        struct ip own = door_own_address(rig->door, families[i]);
        bool is_known = own.family != IP_NONE;
        if (families[i] == IP_V6) {
            assert_int_equal(door_has_ipv6(rig->door), is_known && !ip_is_special(&own));
        }
        if (is_known) {
            char text[IP_TEXT_BYTES];
            uint16_t port;
            assert_int_equal(own.family, families[i]);
            int fd = raw_bind(ip_format(&own, text), &port);
            assert_true(fd >= 0);
            assert_int_equal(close(fd), 0);
        }
    }
}

static void count_signal(void *context)
{
    unsigned *count = context;
    ++*count;
}

static void signals_come_from_the_loop(void **state)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGWINCH};
    struct rig *rig = *state;
    unsigned counts[5] = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(uv_door_on_signal(rig->door, numbers[i], count_signal, &counts[i]),
                         ERR_NONE);
    }
    assert_int_equal(uv_door_on_signal(rig->door, SIGALRM, count_signal, &counts[4]), ERR_LIMIT);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(counts[0] + counts[2], 0);
    while (counts[0] == 0 || counts[2] == 0) {
        rig_rest(rig, 1);
    }
    assert_int_equal(raise(SIGUSR1), 0);
    while (counts[0] == 1) {
        rig_rest(rig, 1);
    }
    assert_int_equal(counts[1] + counts[3], 0);
    rig_run_dry(rig); /* they do not keep the loop alive */
    assert_int_equal(raise(SIGUSR1), 0);
    door_turn(rig->door); /* and a turn without anything else to do hears them */
    assert_int_equal(counts[0], 3);
}

/* Closing. */

struct asker {
    struct rig *rig;
    unsigned told;
    enum query_status status;
    unsigned asks_again; /* from its own answer */
};

static void on_told(void *context, enum query_status status, struct slice message)
{
    struct asker *asker = context;
    (void)message;
    assert_false(asker->rig->is_asking);
    asker->told++;
    asker->status = status;
    if (asker->asks_again > 0) {
        asker->asks_again--;
        door_query(asker->rig->door, SLICE("again.example"), 1, on_told, asker);
    }
    door_stop(asker->rig->door);
}

static void ask(struct asker *asker, const char *name)
{
    asker->rig->is_asking = true;
    door_query(asker->rig->door, slice_of(name), 1, on_told, asker);
    asker->rig->is_asking = false;
}

static struct door *open_door(const char *resolver)
{
    const char *const resolvers[] = {resolver};
    const struct uv_door_config config = {.resolvers = resolvers, .resolver_count = 1};
    struct door *door = NULL;
    struct fault fault = {0};
    if (uv_door_open(&config, &door, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return door;
}

/* Everything that may be open at once; the owners hear nothing, the askers that it failed. */
static void close_ends_all_that_is_open(void **state)
{
    (void)state;
    uint16_t port;
    int fd = raw_listen("127.0.0.1", &port);
    for (int has_run = 0; has_run < 2; has_run++) {
        struct rig rig = {.door = open_door("127.0.0.1:1")};
        struct asker open = {.rig = &rig, .asks_again = 2};
        struct asker at_once = {.rig = &rig, .asks_again = 1};
        struct bell bell = bell_of(&rig, NULL);
        struct owner up, connecting;
        owner_init(&up, &rig);
        owner_init(&connecting, &rig);
        owner_connect(&up, "127.0.0.1", port, NULL);
        if (has_run) {
            RIG_UNTIL(&rig, up.connected == 1);
            char *much = calloc(1, 1 << 20);
            assert_int_equal(owner_send(&up, slice_make(much, 1 << 20)), ERR_NONE);
            free(much);
        }
        owner_connect(&connecting, "127.0.0.1", port, NULL);
        ask(&open, "open.example");
        ask(&at_once, "two..dots");
        bell_start(&bell, 1);
        uv_door_close(rig.door);
        assert_int_equal(open.told, 3);
        assert_int_equal(open.status, QUERY_FAILED);
        assert_int_equal(at_once.told, 2);
        assert_int_equal(at_once.status, QUERY_FAILED);
        assert_int_equal(bell.rung + up.ended + connecting.ended + connecting.connected, 0);
        buf_done(&up.bytes);
        buf_done(&connecting.bytes);
    }
    assert_int_equal(close(fd), 0);
    uv_door_close(NULL);
}

static void a_stop_outside_of_run_does_no_harm(void **state)
{
    (void)state;
    struct door *door = open_door("127.0.0.1:1");
    door_stop(door);
    uv_door_close(door);
}

/* And only that one; with links and without. */
static void a_stop_before_a_run_ends_it(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int fd = raw_listen("127.0.0.1", &port);
    for (int i = 0; i < 2; i++) {
        struct bell bell = bell_of(rig, NULL);
        struct owner us;
        owner_init(&us, rig);
        if (i == 1) {
            owner_connect(&us, "127.0.0.1", port, NULL);
            RIG_UNTIL(rig, us.connected == 1);
        }
        bell_start(&bell, 0);
        door_stop(rig->door);
        door_run(rig->door);
        assert_int_equal(bell.rung, 0);
        RIG_UNTIL(rig, bell.rung == 1);
        if (i == 1) {
            owner_done(&us);
        }
    }
    assert_int_equal(close(fd), 0);
}

/* No descriptors. */

static rlim_t set_descriptors(rlim_t count)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void without_descriptors_it_is_our_own_trouble(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int fd = raw_listen("127.0.0.1", &port);
    struct owner us;
    struct asker asker = {.rig = rig};
    owner_init(&us, rig);
    rlim_t before = set_descriptors(3);
    owner_connect(&us, "127.0.0.1", port, NULL);
    ask(&asker, "a.example");
    RIG_UNTIL(rig, us.ended == 1 && asker.told == 1);
    struct door *door = NULL;
    struct fault fault = {0};
    enum err e = uv_door_open(&(struct uv_door_config){0}, &door, &fault);
    (void)set_descriptors(before);
    assert_int_equal(us.why, LINK_END_LOCAL);
    assert_true(us.detail[0] != '\0');
    assert_true(asker.status == QUERY_REFUSED || asker.status == QUERY_FAILED);
    assert_int_equal(e, ERR_SYSTEM);
    assert_null(door);
    assert_non_null(strstr(fault.text, "too many open files"));
    owner_close(&us);
    owner_connect(&us, "127.0.0.1", port, NULL); /* and later all is well again */
    us.ended = 0;
    RIG_UNTIL(rig, us.connected == 1);
    owner_done(&us);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_ring_in_order_from_the_loop, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(timers_move_stop_and_start_again, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(run_ends_when_nothing_is_left, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(clocks_go_on_and_random_bytes_differ, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(own_addresses_are_ours, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(signals_come_from_the_loop, rig_open, rig_close),
        cmocka_unit_test(close_ends_all_that_is_open),
        cmocka_unit_test(a_stop_outside_of_run_does_no_harm),
        cmocka_unit_test_setup_teardown(a_stop_before_a_run_ends_it, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(without_descriptors_it_is_our_own_trouble, rig_open,
                                        rig_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
