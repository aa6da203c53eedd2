/* SPDX-License-Identifier: Apache-2.0 */
#include "transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/reader.h"
#include "base/slice.h"
#include "play.h"

enum { TEXT_BYTES_MAX = 4 << 20 };

static void must_be_right(const struct play *p, bool is_right, const char *what, struct slice got)
{
    if (!is_right) {
        fail_msg("%s:%u, cut at %zd: %s \"%.*s\"", p->name, p->line, (ssize_t)p->cut, what,
                 (int)(got.len > 400 ? 400 : got.len), got.at);
    }
}

static int digit_of(char byte)
{
    const char *digits = "0123456789abcdef";
    const char *at = memchr(digits, ascii_lower(byte), 16);
    return at == NULL ? 0 : (int)(at - digits);
}

/* Appends text with its escapes resolved. */
static void unescape(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.at[i];
        if (byte == '\\' && i + 1 < text.len) {
            byte = text.at[++i];
            const char *known = strchr("r\rn\nt\t", byte);
            if (byte == '0') {
                byte = '\0';
            } else if (byte == 'x' && i + 2 < text.len) {
                byte = (char)(digit_of(text.at[i + 1]) * 16 + digit_of(text.at[i + 2]));
                i += 2;
            } else if (known != NULL && byte >= 'a') {
                byte = known[1];
            }
        }
        assert_int_equal(buf_append_byte(out, byte), ERR_NONE);
    }
}

static void feed(struct play *p, struct slice piece)
{
    char *exact = malloc(piece.len == 0 ? 1 : piece.len); /* a sanitizer sees reads past its end */
    assert_non_null(exact);
    memcpy(exact, piece.at, piece.len);
    hel_smtp_client_received(p->client, slice_make(exact, piece.len), p->now_ms);
    free(exact);
    play_pull(p);
}

/* What the peer has said since the last other line, in the pieces asked for. */
static void flush_peer(struct play *p)
{
    struct slice said = buf_view(&p->peer);
    size_t before = p->peer_total;
    p->peer_total += said.len;
    if (p->cut == TRANSCRIPT_BYTES) {
        for (size_t i = 0; i < said.len; i++) {
            feed(p, slice_sub(said, i, i + 1));
        }
    } else if (p->cut > before && p->cut < p->peer_total) {
        feed(p, slice_sub(said, 0, p->cut - before));
        feed(p, slice_sub(said, p->cut - before, said.len));
    } else if (said.len > 0) {
        feed(p, said);
    }
    buf_clear(&p->peer);
}

/* What the client should have said is what it wants to send. */
static void flush_client(struct play *p)
{
    struct slice expected = buf_view(&p->expected);
    if (expected.len == 0) {
        return;
    }
    struct slice unsent = hel_smtp_client_unsent(p->client);
    must_be_right(p, slice_equal(unsent, expected), "the client says", unsent);
    size_t step = p->cut == TRANSCRIPT_BYTES ? 1 : expected.len;
    for (size_t i = 0; i < expected.len; i += step) {
        hel_smtp_client_sent(p->client, step, p->now_ms);
    }
    unsent = hel_smtp_client_unsent(p->client);
    must_be_right(p, unsent.len == 0, "after all was sent there is", unsent);
    buf_clear(&p->expected);
    play_pull(p);
}

static void on_peer_line(struct play *p, struct slice head, struct slice text)
{
    struct reader r = reader_over(slice_sub(head, 1, head.len));
    uint64_t times = 1;
    bool is_early = reader_literal(&r, SLICE("!"));
    if (reader_literal(&r, SLICE("*"))) {
        must_be_right(p, reader_number(&r, 1000000, &times), "no number in", head);
    }
    struct slice unsent = hel_smtp_client_unsent(p->client);
    must_be_right(p, is_early == (unsent.len > 0), "before this line the client says", unsent);
    for (uint64_t i = 0; i < times; i++) {
        unescape(&p->peer, text);
        if (head.at[0] == 'S') {
            assert_int_equal(buf_append(&p->peer, SLICE("\r\n")), ERR_NONE);
        }
    }
}

static void on_event_line(struct play *p, struct slice text)
{
    struct reader r = reader_over(buf_view(&p->events));
    struct slice got = SLICE("nothing");
    bool is_there = reader_until(&r, '\n', &got);
    struct slice flag = SLICE(" dropped");
    /* Plaintext that comes in a piece of its own is dropped all the same, but not seen in time. */
    if (p->cut != TRANSCRIPT_WHOLE && slice_ends(text, flag) && !slice_ends(got, flag)) {
        text.len -= flag.len;
    }
    must_be_right(p, is_there && slice_equal(got, text), "the event is", got);
    buf_drop_front(&p->events, got.len + 1);
}

static void on_clock_line(struct play *p, struct slice text)
{
    struct reader r = reader_over(text);
    uint64_t ms = 0;
    must_be_right(p, reader_number(&r, UINT32_MAX, &ms), "no time in", text);
    p->now_ms += ms;
    hel_smtp_client_tick(p->client, p->now_ms);
    play_pull(p);
}

