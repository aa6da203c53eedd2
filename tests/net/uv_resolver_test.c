/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "rig.h"
#include "sim/responder.h"

enum { TEXT_BYTES = 32, MANY_RECORDS = 60 };

/* A responder on one door, and the rig's own door replaced by one that asks it. */
struct scene {
    struct rig *rig;
    struct zone *zone;
    struct responder *responder;
};

static void reopen(struct rig *rig, const char *const *resolvers, size_t count)
{
    const struct uv_door_config config = {.resolvers = resolvers,
                                          .resolver_count = count,
                                          .query_timeout_ms = 1000,
                                          .query_tries = 2};
    door_timer_stop(rig->door, &rig->guard);
    uv_door_close(rig->door);
    struct fault fault = {0};
    if (uv_door_open(&config, &rig->door, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    door_timer_start(rig->door, &rig->guard, door_now_ms(rig->door) + 100000);
}

/* A UDP and TCP port where nobody answers: refused while fd is open and not listening. */
static int dead_port(uint16_t *out_port)
{
    int fd = raw_bind("127.0.0.1", out_port);
    assert_true(fd >= 0);
    return fd;
}

/* The port must be known before the door asks it: the responder opens on the door itself, with a free port
 * found beforehand. */
static void scene_open(struct scene *scene, struct rig *rig, const char *before)
{
    *scene = (struct scene){.rig = rig};
    assert_int_equal(zone_new(&scene->zone), ERR_NONE);
    struct ip ip = rig_ip("127.0.0.1");
    for (int tries = 0; scene->responder == NULL && tries < 20; tries++) {
        uint16_t port;
        int fd = dead_port(&port);
        assert_int_equal(close(fd), 0);
        char text[TEXT_BYTES];
        (void)snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)port);
        const char *const resolvers[] = {before == NULL ? text : before, text};
        reopen(rig, resolvers, before == NULL ? 1 : 2);
        enum err e = responder_open(rig->door, scene->zone, &ip, port, &scene->responder, NULL);
        assert_true(e == ERR_NONE || e == ERR_SYSTEM);
    }
    assert_non_null(scene->responder);
}

static void scene_close(struct scene *scene)
{
    responder_close(scene->responder);
    zone_free(scene->zone);
}

struct asker {
    struct rig *rig;
    unsigned told;
    enum query_status status;
    struct dns_message message;
    enum err parsed;
};

static void on_told(void *context, enum query_status status, struct slice message)
{
    struct asker *asker = context;
    assert_false(asker->rig->is_asking);
    asker->told++;
    asker->status = status;
    asker->parsed = dns_message_parse(message, &asker->message);
    door_stop(asker->rig->door);
}

static void ask(struct asker *asker, struct rig *rig, struct slice name, uint16_t type)
{
    *asker = (struct asker){.rig = rig};
    rig->is_asking = true;
    door_query(rig->door, name, type, on_told, asker);
    rig->is_asking = false;
    RIG_UNTIL(rig, asker->told > 0);
    rig_rest(rig, 2);
    assert_int_equal(asker->told, 1);
}

static void add(struct scene *scene, const char *name, enum dns_type type, const char *value)
{
    assert_int_equal(zone_add(scene->zone, name, type, value, 300), ERR_NONE);
}

