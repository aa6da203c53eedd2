/* Which addresses a route may lead to: no special network of any kind (RFC 6890), however it is written,
 * unless the caller allows it. And the names of what a route can be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "zone.h"

enum { NETS_MAX = 4 };

struct guard_row {
    const char *name;
    const char *nets; /* allowed ones, separated by a space */
    const char *address;
    bool is_public;
};

static const struct guard_row guard_rows[] = {
    {"this network, first", "", "0.0.0.0", false},
    {"this network, last", "", "0.255.255.255", false},
    {"after this network", "", "1.0.0.0", true},
    {"before private 10", "", "9.255.255.255", true},
    {"private 10, first (RFC 1918)", "", "10.0.0.0", false},
    {"private 10, last", "", "10.255.255.255", false},
    {"after private 10", "", "11.0.0.0", true},
    {"before shared", "", "100.63.255.255", true},
    {"shared, first (RFC 6598)", "", "100.64.0.0", false},
    {"shared, last", "", "100.127.255.255", false},
    {"after shared", "", "100.128.0.0", true},
    {"before loopback", "", "126.255.255.255", true},
    {"loopback, first (RFC 1122)", "", "127.0.0.0", false},
    {"loopback", "", "127.0.0.1", false},
    {"loopback, last", "", "127.255.255.255", false},
    {"after loopback", "", "128.0.0.0", true},
    {"before link-local", "", "169.253.255.255", true},
    {"link-local, first (RFC 3927)", "", "169.254.0.0", false},
    {"cloud metadata", "", "169.254.169.254", false},
    {"after link-local", "", "169.255.0.0", true},
    {"before private 172", "", "172.15.255.255", true},
    {"private 172, first", "", "172.16.0.0", false},
    {"private 172, last", "", "172.31.255.255", false},
    {"after private 172", "", "172.32.0.0", true},
    {"IETF assignments", "", "192.0.0.8", false},
    {"documentation 1 (RFC 5737)", "", "192.0.2.1", false},
    {"documentation 2", "", "198.51.100.1", false},
    {"documentation 3", "", "203.0.113.1", false},
    {"6to4 relays (RFC 7526)", "", "192.88.99.1", false},
    {"before private 192", "", "192.167.255.255", true},
    {"private 192, first", "", "192.168.0.0", false},
    {"private 192, last", "", "192.168.255.255", false},
    {"after private 192", "", "192.169.0.0", true},
    {"before benchmarks", "", "198.17.255.255", true},
    {"benchmarks, first (RFC 2544)", "", "198.18.0.0", false},
    {"benchmarks, last", "", "198.19.255.255", false},
    {"after benchmarks", "", "198.20.0.0", true},
    {"the last public one", "", "223.255.255.255", true},
    {"multicast, first (RFC 5771)", "", "224.0.0.0", false},
    {"multicast, last", "", "239.255.255.255", false},
    {"reserved, first", "", "240.0.0.0", false},
    {"broadcast", "", "255.255.255.255", false},

    {"unspecified (RFC 4291)", "", "::", false},
    {"loopback 6", "", "::1", false},
    {"IPv4-compatible", "", "::9.9.9.9", false},
    {"mapped public", "", "::ffff:9.9.9.9", true},
    {"mapped private", "", "::ffff:10.0.0.1", false},
    {"mapped loopback", "", "::ffff:127.0.0.1", false},
    {"mapped metadata", "", "::ffff:a9fe:a9fe", false},
    {"NAT64 of a public one (RFC 6052)", "", "64:ff9b::9.9.9.9", true},
    {"NAT64 of a private one", "", "64:ff9b::10.0.0.1", false},
    {"NAT64 of loopback", "", "64:ff9b::127.0.0.1", false},
    {"local NAT64 (RFC 8215)", "", "64:ff9b:1::909:909", false},
    {"discard (RFC 6666)", "", "100::1", false},
    {"Teredo (RFC 4380)", "", "2001::1", false},
    {"benchmarks 6 (RFC 5180)", "", "2001:2::1", false},
    {"ORCHIDv2 (RFC 7343)", "", "2001:20::1", false},
    {"after the IETF's own", "", "2001:200::1", true},
    {"documentation 6 (RFC 3849)", "", "2001:db8::1", false},
    {"documentation 6, new (RFC 9637)", "", "3fff::1", false},
    {"6to4 of a public one (RFC 3056)", "", "2002:909:909::1", true},
    {"6to4 of a private one", "", "2002:a00:1::1", false},
    {"6to4 of loopback", "", "2002:7f00:1::1", false},
    {"segment routing (RFC 9602)", "", "5f00::1", false},
    {"unique local, fc", "", "fc00::1", false},
    {"unique local, fd", "", "fdff::1", false},
    {"link-local 6", "", "fe80::1", false},
    {"link-local 6, last", "", "febf::1", false},
    {"site-local", "", "fec0::1", false},
    {"multicast 6", "", "ff02::1", false},
    {"public 6", "", "2620:fe::9", true},

    {"allowed by its network", "10.0.0.0/8", "10.1.2.3", true},
    {"another special network stays closed", "10.0.0.0/8", "192.168.0.1", false},
    {"the second of two networks", "10.0.0.0/8 192.168.7.0/24", "192.168.7.9", true},
    {"one address alone", "127.0.0.1", "127.0.0.1", true},
    {"its neighbour", "127.0.0.1", "127.0.0.2", false},
    {"a network that ends within a byte", "172.16.0.0/15", "172.17.255.255", true},
    {"just after it", "172.16.0.0/15", "172.18.0.0", false},
    {"everything of IPv4", "0.0.0.0/0", "127.0.0.1", true},
    {"everything of IPv4 is nothing of IPv6", "0.0.0.0/0", "::1", false},
    {"an IPv4 network does not open its mapped form", "10.0.0.0/8", "::ffff:10.0.0.1", false},
    {"nor what a translator leads to it", "10.0.0.0/8", "64:ff9b::10.0.0.1", false},
    {"IPv6 allowed", "fd00::/8", "fd12::1", true},
    {"IPv6 loopback allowed", "::1/128", "::1", true},
    {"public ones need no leave", "10.0.0.0/8", "9.9.9.9", true},
};

