/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/responder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../net/rig.h"
#include "base/slice.h"

enum { MANY_RECORDS = 60, DATAGRAM_BYTES = 512, MESSAGE_BYTES_MAX = 65535 };

struct scene {
    struct rig *rig;
    struct zone *zone;
    struct responder *responder;
    struct listener *ear; /* asks over UDP */
    struct buf heard;
    unsigned count;
};

static void on_datagram(void *context, const struct net_place *from, struct slice datagram)
{
    struct scene *scene = context;
    (void)from;
    scene->count++;
    buf_clear(&scene->heard);
    assert_int_equal(buf_append(&scene->heard, datagram), ERR_NONE);
    door_stop(scene->rig->door);
}

static void scene_open(struct scene *scene, struct rig *rig)
{
    *scene = (struct scene){.rig = rig};
    struct ip ip = rig_ip("127.0.0.1");
    buf_init(&scene->heard, MESSAGE_BYTES_MAX);
    assert_int_equal(zone_new(&scene->zone), ERR_NONE);
    assert_int_equal(zone_add(scene->zone, "a.example", DNS_A, "192.0.2.1", 60), ERR_NONE);
    for (int i = 0; i < MANY_RECORDS; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "192.0.2.%d", i);
        assert_int_equal(zone_add(scene->zone, "many.example", DNS_A, value, 60), ERR_NONE);
    }
    assert_int_equal(zone_fail(scene->zone, "silent.example", ZONE_TIMEOUT), ERR_NONE);
    assert_int_equal(zone_fail(scene->zone, "broken.example", ZONE_BROKEN), ERR_NONE);
    assert_int_equal(responder_open(rig->door, scene->zone, &ip, 0, &scene->responder, NULL),
                     ERR_NONE);
    assert_int_equal(net_listen_udp(rig->door, &(struct net_place){.ip = ip}, on_datagram, scene,
                                    &scene->ear, NULL),
                     ERR_NONE);
}

static void scene_close(struct scene *scene)
{
    responder_close(scene->responder);
    listener_close(scene->ear);
    zone_free(scene->zone);
    buf_done(&scene->heard);
}

/* A question with its length in front, as TCP wants it; UDP takes it from the third byte on. */
static void question(struct buf *out, const char *name, uint16_t id)
{
    struct dns_message message = {.id = id, .question_type = DNS_A};
    (void)snprintf(message.question, sizeof message.question, "%s", name);
    struct buf bytes;
    buf_init(&bytes, MESSAGE_BYTES_MAX);
    assert_int_equal(dns_message_write(&message, &bytes), ERR_NONE);
    assert_int_equal(buf_append_byte(out, (char)(bytes.len >> 8)), ERR_NONE);
    assert_int_equal(buf_append_byte(out, (char)(bytes.len & 0xFF)), ERR_NONE);
    assert_int_equal(buf_append(out, buf_view(&bytes)), ERR_NONE);
    buf_done(&bytes);
}

static void ask_udp(struct scene *scene, const char *name, uint16_t id)
{
    struct buf out;
    buf_init(&out, MESSAGE_BYTES_MAX);
    question(&out, name, id);
    const struct net_place to = {rig_ip("127.0.0.1"), responder_port(scene->responder)};
    assert_int_equal(listener_reply(scene->ear, &to, slice_sub(buf_view(&out), 2, out.len)),
                     ERR_NONE);
    buf_done(&out);
}

static void answers_datagrams(void **state)
{
    struct scene scene;
    struct dns_message answer;
    scene_open(&scene, *state);
    ask_udp(&scene, "a.example", 77);
    RIG_UNTIL(scene.rig, scene.count == 1);
    assert_int_equal(dns_message_parse(buf_view(&scene.heard), &answer), ERR_NONE);
    assert_int_equal(answer.id, 77);
    assert_int_equal(answer.answer_count, 1);
    assert_false(answer.is_truncated);

    ask_udp(&scene, "many.example", 78); /* RFC 1035 4.2.1 */
    RIG_UNTIL(scene.rig, scene.count == 2);
    assert_true(scene.heard.len <= DATAGRAM_BYTES);
    assert_int_equal(dns_message_parse(buf_view(&scene.heard), &answer), ERR_NONE);
    assert_int_equal(answer.id, 78);
    assert_true(answer.is_truncated);
    assert_int_equal(answer.answer_count, 0);

    ask_udp(&scene, "silent.example", 79);
    ask_udp(&scene, "broken.example", 80);
    RIG_UNTIL(scene.rig, scene.count == 3);
    assert_int_equal(dns_message_parse(buf_view(&scene.heard), &answer), ERR_SYNTAX);
    const struct net_place to = {rig_ip("127.0.0.1"), responder_port(scene.responder)};
    assert_int_equal(listener_reply(scene.ear, &to, SLICE("no question")), ERR_NONE);
    rig_rest(scene.rig, 10);
    assert_int_equal(scene.count, 3);
    assert_int_equal(responder_questions(scene.responder), 3);
    scene_close(&scene);
}

/* RFC 7766 6.2.1: several questions on one connection, in any pieces. */
static void answers_streams_in_any_pieces(void **state)
{
    struct scene scene;
    scene_open(&scene, *state);
    struct buf asked;
    buf_init(&asked, MESSAGE_BYTES_MAX);
    question(&asked, "many.example", 1);
    question(&asked, "a.example", 2);
    for (size_t piece = 1; piece <= asked.len; piece += 13) {
        struct owner us;
        owner_init(&us, scene.rig);
        owner_connect(&us, "127.0.0.1", responder_port(scene.responder), NULL);
        RIG_UNTIL(scene.rig, us.connected == 1);
        for (size_t at = 0; at < asked.len; at += piece) {
            assert_int_equal(owner_send(&us, slice_sub(buf_view(&asked), at, at + piece)),
                             ERR_NONE);
        }
        size_t first = 0;
        struct dns_message answer;
        for (uint16_t id = 1; id <= 2; id++) {
            RIG_UNTIL(scene.rig, us.bytes.len >= first + 2);
            size_t len = (size_t)(unsigned char)us.bytes.at[first] << 8 |
                         (unsigned char)us.bytes.at[first + 1];
            RIG_UNTIL(scene.rig, us.bytes.len >= first + 2 + len);
            assert_int_equal(dns_message_parse(slice_make(us.bytes.at + first + 2, len), &answer),
                             ERR_NONE);
            assert_int_equal(answer.id, id);
            assert_int_equal(answer.answer_count, id == 1 ? MANY_RECORDS : 1);
            first += 2 + len;
        }
        assert_int_equal(us.bytes.len, first);
        owner_done(&us);
    }
    buf_done(&asked);
    scene_close(&scene);
}

static void a_taken_port_is_said_so(void **state)
{
    struct scene scene;
    scene_open(&scene, *state);
    struct ip ip = rig_ip("127.0.0.1");
    struct responder *second = NULL;
    struct fault fault = {0};
    assert_int_equal(responder_open(scene.rig->door, scene.zone, &ip,
                                    responder_port(scene.responder), &second, &fault),
                     ERR_SYSTEM);
    assert_null(second);
    assert_non_null(strstr(fault.text, "address already in use"));
    responder_close(NULL);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_datagrams, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(answers_streams_in_any_pieces, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(a_taken_port_is_said_so, rig_open, rig_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
