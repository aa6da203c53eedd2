/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "rig.h"

static void echo(struct owner *side)
{
    assert_int_equal(owner_send(side, buf_view(&side->bytes)), ERR_NONE);
    buf_clear(&side->bytes);
}

static void meet_echo(struct owner *side)
{
    side->heard = echo;
}

static void links_outlive_their_listener(void **state)
{
    struct rig *rig = *state;
    struct host host;
    struct owner us, late;
    host_open(&host, rig, "127.0.0.1", meet_echo);
    uint16_t port = host_port(&host);
    assert_int_not_equal(port, 0);
    owner_init(&us, rig);
    owner_init(&late, rig);
    owner_connect(&us, "127.0.0.1", port, "127.0.0.9");
    RIG_UNTIL(rig, host.count == 1 && us.connected == 1);
    struct ip peer, wanted = rig_ip("127.0.0.9");
    assert_true(link_peer(host.sides[0].link, &peer));
    assert_true(ip_equal(&peer, &wanted));
    listener_close(host.listener);
    host.listener = NULL;
    rig_rest(rig, 2);
    owner_connect(&late, "127.0.0.1", port, NULL);
    RIG_UNTIL(rig, late.ended == 1);
    assert_int_equal(late.why, LINK_END_REFUSED);
    assert_int_equal(owner_send(&us, SLICE("still there")), ERR_NONE);
    RIG_UNTIL(rig, us.bytes.len == 11);
    owner_done(&us);
    owner_done(&late);
    host_close(&host);
    listener_close(NULL);
}

static void never(void *context, struct link *link)
{
    (void)context;
    (void)link;
    fail_msg("nothing can be accepted here");
}

static void ignore(void *context, const struct net_place *from, struct slice datagram)
{
    (void)context;
    (void)from;
    (void)datagram;
}

static void says_why_it_cannot_listen(void **state)
{
    struct rig *rig = *state;
    struct host host;
    host_open(&host, rig, "127.0.0.1", NULL);
    const struct {
        const char *ip, *words;
        uint16_t port;
    } cases[] = {
        {"127.0.0.1", "address already in use", host_port(&host)},
        {"192.0.2.77", "address not available", 0},
    };
    for (size_t i = 0; i < 2; i++) {
        struct net_place place = {rig_ip(cases[i].ip), cases[i].port};
        struct listener *listener = NULL;
        struct fault fault = {0};
        assert_int_equal(net_listen(rig->door, &place, never, NULL, &listener, &fault), ERR_SYSTEM);
        assert_null(listener);
        assert_non_null(strstr(fault.text, cases[i].words));
        assert_non_null(strstr(fault.text, cases[i].ip));
        assert_int_not_equal(fault.os_errno, 0);
    }
    struct net_place place = {.ip = rig_ip("127.0.0.1")}, other = {.ip = rig_ip("192.0.2.77")};
    struct listener *first = NULL, *second = NULL;
    struct fault fault = {0};
    assert_int_equal(net_listen_udp(rig->door, &place, ignore, NULL, &first, &fault), ERR_NONE);
    place.port = listener_port(first);
    assert_int_equal(net_listen_udp(rig->door, &place, ignore, NULL, &second, &fault), ERR_SYSTEM);
    assert_int_equal(net_listen_udp(rig->door, &other, ignore, NULL, &second, &fault), ERR_SYSTEM);
    assert_null(second);
    listener_close(first);
    host_close(&host);
}

/* Two ends of datagrams: what the first hears it says back. */
struct ear {
    struct rig *rig;
    struct listener *listener;
    struct net_place from;
    struct buf last;
    unsigned count;
    bool answers;
};

static void on_datagram(void *context, const struct net_place *from, struct slice datagram)
{
    struct ear *ear = context;
    ear->count++;
    ear->from = *from;
    buf_clear(&ear->last);
    assert_int_equal(buf_append(&ear->last, datagram), ERR_NONE);
    if (ear->answers) {
        assert_int_equal(listener_reply(ear->listener, from, datagram), ERR_NONE);
    }
    door_stop(ear->rig->door);
}

