/* SPDX-License-Identifier: Apache-2.0 */
#include "talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"

enum { SAID_BYTES_MAX = 1 << 20 };

struct stage {
    const struct talk *talk;
    struct peer_server *server;
    struct peer *peer;
    uint64_t now_ms;
    struct buf said; /* not looked at yet */
    unsigned line;   /* of the play */
};

static void begin(struct stage *stage, struct slice ip_text)
{
    struct ip ip;
    assert_true(ip_parse(ip_text, &ip));
    assert_int_equal(peer_new(stage->server, &ip, stage->now_ms, &stage->peer), ERR_NONE);
}

static void listen_now(struct stage *stage)
{
    struct slice bytes;
    uint64_t at_ms;
    while (peer_next_output(stage->peer, stage->now_ms, &bytes, &at_ms)) {
        assert_true(at_ms <= stage->now_ms);
        assert_int_equal(buf_append(&stage->said, bytes), ERR_NONE);
    }
}

static void assert_quiet(struct stage *stage)
{
    listen_now(stage);
    if (stage->said.len > 0) {
        fail_msg("%s, line %u: unexpected '%.*s'", stage->talk->name, stage->line,
                 SLICE_ARG(buf_view(&stage->said)));
    }
}

static void expect(struct stage *stage, struct slice wanted)
{
    listen_now(stage);
    struct slice said = buf_view(&stage->said);
    size_t end = slice_find_nocase(said, SLICE("\r\n"));
    if (end == said.len || !slice_equal(slice_sub(said, 0, end), wanted)) {
        fail_msg("%s, line %u: '%.*s' instead of '%.*s'", stage->talk->name, stage->line,
                 SLICE_ARG(said), SLICE_ARG(wanted));
    }
    buf_drop_front(&stage->said, end + 2);
}

static void claim(const struct stage *stage, bool holds, const char *what)
{
    if (!holds) {
        fail_msg("%s, line %u: %s", stage->talk->name, stage->line, what);
    }
}

static void step(struct stage *stage, struct slice line)
{
    struct slice rest = slice_sub(line, 3, line.len);
    if (slice_starts(line, SLICE("S: "))) {
        expect(stage, rest);
        return;
    }
    assert_quiet(stage);
    if (slice_starts(line, SLICE("C: "))) {
        peer_received(stage->peer, rest, stage->now_ms);
        peer_received(stage->peer, SLICE("\r\n"), stage->now_ms);
    } else if (slice_starts(line, SLICE("T+ "))) {
        stage->now_ms += (uint64_t)strtoul(rest.at, NULL, 10);
    } else if (slice_equal(line, SLICE("TLS"))) {
        claim(stage, peer_wants_tls(stage->peer), "no handshake is waited for");
        peer_tls_done(stage->peer, stage->now_ms);
    } else if (slice_equal(line, SLICE("END"))) {
        claim(stage, peer_wants_close(stage->peer), "it does not close");
    } else if (slice_starts(line, SLICE("NEW "))) {
        peer_left(stage->peer);
        peer_free(stage->peer);
        begin(stage, slice_sub(line, 4, line.len));
    } else {
        fail_msg("%s, line %u: no step: %.*s", stage->talk->name, stage->line, SLICE_ARG(line));
    }
}

void talk_check(const struct talk *talk, void (*check)(const struct peer_seen *seen))
{
    struct stage stage = {.talk = talk, .now_ms = 1000};
    buf_init(&stage.said, SAID_BYTES_MAX);
    assert_int_equal(peer_server_new(&talk->script, 1, &stage.server), ERR_NONE);
    assert_ptr_equal(peer_server_script(stage.server), &talk->script);
    begin(&stage, SLICE("192.0.2.1"));
    struct slice play = slice_of(talk->play);
    while (play.at != NULL) {
        struct slice line = slice_cut(&play, '\n');
        stage.line++;
        if (line.len > 0) {
            step(&stage, line);
        }
    }
    assert_quiet(&stage);
    peer_free(stage.peer);
    if (check != NULL) {
        check(peer_server_seen(stage.server));
    }
    peer_server_free(stage.server);
    buf_done(&stage.said);
}

void talk_play(const struct talk *talk)
{
    talk_check(talk, NULL);
}