static size_t parse_nets(const char *text, struct ip_net nets[NETS_MAX])
{
    size_t count = 0;
    struct slice rest = slice_of(text);
    while (rest.at != NULL && rest.len > 0) {
        assert_true(count < NETS_MAX);
        assert_true(ip_net_parse(slice_cut(&rest, ' '), &nets[count]));
        count++;
    }
    return count;
}

static void check_route(const struct guard_row *row, const char *zone, const char *domain)
{
    struct ip_net nets[NETS_MAX];
    const struct dns_lookup_options options = {.allowed_nets = nets,
                                               .allowed_net_count = parse_nets(row->nets, nets),
                                               .can_ipv4 = true,
                                               .can_ipv6 = true};
    struct route *route = zone_look_up(zone, domain, &options, ZONE_FIRST);
    enum route_status wanted = row->is_public ? ROUTE_OK : ROUTE_UNROUTABLE;
    if (route->status != wanted || route->exchanger_count != 1 ||
        route->exchangers[0].address_count != (row->is_public ? 1 : 0)) {
        fail_msg("%s (%s): %s, %u addresses", row->name, domain, route_status_name(route->status),
                 route->exchangers[0].address_count);
    }
    route_free(route);
}

/* By each way that leads to an address: an exchanger, the domain itself, an alias, a literal. */
static void special_addresses_are_guarded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof guard_rows / sizeof guard_rows[0]; i++) {
        const struct guard_row *row = &guard_rows[i];
        struct ip ip;
        char zone[ZONE_TEXT_BYTES];
        char literal[DNS_NAME_BYTES];
        assert_true(ip_parse(slice_of(row->address), &ip));
        const char *type = ip.family == IP_V4 ? "A" : "AAAA";
        (void)snprintf(zone, sizeof zone,
                       "x.b MX 300 10 a.b\na.b %s 300 %s\nc.b MX 300 10 d.b\nd.b CNAME 300 a.b\n",
                       type, row->address);
        (void)snprintf(literal, sizeof literal, ip.family == IP_V4 ? "[%s]" : "[IPv6:%s]",
                       row->address);
        check_route(row, zone, "x.b");
        check_route(row, zone, "a.b");
        check_route(row, zone, "c.b");
        check_route(row, zone, literal);
    }
}

