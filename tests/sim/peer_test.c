/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"

enum { SAID_BYTES_MAX = 1 << 22, FLOOD_BYTES = 100000 };

/* One connection, and all it said with the times of the pieces. */
struct line {
    struct peer_server *server;
    struct peer *peer;
    struct buf said;
    uint64_t now_ms, last_ms;
    unsigned pieces;
};

static void line_open(struct line *line, const struct peer_script *script, uint64_t seed)
{
    *line = (struct line){.now_ms = 5000};
    struct ip ip;
    assert_true(ip_parse(SLICE("192.0.2.1"), &ip));
    buf_init(&line->said, SAID_BYTES_MAX);
    assert_int_equal(peer_server_new(script, seed, &line->server), ERR_NONE);
    assert_int_equal(peer_new(line->server, &ip, line->now_ms, &line->peer), ERR_NONE);
}

static void line_close(struct line *line)
{
    peer_free(line->peer);
    peer_server_free(line->server);
    buf_done(&line->said);
}

/* Lets time go by from due time to due time until nothing is due any more. */
static void hear_all(struct line *line)
{
    for (;;) {
        struct slice bytes;
        uint64_t at_ms;
        if (peer_next_output(line->peer, line->now_ms, &bytes, &at_ms)) {
            assert_int_equal(buf_append(&line->said, bytes), ERR_NONE);
            line->last_ms = at_ms;
            line->pieces++;
        } else if (at_ms != UINT64_MAX) {
            assert_true(at_ms > line->now_ms);
            line->now_ms = at_ms;
        } else {
            return;
        }
    }
}

static void say(struct line *line, const char *text)
{
    peer_received(line->peer, slice_of(text), line->now_ms);
    hear_all(line);
}

static void assert_said(struct line *line, struct slice wanted)
{
    if (!slice_equal(buf_view(&line->said), wanted)) {
        fail_msg("'%.*s' instead of '%.*s'", SLICE_ARG(buf_view(&line->said)), SLICE_ARG(wanted));
    }
    buf_clear(&line->said);
}

/* RFC 2920 3.2 */
static void answers_a_group_in_one_piece(void **state)
{
    (void)state;
    static const struct peer_script script = {.live = {"jane"}, .is_bunching = true};
    struct line line;
    line_open(&line, &script, 1);
    say(&line, "EHLO x\r\n");
    say(&line, "MAIL FROM:<>\r\n");
    buf_clear(&line.said);
    line.pieces = 0;
    say(&line, "RCPT TO:<jane@d>\r\nRCPT TO:<joe@d>\r\nRCPT TO:<jane@d>\r\nRCPT TO:<ja");
    assert_int_equal(line.pieces, 1);
    assert_said(&line, SLICE("250 2.1.5 Ok\r\n"
                             "550 5.1.1 <joe@d>: Recipient address rejected: User unknown\r\n"
                             "250 2.1.5 Ok\r\n"));
    say(&line, "ne@d>\r\n");
    assert_said(&line, SLICE("250 2.1.5 Ok\r\n"));
    line_close(&line);
}

static void speaks_in_pieces(void **state)
{
    (void)state;
    static const struct peer_script script = {.chunk_bytes = 10, .chunk_ms = 7};
    struct line line;
    line_open(&line, &script, 1);
    hear_all(&line);
    assert_int_equal(line.pieces, 4);
    assert_int_equal(line.last_ms, 5000 + 3 * 7);
    assert_said(&line, SLICE("220 mx.peer.example ESMTP ready\r\n"));
    line_close(&line);
}

static void says_odd_bytes(void **state)
{
    (void)state;
    static const struct peer_script script = {
        .has_bare_lf = true,
        .rules = {{PEER_AT_HELO, .say = "250-a%0b\n250 %8 %% %x"}},
    };
    struct line line;
    line_open(&line, &script, 1);
    hear_all(&line);
    assert_said(&line, SLICE("220 mx.peer.example ESMTP ready\n"));
    say(&line, "HELO us\r\n");
    assert_said(&line, SLICE("250-a\0b\n250 \xE9 % x\n"));
    line_close(&line);
}

static void speaks_tls_to_plaintext(void **state)
{
    (void)state;
    static const struct peer_script script = {.tongue = PEER_SPEAKS_TLS};
    struct line line;
    line_open(&line, &script, 1);
    assert_false(peer_wants_close(line.peer)); /* not before all output was taken */
    hear_all(&line);
    assert_said(&line, SLICE("\x15\x03\x01\x00\x02\x02\x46"));
    assert_true(peer_wants_close(line.peer));
    line_close(&line);
}

