/* net/uv_link with TLS between socket and owner.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "rig.h"

enum { MEGABYTE = 1 << 20 };

static struct tls_server *server;

static int server_open(void **state)
{
    (void)state;
    return tls_server_new(SLICE_NONE, SLICE_NONE, "mx.near.example", 9, &server, NULL) != ERR_NONE;
}

static int server_close(void **state)
{
    (void)state;
    tls_server_free(server);
    return 0;
}

/* The server's side: "STARTTLS" in plaintext is answered and followed by a handshake; in TLS all is echoed. */
static void serve(struct owner *side)
{
    if (side->secured > 0) {
        assert_int_equal(owner_send(side, buf_view(&side->bytes)), ERR_NONE);
    } else {
        assert_int_equal(owner_send(side, SLICE("220 go ahead\r\n")), ERR_NONE);
        link_accept_tls(side->link, server);
    }
    buf_clear(&side->bytes);
}

static void meet(struct owner *side)
{
    side->heard = serve;
}

/* As a client does: from within received(). */
static void begin_tls(struct owner *us)
{
    if (us->secured == 0 && us->bytes.len == 14) {
        buf_clear(&us->bytes);
        owner_start_tls(us, "mx.near.example");
    }
}

static void secure(struct rig *rig, struct host *host, struct owner *us)
{
    host_open(host, rig, "127.0.0.1", meet);
    owner_init(us, rig);
    us->heard = begin_tls;
    owner_connect(us, "127.0.0.1", host_port(host), NULL);
    RIG_UNTIL(rig, us->connected == 1);
    assert_int_equal(owner_send(us, SLICE("STARTTLS\r\n")), ERR_NONE);
    RIG_UNTIL(rig, us->secured == 1 && host->sides[0].secured == 1);
}

static void talks_through_tls(void **state)
{
    struct rig *rig = *state;
    struct host host;
    struct owner us;
    secure(rig, &host, &us);
    assert_string_equal(us.info.version, "TLSv1.3");
    assert_true(us.info.cipher[0] != '\0');
    assert_false(us.info.is_cert_trusted);
    assert_true(us.info.is_cert_for_host);
    assert_string_equal(us.info.cert_result, "self-signed certificate");
    assert_int_equal(owner_send(&us, SLICE("EHLO us\r\n")), ERR_NONE);
    RIG_UNTIL(rig, us.bytes.len == 9);
    assert_memory_equal(us.bytes.at, "EHLO us\r\n", 9);
    owner_close(&us);
    RIG_UNTIL(rig, host.sides[0].ended == 1);
    assert_int_equal(host.sides[0].why, LINK_END_CLOSED);
    owner_done(&us);
    host_close(&host);
}

static void carries_a_megabyte_and_closes_behind_it(void **state)
{
    struct rig *rig = *state;
    struct host host;
    struct owner us;
    secure(rig, &host, &us);
    struct owner *side = &host.sides[0];
    side->heard = NULL;
    char *much = malloc(MEGABYTE + 1);
    assert_non_null(much);
    for (size_t i = 0; i <= MEGABYTE; i++) {
        much[i] = (char)(i * 7 + i / 1000);
    }
    assert_int_equal(owner_send(&us, slice_make(much, MEGABYTE + 1)), ERR_LIMIT);
    assert_int_equal(owner_send(&us, slice_make(much, MEGABYTE)), ERR_NONE);
    owner_close(&us);
    RIG_UNTIL(rig, side->ended == 1);
    assert_int_equal(side->why, LINK_END_CLOSED);
    assert_int_equal(side->bytes.len, MEGABYTE);
    assert_memory_equal(side->bytes.at, much, MEGABYTE);
    free(much);
    owner_done(&us);
    host_close(&host);
}

/* A line whose other end is a plain socket; the handshake has begun. */
static int shaking(struct rig *rig, struct owner *us, int *out_listening)
{
    uint16_t port;
    *out_listening = raw_listen("127.0.0.1", &port);
    owner_init(us, rig);
    owner_connect(us, "127.0.0.1", port, NULL);
    int there = raw_accept(rig, *out_listening, NULL);
    RIG_UNTIL(rig, us->connected == 1);
    owner_start_tls(us, "mx.near.example");
    struct buf hello;
    buf_init(&hello, MEGABYTE);
    while (hello.len == 0) { /* so that a close sends no reset for bytes nobody read */
        rig_rest(rig, 1);
        assert_false(raw_take(there, &hello));
    }
    buf_done(&hello);
    return there;
}

static void a_handshake_that_fails_ends_the_line_with_words(void **state)
{
    static const struct {
        const char *what, *says;
        bool is_reset;
    } cases[] = {
        {"words", "this is not TLS at all\r\n", false},
        {"SMTP", "250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n", false},
        {"half a record", "\x16\x03\x03", false},
        {"the end", "", false},
        {"a reset", "", true},
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct owner us;
        int listening;
        int there = shaking(rig, &us, &listening);
        size_t len = strlen(cases[i].says);
        assert_int_equal(write(there, cases[i].says, len), len);
        if (cases[i].is_reset) {
            raw_reset(there);
        } else {
            assert_int_equal(close(there), 0);
        }
        RIG_UNTIL(rig, us.ended == 1);
        if (us.why != LINK_END_TLS || strlen(us.detail) < 5 || us.bytes.len > 0) {
            fail_msg("%s: %d '%s'", cases[i].what, (int)us.why, us.detail);
        }
        assert_int_equal(owner_send(&us, SLICE("x")), ERR_CLOSED);
        owner_done(&us);
        assert_int_equal(close(listening), 0);
    }
}

static void silence_and_close_during_the_handshake(void **state)
{
    struct rig *rig = *state;
    struct owner us;
    int listening;
    int there = shaking(rig, &us, &listening);
    rig_rest(rig, 20);
    assert_int_equal(us.secured + us.ended, 0);
    assert_int_not_equal(owner_send(&us, SLICE("too early")), ERR_NONE);
    owner_done(&us);
    rig_rest(rig, 5);
    assert_int_equal(close(there), 0);
    assert_int_equal(close(listening), 0);
}

static void close_now(struct owner *owner)
{
    owner_close(owner);
}

static void may_be_closed_in_secured_and_received(void **state)
{
    struct rig *rig = *state;
    struct host again;
    struct owner heard;
    secure(rig, &again, &heard);
    heard.heard = close_now;
    assert_int_equal(owner_send(&heard, SLICE("once more\r\n")), ERR_NONE);
    RIG_UNTIL(rig, heard.link == NULL && again.sides[0].ended == 1);
    assert_int_equal(again.sides[0].why, LINK_END_CLOSED);
    owner_done(&heard);
    host_close(&again);
    struct host host;
    struct owner us;
    host_open(&host, rig, "127.0.0.1", meet);
    owner_init(&us, rig);
    us.heard = begin_tls;
    owner_connect(&us, "127.0.0.1", host_port(&host), NULL);
    RIG_UNTIL(rig, us.connected == 1);
    us.changed = close_now; /* secured() is next */
    assert_int_equal(owner_send(&us, SLICE("STARTTLS\r\n")), ERR_NONE);
    RIG_UNTIL(rig, us.link == NULL && host.count == 1 && host.sides[0].ended == 1);
    assert_int_equal(us.secured, 1);
    owner_done(&us);
    host_close(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(talks_through_tls, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(carries_a_megabyte_and_closes_behind_it, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(a_handshake_that_fails_ends_the_line_with_words, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(silence_and_close_during_the_handshake, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(may_be_closed_in_secured_and_received, rig_open, rig_close),
    };
    return cmocka_run_group_tests(tests, server_open, server_close);
}