static void ear_open(struct ear *ear, struct rig *rig, const char *ip_text)
{
    struct net_place place = {.ip = rig_ip(ip_text)};
    *ear = (struct ear){.rig = rig};
    buf_init(&ear->last, 65536);
    assert_int_equal(net_listen_udp(rig->door, &place, on_datagram, ear, &ear->listener, NULL),
                     ERR_NONE);
}

static void datagrams_go_both_ways(void **state)
{
    struct rig *rig = *state;
    struct ear here, there;
    ear_open(&here, rig, "127.0.0.1");
    ear_open(&there, rig, "127.0.0.2");
    there.answers = true;
    const struct net_place to = {.ip = rig_ip("127.0.0.2"), .port = listener_port(there.listener)};
    static char much[9000];
    memset(much, 'd', sizeof much);
    const struct slice datagrams[] = {SLICE("one"), slice_make(much, sizeof much), SLICE("x")};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(listener_reply(here.listener, &to, datagrams[i]), ERR_NONE);
        RIG_UNTIL(rig, here.count == i + 1);
        assert_true(slice_equal(buf_view(&here.last), datagrams[i]));
        assert_true(ip_equal(&here.from.ip, &to.ip));
        assert_int_equal(here.from.port, to.port);
        assert_int_equal(there.from.port, listener_port(here.listener));
    }
    static char too_much[65535];
    assert_int_equal(listener_reply(here.listener, &to, slice_make(too_much, sizeof too_much)),
                     ERR_SYSTEM);
    listener_close(here.listener);
    listener_close(there.listener);
    buf_done(&here.last);
    buf_done(&there.last);
}

/* A listener that runs out of descriptors drops who knocks and serves those that come later. */
static void survives_without_descriptors(void **state)
{
    struct rig *rig = *state;
    struct host host;
    struct owner first, later;
    host_open(&host, rig, "127.0.0.1", meet_echo);
    owner_init(&first, rig);
    owner_init(&later, rig);
    owner_connect(&first, "127.0.0.1", host_port(&host), NULL);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit low = limit;
    low.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int taken[64];
    size_t count = 0;
    while (count < 64 && (taken[count] = dup(0)) >= 0) {
        count++;
    }
    RIG_UNTIL(rig, first.connected == 1 && first.ended == 1);
    assert_int_equal(host.count, 0);
    while (count > 0) {
        assert_int_equal(close(taken[--count]), 0);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    owner_connect(&later, "127.0.0.1", host_port(&host), NULL);
    RIG_UNTIL(rig, later.connected == 1);
    assert_int_equal(owner_send(&later, SLICE("hello")), ERR_NONE);
    RIG_UNTIL(rig, later.bytes.len == 5);
    owner_done(&first);
    owner_done(&later);
    host_close(&host);
}

/* Until a handler is given a link is silent, and door_close sweeps up what nobody closed. */
static void keep(void *context, struct link *link)
{
    struct link **kept = context;
    *kept = link;
}

static void a_link_without_a_handler_is_silent(void **state)
{
    struct rig *rig = *state;
    struct net_place place = {.ip = rig_ip("127.0.0.1")};
    struct link *kept = NULL;
    struct listener *listener = NULL;
    assert_int_equal(net_listen(rig->door, &place, keep, &kept, &listener, NULL), ERR_NONE);
    struct owner us;
    owner_init(&us, rig);
    owner_connect(&us, "127.0.0.1", listener_port(listener), NULL);
    RIG_UNTIL(rig, us.connected == 1);
    assert_int_equal(owner_send(&us, SLICE("anybody?")), ERR_NONE);
    while (kept == NULL) {
        rig_rest(rig, 1);
    }
    owner_done(&us);
    rig_rest(rig, 5);
    assert_int_equal(link_send(kept, SLICE("too late")), ERR_CLOSED);
    listener_close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(links_outlive_their_listener, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(says_why_it_cannot_listen, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(datagrams_go_both_ways, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(survives_without_descriptors, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(a_link_without_a_handler_is_silent, rig_open, rig_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
