/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"
#include "net/proxy.h"
#include "sim/peer.h"

enum { SAID_BYTES_MAX = 1 << 20, CALLERS = 5 };

/* A client that says its lines one after the other, each when the answer before has come. */
struct caller {
    struct door *door;
    struct link *link;
    const char *const *lines;
    struct buf said;
    unsigned connected, secured, ended;
    enum link_end why;
    struct tls_info info;
    uint64_t ended_ms;
    bool wants_tls, is_asking;
};

static void say_next(struct caller *caller)
{
    if (*caller->lines != NULL) {
        struct slice line = slice_of(*caller->lines++);
        assert_int_equal(link_send(caller->link, line), ERR_NONE);
    }
}

static void on_connected(void *context)
{
    struct caller *caller = context;
    assert_false(caller->is_asking);
    caller->connected++;
}

static void on_received(void *context, struct slice bytes)
{
    struct caller *caller = context;
    assert_int_equal(buf_append(&caller->said, bytes), ERR_NONE);
    if (!slice_ends(buf_view(&caller->said), SLICE("\r\n"))) {
        return;
    }
    if (caller->wants_tls && *caller->lines == NULL) {
        caller->wants_tls = false;
        link_start_tls(caller->link, SLICE("mx.example"));
        return;
    }
    say_next(caller);
}

static void on_secured(void *context, const struct tls_info *info)
{
    struct caller *caller = context;
    caller->secured++;
    caller->info = *info;
}

static void on_ended(void *context, enum link_end why, const char *detail)
{
    struct caller *caller = context;
    (void)detail;
    assert_false(caller->is_asking);
    caller->ended++;
    caller->why = why;
    caller->ended_ms = door_now_ms(caller->door);
}

static void connect_as(struct caller *caller, struct world *world,
                       const struct link_request *request, const char *const *lines)
{
    static const struct link_handler handler = {on_connected, on_received, on_secured, on_ended};
    *caller = (struct caller){.door = world_door(world), .lines = lines, .is_asking = true};
    buf_init(&caller->said, SAID_BYTES_MAX);
    caller->link = door_connect(caller->door, request, &handler, caller);
    caller->is_asking = false;
    assert_non_null(caller->link);
}

static struct ip ip_of(const char *text)
{
    struct ip ip = {0};
    assert_true(text == NULL || ip_parse(slice_of(text), &ip));
    return ip;
}

static void call(struct caller *caller, struct world *world, const char *ip,
                 const char *const *lines)
{
    connect_as(caller, world, &(struct link_request){.ip = ip_of(ip), .port = 25}, lines);
}

static void caller_done(struct caller *caller)
{
    link_close(caller->link);
    buf_done(&caller->said);
}

static const char *const talk[] = {"HELO us\r\n", "MAIL FROM:<>\r\n",
                                   "RCPT TO:<jane@d.example>\r\n", "QUIT\r\n", NULL};
static const char *const nothing[] = {NULL};
static const char *const starttls[] = {"EHLO us\r\n", "STARTTLS\r\n", NULL};
static const struct peer_script plain = {.live = {"jane"}, .rcpt_delay_max_ms = 50};
static const struct peer_script with_tls = {.tls = PEER_TLS_GOOD};

static struct world *new_world(uint64_t seed)
{
    struct world *world;
    assert_int_equal(world_new(&(struct world_config){.seed = seed}, &world), ERR_NONE);
    return world;
}

static void add(struct world *world, struct world_host host)
{
    assert_int_equal(world_host_add(world, &host), ERR_NONE);
}

static uint64_t hash_of(uint64_t seed, bool is_other)
{
    struct world *world = new_world(seed);
    add(world, (struct world_host){.ip = "5.9.1.1", .script = &plain, .jitter_ms = 30});
    struct caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        call(&callers[i], world, "5.9.1.1", is_other && i == 3 ? talk + 1 : talk);
    }
    door_run(world_door(world));
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(callers[i].ended, 1);
        caller_done(&callers[i]);
    }
    door_run(world_door(world));
    uint64_t hash = world_traffic_hash(world);
    world_free(world);
    return hash;
}

