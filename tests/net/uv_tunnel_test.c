/* Links through proxies. The proxy is a host of the rig that says what the row tells it to, and then speaks as the
 * destination; real proxies are asked in tests/interop.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"
#include "net/proxy.h"
#include "rig.h"

enum { LIMIT_MS = 50, LONG_MS = 60000 };

#define SOCKS_UP  "\5\0\0\1\0\0\0\0\0\0"
#define GREETING  "220 mx ESMTP\r\n"
#define HTTP_UP   "HTTP/1.1 200 OK\r\n\r\n"
#define SECRET    "open-sesame"
#define SOCKS_ASK "\5\1\0\1\xcb\0\x71\x19\0\x19"
#define HTTP_ASK  "CONNECT 203.0.113.25:25 HTTP/1.1\r\nHost: 203.0.113.25:25\r\n\r\n"
#define V2_ASK    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\xc\xc0\0\2\7\xcb\0\x71\x19\0\0\0\x19"

/* One thing the proxy waits for and what it says then. Waiting for nothing, it says it when it is met. */
struct line {
    size_t awaits; /* bytes in all */
    struct slice says;
};

enum { LINES_MAX = 4 };
static struct line script[LINES_MAX];
static size_t script_at;
static bool closes_after;

static void follow(struct owner *side)
{
    while (script_at < LINES_MAX && script[script_at].says.at != NULL &&
           side->bytes.len >= script[script_at].awaits) {
        assert_int_equal(owner_send(side, script[script_at++].says), ERR_NONE);
    }
    bool is_over = script_at == LINES_MAX || script[script_at].says.at == NULL;
    if (is_over && closes_after && side->bytes.len > 0) {
        owner_close(side);
    }
}

static void meet(struct owner *side)
{
    side->heard = follow;
    follow(side);
}

static void set_script(const struct line *lines, bool closes)
{
    memcpy(script, lines, sizeof script);
    script_at = 0;
    closes_after = closes;
}

static struct proxy proxy_at(enum proxy_kind kind, uint16_t port, bool has_user)
{
    return (struct proxy){.kind = kind,
                          .ip = rig_ip("127.0.0.1"),
                          .port = port,
                          .user = has_user ? SLICE("bob") : SLICE_NONE,
                          .password = has_user ? SLICE(SECRET) : SLICE_NONE};
}

/* The destination is nowhere: only the proxy can answer for it. */
static void connect_through(struct owner *us, struct rig *rig, const struct proxy *proxy,
                            uint32_t limit_ms)
{
    struct link_request request = {.ip = rig_ip("203.0.113.25"),
                                   .port = 25,
                                   .source = rig_ip("192.0.2.7"),
                                   .proxy = proxy,
                                   .proxy_limit_ms = limit_ms};
    owner_init(us, rig);
    owner_request(us, &request);
}

static const struct {
    const char *what;
    enum proxy_kind kind;
    bool has_user;
    struct line lines[LINES_MAX];
    struct slice hears; /* what the proxy is told, QUIT behind it */
} ups[] = {
    {"SOCKS5",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\0")}, {13, SLICE_LITERAL(SOCKS_UP GREETING)}},
     SLICE_LITERAL("\5\1\0" SOCKS_ASK "QUIT\r\n")},
    {"SOCKS5 with a user",
     PROXY_SOCKS5,
     true,
     {{4, SLICE_LITERAL("\5\2")},
      {21, SLICE_LITERAL("\1\0")},
      {31, SLICE_LITERAL(SOCKS_UP)},
      {31, SLICE_LITERAL(GREETING)}},
     SLICE_LITERAL("\5\2\0\2\1\3bob\xb" SECRET SOCKS_ASK "QUIT\r\n")},
    {"a proxy that says everything at once",
     PROXY_SOCKS5,
     false,
     {{0, SLICE_LITERAL("\5\0" SOCKS_UP GREETING)}},
     SLICE_LITERAL("\5\1\0" SOCKS_ASK "QUIT\r\n")},
    {"HTTP",
     PROXY_HTTP,
     false,
     {{sizeof HTTP_ASK - 1, SLICE_LITERAL(HTTP_UP GREETING)}},
     SLICE_LITERAL(HTTP_ASK "QUIT\r\n")},
    {"a relay", PROXY_V2, false, {{28, SLICE_LITERAL(GREETING)}}, SLICE_LITERAL(V2_ASK "QUIT\r\n")},
};

