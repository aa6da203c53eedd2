/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "far.h"
#include "tls_pair.h"

static struct slice far_flight_of(struct far_end *end, char at[TLS_PAIR_FLIGHT_BYTES])
{
    return slice_make(at, far_outgoing(end, at, TLS_PAIR_FLIGHT_BYTES));
}

/* Feeds the flight in pieces: first bytes, then the rest, or each byte alone where first is 0. */
static enum tls_status feed(struct tls_session *session, struct slice flight, size_t first)
{
    enum tls_status status = tls_session_shake(session);
    size_t at = 0;
    while (at < flight.len) {
        size_t to = first == 0 ? at + 1 : at < first && first < flight.len ? first : flight.len;
        tls_session_received(session, slice_sub(flight, at, to));
        status = tls_session_shake(session);
        assert_int_not_equal(status, TLS_FAILED);
        assert_int_not_equal(status, TLS_CLOSED);
        at = to;
    }
    return status;
}

/* A session of ours against a far end, our bytes cut at `first`. Returns the longest flight to us. */
static size_t converse(struct tls_session *session, struct far_end *end, size_t first)
{
    static char flight[TLS_PAIR_FLIGHT_BYTES];
    size_t longest = 0;
    bool is_far_up = false;
    enum tls_status status = TLS_SHAKING;
    for (int i = 0; i < TLS_PAIR_ROUNDS_MAX && !(status == TLS_UP && is_far_up); i++) {
        struct slice theirs = far_flight_of(end, flight);
        longest = theirs.len > longest ? theirs.len : longest;
        status = feed(session, theirs, first);
        far_received(end, tls_pair_flight(session, flight));
        is_far_up = far_shake(end);
    }
    assert_int_equal(status, TLS_UP);
    assert_true(is_far_up);
    return longest;
}

static void exchange_words(struct tls_session *session, struct far_end *end)
{
    static char flight[TLS_PAIR_FLIGHT_BYTES];
    char text[64];
    size_t len;
    assert_int_equal(tls_session_write(session, SLICE("EHLO near\r\n")), ERR_NONE);
    far_received(end, tls_pair_flight(session, flight));
    assert_int_equal(far_read(end, text, sizeof text), 11);
    assert_memory_equal(text, "EHLO near\r\n", 11);
    far_write(end, SLICE("250 far\r\n"));
    tls_session_received(session, far_flight_of(end, flight));
    assert_int_equal(tls_session_read(session, text, sizeof text, &len), TLS_UP);
    assert_int_equal(len, 9);
    assert_memory_equal(text, "250 far\r\n", 9);
    assert_int_equal(tls_session_read(session, text, sizeof text, &len), TLS_UP);
    assert_int_equal(len, 0);
}

static const struct {
    enum far_version version;
    const char *name;
} good_versions[] = {{FAR_TLS1_2, "TLSv1.2"}, {FAR_TLS1_3, "TLSv1.3"}};

static void client_shakes_hands_at_every_split(void **state)
{
    for (size_t v = 0; v < 2; v++) {
        size_t longest = 1;
        for (size_t first = 0; first <= longest; first++) {
            struct tls_session *session = tls_pair_client(*state, "mx.far.example");
            struct far_end *end = far_server(good_versions[v].version);
            longest = converse(session, end, first);
            struct tls_info info;
            tls_session_info(session, &info);
            assert_string_equal(info.version, good_versions[v].name);
            assert_true(info.cipher[0] != '\0');
            if (first % 100 == 0) {
                exchange_words(session, end);
            }
            tls_session_free(session);
            far_free(end);
        }
        assert_true(longest > 300); /* the certificate was in it */
    }
}

static void server_shakes_hands_at_every_split(void **state)
{
    const struct tls_pair *pair = *state;
    for (size_t v = 0; v < 2; v++) {
        size_t longest = 1;
        for (size_t first = 0; first <= longest; first++) {
            struct tls_session *session = tls_pair_server(pair->server);
            struct far_end *end = far_client(good_versions[v].version, "mx.near.example");
            (void)far_shake(end);
            longest = converse(session, end, first);
            struct tls_info info;
            tls_session_info(session, &info);
            assert_string_equal(info.version, good_versions[v].name);
            assert_string_equal(info.cert_result, "no certificate");
            if (first % 100 == 0) {
                exchange_words(session, end);
            }
            tls_session_free(session);
            far_free(end);
        }
        assert_true(longest > 100);
    }
}

static void assert_failed(struct tls_session *session, const char *what)
{
    char text[16];
    size_t len;
    assert_int_equal(tls_session_shake(session), TLS_FAILED);
    assert_int_equal(tls_session_read(session, text, sizeof text, &len), TLS_FAILED);
    assert_int_equal(len, 0);
    assert_int_equal(tls_session_write(session, SLICE("x")), ERR_CLOSED);
    tls_session_close(session);
    const char *words = tls_session_error(session);
    if (strncmp(words, "TLS: ", 5) != 0 || strlen(words) < 10) {
        fail_msg("%s: '%s'", what, words);
    }
}