static void the_same_seed_is_the_same_traffic(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        assert_int_equal(hash_of(seed, false), hash_of(seed, false));
        assert_int_not_equal(hash_of(seed, false), hash_of(seed + 1, false));
        assert_int_not_equal(hash_of(seed, false), hash_of(seed, true));
    }
}

static void hosts_behave_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        enum world_behaviour behaviour;
        unsigned connected;
        int why; /* -1: no end */
    } cases[] = {
        {"5.9.1.1", WORLD_ACCEPT, 1, LINK_END_CLOSED},
        {"5.9.1.2", WORLD_REFUSE, 0, LINK_END_REFUSED},
        {"5.9.1.3", WORLD_BLACKHOLE, 0, -1},
        {"5.9.1.4", WORLD_UNREACHABLE, 0, LINK_END_UNREACHABLE},
        {"5.9.1.5", WORLD_RESET, 1, LINK_END_RESET},
        {"2001:db8::5", WORLD_REFUSE, 0, LINK_END_REFUSED},
    };
    struct world *world = new_world(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        add(world, (struct world_host){
                       .ip = cases[i].ip, .behaviour = cases[i].behaviour, .script = &plain});
        struct caller caller;
        call(&caller, world, cases[i].ip, talk);
        door_run(world_door(world));
        assert_int_equal(caller.connected, cases[i].connected);
        assert_int_equal(caller.ended, cases[i].why >= 0);
        assert_true(cases[i].why < 0 || (int)caller.why == cases[i].why);
        assert_int_equal(link_send(caller.link, SLICE("x")), ERR_CLOSED);
        caller_done(&caller);
        door_run(world_door(world));
    }
    struct caller stray;
    call(&stray, world, "5.9.9.9", talk);
    door_run(world_door(world));
    assert_int_equal(stray.why, LINK_END_UNREACHABLE);
    caller_done(&stray);
    door_run(world_door(world));
    struct world_counts counts;
    world_count(world, &counts);
    assert_int_equal(counts.connects, 7);
    assert_int_equal(counts.stray_connects, 1);
    assert_int_equal(counts.open, 0);
    assert_int_equal(counts.peak, 1);
    struct world_host_counts host;
    world_host_count(world, "5.9.1.1", 25, &host);
    assert_int_equal(host.accepted, 1);
    assert_int_equal(host.tried, 1);
    assert_int_equal(host.open, 0);
    assert_true(host.bytes_in > 0 && host.bytes_out > 0);
    world_free(world);
}

static void tls_fares_as_the_host_says(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        enum world_tls tls;
        bool is_cert_bad, is_secured;
        int why;
    } cases[] = {
        {"5.9.1.1", WORLD_TLS_OK, false, true, -1},
        {"5.9.1.2", WORLD_TLS_OK, true, true, -1},
        {"5.9.1.3", WORLD_TLS_FAIL, false, false, LINK_END_TLS},
        {"5.9.1.4", WORLD_TLS_HANG, false, false, -1},
        {"5.9.1.5", WORLD_TLS_RESET, false, false, LINK_END_TLS},
    };
    struct world *world = new_world(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        add(world, (struct world_host){.ip = cases[i].ip,
                                       .tls = cases[i].tls,
                                       .is_cert_bad = cases[i].is_cert_bad,
                                       .script = &with_tls});
        struct caller caller;
        call(&caller, world, cases[i].ip, starttls);
        caller.wants_tls = true;
        door_run(world_door(world));
        assert_int_equal(caller.secured, cases[i].is_secured);
        assert_int_equal(caller.ended, cases[i].why >= 0);
        assert_true(cases[i].why < 0 || (int)caller.why == cases[i].why);
        if (cases[i].is_secured) {
            assert_int_equal(caller.info.is_cert_trusted, !cases[i].is_cert_bad);
        }
        caller_done(&caller);
        door_run(world_door(world));
    }
    world_free(world);
}