static void on_deadline_line(struct play *p, struct slice text)
{
    uint64_t deadline = hel_smtp_client_deadline(p->client);
    struct buf got;
    buf_init(&got, 64);
    enum err e = deadline == UINT64_MAX
                     ? buf_append(&got, SLICE("none"))
                     : buf_printf(&got, "%llu", (unsigned long long)(deadline - p->now_ms));
    assert_int_equal(e, ERR_NONE);
    must_be_right(p, slice_equal(buf_view(&got), text), "the deadline is", buf_view(&got));
    buf_done(&got);
}

static void on_offer_line(struct play *p, struct slice text)
{
    struct buf got;
    buf_init(&got, 512);
    play_name_extensions(p, &got);
    must_be_right(p, slice_equal(buf_view(&got), text), "offered is", buf_view(&got));
    buf_done(&got);
}

static void on_action_line(struct play *p, struct slice head, struct slice text)
{
    struct buf plain;
    buf_init(&plain, TEXT_BYTES_MAX);
    unescape(&plain, text);
    enum err e = play_act(p, buf_view(&plain));
    buf_done(&plain);
    struct slice wanted = head.len > 2 ? slice_sub(head, 2, head.len) : SLICE("none");
    static const char *const names[] = {
        [ERR_NONE] = "NONE",     [ERR_NOMEM] = "NOMEM", [ERR_LIMIT] = "LIMIT",
        [ERR_SYNTAX] = "SYNTAX", [ERR_STATE] = "STATE",
    };
    must_be_right(p, (size_t)e < sizeof names / sizeof *names, "an error of another kind", text);
    must_be_right(p, slice_equal_nocase(wanted, slice_of(names[e])), "it is answered with",
                  slice_of(names[e]));
    play_pull(p);
}

static void on_setting_line(struct play *p, struct slice text)
{
    struct slice value = text;
    struct slice key = slice_cut(&value, ' ');
    struct reader r = reader_over(value);
    uint64_t number = 0;
    struct hel_smtp_client_config *config = &p->config;
    if (slice_equal(key, SLICE("helo"))) {
        config->helo_name = value;
        return;
    }
    must_be_right(p, reader_number(&r, UINT32_MAX, &number), "no number in", text);
    if (slice_equal(key, SLICE("commands"))) {
        config->commands_max = (unsigned)number;
    } else if (slice_equal(key, SLICE("unsent"))) {
        config->unsent_bytes_max = number;
    } else if (slice_equal(key, SLICE("reply"))) {
        config->reply_bytes_max = number;
    } else {
        must_be_right(p, slice_equal(key, SLICE("timeout")), "unknown setting", key);
        for (size_t i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
            config->timeout_ms[i] = (uint32_t)number;
        }
    }
}

/* A line of another kind begins: what was collected before it is done first. */
static void finish_group(struct play *p, char kind)
{
    if (kind != 's') {
        flush_peer(p);
    }
    if (kind != 'c') {
        flush_client(p);
    }
    struct slice events = buf_view(&p->events);
    must_be_right(p, kind == 'e' || events.len == 0, "before this line there is the event", events);
}

static void on_line(struct play *p, struct slice line)
{
    if (line.len == 0 || line.at[0] == '#') {
        return;
    }
    if (line.at[0] == '@') {
        on_setting_line(p, slice_sub(line, 2, line.len));
        return;
    }
    if (p->client == NULL) {
        assert_int_equal(hel_smtp_client_new(&p->config, p->now_ms, &p->client), ERR_NONE);
    }
    char kind = ascii_lower(line.at[0]);
    finish_group(p, kind);
    size_t colon = slice_find_byte(line, ':', 0);
    struct slice head = slice_sub(line, 0, colon);
    struct slice text = slice_sub(line, colon + 2, line.len);
    switch (kind) {
    case 's': on_peer_line(p, head, text); break;
    case 'c':
        unescape(&p->expected, text);
        if (line.at[0] == 'C') {
            assert_int_equal(buf_append(&p->expected, SLICE("\r\n")), ERR_NONE);
        }
        break;
    case 't': on_clock_line(p, slice_sub(line, 2, line.len)); break;
    case 'a': on_action_line(p, head, text); break;
    case 'e': on_event_line(p, text); break;
    case 'd': on_deadline_line(p, text); break;
    case 'x': on_offer_line(p, text); break;
    default: must_be_right(p, false, "no such line", line);
    }
}

size_t transcript_play(const char *name, struct slice text, size_t cut)
{
    struct play p = {.name = name, .cut = cut, .now_ms = 1000000};
    p.config.helo_name = SLICE("us.example");
    buf_init(&p.peer, TEXT_BYTES_MAX);
    buf_init(&p.expected, TEXT_BYTES_MAX);
    buf_init(&p.events, TEXT_BYTES_MAX);
    struct reader r = reader_over(text);
    for (struct slice line; reader_line(&r, &line);) {
        p.line++;
        on_line(&p, line);
    }
    finish_group(&p, '.');
    struct slice unsent = hel_smtp_client_unsent(p.client);
    must_be_right(&p, unsent.len == 0, "at the end the client says", unsent);
    hel_smtp_client_free(p.client);
    buf_done(&p.peer);
    buf_done(&p.expected);
    buf_done(&p.events);
    return p.peer_total;
}