static void a_tunnel_is_a_link_like_others(void **state)
{
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof ups / sizeof *ups; i++) {
        struct host host;
        struct owner us;
        host_open(&host, rig, "127.0.0.1", meet);
        set_script(ups[i].lines, false);
        struct proxy proxy = proxy_at(ups[i].kind, host_port(&host), ups[i].has_user);
        connect_through(&us, rig, &proxy, LONG_MS);
        assert_int_equal(owner_send(&us, SLICE("too early")), ERR_CLOSED);
        RIG_UNTIL(rig, us.ended > 0 || us.bytes.len == strlen(GREETING));
        if (us.ended > 0 || us.connected != 1) {
            fail_msg("%s: %s", ups[i].what, us.detail);
        }
        assert_memory_equal(us.bytes.at, GREETING, strlen(GREETING));
        assert_int_equal(owner_send(&us, SLICE("QUIT\r\n")), ERR_NONE);
        struct owner *side = &host.sides[0];
        RIG_UNTIL(rig, side->bytes.len == ups[i].hears.len);
        assert_memory_equal(side->bytes.at, ups[i].hears.at, ups[i].hears.len);
        owner_close(side);
        RIG_UNTIL(rig, us.ended == 1);
        assert_int_equal(us.why, LINK_END_CLOSED); /* of the destination, now */
        owner_done(&us);
        host_close(&host);
    }
}

static const struct {
    const char *what;
    enum proxy_kind kind;
    bool has_user;
    struct line lines[LINES_MAX];
    enum link_end why;
    const char *word;
} downs[] = {
    {"refused",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\0")}, {13, SLICE_LITERAL("\5\5\0\1\0\0\0\0\0\0")}},
     LINK_END_REFUSED,
     "refused by the destination (5)"},
    {"unreachable",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\0")}, {13, SLICE_LITERAL("\5\4")}},
     LINK_END_UNREACHABLE,
     "(4)"},
    {"expired",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\0")}, {13, SLICE_LITERAL("\5\6")}},
     LINK_END_UNREACHABLE,
     "(6)"},
    {"forbidden",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\0")}, {13, SLICE_LITERAL("\5\2")}},
     LINK_END_LOCAL,
     "forbids"},
    {"no reason",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\0")}, {13, SLICE_LITERAL("\5\1")}},
     LINK_END_LOCAL,
     "(1)"},
    {"no such family",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\0")}, {13, SLICE_LITERAL("\5\10")}},
     LINK_END_LOCAL,
     "(8)"},
    {"a wrong password",
     PROXY_SOCKS5,
     true,
     {{4, SLICE_LITERAL("\5\2")}, {21, SLICE_LITERAL("\1\1")}},
     LINK_END_PROXY,
     "refuses the user or the password"},
    {"no user",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\xff")}},
     LINK_END_PROXY,
     "wants a user and a password"},
    {"no proxy",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL(GREETING)}},
     LINK_END_PROXY,
     "does not speak"},
    {"the end instead of a method", PROXY_SOCKS5, false, {{0}}, LINK_END_PROXY, "hung up"},
    {"the end instead of a reply",
     PROXY_SOCKS5,
     false,
     {{3, SLICE_LITERAL("\5\0")}},
     LINK_END_PROXY,
     "hung up"},
    {"a wrong password for HTTP",
     PROXY_HTTP,
     true,
     {{sizeof HTTP_ASK - 1, SLICE_LITERAL("HTTP/1.1 407 No\r\n")}},
     LINK_END_PROXY,
     "refuses the user or the password (407)"},
    {"forbidden by HTTP",
     PROXY_HTTP,
     false,
     {{sizeof HTTP_ASK - 1, SLICE_LITERAL("HTTP/1.1 403 No\r\n")}},
     LINK_END_LOCAL,
     "forbids"},
    {"unreachable by HTTP",
     PROXY_HTTP,
     false,
     {{sizeof HTTP_ASK - 1, SLICE_LITERAL("HTTP/1.1 502 No\r\n")}},
     LINK_END_UNREACHABLE,
     "(502)"},
    {"the end instead of a head",
     PROXY_HTTP,
     false,
     {{sizeof HTTP_ASK - 1, SLICE_LITERAL("HTTP/1.1 200 OK\r\n")}},
     LINK_END_PROXY,
     "hung up"},
};