static void bytes_arrive_in_pieces_and_in_order(void **state)
{
    (void)state;
    struct world *world = new_world(3);
    add(world,
        (struct world_host){.ip = "5.9.1.1", .script = &plain, .split_bytes = 1, .jitter_ms = 500});
    struct caller caller;
    call(&caller, world, "5.9.1.1", talk);
    door_run(world_door(world));
    static const char wanted[] = "220 mx.peer.example ESMTP ready\r\n250 mx.peer.example\r\n"
                                 "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n221 2.0.0 Bye\r\n";
    assert_int_equal(caller.said.len, sizeof wanted - 1);
    assert_memory_equal(caller.said.at, wanted, sizeof wanted - 1);
    caller_done(&caller);
    world_free(world); /* with what is still under way */
}

static void a_host_changes_from_now_on(void **state)
{
    (void)state;
    static const struct peer_script other = {.name = "other.example"};
    struct world *world = new_world(1);
    struct world_host host = {.ip = "5.9.1.1", .script = &plain};
    assert_int_equal(world_host_change(world, &host), ERR_STATE);
    add(world, host);
    assert_int_equal(world_host_add(world, &host), ERR_STATE);
    assert_int_equal(world_host_add(world, &(struct world_host){.ip = "no address"}), ERR_SYNTAX);
    host.script = &other;
    assert_int_equal(world_host_change(world, &host), ERR_NONE);
    struct caller caller;
    call(&caller, world, "5.9.1.1", nothing);
    door_run(world_door(world));
    assert_true(slice_starts(buf_view(&caller.said), SLICE("220 other.example")));
    caller_done(&caller);
    assert_non_null(world_host_server(world, "5.9.1.1", 25));
    assert_null(world_host_server(world, "5.9.1.1", 26));
    world_free(world);
    world_free(NULL);
}

static void time_goes_as_far_as_it_may(void **state)
{
    (void)state;
    struct world *world = new_world(1);
    struct door *door = world_door(world);
    add(world, (struct world_host){.ip = "5.9.1.1", .script = &plain});
    struct caller caller;
    uint64_t start = door_now_ms(door);
    call(&caller, world, "5.9.1.1", nothing);
    world_run_until(world, start + 19);
    assert_int_equal(door_now_ms(door), start + 19);
    assert_int_equal(caller.connected, 0);
    world_run_until(world, start + 20);
    assert_int_equal(caller.connected, 1);
    world_run_until(world, start + 100000);
    assert_int_equal(door_now_ms(door), start + 100000); /* where nothing happens any more, too */
    assert_true(caller.said.len > 0);
    caller_done(&caller);
    world_free(world);
}

/* What a killed process leaves: a line that ends in the middle. */
static void what_a_mute_side_says_is_lost(void **state)
{
    (void)state;
    struct world *world = new_world(1);
    add(world, (struct world_host){.ip = "5.9.1.1", .script = &plain});
    struct caller caller;
    call(&caller, world, "5.9.1.1", nothing);
    door_run(world_door(world));
    uint64_t hash = world_traffic_hash(world);
    world_mute(world, true);
    assert_int_equal(link_send(caller.link, SLICE("QUIT\r\n")), ERR_NONE);
    struct link_request request = {.port = 25};
    assert_true(ip_parse(SLICE("5.9.1.1"), &request.ip));
    static const struct link_handler handler = {on_connected, on_received, on_secured, on_ended};
    assert_null(door_connect(world_door(world), &request, &handler, &caller));
    caller_done(&caller);
    world_mute(world, false);
    door_run(world_door(world));
    const struct peer_seen *seen = peer_server_seen(world_host_server(world, "5.9.1.1", 25));
    assert_int_equal(seen->commands[PEER_AT_QUIT], 0);
    assert_int_equal(seen->left_without_quit, 1);
    assert_int_equal(seen->open, 0);
    assert_true(world_traffic_hash(world) == hash);
    struct world_counts counts;
    world_count(world, &counts);
    assert_int_equal(counts.lines, 0);
    world_free(world);
}