/* RFC 8996: TLS 1.0 and 1.1 must not be used. */
static void old_versions_are_refused(void **state)
{
    static char flight[TLS_PAIR_FLIGHT_BYTES];
    const struct tls_pair *pair = *state;
    for (enum far_version version = FAR_TLS1_0; version <= FAR_TLS1_1; version++) {
        struct tls_session *session = tls_pair_server(pair->server);
        struct far_end *end = far_client(version, "mx.near.example");
        assert_false(far_shake(end));
        tls_session_received(session, far_flight_of(end, flight));
        assert_int_equal(tls_session_shake(session), TLS_FAILED);
        assert_true(tls_pair_flight(session, flight).len > 0); /* an alert says so */
        assert_failed(session, "an old client");
        assert_non_null(strstr(tls_session_error(session), "protocol"));
        tls_session_free(session);
        far_free(end);

        session = tls_pair_client(pair, "mx.far.example");
        end = far_server(version);
        assert_int_equal(tls_session_shake(session), TLS_SHAKING);
        far_received(end, tls_pair_flight(session, flight));
        assert_false(far_shake(end));
        tls_session_received(session, far_flight_of(end, flight));
        assert_int_equal(tls_session_shake(session), TLS_FAILED);
        assert_failed(session, "an old server");
        tls_session_free(session);
        far_free(end);
    }
}

/* RFC 6066 3: a name goes into SNI, an address does not. */
static void names_go_into_sni_and_addresses_do_not(void **state)
{
    static const struct {
        const char *asked, *seen;
    } cases[] = {{"mx.far.example", "mx.far.example"},
                 {"192.0.2.1", NULL},
                 {"2001:db8::1", NULL},
                 {"", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_session *session = tls_pair_client(*state, cases[i].asked);
        struct far_end *end = far_server(FAR_TLS1_3);
        (void)converse(session, end, 1);
        const char *seen = far_sni(end);
        assert_true((seen == NULL) == (cases[i].seen == NULL));
        if (seen != NULL) {
            assert_string_equal(seen, cases[i].seen);
        }
        tls_session_free(session);
        far_free(end);
    }
}

static void garbage_fails_with_words(void **state)
{
    static const struct {
        const char *what;
        struct slice bytes;
    } cases[] = {
        {"words", SLICE_LITERAL("this is not TLS at all\r\n")},
        {"SMTP", SLICE_LITERAL("220 mx.example ESMTP ready\r\n250 ok\r\n")},
        {"HTTP", SLICE_LITERAL("HTTP/1.0 400 Bad Request\r\n\r\n")},
        {"zeroes", SLICE_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
        {"an alert", SLICE_LITERAL("\x15\x03\x03\x00\x02\x02\x28")},
        {"a record too long", SLICE_LITERAL("\x16\x03\x03\xff\xff\x01\x02\x03\x04\x05\x06")},
        {"data too early", SLICE_LITERAL("\x17\x03\x03\x00\x05hello")},
        {"half a handshake", SLICE_LITERAL("\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03")},
    };
    const struct tls_pair *pair = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_session *session = tls_pair_client(pair, "mx.a.example");
        assert_int_equal(tls_session_shake(session), TLS_SHAKING);
        tls_session_received(session, cases[i].bytes);
        assert_failed(session, cases[i].what);
        tls_session_free(session);
        session = tls_pair_server(pair->server);
        tls_session_received(session, cases[i].bytes);
        assert_failed(session, cases[i].what);
        tls_session_free(session);
    }
}

static void garbage_behind_the_handshake_fails_too(void **state)
{
    const struct tls_pair *pair = *state;
    struct tls_session *session = tls_pair_client(pair, "mx.near.example");
    struct tls_session *server = tls_pair_server(pair->server);
    tls_pair_shake(session, server);
    tls_session_received(session, SLICE("250 2.1.5 Ok and not encrypted\r\n"));
    char text[64];
    size_t len;
    assert_int_equal(tls_session_read(session, text, sizeof text, &len), TLS_FAILED);
    assert_int_equal(len, 0);
    assert_failed(session, "plaintext behind the handshake");
    tls_session_free(session);
    tls_session_free(server);
}

static void close_notify_is_told_from_a_torn_line(void **state)
{
    static char flight[TLS_PAIR_FLIGHT_BYTES];
    const struct tls_pair *pair = *state;
    struct tls_session *session = tls_pair_client(pair, "mx.near.example");
    struct tls_session *server = tls_pair_server(pair->server);
    tls_pair_shake(session, server);
    char text[64];
    size_t len;
    assert_int_equal(tls_session_write(server, SLICE("221 bye\r\n")), ERR_NONE);
    tls_session_close(server);
    struct slice last = tls_pair_flight(server, flight);
    for (size_t i = 0; i + 1 < last.len; i++) { /* cut anywhere: nothing has been closed */
        tls_session_received(session, slice_sub(last, i, i + 1));
    }
    assert_int_equal(tls_session_read(session, text, sizeof text, &len), TLS_UP);
    assert_int_equal(len, 9);
    assert_int_equal(tls_session_read(session, text, sizeof text, &len), TLS_UP);
    assert_int_equal(len, 0);
    tls_session_received(session, slice_sub(last, last.len - 1, last.len));
    assert_int_equal(tls_session_read(session, text, sizeof text, &len), TLS_CLOSED);
    tls_session_close(session);
    tls_session_received(server, tls_pair_flight(session, flight));
    assert_int_equal(tls_session_read(server, text, sizeof text, &len), TLS_CLOSED);
    assert_int_equal(tls_session_write(session, SLICE("too late")), ERR_CLOSED);
    tls_session_free(session);
    tls_session_free(server);
    tls_session_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_shakes_hands_at_every_split),
        cmocka_unit_test(server_shakes_hands_at_every_split),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(names_go_into_sni_and_addresses_do_not),
        cmocka_unit_test(garbage_fails_with_words),
        cmocka_unit_test(garbage_behind_the_handshake_fails_too),
        cmocka_unit_test(close_notify_is_told_from_a_torn_line),
    };
    return cmocka_run_group_tests(tests, tls_pair_open, tls_pair_close);
}
