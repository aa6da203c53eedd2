/* What an HTTP proxy may answer to CONNECT, and what it may not.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "proxy_play.h"

#define ASK           "CONNECT 203.0.113.25:25 HTTP/1.1\\x0d\\x0aHost: 203.0.113.25:25\\x0d\\x0a\\x0d\\x0a"
#define NO_SUCH_THING "=does not speak the protocol of such a proxy "

static const struct {
    const char *name;
    struct slice says;
    const char *end;
} cases[] = {
    /* RFC 9110 9.3.6: any 2xx, and the tunnel begins behind the empty line */
    {"nothing yet", SLICE_LITERAL(""), "=more"},
    {"up", SLICE_LITERAL("HTTP/1.1 200 Connection established\r\n\r\n"), "=done[]"},
    {"HTTP/1.0", SLICE_LITERAL("HTTP/1.0 200 OK\r\n\r\n"), "=done[]"},
    {"up, and a greeting", SLICE_LITERAL("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n220 mx\r\n"),
     "=done[220 mx\\x0d\\x0a]"},
    {"a greeting that begins with an empty line",
     SLICE_LITERAL("HTTP/1.1 200 OK\r\n\r\n\r\n220 mx\r\n"), "=done[\\x0d\\x0a220 mx\\x0d\\x0a]"},
    {"fields that speak of a content",
     SLICE_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n220"),
     "=done[220]"},
    {"another 2xx", SLICE_LITERAL("HTTP/1.1 299 Odd\r\n\r\n"), "=done[]"},
    {"no head's end", SLICE_LITERAL("HTTP/1.1 200 OK\r\nVia: x\r\n"), "=more"},
    {"no line's end", SLICE_LITERAL("HTTP/1.1 200 OK"), "=more"},
    /* RFC 9112 4: the reason may be missing, and often the space before it is */
    {"no reason", SLICE_LITERAL("HTTP/1.1 200 \r\n\r\nx"), "=done[x]"},
    {"no space", SLICE_LITERAL("HTTP/1.1 200\r\n\r\nx"), "=done[x]"},
    {"8-bit reason", SLICE_LITERAL("HTTP/1.1 200 \xff\0\x80\r\n\r\nx"), "=done[x]"},
    /* RFC 9112 2.2: LF alone */
    {"LF", SLICE_LITERAL("HTTP/1.1 200 OK\nVia: x\n\nx"), "=done[x]"},
    {"LF without reason", SLICE_LITERAL("HTTP/1.1 200\n\nx"), "=done[x]"},
    {"CR is no line end", SLICE_LITERAL("HTTP/1.1 200 OK\r\r220\r\n\rx\r\n\r\ny"), "=done[y]"},
    /* RFC 9110 15.2 */
    {"interim", SLICE_LITERAL("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx"), "=done[x]"},
    {"interim alone", SLICE_LITERAL("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), "=more"},
    {"interim, then no", SLICE_LITERAL("HTTP/1.1 199 Wait\r\nX: y\r\n\r\nHTTP/1.1 502 No\r\n"),
     "=does not reach the destination 502"},
    {"another protocol", SLICE_LITERAL("HTTP/1.1 101 Switching\r\n\r\n"), NO_SUCH_THING "101"},
    /* Whose trouble it is */
    {"forbidden", SLICE_LITERAL("HTTP/1.1 403 Forbidden\r\n"), "=forbids this destination 403"},
    {"who are you", SLICE_LITERAL("HTTP/1.1 407 Proxy Authentication Required\r\n"),
     "=wants a user and a password 407"},
    {"who are you, as servers say it", SLICE_LITERAL("HTTP/1.1 401 Unauthorized\r\n"),
     "=wants a user and a password 401"},
    {"bad gateway", SLICE_LITERAL("HTTP/1.1 502 Bad Gateway\r\n"),
     "=does not reach the destination 502"},
    {"unavailable", SLICE_LITERAL("HTTP/1.1 503 Service Unavailable\r\n"),
     "=does not reach the destination 503"},
    {"timeout", SLICE_LITERAL("HTTP/1.1 504 Gateway Timeout\r\n"),
     "=had no answer from the destination 504"},
    {"elsewhere", SLICE_LITERAL("HTTP/1.1 302 Found\r\n"),
     "=did not connect, and does not say why 302"},
    {"no such method", SLICE_LITERAL("HTTP/1.1 405 No\n"),
     "=did not connect, and does not say why 405"},
    {"trouble", SLICE_LITERAL("HTTP/1.0 500 Unable to connect\r\n"),
     "=did not connect, and does not say why 500"},
    {"the last one", SLICE_LITERAL("HTTP/1.1 599 x\r\n"),
     "=did not connect, and does not say why 599"},
    /* Others */
    {"a code above", SLICE_LITERAL("HTTP/1.1 600 x\r\n"), NO_SUCH_THING "0"},
    {"a code below", SLICE_LITERAL("HTTP/1.1 099 x\r\n"), NO_SUCH_THING "0"},
    {"a long code", SLICE_LITERAL("HTTP/1.1 2000 x\r\n"), NO_SUCH_THING "0"},
    {"a short code", SLICE_LITERAL("HTTP/1.1 20\r\n"), NO_SUCH_THING "0"},
    {"a code with a sign", SLICE_LITERAL("HTTP/1.1 +20 x\r\n"), NO_SUCH_THING "0"},
    {"a code with a NUL", SLICE_LITERAL("HTTP/1.1 20\0 x\r\n"), NO_SUCH_THING "0"},
    {"two spaces", SLICE_LITERAL("HTTP/1.1  200 x\r\n"), NO_SUCH_THING "0"},
    {"no version", SLICE_LITERAL("HTTP/1. 200 x\r\n"), NO_SUCH_THING "0"},
    {"HTTP/2", SLICE_LITERAL("HTTP/2 200\r\n\r\n"), NO_SUCH_THING "0"},
    {"small letters", SLICE_LITERAL("http/1.1 200 OK\r\n\r\n"), NO_SUCH_THING "0"},
    {"an empty line first", SLICE_LITERAL("\r\nHTTP/1.1 200 OK\r\n\r\n"), NO_SUCH_THING "0"},
    {"LF first", SLICE_LITERAL("\nHTTP/1.1 200 OK\r\n\r\n"), NO_SUCH_THING "0"},
    {"a mail server", SLICE_LITERAL("220 mx ESMTP\r\n"), NO_SUCH_THING "0"},
    {"a SOCKS server", SLICE_LITERAL("\5\xff"), NO_SUCH_THING "0"},
    {"TLS", SLICE_LITERAL("\x15\3\1\0\2\2\x28"), NO_SUCH_THING "0"},
};

static void every_answer_at_every_split(void **state)
{
    (void)state;
    struct proxy proxy = play_proxy(PROXY_HTTP, NULL, NULL);
    struct proxy_target target = play_target("203.0.113.25", 25, "192.0.2.1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char log[512];
        (void)snprintf(log, sizeof log, "%s%s", ASK, cases[i].end);
        play_check(cases[i].name, &proxy, &target, cases[i].says, log);
    }
}

/* RFC 7617 2 has the pair and its code. */
static void gives_credentials(void **state)
{
    (void)state;
    struct proxy_target target = play_target("2001:db8::1:0:19", 2525, NULL);
    struct proxy proxy = play_proxy(PROXY_HTTP, "Aladdin", "open sesame");
    static const char ask[] =
        "CONNECT [2001:db8::1:0:19]:2525 HTTP/1.1\\x0d\\x0aHost: [2001:db8::1:0:19]:2525\\x0d\\x0a"
        "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\\x0d\\x0a\\x0d\\x0a"
        "=refuses the user or the password 407";
    play_check("wrong", &proxy, &target, SLICE("HTTP/1.1 407 Go away\r\n"), ask);
    proxy = play_proxy(PROXY_HTTP, "token", "");
    target = play_target("203.0.113.25", 25, NULL);
    play_check("empty password", &proxy, &target, SLICE("HTTP/1.1 200 OK\r\n\r\n"),
               "CONNECT 203.0.113.25:25 HTTP/1.1\\x0d\\x0aHost: 203.0.113.25:25\\x0d\\x0a"
               "Proxy-Authorization: Basic dG9rZW46\\x0d\\x0a\\x0d\\x0a=done[]");
}

static void takes_the_longest_credentials(void **state)
{
    (void)state;
    struct proxy_dialogue d;
    char word[PROXY_WORD_BYTES];
    memset(word, 'w', sizeof word);
    struct proxy proxy = play_proxy(PROXY_HTTP, NULL, NULL);
    proxy.user = proxy.password = slice_make(word, sizeof word);
    struct proxy_target target =
        play_target("2001:db8:ffff:ffff:ffff:ffff:255.255.255.255", 65535, NULL);
    struct proxy_step step = proxy_begin(&d, &proxy, &target);
    assert_true(d.has_asked);
    assert_true(step.send.len > 700 && step.send.len <= PROXY_UNSENT_BYTES);
    assert_true(slice_ends(step.send, SLICE("\r\n\r\n")));
    proxy_done(&d);
    static const struct proxy_dialogue nothing;
    assert_memory_equal(&d, &nothing, sizeof d);
}

/* Whatever is repeated, all heads together end at the ceiling. */
static void does_not_listen_for_ever(void **state)
{
    static const char *const endless[] = {"X: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "x", "\r"};
    static const char *const begins[] = {"HTTP/1.1 200 OK\r\n", "", "HTTP/1.1 200 ",
                                         "HTTP/1.1 200 OK\r\nX: "};
    (void)state;
    struct proxy proxy = play_proxy(PROXY_HTTP, NULL, NULL);
    struct proxy_target target = play_target("203.0.113.25", 25, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct proxy_dialogue d;
        struct proxy_step step = proxy_begin(&d, &proxy, &target);
        step = proxy_received(&d, slice_of(begins[i]));
        size_t len = step.consumed;
        while (step.status == PROXY_MORE && len <= PROXY_HEAD_BYTES) {
            step = proxy_received(&d, slice_of(endless[i]));
            len += step.consumed;
        }
        assert_int_equal(step.status, PROXY_FAILED);
        assert_int_equal(step.failure, PROXY_FAILURE_PROTOCOL);
        assert_int_equal(len, PROXY_HEAD_BYTES + 1);
        proxy_done(&d);
    }
}

/* The largest head that is understood. */
static void takes_a_large_head(void **state)
{
    (void)state;
    static char head[PROXY_HEAD_BYTES];
    memset(head, 'x', sizeof head);
    memcpy(head, "HTTP/1.1 200 ", 13);
    memcpy(head + sizeof head - 4, "\r\n\r\n", 4);
    struct proxy proxy = play_proxy(PROXY_HTTP, NULL, NULL);
    struct proxy_target target = play_target("203.0.113.25", 25, NULL);
    struct proxy_dialogue d;
    (void)proxy_begin(&d, &proxy, &target);
    struct proxy_step step = proxy_received(&d, slice_make(head, sizeof head));
    assert_int_equal(step.status, PROXY_DONE);
    assert_int_equal(step.consumed, sizeof head);
    proxy_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_at_every_split),
        cmocka_unit_test(gives_credentials),
        cmocka_unit_test(takes_the_longest_credentials),
        cmocka_unit_test(does_not_listen_for_ever),
        cmocka_unit_test(takes_a_large_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