static void hands_up_what_was_said(void **state)
{
    struct scene scene;
    scene_open(&scene, *state, NULL);
    add(&scene, "a.example", DNS_MX, "10 mx.a.example");
    add(&scene, "mx.a.example", DNS_A, "192.0.2.1");
    add(&scene, "mx.a.example", DNS_AAAA, "2001:db8::1");
    assert_int_equal(zone_fail(scene.zone, "fail.example", ZONE_SERVFAIL), ERR_NONE);
    assert_int_equal(zone_fail(scene.zone, "no.example", ZONE_REFUSED), ERR_NONE);
    assert_int_equal(zone_fail(scene.zone, "silent.example", ZONE_TIMEOUT), ERR_NONE);
    static const struct {
        const char *name;
        uint16_t type;
        enum query_status status;
        uint8_t rcode;
        size_t answers;
    } cases[] = {
        {"a.example", DNS_MX, QUERY_ANSWERED, DNS_NOERROR, 1},
        {"mx.a.example", DNS_A, QUERY_ANSWERED, DNS_NOERROR, 1},
        {"MX.A.Example", DNS_AAAA, QUERY_ANSWERED, DNS_NOERROR, 1},
        {"a.example", DNS_A, QUERY_ANSWERED, DNS_NOERROR, 0},
        {"none.example", DNS_MX, QUERY_ANSWERED, DNS_NXDOMAIN, 0},
        {"fail.example", DNS_MX, QUERY_ANSWERED, DNS_SERVFAIL, 0},
        {"no.example", DNS_MX, QUERY_ANSWERED, DNS_REFUSED, 0},
        {"silent.example", DNS_MX, QUERY_TIMEOUT, 0, 0},
        {"two..dots", DNS_MX, QUERY_FAILED, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asker asker;
        ask(&asker, scene.rig, slice_of(cases[i].name), cases[i].type);
        bool is_message = asker.parsed == ERR_NONE;
        if (asker.status != cases[i].status || is_message != (cases[i].status == QUERY_ANSWERED) ||
            (is_message && (asker.message.rcode != cases[i].rcode ||
                            asker.message.answer_count != cases[i].answers))) {
            fail_msg("%s: status %d, rcode %d, %zu answers", cases[i].name, (int)asker.status,
                     asker.message.rcode, asker.message.answer_count);
        }
    }
    scene_close(&scene);
}

/* RFC 1035 4.2.1, RFC 7766 5: cut over UDP, whole over TCP. */
static void asks_again_over_tcp_where_an_answer_was_cut(void **state)
{
    struct scene scene;
    scene_open(&scene, *state, NULL);
    for (int i = 0; i < MANY_RECORDS; i++) {
        char value[TEXT_BYTES];
        (void)snprintf(value, sizeof value, "192.0.2.%d", i + 1);
        add(&scene, "many.example", DNS_A, value);
    }
    struct asker asker;
    ask(&asker, scene.rig, SLICE("many.example"), DNS_A);
    assert_int_equal(asker.status, QUERY_ANSWERED);
    assert_int_equal(asker.parsed, ERR_NONE);
    assert_false(asker.message.is_truncated);
    assert_int_equal(asker.message.answer_count, MANY_RECORDS);
    assert_true(responder_questions(scene.responder) >= 2);
    scene_close(&scene);
}

static void goes_past_a_dead_resolver(void **state)
{
    uint16_t port;
    int fd = dead_port(&port);
    char dead[TEXT_BYTES];
    (void)snprintf(dead, sizeof dead, "127.0.0.1:%u", (unsigned)port);
    struct scene scene;
    scene_open(&scene, *state, dead);
    add(&scene, "a.example", DNS_A, "192.0.2.1");
    for (int i = 0; i < 3; i++) {
        struct asker asker;
        ask(&asker, scene.rig, SLICE("a.example"), DNS_A);
        assert_int_equal(asker.status, QUERY_ANSWERED);
        assert_int_equal(asker.message.answer_count, 1);
    }
    scene_close(&scene);
    assert_int_equal(close(fd), 0);
}

/* A name server that is not there when it is asked, and back when it is asked again in the turn in which the loop has that
 * error to tell: the second question hears of it first, and the loop tells of a socket that has none any more. */
struct absence {
    struct owner owner; /* first: of a line that has something to read before the error comes */
    struct zone *zone;
    struct responder *responder;
    uint16_t port;
    struct asker asker;
};

static void on_heard(struct owner *owner)
{
    struct absence *absence = (struct absence *)(void *)owner;
    struct ip ip = rig_ip("127.0.0.1");
    enum err e = responder_open(owner->rig->door, absence->zone, &ip, absence->port,
                                &absence->responder, NULL);
    assert_int_equal(e, ERR_NONE);
    door_query(owner->rig->door, SLICE("a.example"), DNS_A, on_told, &absence->asker);
}

static void hears_one_that_was_away(void **state)
{
    struct rig *rig = *state;
    struct absence absence = {.asker = {.rig = rig}};
    struct asker first = {.rig = rig};
    char text[TEXT_BYTES];
    uint16_t port;
    assert_int_equal(close(dead_port(&absence.port)), 0);
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)absence.port);
    reopen(rig, (const char *const[]){text}, 1);
    assert_int_equal(zone_new(&absence.zone), ERR_NONE);
    assert_int_equal(zone_add(absence.zone, "a.example", DNS_A, "192.0.2.1", 300), ERR_NONE);
    int listening = raw_listen("127.0.0.1", &port);
    owner_init(&absence.owner, rig);
    absence.owner.heard = on_heard;
    owner_connect(&absence.owner, "127.0.0.1", port, NULL);
    int far = raw_accept(rig, listening, NULL);
    RIG_UNTIL(rig, absence.owner.connected > 0);
    assert_int_equal(write(far, "x", 1), 1);
    door_query(rig->door, SLICE("a.example"), DNS_A, on_told, &first);
    RIG_UNTIL(rig, absence.asker.told > 0 && first.told > 0);
    assert_int_equal(absence.asker.status, QUERY_ANSWERED);
    assert_int_equal(first.status, QUERY_ANSWERED);
    owner_done(&absence.owner);
    assert_int_equal(close(far) + close(listening), 0);
    responder_close(absence.responder);
    zone_free(absence.zone);
}