static void on_moved(void *context, uint64_t now_ms)
{
    uint64_t *last_ms = context;
    assert_true(now_ms >= last_ms[0]);
    last_ms[0] = now_ms;
    last_ms[1]++;
}

static void a_watcher_hears_of_each_event(void **state)
{
    (void)state;
    struct world *world = new_world(1);
    uint64_t heard[2] = {0, 0};
    const struct world_watcher watcher = {.moved = on_moved, .context = heard};
    add(world, (struct world_host){.ip = "5.9.1.1", .script = &plain});
    world_watch(world, &watcher);
    struct caller caller;
    call(&caller, world, "5.9.1.1", talk);
    door_run(world_door(world));
    caller_done(&caller);
    door_run(world_door(world));
    struct world_counts counts;
    world_count(world, &counts);
    assert_true(counts.events > 0);
    assert_int_equal(heard[1], counts.events);
    world_free(world);
}

struct asker {
    enum query_status status;
    unsigned told;
    uint64_t at_ms;
    struct world *world;
};

static void on_answer(void *context, enum query_status status, struct slice message)
{
    struct asker *asker = context;
    (void)message;
    asker->told++;
    asker->status = status;
    asker->at_ms = door_now_ms(world_door(asker->world));
}

static void names_are_answered_or_fail(void **state)
{
    (void)state;
    static char endless[300];
    memset(endless, 'x', sizeof endless - 1);
    static const struct {
        const char *name;
        enum zone_failure failure;
        enum query_status status;
        uint64_t after_ms;
    } cases[] = {
        {"a.example", ZONE_WELL, QUERY_ANSWERED, 20},
        {"b.example", ZONE_SERVFAIL, QUERY_ANSWERED, 20},
        {"c.example", ZONE_TIMEOUT, QUERY_TIMEOUT, 5000},
        {"d.example", ZONE_NONE_REACHED, QUERY_REFUSED, 20},
        {"e.example", ZONE_BROKEN, QUERY_ANSWERED, 20},
        {endless, ZONE_WELL, QUERY_FAILED, 20},
    };
    struct world *world = new_world(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].failure != ZONE_WELL) {
            assert_int_equal(zone_fail(world_zone(world), cases[i].name, cases[i].failure),
                             ERR_NONE);
        }
        struct asker asker = {.world = world};
        uint64_t start = door_now_ms(world_door(world));
        door_query(world_door(world), slice_of(cases[i].name), DNS_A, on_answer, &asker);
        assert_int_equal(asker.told, 0);
        door_run(world_door(world));
        assert_int_equal(asker.told, 1);
        assert_int_equal(asker.status, cases[i].status);
        assert_int_equal(asker.at_ms - start, cases[i].after_ms);
    }
    world_free(world);
}

static void on_again(void *context)
{
    struct timer *timer = ((void **)context)[0];
    struct world *world = ((void **)context)[1];
    door_timer_start(world_door(world), timer, door_now_ms(world_door(world)) + 1000);
}

static void an_endless_run_is_cut(void **state)
{
    (void)state;
    struct world *world;
    assert_int_equal(world_new(&(struct world_config){.run_ms_max = 60000}, &world), ERR_NONE);
    struct timer timer = {0};
    void *context[2] = {&timer, world};
    timer.fired = on_again;
    timer.context = context;
    int64_t wall = door_wall_ms(world_door(world));
    on_again(context);
    door_run(world_door(world));
    assert_true(world_is_cut(world));
    assert_int_equal(door_wall_ms(world_door(world)) - wall, 60000);
    door_timer_stop(world_door(world), &timer);
    door_run(world_door(world));
    assert_false(world_is_cut(world));
    world_free(world);
}

