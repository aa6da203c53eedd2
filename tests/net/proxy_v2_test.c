/* The header, byte for byte (proxy-protocol.txt 2.2).
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "proxy_play.h"

#define SIGNATURE "\\x0d\\x0a\\x0d\\x0a\\x00\\x0d\\x0aQUIT\\x0a"
#define NOTHING_4 "\\x00\\x00\\x00\\x00"
#define DB8       " \\x01\\x0d\\xb8" NOTHING_4 NOTHING_4 "\\x00\\x00\\x00"

static const struct {
    const char *name, *ip, *source, *log;
    uint16_t port;
} cases[] = {
    {"IPv4", "203.0.113.25", "192.0.2.7",
     SIGNATURE "!\\x11\\x00\\x0c\\xc0\\x00\\x02\\x07\\xcb\\x00q\\x19\\x00\\x00\\x00\\x19=done[]",
     25},
    {"IPv4, any source", "203.0.113.25", NULL,
     SIGNATURE "!\\x11\\x00\\x0c" NOTHING_4 "\\xcb\\x00q\\x19\\x00\\x00\\x00\\x19=done[]", 25},
    {"IPv4, a source of IPv6", "203.0.113.25", "2001:db8::1",
     SIGNATURE "!\\x11\\x00\\x0c" NOTHING_4 "\\xcb\\x00q\\x19\\x00\\x00\\xff\\xff=done[]", 65535},
    {"IPv6", "2001:db8::2", "2001:db8::1",
     SIGNATURE "!!\\x00$" DB8 "\\x01" DB8 "\\x02\\x00\\x00\\x09\\xdd=done[]", 2525},
    {"IPv6, any source", "2001:db8::2", NULL,
     SIGNATURE "!!\\x00$" NOTHING_4 NOTHING_4 NOTHING_4 NOTHING_4 DB8
               "\\x02\\x00\\x00\\x09\\xdd=done[]",
     2525},
};

static void says_where_to_and_from(void **state)
{
    (void)state;
    struct proxy proxy = play_proxy(PROXY_V2, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proxy_target target = play_target(cases[i].ip, cases[i].port, cases[i].source);
        play_check(cases[i].name, &proxy, &target, SLICE_NONE, cases[i].log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_where_to_and_from)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