static void it_is_told_whose_trouble_it_is(void **state)
{
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof downs / sizeof *downs; i++) {
        struct host host;
        struct owner us;
        host_open(&host, rig, "127.0.0.1", meet);
        set_script(downs[i].lines, true);
        struct proxy proxy = proxy_at(downs[i].kind, host_port(&host), downs[i].has_user);
        connect_through(&us, rig, &proxy, LONG_MS);
        RIG_UNTIL(rig, us.connected + us.ended > 0);
        if (us.ended != 1 || us.why != downs[i].why || strstr(us.detail, downs[i].word) == NULL ||
            strstr(us.detail, "proxy 127.0.0.1:") == NULL || strstr(us.detail, SECRET) != NULL) {
            fail_msg("%s: %u %d '%s'", downs[i].what, us.connected, (int)us.why, us.detail);
        }
        assert_int_equal(us.connected, 0);
        assert_int_equal(owner_send(&us, SLICE("x")), ERR_CLOSED);
        rig_rest(rig, 5);
        owner_done(&us);
        host_close(&host);
    }
}

static void a_proxy_that_is_not_there_is_our_trouble(void **state)
{
    struct rig *rig = *state;
    uint16_t taken;
    int fd = raw_bind("127.0.0.1", &taken);
    static const enum proxy_kind kinds[] = {PROXY_SOCKS5, PROXY_HTTP, PROXY_V2};
    for (size_t i = 0; i < 3; i++) {
        struct owner us;
        struct proxy proxy = proxy_at(kinds[i], taken, false);
        connect_through(&us, rig, &proxy, LONG_MS);
        RIG_UNTIL(rig, us.connected + us.ended > 0);
        assert_int_equal(us.why, LINK_END_PROXY);
        assert_non_null(strstr(us.detail, "connection refused"));
        owner_done(&us);
        proxy.ip = rig_ip("224.0.0.1"); /* fails at once, and is told from the loop all the same */
        connect_through(&us, rig, &proxy, LONG_MS);
        RIG_UNTIL(rig, us.connected + us.ended > 0);
        assert_int_equal(us.why, LINK_END_PROXY);
        owner_done(&us);
    }
    assert_int_equal(close(fd), 0);
}

static void a_reset_by_the_proxy_is_our_trouble(void **state)
{
    struct rig *rig = *state;
    uint16_t port;
    int listening = raw_listen("127.0.0.1", &port);
    struct owner us;
    struct proxy proxy = proxy_at(PROXY_SOCKS5, port, false);
    connect_through(&us, rig, &proxy, LONG_MS);
    raw_reset(raw_accept(rig, listening, NULL));
    RIG_UNTIL(rig, us.connected + us.ended > 0);
    assert_int_equal(us.why, LINK_END_PROXY);
    owner_done(&us);
    assert_int_equal(close(listening), 0);
}

/* The proxy's own part has a limit, the destination's has not. */
static void a_silent_proxy_has_a_limit(void **state)
{
    static const struct {
        enum proxy_kind kind;
        struct line lines[LINES_MAX];
        bool ends;
    } cases[] = {
        {PROXY_SOCKS5, {{0}}, true},
        {PROXY_SOCKS5, {{3, SLICE_LITERAL("\5")}}, true},
        {PROXY_SOCKS5, {{3, SLICE_LITERAL("\5\0")}}, false},
        {PROXY_HTTP, {{0}}, false},
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct host host;
        struct owner us;
        host_open(&host, rig, "127.0.0.1", meet);
        set_script(cases[i].lines, false);
        struct proxy proxy = proxy_at(cases[i].kind, host_port(&host), false);
        connect_through(&us, rig, &proxy, LIMIT_MS);
        if (cases[i].ends) {
            RIG_UNTIL(rig, us.ended == 1);
            assert_int_equal(us.why, LINK_END_PROXY);
            assert_non_null(strstr(us.detail, "does not answer"));
        } else {
            RIG_UNTIL(rig, host.count == 1 && host.sides[0].bytes.len >= 13);
            rig_rest(rig, 2 * LIMIT_MS);
            assert_int_equal(us.ended, 0);
        }
        owner_done(&us);
        host_close(&host);
    }
}

static void close_at_once(struct owner *owner)
{
    owner_close(owner);
}