static void one_family_may_be_missing(void **state)
{
    (void)state;
    struct world *world;
    assert_int_equal(world_new(&(struct world_config){.no_ipv6 = true}, &world), ERR_NONE);
    add(world, (struct world_host){.ip = "2001:db8::1", .script = &plain});
    struct caller caller;
    call(&caller, world, "2001:db8::1", talk);
    door_run(world_door(world));
    assert_int_equal(caller.why, LINK_END_UNREACHABLE);
    assert_int_equal(caller.connected, 0);
    caller_done(&caller);
    world_free(world);
}

/* Neither does a proxy fail here, nor does it need our own way to a family. */
static void a_server_sees_the_proxy(void **state)
{
    static const struct peer_script telling = {
        .rules = {{.at = PEER_AT_RCPT, .say = "550 you are %i"}}};
    static const struct {
        const char *host, *source, *proxy;
        enum proxy_kind kind;
        const char *seen;
    } cases[] = {
        {"5.9.1.1", NULL, "192.0.2.9", PROXY_SOCKS5, "192.0.2.9"},
        {"5.9.1.1", "192.0.2.7", "192.0.2.9", PROXY_HTTP, "192.0.2.9"},
        {"5.9.1.1", "192.0.2.7", "192.0.2.9", PROXY_V2, "192.0.2.7"},
        {"5.9.1.1", NULL, "192.0.2.9", PROXY_V2, "192.0.2.9"},
        {"5.9.1.1", NULL, "2001:db8::9", PROXY_SOCKS5, "198.51.100.7"},
        {"2001:db8::1", NULL, "192.0.2.9", PROXY_SOCKS5, "2001:db8:7::7"},
        {"2001:db8::1", NULL, "2001:db8::9", PROXY_HTTP, "2001:db8::9"},
        {"5.9.1.1", "192.0.2.7", NULL, PROXY_V2, "192.0.2.7"},
    };
    (void)state;
    struct world *world;
    assert_int_equal(world_new(&(struct world_config){.no_ipv6 = true}, &world), ERR_NONE);
    add(world, (struct world_host){.ip = "5.9.1.1", .script = &telling});
    add(world, (struct world_host){.ip = "2001:db8::1", .script = &telling});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proxy proxy = {.kind = cases[i].kind, .ip = ip_of(cases[i].proxy), .port = 1080};
        struct link_request through = {.ip = ip_of(cases[i].host),
                                       .port = 25,
                                       .source = ip_of(cases[i].source),
                                       .proxy = cases[i].proxy == NULL ? NULL : &proxy};
        struct caller caller;
        connect_as(&caller, world, &through, talk);
        door_run(world_door(world));
        char wanted[100];
        (void)snprintf(wanted, sizeof wanted, "550 you are %s\r\n", cases[i].seen);
        struct slice said = buf_view(&caller.said);
        assert_true(slice_find_nocase(said, slice_of(wanted)) < said.len);
        caller_done(&caller);
    }
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_is_the_same_traffic),
        cmocka_unit_test(hosts_behave_as_they_are),
        cmocka_unit_test(tls_fares_as_the_host_says),
        cmocka_unit_test(bytes_arrive_in_pieces_and_in_order),
        cmocka_unit_test(time_goes_as_far_as_it_may),
        cmocka_unit_test(what_a_mute_side_says_is_lost),
        cmocka_unit_test(a_watcher_hears_of_each_event),
        cmocka_unit_test(a_host_changes_from_now_on),
        cmocka_unit_test(names_are_answered_or_fail),
        cmocka_unit_test(an_endless_run_is_cut),
        cmocka_unit_test(one_family_may_be_missing),
        cmocka_unit_test(a_server_sees_the_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
