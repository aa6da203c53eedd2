/* Who asks, behind proxies that are trusted and others that are not.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "http/forwarded.h"

static void finds_the_client(void **state)
{
    static const struct {
        const char *peer, *forwarded, *x_forwarded_for, *client;
    } rows[] = {
        {"192.0.2.1", "", "", "192.0.2.1"},
        {"192.0.2.1", "", "198.51.100.1", "192.0.2.1"}, /* nobody's proxy */
        {"10.0.0.1", "", "", "10.0.0.1"},
        {"10.0.0.1", "", "198.51.100.1", "198.51.100.1"},
        {"10.0.0.1", "", "203.0.113.9, 198.51.100.1",
         "198.51.100.1"}, /* the client wrote the first */
        {"10.0.0.1", "", "198.51.100.1, 10.0.0.2", "198.51.100.1"},
        {"10.0.0.1", "", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"10.0.0.1", "", "198.51.100.1:4711", "198.51.100.1"},
        {"10.0.0.1", "", "[2001:db8::1]:4711", "2001:db8::1"},
        {"10.0.0.1", "", "2001:db8::1", "2001:db8::1"},
        {"10.0.0.1", "", "unknown", "10.0.0.1"},
        {"10.0.0.1", "", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", "", ",,,", "10.0.0.1"},
        {"10.0.0.1", "for=198.51.100.1", "203.0.113.9",
         "198.51.100.1"}, /* the standard's goes first */
        {"10.0.0.1", "For=\"[2001:db8::1]:47\";proto=http;by=10.0.0.1", "", "2001:db8::1"},
        {"10.0.0.1", "for=203.0.113.9, proto=https;for=198.51.100.1", "", "198.51.100.1"},
        {"10.0.0.1", "for=_hidden", "", "10.0.0.1"},
        {"10.0.0.1", "proto=https", "", "10.0.0.1"},
        {"10.0.0.1", "for=\"", "", "10.0.0.1"},
        {"2001:db8:1::1", "", "198.51.100.1", "198.51.100.1"},
    };
    struct ip_net nets[2];
    (void)state;
    assert_true(ip_net_parse(SLICE("10.0.0.0/8"), &nets[0]));
    assert_true(ip_net_parse(SLICE("2001:db8:1::/48"), &nets[1]));
    const struct forwarded_nets trusted = {nets, 2};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip peer;
        char text[IP_TEXT_BYTES];
        assert_true(ip_parse(slice_of(rows[i].peer), &peer));
        struct ip client = forwarded_client(&trusted, &peer, slice_of(rows[i].forwarded),
                                            slice_of(rows[i].x_forwarded_for));
        assert_string_equal(ip_format(&client, text), rows[i].client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_client)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
