/* What a SOCKS5 server may answer, and what it may not.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "proxy_play.h"

#define HELLO          "\\x05\\x01\\x00"
#define HELLO_AUTH     "\\x05\\x02\\x00\\x02"
#define AUTH           "\\x01\\x03bob\\x06secret"
#define ASK            "\\x05\\x01\\x00\\x01\\xcb\\x00q\\x19\\x00\\x19"
#define OK_METHOD      "\5\0"
#define OK_REPLY       "\5\0\0\1\0\0\0\0\0\0"
#define NO_SUCH_THING  "=does not speak the protocol of such a proxy "
#define WRONG_PASSWORD "=refuses the user or the password 0"

static const struct {
    const char *name;
    bool has_user;
    struct slice says;
    const char *log;
} cases[] = {
    /* RFC 1928 3, 4, 6 */
    {"nothing yet", false, SLICE_LITERAL(""), HELLO "=more"},
    {"half a method", false, SLICE_LITERAL("\5"), HELLO "=more"},
    {"a method", false, SLICE_LITERAL(OK_METHOD), HELLO ASK "=more"},
    {"up", false, SLICE_LITERAL(OK_METHOD OK_REPLY), HELLO ASK "=done[]"},
    {"up, and a greeting", false, SLICE_LITERAL(OK_METHOD OK_REPLY "220 mx ESMTP\r\n"),
     HELLO ASK "=done[220 mx ESMTP\\x0d\\x0a]"},
    {"bound to IPv6", false,
     SLICE_LITERAL(OK_METHOD "\5\0\0\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\4\xd2x"),
     HELLO ASK "=done[x]"},
    {"bound to a name", false, SLICE_LITERAL(OK_METHOD "\5\0\0\3\4host\4\xd2x"),
     HELLO ASK "=done[x]"},
    {"bound to an empty name", false, SLICE_LITERAL(OK_METHOD "\5\0\0\3\0\4\xd2x"),
     HELLO ASK "=done[x]"},
    {"a reserved byte that is not 0", false, SLICE_LITERAL(OK_METHOD "\5\0\7\1\0\0\0\0\0\0x"),
     HELLO ASK "=done[x]"},
    {"a reply without its end", false, SLICE_LITERAL(OK_METHOD "\5\0\0\3\4host\4"),
     HELLO ASK "=more"},
    {"a reply without its address", false, SLICE_LITERAL(OK_METHOD "\5\0\0\1"), HELLO ASK "=more"},
    {"bound to nothing known", false, SLICE_LITERAL(OK_METHOD "\5\0\0\2\0\0\0\0\0\0"),
     HELLO ASK NO_SUCH_THING "0"},
    /* RFC 1929 2 */
    {"a user that nobody asks for", true, SLICE_LITERAL(OK_METHOD OK_REPLY),
     HELLO_AUTH ASK "=done[]"},
    {"a user", true, SLICE_LITERAL("\5\2\1\0" OK_REPLY), HELLO_AUTH AUTH ASK "=done[]"},
    {"a user, the version of SOCKS", true, SLICE_LITERAL("\5\2\5\0" OK_REPLY),
     HELLO_AUTH AUTH ASK "=done[]"},
    {"a user, half an answer", true, SLICE_LITERAL("\5\2\1"), HELLO_AUTH AUTH "=more"},
    {"a wrong password", true, SLICE_LITERAL("\5\2\1\1"), HELLO_AUTH AUTH WRONG_PASSWORD},
    {"a wrong password, and on", true, SLICE_LITERAL("\5\2\1\xff" OK_REPLY),
     HELLO_AUTH AUTH WRONG_PASSWORD},
    {"no method for a user", true, SLICE_LITERAL("\5\xff"), HELLO_AUTH WRONG_PASSWORD},
    {"no method without a user", false, SLICE_LITERAL("\5\xff"),
     HELLO "=wants a user and a password 0"},
    {"a password is asked for, and there is none", false, SLICE_LITERAL("\5\2"),
     HELLO NO_SUCH_THING "0"},
    {"GSSAPI", true, SLICE_LITERAL("\5\1"), HELLO_AUTH NO_SUCH_THING "0"},
    /* RFC 1928 6: whose trouble it is */
    {"general failure", false, SLICE_LITERAL(OK_METHOD "\5\1\0\1\0\0\0\0\0\0"),
     HELLO ASK "=did not connect, and does not say why 1"},
    {"not allowed", false, SLICE_LITERAL(OK_METHOD "\5\2"),
     HELLO ASK "=forbids this destination 2"},
    {"network unreachable", false, SLICE_LITERAL(OK_METHOD "\5\3\0\1\0\0\0\0\0\0"),
     HELLO ASK "=does not reach the destination 3"},
    {"host unreachable", false, SLICE_LITERAL(OK_METHOD "\5\4"),
     HELLO ASK "=does not reach the destination 4"},
    {"refused", false, SLICE_LITERAL(OK_METHOD "\5\5\0\3\377"),
     HELLO ASK "=was refused by the destination 5"},
    {"expired", false, SLICE_LITERAL(OK_METHOD "\5\6"),
     HELLO ASK "=had no answer from the destination 6"},
    {"no CONNECT", false, SLICE_LITERAL(OK_METHOD "\5\7"),
     HELLO ASK "=does not connect to such addresses 7"},
    {"no such family", false, SLICE_LITERAL(OK_METHOD "\5\10"),
     HELLO ASK "=does not connect to such addresses 8"},
    {"unassigned", false, SLICE_LITERAL(OK_METHOD "\5\11"), HELLO ASK NO_SUCH_THING "9"},
    {"the last one", false, SLICE_LITERAL(OK_METHOD "\5\377"), HELLO ASK NO_SUCH_THING "255"},
    /* Others */
    {"SOCKS4", false, SLICE_LITERAL("\0\x5a\0\0\0\0\0\0"), HELLO NO_SUCH_THING "0"},
    {"a mail server", false, SLICE_LITERAL("220 mx ESMTP\r\n"), HELLO NO_SUCH_THING "0"},
    {"a web server", false, SLICE_LITERAL("HTTP/1.1 400 Bad Request\r\n\r\n"),
     HELLO NO_SUCH_THING "0"},
    {"a greeting after the method", false, SLICE_LITERAL(OK_METHOD "220 mx\r\n"),
     HELLO ASK NO_SUCH_THING "0"},
};

