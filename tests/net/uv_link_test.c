/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "rig.h"

enum { MEGABYTE = 1 << 20, BLOCK_BYTES = 65536, TAKEN_BYTES_MAX = 64 << 20 };

static void echo(struct owner *side)
{
    assert_int_equal(owner_send(side, buf_view(&side->bytes)), ERR_NONE);
    buf_clear(&side->bytes);
}

static void meet_echo(struct owner *side)
{
    side->heard = echo;
}

static bool has_ipv6_loopback(void)
{
    uint16_t port;
    int fd = raw_bind("::1", &port);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

/* Where a machine has no IPv6 loopback, connecting there is our own trouble or no route, and no crash. */
static void assert_no_ipv6(struct rig *rig)
{
    print_message("this machine has no IPv6 loopback: only the error is looked at\n");
    struct owner us;
    owner_init(&us, rig);
    owner_connect(&us, "::1", 9, NULL);
    RIG_UNTIL(rig, us.ended == 1);
    assert_true(us.why == LINK_END_LOCAL || us.why == LINK_END_UNREACHABLE);
    owner_done(&us);
}

static void talks_over_both_families(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    struct rig *rig = *state;
    for (size_t i = 0; i < 2; i++) {
        if (i == 1 && !has_ipv6_loopback()) {
            assert_no_ipv6(rig);
            continue;
        }
        struct host host;
        host_open(&host, rig, addresses[i], meet_echo);
        struct owner us;
        owner_init(&us, rig);
        owner_connect(&us, addresses[i], host_port(&host), NULL);
        assert_int_equal(owner_send(&us, SLICE("too early")), ERR_CLOSED);
        RIG_UNTIL(rig, us.connected == 1);
        assert_int_equal(owner_send(&us, SLICE("EHLO ")), ERR_NONE);
        assert_int_equal(owner_send(&us, SLICE_NONE), ERR_NONE);
        assert_int_equal(owner_send(&us, SLICE("us\r\n")), ERR_NONE);
        RIG_UNTIL(rig, us.bytes.len == 9);
        assert_memory_equal(us.bytes.at, "EHLO us\r\n", 9);
        owner_close(&us);
        RIG_UNTIL(rig, host.sides[0].ended == 1);
        assert_int_equal(host.sides[0].why, LINK_END_CLOSED);
        assert_int_equal(host.sides[0].connected, 0);
        owner_done(&us);
        host_close(&host);
    }
}

static void says_why_there_is_no_line(void **state)
{
    struct rig *rig = *state;
    uint16_t taken;
    int fd = raw_bind("127.0.0.1", &taken);
    assert_true(fd >= 0);
    const struct {
        const char *what, *ip, *source;
        uint16_t port;
        enum link_end why;
    } cases[] = {
        {"nobody listens", "127.0.0.1", NULL, taken, LINK_END_REFUSED},
        {"a broadcast address", "255.255.255.255", NULL, 25, LINK_END_UNREACHABLE},
        {"a multicast address", "224.0.0.1", NULL, 25, LINK_END_UNREACHABLE},
        {"a source that is not ours", "127.0.0.1", "192.0.2.77", taken, LINK_END_LOCAL},
        {"a source of the other family", "127.0.0.1", "::1", taken, LINK_END_LOCAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct owner us;
        owner_init(&us, rig);
        owner_connect(&us, cases[i].ip, cases[i].port, cases[i].source);
        RIG_UNTIL(rig, us.connected + us.ended > 0);
        if (us.ended != 1 || us.why != cases[i].why || us.detail[0] == '\0') {
            fail_msg("%s: %u %d %s", cases[i].what, us.ended, (int)us.why, us.detail);
        }
        assert_int_equal(us.connected, 0);
        assert_int_equal(owner_send(&us, SLICE("x")), ERR_CLOSED);
        owner_start_tls(&us, "mx.example"); /* nothing comes of it */
        rig_rest(rig, 5);
        owner_done(&us);
    }
    assert_int_equal(close(fd), 0);
}

static void speaks_from_the_source_address_asked_for(void **state)
{
    static const char *const sources[] = {"127.0.0.9", "127.0.83.200", NULL};
    struct rig *rig = *state;
    uint16_t port;
    int fd = raw_listen("127.0.0.1", &port);
    for (size_t i = 0; i < 3; i++) {
        struct owner us;
        owner_init(&us, rig);
        owner_connect(&us, "127.0.0.1", port, sources[i]);
        struct ip seen;
        struct ip wanted = rig_ip(sources[i] == NULL ? "127.0.0.1" : sources[i]);
        int there = raw_accept(rig, fd, &seen);
        assert_true(ip_equal(&seen, &wanted));
        RIG_UNTIL(rig, us.connected == 1);
        owner_done(&us);
        assert_int_equal(close(there), 0);
    }
    assert_int_equal(close(fd), 0);
}

/* A line to a plain socket that reads only when told to. */
struct line {
    struct owner us;
    int listening, there;
};

static void line_open(struct line *line, struct rig *rig)
{
    uint16_t port;
    line->listening = raw_listen("127.0.0.1", &port);
    assert_true(line->listening >= 0);
    owner_init(&line->us, rig);
    owner_connect(&line->us, "127.0.0.1", port, NULL);
    line->there = raw_accept(rig, line->listening, NULL);
    RIG_UNTIL(rig, line->us.connected == 1);
}

static void line_close(struct line *line)
{
    owner_done(&line->us);
    if (line->there >= 0) {
        assert_int_equal(close(line->there), 0);
    }
    assert_int_equal(close(line->listening), 0);
}

static char pattern(size_t at)
{
    return (char)('a' + (at * 31 + at / 977) % 26);
}

/* Sends blocks of a known pattern until the link takes no more; returns how many bytes it took. */
static size_t fill(struct owner *us)
{
    static char block[BLOCK_BYTES];
    size_t total = 0;
    for (;;) {
        for (size_t i = 0; i < sizeof block; i++) {
            block[i] = pattern(total + i);
        }
        enum err e = owner_send(us, slice_make(block, sizeof block));
        if (e != ERR_NONE) {
            assert_int_equal(e, ERR_LIMIT);
            return total;
        }
        total += sizeof block;
    }
}

static void assert_pattern(const struct buf *bytes, size_t len)
{
    assert_int_equal(bytes->len, len);
    for (size_t i = 0; i < len; i++) {
        if (bytes->at[i] != pattern(i)) {
            fail_msg("byte %zu of %zu is wrong", i, len);
        }
    }
}

static void takes_a_megabyte_beyond_the_socket_and_no_more(void **state)
{
    struct rig *rig = *state;
    struct line line;
    line_open(&line, rig);
    size_t total = fill(&line.us);
    assert_true(total >= MEGABYTE - BLOCK_BYTES);
    assert_int_equal(fill(&line.us), 0); /* it stays so while nobody reads */
    struct buf taken;
    buf_init(&taken, TAKEN_BYTES_MAX);
    while (taken.len < total) {
        assert_false(raw_take(line.there, &taken));
        rig_rest(rig, 1);
    }
    assert_pattern(&taken, total);
    assert_int_equal(owner_send(&line.us, SLICE("and on")), ERR_NONE);
    while (taken.len < total + 6) {
        rig_rest(rig, 1);
        assert_false(raw_take(line.there, &taken));
    }
    assert_memory_equal(taken.at + total, "and on", 6);
    buf_done(&taken);
    line_close(&line);
}

static void what_is_refused_is_not_sent_in_part(void **state)
{
    struct rig *rig = *state;
    struct line line;
    line_open(&line, rig);
    char *much = malloc(MEGABYTE + 1);
    assert_non_null(much);
    memset(much, 'm', MEGABYTE + 1);
    assert_int_equal(owner_send(&line.us, slice_make(much, MEGABYTE + 1)), ERR_LIMIT);
    assert_int_equal(owner_send(&line.us, SLICE("QUIT\r\n")), ERR_NONE);
    struct buf taken;
    buf_init(&taken, TAKEN_BYTES_MAX);
    while (taken.len < 6) {
        rig_rest(rig, 1);
        assert_false(raw_take(line.there, &taken));
    }
    assert_int_equal(taken.len, 6);
    assert_memory_equal(taken.at, "QUIT\r\n", 6);
    assert_int_equal(owner_send(&line.us, slice_make(much, MEGABYTE)), ERR_NONE);
    while (taken.len < MEGABYTE + 6) {
        rig_rest(rig, 1);
        assert_false(raw_take(line.there, &taken));
    }
    buf_done(&taken);
    free(much);
    line_close(&line);
}

static void close_delivers_what_is_queued(void **state)
{
    struct rig *rig = *state;
    struct line line;
    line_open(&line, rig);
    size_t total = fill(&line.us);
    owner_close(&line.us);
    struct buf taken;
    buf_init(&taken, TAKEN_BYTES_MAX);
    while (!raw_take(line.there, &taken)) {
        rig_rest(rig, 1);
    }
    assert_pattern(&taken, total);
    buf_done(&taken);
    line_close(&line);
}

static void close_does_not_wait_for_ever(void **state)
{
    struct rig *rig = *state;
    struct line line;
    line_open(&line, rig);
    (void)fill(&line.us);
    owner_close(&line.us);
    rig_run_dry(rig); /* comes back although nobody reads */
    line_close(&line);
}

static void tells_a_reset_from_an_end(void **state)
{
    struct rig *rig = *state;
    for (int is_reset = 0; is_reset < 2; is_reset++) {
        struct line line;
        line_open(&line, rig);
        assert_int_equal(write(line.there, "421 bye\r\n", 9), 9);
        RIG_UNTIL(rig, line.us.bytes.len == 9);
        if (is_reset) {
            raw_reset(line.there);
        } else {
            assert_int_equal(close(line.there), 0);
        }
        line.there = -1;
        RIG_UNTIL(rig, line.us.ended == 1);
        assert_int_equal(line.us.why, is_reset ? LINK_END_RESET : LINK_END_CLOSED);
        assert_int_equal(owner_send(&line.us, SLICE("QUIT\r\n")), ERR_CLOSED);
        rig_rest(rig, 5);
        assert_int_equal(line.us.ended, 1);
        line_close(&line);
    }
}

static void a_broken_line_with_queued_bytes_ends_once(void **state)
{
    struct rig *rig = *state;
    struct line line;
    line_open(&line, rig);
    (void)fill(&line.us);
    raw_reset(line.there);
    line.there = -1;
    RIG_UNTIL(rig, line.us.ended == 1);
    assert_int_equal(line.us.why, LINK_END_RESET);
    line_close(&line);
}

static void close_at_once(struct owner *owner)
{
    owner_close(owner);
}

/* link_close of itself is allowed in every callback; told() sees to it that nothing follows. */
static void may_be_closed_in_every_callback(void **state)
{
    struct rig *rig = *state;
    for (int when = 0; when < 4; when++) {
        struct host host;
        host_open(&host, rig, "127.0.0.1", meet_echo);
        struct owner us;
        owner_init(&us, rig);
        us.changed = when == 1 ? close_at_once : NULL;
        us.heard = when == 2 ? close_at_once : NULL;
        us.over = when == 3 ? close_at_once : NULL;
        owner_connect(&us, "127.0.0.1", host_port(&host), NULL);
        if (when == 0) {
            owner_close(&us); /* before anything came */
        } else {
            RIG_UNTIL(rig, us.connected == 1);
        }
        if (when == 2) {
            assert_int_equal(owner_send(&us, SLICE("say it again")), ERR_NONE);
        } else if (when == 3) {
            RIG_UNTIL(rig, host.count == 1);
            owner_close(&host.sides[0]);
        }
        RIG_UNTIL(rig, us.link == NULL);
        assert_int_equal(us.connected, when == 0 ? 0 : 1);
        rig_rest(rig, 5);
        owner_done(&us);
        host_close(&host);
    }
    link_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(talks_over_both_families, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(says_why_there_is_no_line, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(speaks_from_the_source_address_asked_for, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(takes_a_megabyte_beyond_the_socket_and_no_more, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(what_is_refused_is_not_sent_in_part, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(close_delivers_what_is_queued, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(close_does_not_wait_for_ever, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(tells_a_reset_from_an_end, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(a_broken_line_with_queued_bytes_ends_once, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(may_be_closed_in_every_callback, rig_open, rig_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
