/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static const struct {
    const char *text;
    enum probe_target_kind kind;
    enum probe_scheme scheme;
    uint16_t port;
    const char *name; /* a name, an address or a path */
} good[] = {
    {"example.com", PROBE_TARGET_DOMAIN, PROBE_SMTP, 0, "example.com"},
    {" Example.COM ", PROBE_TARGET_DOMAIN, PROBE_SMTP, 0, "example.com"},
    {"b\xc3\xbc"
     "cher.example",
     PROBE_TARGET_DOMAIN, PROBE_SMTP, 0, "xn--bcher-kva.example"},
    {"jane@example.com", PROBE_TARGET_DOMAIN, PROBE_SMTP, 0, "example.com"},
    {"mx.example.com:587", PROBE_TARGET_HOST, PROBE_SMTP, 587, "mx.example.com"},
    {"smtp://mx.example.com", PROBE_TARGET_HOST, PROBE_SMTP, 0, "mx.example.com"},
    {"SMTPS://mx.example.com/", PROBE_TARGET_HOST, PROBE_SMTPS, 0, "mx.example.com"},
    {"lmtp://mx.example.com:24", PROBE_TARGET_HOST, PROBE_LMTP, 24, "mx.example.com"},
    {"lmtp:///run/lmtp", PROBE_TARGET_SOCKET, PROBE_LMTP, 0, "/run/lmtp"},
    {"localhost", PROBE_TARGET_HOST, PROBE_SMTP, 0, "localhost"},
    {"localhost:2525", PROBE_TARGET_HOST, PROBE_SMTP, 2525, "localhost"},
    {"192.0.2.1", PROBE_TARGET_IP, PROBE_SMTP, 0, "192.0.2.1"},
    {"192.0.2.1:2525", PROBE_TARGET_IP, PROBE_SMTP, 2525, "192.0.2.1"},
    {"[192.0.2.1]", PROBE_TARGET_IP, PROBE_SMTP, 0, "192.0.2.1"},
    {"2001:db8::1", PROBE_TARGET_IP, PROBE_SMTP, 0, "2001:db8::1"},
    {"[2001:db8::1]:25", PROBE_TARGET_IP, PROBE_SMTP, 25, "2001:db8::1"},
    {"[IPv6:2001:db8::1]", PROBE_TARGET_IP, PROBE_SMTP, 0, "2001:db8::1"},
    {"jane@[192.0.2.1]", PROBE_TARGET_IP, PROBE_SMTP, 0, "192.0.2.1"},
};

static void targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct probe_target target;
        struct fault fault;
        char ip[IP_TEXT_BYTES];
        if (probe_target_parse(slice_of(good[i].text), &target, &fault) != ERR_NONE) {
            fail_msg("%s: %s", good[i].text, fault.text);
        }
        const char *name = target.kind == PROBE_TARGET_IP       ? ip_format(&target.ip, ip)
                           : target.kind == PROBE_TARGET_SOCKET ? target.path
                                                                : target.name;
        assert_int_equal(target.kind, good[i].kind);
        assert_int_equal(target.scheme, good[i].scheme);
        assert_int_equal(target.port, good[i].port);
        assert_string_equal(name, good[i].name);
    }
}

static void no_targets(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "mx..example",
                                      "a b",
                                      "mx.example:0",
                                      "mx.example:65536",
                                      "mx.example:x",
                                      "smtp://",
                                      "http://x",
                                      "[::1",
                                      "x@",
                                      "a\r\nb",
                                      "-",
                                      "mx.example/path"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct probe_target target;
        struct fault fault;
        if (probe_target_parse(slice_of(bad[i]), &target, &fault) != ERR_SYNTAX) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }
}

static void the_recipient_of_an_address(void **state)
{
    (void)state;
    struct probe_target target;
    assert_int_equal(probe_target_parse(SLICE("jane@example.com"), &target, NULL), ERR_NONE);
    assert_string_equal(target.rcpt, "jane@example.com");
    char path[256] = "lmtp:///";
    memset(path + 8, 'x', 200);
    assert_int_equal(probe_target_parse(slice_of(path), &target, NULL), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),
        cmocka_unit_test(no_targets),
        cmocka_unit_test(the_recipient_of_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