static void no_resolver_reached_is_said_so(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int fd = dead_port(&port);
    char dead[TEXT_BYTES];
    (void)snprintf(dead, sizeof dead, "127.0.0.1:%u", (unsigned)port);
    const char *const resolvers[] = {dead, dead};
    for (size_t count = 1; count <= 2; count++) {
        reopen(rig, resolvers, count);
        struct asker asker;
        ask(&asker, rig, SLICE("a.example"), DNS_MX);
        assert_int_equal(asker.status, QUERY_REFUSED);
    }
    assert_int_equal(close(fd), 0);
}

static void names_that_cannot_be_asked_fail_from_the_loop(void **state)
{
    struct scene scene;
    scene_open(&scene, *state, NULL);
    add(&scene, "a.example", DNS_A, "192.0.2.1");
    static char endless[5000];
    static char label[80];
    memset(endless, 'x', sizeof endless);
    memset(label, 'y', sizeof label);
    for (size_t i = 20; i < sizeof endless; i += 20) {
        endless[i] = '.';
    }
    const struct slice names[] = {
        slice_make(endless, 254),
        slice_make(endless, 255),
        slice_make(endless, 256),
        slice_make(endless, sizeof endless),
        slice_make(label, sizeof label),
        SLICE("a.example\0.other.example"),
        SLICE(".a.example"),
        SLICE("a.onion"), /* RFC 7686 2 */
        SLICE("A.ONION"),
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct asker asker;
        ask(&asker, scene.rig, names[i], DNS_A);
        if (asker.status != QUERY_FAILED) {
            fail_msg("name %zu: status %d", i, (int)asker.status);
        }
    }
    assert_int_equal(responder_questions(scene.responder), 0);
    scene_close(&scene);
}

/* RFC 1035 2.3.4: labels of 63 octets, names of 255 on the wire. */
static void names_as_long_as_they_may_be_are_asked(void **state)
{
    static const size_t lens[] = {1, 2, 62, 63, 65, 127, 129, 191, 193, 252, 253};
    static char name[254];
    struct scene scene;
    scene_open(&scene, *state, NULL);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct asker asker;
        memset(name, 'x', sizeof name);
        for (size_t dot = 63; dot + 1 < lens[i]; dot += 64) {
            name[dot] = '.';
        }
        name[lens[i]] = '\0';
        add(&scene, name, DNS_A, "192.0.2.1");
        ask(&asker, scene.rig, slice_make(name, lens[i]), DNS_A);
        if (asker.status != QUERY_ANSWERED || asker.parsed != ERR_NONE ||
            asker.message.answer_count != 1 || strcmp(asker.message.question, name) != 0) {
            fail_msg("%zu bytes: status %d", lens[i], (int)asker.status);
        }
    }
    scene_close(&scene);
}

static void resolvers_are_addresses_or_it_is_said(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     "dns.example", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:", "127.0.0.1:x",
        "[::1", "::1]:53",     "1.2.3",       "[127.0.0.1]x",    "127.0.0.1 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const resolvers[] = {"127.0.0.1", bad[i]};
        struct door *door = NULL;
        struct fault fault = {0};
        enum err e = uv_door_open(
            &(struct uv_door_config){.resolvers = resolvers, .resolver_count = 2}, &door, &fault);
        if (e != ERR_SYNTAX || strstr(fault.text, "is not an address like") == NULL ||
            strstr(fault.text, bad[i]) == NULL) {
            fail_msg("'%s': %s, %s", bad[i], err_name(e), fault.text);
        }
        assert_null(door);
    }
    static const char *const good[] = {"127.0.0.1",  "127.0.0.1:5353", "::1",
                                       "[::1]:5353", "[::1]",          "2001:db8::53"};
    struct door *door;
    assert_int_equal(
        uv_door_open(&(struct uv_door_config){.resolvers = good, .resolver_count = 6}, &door, NULL),
        ERR_NONE);
    uv_door_close(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hands_up_what_was_said, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(asks_again_over_tcp_where_an_answer_was_cut, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(goes_past_a_dead_resolver, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(hears_one_that_was_away, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(no_resolver_reached_is_said_so, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(names_that_cannot_be_asked_fail_from_the_loop, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(names_as_long_as_they_may_be_are_asked, rig_open,
                                        rig_close),
        cmocka_unit_test(resolvers_are_addresses_or_it_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