static void every_answer_at_every_split(void **state)
{
    (void)state;
    struct proxy_target target = play_target("203.0.113.25", 25, "192.0.2.1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proxy proxy = play_proxy(PROXY_SOCKS5, cases[i].has_user ? "bob" : NULL, "secret");
        play_check(cases[i].name, &proxy, &target, cases[i].says, cases[i].log);
    }
}

static void asks_for_ipv6(void **state)
{
    (void)state;
    struct proxy proxy = play_proxy(PROXY_SOCKS5, NULL, NULL);
    struct proxy_target target = play_target("2001:db8::19", 2525, NULL);
    play_check("IPv6", &proxy, &target, SLICE(OK_METHOD OK_REPLY),
               HELLO "\\x05\\x01\\x00\\x04 \\x01\\x0d\\xb8\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
                     "\\x00\\x00\\x00\\x19\\x09\\xdd=done[]");
}

/* The longest of everything: user and password of 255 bytes, a bound name of 255. */
static void takes_the_longest(void **state)
{
    (void)state;
    char user[256];
    char password[256];
    char reply[4 + 7 + 255];
    memset(user, 'u', 255);
    memset(password, 'p', 255);
    user[255] = password[255] = '\0';
    struct proxy proxy = play_proxy(PROXY_SOCKS5, user, password);
    struct proxy_target target = play_target("203.0.113.25", 25, NULL);
    memset(reply, 'n', sizeof reply);
    memcpy(reply, "\5\2\1\0\5\0\0\3\xff", 9);
    struct proxy_dialogue d;
    struct proxy_step step = proxy_begin(&d, &proxy, &target);
    assert_int_equal(step.send.len, 4);
    assert_false(d.has_asked);
    step = proxy_received(&d, slice_make(reply, 2));
    assert_int_equal(step.send.len, 3 + 255 + 255);
    assert_memory_equal(step.send.at, "\1\xffuu", 4);
    assert_memory_equal(step.send.at + 256, "u\xffpp", 4);
    assert_false(d.has_asked);
    step = proxy_received(&d, slice_make(reply + 2, 2));
    assert_true(d.has_asked);
    step = proxy_received(&d, slice_make(reply + 4, sizeof reply - 4));
    assert_int_equal(step.status, PROXY_DONE);
    assert_int_equal(step.consumed, sizeof reply - 4);
    proxy_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_at_every_split),
        cmocka_unit_test(asks_for_ipv6),
        cmocka_unit_test(takes_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
