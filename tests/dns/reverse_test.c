/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/reverse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 1035 3.5, 3596 2.5; RFC 5782 2.1, 2.4 */
static void addresses_are_turned_round(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *suffix, *name, *pointer;
    } cases[] = {
        {"192.0.2.99", "bl.example", "99.2.0.192.bl.example", "99.2.0.192.in-addr.arpa"},
        {"127.0.0.2", "bl.example", "2.0.0.127.bl.example", "2.0.0.127.in-addr.arpa"},
        {"255.254.253.252", "x", "252.253.254.255.x", "252.253.254.255.in-addr.arpa"},
        {"2001:db8:1:2:3:4:567:89ab", "ugly.example",
         "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example",
         "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
        {"::ffff:127.0.0.2", "v6.example",
         "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.v6.example",
         "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip ip;
        char name[DNS_NAME_BYTES];
        assert_true(ip_parse(slice_of(cases[i].ip), &ip));
        assert_true(dns_reverse_name(&ip, slice_of(cases[i].suffix), name));
        assert_string_equal(name, cases[i].name);
        assert_true(dns_pointer_name(&ip, name));
        assert_string_equal(name, cases[i].pointer);
    }
}

static void no_address_and_long_suffixes_are_refused(void **state)
{
    (void)state;
    struct ip ip = {0};
    char name[DNS_NAME_BYTES];
    char suffix[DNS_NAME_BYTES];
    assert_false(dns_pointer_name(&ip, name));
    assert_true(ip_parse(SLICE("192.0.2.1"), &ip)); /* "1.2.0.192." has 10 octets */
    memset(suffix, 'a', sizeof suffix);
    assert_true(dns_reverse_name(&ip, slice_make(suffix, DNS_NAME_BYTES - 11), name));
    assert_int_equal(strlen(name), DNS_NAME_BYTES - 1);
    assert_false(dns_reverse_name(&ip, slice_make(suffix, DNS_NAME_BYTES - 10), name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_turned_round),
        cmocka_unit_test(no_address_and_long_suffixes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