/* A host with both kinds keeps those that may be used; the special one is not tried as a fallback. */
static void special_addresses_are_taken_out_of_a_set(void **state)
{
    (void)state;
    char text[ZONE_TEXT_BYTES];
    const struct dns_lookup_options options = {.can_ipv4 = true, .can_ipv6 = true};
    static const char zone[] = "x.b MX 300 10 a.b\nx.b MX 300 20 c.b\na.b A 300 127.0.0.1\n"
                               "a.b A 300 9.9.9.9\na.b AAAA 300 ::1\nc.b A 300 10.0.0.1\n"
                               "c.b AAAA 300 fd00::1\n";
    struct route *route = zone_look_up(zone, "x.b", &options, ZONE_FIRST);
    zone_print(route, text);
    assert_string_equal(text, "ok 300 | 10 a.b ok 9.9.9.9 | 20 c.b unroutable");
    route_free(route);
}

struct status_row {
    const char *name;
    int value;
};

static void names_are_stable(void **state)
{
    (void)state;
    static const struct status_row statuses[] = {
        {"ok", ROUTE_OK},
        {"not_found", ROUTE_NOT_FOUND},
        {"null_mx", ROUTE_NULL_MX},
        {"no_host", ROUTE_NO_HOST},
        {"unroutable", ROUTE_UNROUTABLE},
        {"dns_error", ROUTE_DNS_ERROR},
    };
    static const struct status_row failures[] = {
        {"none", DNS_FAILURE_NONE},       {"servfail", DNS_FAILURE_SERVFAIL},
        {"timeout", DNS_FAILURE_TIMEOUT}, {"refused", DNS_FAILURE_REFUSED},
        {"broken", DNS_FAILURE_BROKEN},
    };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        assert_string_equal(route_status_name((enum route_status)statuses[i].value),
                            statuses[i].name);
    }
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        assert_string_equal(dns_failure_name((enum dns_failure)failures[i].value),
                            failures[i].name);
    }
    route_free(NULL);
}

static void copies_are_as_far_as_filled(void **state)
{
    (void)state;
    struct exchanger from = {
        .preference = 7, .status = HOST_NO_FAMILY, .address_count = ROUTE_ADDRESSES_MAX};
    struct exchanger to;
    memset(from.host, 'x', sizeof from.host - 1);
    for (uint8_t i = 0; i < ROUTE_ADDRESSES_MAX; i++) {
        from.addresses[i] = (struct ip){.family = IP_V4, .bytes = {192, 0, 2, i}};
    }
    exchanger_copy(&to, &from);
    assert_memory_equal(to.host, from.host, sizeof from.host);
    assert_memory_equal(to.addresses, from.addresses, sizeof from.addresses);
    assert_int_equal(to.preference, 7);
    assert_int_equal(to.status, HOST_NO_FAMILY);
    struct exchanger few = {
        .host = "mx.example", .address_count = 1, .addresses = {from.addresses[3]}};
    exchanger_copy(&to, &few);
    assert_string_equal(to.host, "mx.example");
    assert_int_equal(to.address_count, 1);
    assert_true(ip_equal(&to.addresses[0], &from.addresses[3]));
    assert_true(ip_equal(&to.addresses[1], &from.addresses[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_addresses_are_guarded),
        cmocka_unit_test(special_addresses_are_taken_out_of_a_set),
        cmocka_unit_test(names_are_stable),
        cmocka_unit_test(copies_are_as_far_as_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