static void floods_as_long_as_told(void **state)
{
    (void)state;
    static const struct peer_script script = {.tongue = PEER_SPEAKS_FLOOD,
                                              .flood_bytes = FLOOD_BYTES};
    struct line line;
    line_open(&line, &script, 1);
    hear_all(&line);
    assert_true(line.said.len >= FLOOD_BYTES && line.said.len < FLOOD_BYTES + 4096);
    assert_true(slice_starts(buf_view(&line.said), SLICE("220-")));
    assert_int_equal(slice_find_nocase(buf_view(&line.said), SLICE("220 ")), line.said.len);
    line_close(&line);
}

static const char conversation[] = "EHLO us\r\nMAIL FROM:<>\r\nRCPT TO:<jane@d.example>\r\n"
                                   "RCPT TO:<joe@d.example>\nRSET\r\nQUIT\r\n";
static const struct peer_script plain = {.live = {"jane"}};

static void any_split_of_the_input_is_the_same(void **state)
{
    (void)state;
    struct line whole;
    line_open(&whole, &plain, 1);
    hear_all(&whole);
    say(&whole, conversation);
    assert_true(whole.said.len > 200);
    assert_true(peer_wants_close(whole.peer));
    for (size_t first = 0; first < sizeof conversation - 1; first++) {
        struct line line;
        line_open(&line, &plain, 1);
        hear_all(&line);
        size_t at = 0;
        while (at < sizeof conversation - 1) {
            size_t to = first == 0 ? at + 1 : at < first ? first : sizeof conversation - 1;
            peer_received(line.peer, slice_make(conversation + at, to - at), line.now_ms);
            hear_all(&line);
            at = to;
        }
        assert_said(&line, buf_view(&whole.said));
        line_close(&line);
    }
    line_close(&whole);
}

static void answers_one_command_after_the_other(void **state)
{
    (void)state;
    static const struct peer_script slow = {.live = {"jane"}, .delay_ms = 100};
    struct line line;
    line_open(&line, &slow, 1);
    hear_all(&line);
    say(&line, conversation);
    assert_int_equal(line.now_ms, 5000 + 6 * 100);
    line_close(&line);
}

static void notes_bad_manners(void **state)
{
    (void)state;
    static const struct peer_script slow = {.banner_delay_ms = 100, .extensions = {"DSN"}};
    struct line line;
    line_open(&line, &slow, 1);
    peer_received(line.peer, SLICE("EHLO us\r\n"), line.now_ms); /* before the banner */
    hear_all(&line);
    assert_int_equal(peer_server_seen(line.server)->early_commands, 1);
    peer_received(line.peer, SLICE("MAIL FROM:<>\r\n"), line.now_ms);
    peer_received(line.peer, SLICE("RCPT TO:<x@y>\r\n"), line.now_ms); /* pipelined unoffered */
    hear_all(&line);
    assert_int_equal(peer_server_seen(line.server)->early_commands, 2);
    peer_left(line.peer);
    peer_left(line.peer);
    assert_int_equal(peer_server_seen(line.server)->left_without_quit, 1);
    assert_int_equal(peer_server_seen(line.server)->open, 0);
    line_close(&line);
}

static void a_line_without_end_is_dropped(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, &plain, 1);
    hear_all(&line);
    char *much = malloc(1 << 20);
    assert_non_null(much);
    memset(much, 'x', 1 << 20);
    peer_received(line.peer, slice_make(much, 5000), line.now_ms);
    peer_received(line.peer, SLICE("\r\n"), line.now_ms);
    hear_all(&line);
    assert_false(peer_wants_close(line.peer));
    peer_received(line.peer, slice_make(much, 1 << 20), line.now_ms);
    hear_all(&line);
    assert_true(peer_wants_close(line.peer));
    free(much);
    line_close(&line);
}

static uint64_t time_of(uint64_t seed)
{
    static const struct peer_script script = {.live = {"jane"}, .rcpt_delay_max_ms = 100000};
    struct line line;
    line_open(&line, &script, seed);
    hear_all(&line);
    say(&line, conversation);
    uint64_t now_ms = line.now_ms;
    line_close(&line);
    return now_ms;
}

static void random_times_come_from_the_seed(void **state)
{
    (void)state;
    assert_int_equal(time_of(7), time_of(7));
    assert_int_not_equal(time_of(7), time_of(8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_in_pieces),
        cmocka_unit_test(says_odd_bytes),
        cmocka_unit_test(speaks_tls_to_plaintext),
        cmocka_unit_test(floods_as_long_as_told),
        cmocka_unit_test(any_split_of_the_input_is_the_same),
        cmocka_unit_test(answers_one_command_after_the_other),
        cmocka_unit_test(answers_a_group_in_one_piece),
        cmocka_unit_test(notes_bad_manners),
        cmocka_unit_test(a_line_without_end_is_dropped),
        cmocka_unit_test(random_times_come_from_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