/* told() of the rig sees to it that nothing follows: not even the greeting that came with the proxy's word. */
static void may_be_closed_at_any_time(void **state)
{
    static const struct line up[LINES_MAX] = {{0, SLICE_LITERAL("\5\0" SOCKS_UP GREETING)}};
    static const struct line half[LINES_MAX] = {{0, SLICE_LITERAL("\5\0")}};
    static const struct line down[LINES_MAX] = {{0, SLICE_LITERAL("\5\xff")}};
    struct rig *rig = *state;
    for (int when = 0; when < 5; when++) {
        struct host host;
        struct owner us;
        host_open(&host, rig, "127.0.0.1", meet);
        set_script(when == 1 ? half : when == 4 ? down : up, false);
        struct proxy proxy = proxy_at(PROXY_SOCKS5, host_port(&host), false);
        connect_through(&us, rig, &proxy, LONG_MS);
        us.changed = when == 2 ? close_at_once : NULL;
        us.heard = when == 3 ? close_at_once : NULL;
        us.over = when == 4 ? close_at_once : NULL;
        if (when == 0) {
            owner_close(&us); /* before anything came */
        } else if (when == 1) {
            RIG_UNTIL(rig, host.count == 1 && host.sides[0].bytes.len == 13);
            owner_close(&us); /* while the proxy is at it */
        }
        RIG_UNTIL(rig, us.link == NULL);
        assert_int_equal(us.connected, when == 2 || when == 3);
        assert_true(when == 3 || us.bytes.len == 0);
        rig_rest(rig, 5);
        owner_done(&us);
        host_close(&host);
    }
}

/* What is left open goes with its door. */
static void a_door_closes_with_a_tunnel_half_made(void **state)
{
    static const struct line half[LINES_MAX] = {{0, SLICE_LITERAL("\5\0")}};
    static const char *const nobody[] = {"127.0.0.1:1"};
    const struct uv_door_config config = {.resolvers = nobody, .resolver_count = 1};
    struct rig *rig = *state;
    struct host host;
    struct door *door;
    host_open(&host, rig, "127.0.0.1", meet);
    set_script(half, false);
    struct proxy proxy = proxy_at(PROXY_SOCKS5, host_port(&host), false);
    assert_int_equal(uv_door_open(&config, &door, NULL), ERR_NONE);
    struct owner us;
    owner_init(&us, rig);
    struct link_request request = {
        .ip = rig_ip("203.0.113.25"), .port = 25, .proxy = &proxy, .proxy_limit_ms = LONG_MS};
    assert_non_null(door_connect(door, &request, &owner_handler, &us));
    while (host.count == 0 || host.sides[0].bytes.len < 13) {
        door_turn(door);
        rig_rest(rig, 1);
    }
    uv_door_close(door);
    assert_int_equal(us.connected + us.ended, 0);
    owner_done(&us);
    host_close(&host);
}

/* TLS, once the tunnel is up, is between us and the destination. */

static struct tls_server *server;

static void secure_side(struct owner *side)
{
    if (side->secured > 0) {
        assert_int_equal(owner_send(side, buf_view(&side->bytes)), ERR_NONE);
    } else if (side->bytes.len == 13) { /* asked: from here on it is the destination */
        assert_int_equal(owner_send(side, SLICE(SOCKS_UP)), ERR_NONE);
        link_accept_tls(side->link, server);
    } else {
        return;
    }
    buf_clear(&side->bytes);
}

static void meet_secure(struct owner *side)
{
    side->heard = secure_side;
    assert_int_equal(owner_send(side, SLICE("\5\0")), ERR_NONE);
}

static void begin_tls(struct owner *us)
{
    if (us->secured == 0) {
        owner_start_tls(us, "mx.near.example");
    }
}

static void tls_goes_through(void **state)
{
    struct rig *rig = *state;
    struct host host;
    struct owner us;
    assert_int_equal(tls_server_new(SLICE_NONE, SLICE_NONE, "mx.near.example", 9, &server, NULL),
                     ERR_NONE);
    host_open(&host, rig, "127.0.0.1", meet_secure);
    struct proxy proxy = proxy_at(PROXY_SOCKS5, host_port(&host), false);
    connect_through(&us, rig, &proxy, LONG_MS);
    us.changed = begin_tls;
    RIG_UNTIL(rig, us.ended > 0 || us.secured == 1);
    assert_int_equal(us.ended, 0);
    assert_true(us.info.is_cert_for_host);
    assert_int_equal(owner_send(&us, SLICE("EHLO us\r\n")), ERR_NONE);
    RIG_UNTIL(rig, us.bytes.len == 9);
    assert_memory_equal(us.bytes.at, "EHLO us\r\n", 9);
    owner_done(&us);
    host_close(&host);
    tls_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tunnel_is_a_link_like_others, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(it_is_told_whose_trouble_it_is, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(a_proxy_that_is_not_there_is_our_trouble, rig_open,
                                        rig_close),
        cmocka_unit_test_setup_teardown(a_reset_by_the_proxy_is_our_trouble, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(a_silent_proxy_has_a_limit, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(may_be_closed_at_any_time, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(a_door_closes_with_a_tunnel_half_made, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(tls_goes_through, rig_open, rig_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
