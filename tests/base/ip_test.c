/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 4291 2.2 text in, RFC 5952 4 text out. */
static void writes_the_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written;
        enum ip_family family;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", IP_V4},
        {"0.0.0.0", "0.0.0.0", IP_V4},
        {"255.255.255.255", "255.255.255.255", IP_V4},
        {"::", "::", IP_V6},
        {"::1", "::1", IP_V6},
        {"2001:DB8::00A1", "2001:db8::a1", IP_V6},               /* RFC 5952 4.1, 4.3 */
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1", IP_V6},        /* 4.2.1 */
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", IP_V6}, /* 4.2.2 */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", IP_V6},          /* 4.2.3 the longest */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", IP_V6},    /* 4.2.3 the first */
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", IP_V6},         /* 5 */
        {"::ffff:c000:201", "::ffff:192.0.2.1", IP_V6},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         IP_V6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip ip;
        struct ip again;
        char text[IP_TEXT_BYTES];
        if (!ip_parse(slice_of(rows[i].text), &ip)) {
            fail_msg("%s", rows[i].text);
        }
        assert_int_equal(ip.family, rows[i].family);
        assert_string_equal(ip_format(&ip, text), rows[i].written);
        assert_true(ip_parse(slice_of(text), &again));
        assert_true(ip_equal(&ip, &again));
    }
}

static void refuses_other_text(void **state)
{
    (void)state;
    static const struct slice rows[] = {
        SLICE_LITERAL(""),
        SLICE_LITERAL(" 192.0.2.1"),
        SLICE_LITERAL("192.0.2.1 "),
        SLICE_LITERAL("192.0.2.1\0"),
        SLICE_LITERAL("192.0.2.1\0.5"),
        SLICE_LITERAL("192.0.2"),
        SLICE_LITERAL("192.0.2.1."),
        SLICE_LITERAL("192.0.2.256"),
        SLICE_LITERAL("192.0.2.01"),
        SLICE_LITERAL("0xc0.0.2.1"),
        SLICE_LITERAL("3221225985"),
        SLICE_LITERAL("192.0.2.-1"),
        SLICE_LITERAL("192.0.2.1/24"),
        SLICE_LITERAL(":"),
        SLICE_LITERAL(":::"),
        SLICE_LITERAL("1::2::3"),
        SLICE_LITERAL("12345::"),
        SLICE_LITERAL("g::"),
        SLICE_LITERAL("1:2:3:4:5:6:7"),
        SLICE_LITERAL("1:2:3:4:5:6:7:8:9"),
        SLICE_LITERAL("[::1]"),
        SLICE_LITERAL("fe80::1%eth0"),
        SLICE_LITERAL("::ffff:192.0.2"),
        SLICE_LITERAL("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555"),
        SLICE_LITERAL("example.com"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip ip = {.family = IP_NONE};
        if (ip_parse(rows[i], &ip) || ip.family != IP_NONE) {
            fail_msg("row %zu: %.*s", i, SLICE_ARG(rows[i]));
        }
    }
}

static void no_address_is_written_as_none(void **state)
{
    (void)state;
    char text[IP_TEXT_BYTES];
    assert_string_equal(ip_format(&(struct ip){.family = IP_NONE}, text), "none");
}

static void nets_contain_by_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *net, *ip;
        bool is_inside;
    } rows[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "9.255.255.255", false},
        {"192.0.2.0/25", "192.0.2.127", true},
        {"192.0.2.0/25", "192.0.2.128", false},
        {"192.0.2.99/25", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.0", false},
        {"192.0.2.1/32", "192.0.2.1", true},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "192.0.2.1", false},
        {"::/0", "ffff::1", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1/128", "2001:db8::2", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_net net;
        struct ip ip;
        assert_true(ip_net_parse(slice_of(rows[i].net), &net));
        assert_true(ip_parse(slice_of(rows[i].ip), &ip));
        if (ip_net_contains(&net, &ip) != rows[i].is_inside) {
            fail_msg("%s %s", rows[i].net, rows[i].ip);
        }
    }
}

static void refuses_other_nets(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0/8",
        "10.0.0.0/8 ",
        "10.0.0.0/a",
        "10.0.0.0//8",
        "::/129",
        "::/",
        "10.0.0.0/8/8",
        "10.0.0.0/99999999999999999999",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_net net;
        if (ip_net_parse(slice_of(rows[i]), &net)) {
            fail_msg("%s", rows[i]);
        }
    }
}

/* RFC 6890 and the registries it began; first and last address of each block and their neighbours. */
static const struct {
    const char *ip;
    bool is_special;
} specials[] = {
    {"0.0.0.0", true},
    {"0.255.255.255", true},
    {"1.0.0.0", false},
    {"9.255.255.255", false},
    {"10.0.0.0", true},
    {"10.255.255.255", true},
    {"11.0.0.0", false},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true}, /* RFC 6598 */
    {"100.128.0.0", false},
    {"126.255.255.255", false},
    {"127.0.0.1", true},
    {"127.255.255.255", true},
    {"128.0.0.0", false},
    {"169.253.255.255", false},
    {"169.254.0.0", true},
    {"169.254.169.254", true}, /* RFC 3927 */
    {"169.255.0.0", false},
    {"172.15.255.255", false},
    {"172.16.0.0", true},
    {"172.31.255.255", true}, /* RFC 1918 */
    {"172.32.0.0", false},
    {"192.0.0.1", true},
    {"192.0.1.0", false},
    {"192.0.2.1", true}, /* RFC 5737 */
    {"192.0.3.0", false},
    {"192.168.0.1", true},
    {"192.169.0.0", false},
    {"198.17.255.255", false},
    {"198.18.0.0", true},
    {"198.19.255.255", true}, /* RFC 2544 */
    {"198.20.0.0", false},
    {"198.51.100.7", true},
    {"203.0.113.9", true},
    {"203.0.114.0", false},
    {"223.255.255.255", false},
    {"224.0.0.1", true},
    {"239.255.255.255", true},
    {"240.0.0.1", true},
    {"255.255.255.255", true},
    {"8.8.8.8", false},
    {"::", true},
    {"::1", true},
    {"::127.0.0.1", true},
    {"::ffff:127.0.0.1", true}, /* RFC 4291 2.5.5.2 */
    {"::ffff:10.1.2.3", true},
    {"::ffff:8.8.8.8", false},
    {"64:ff9b::10.0.0.1", true}, /* RFC 6052 */
    {"64:ff9b::8.8.8.8", false},
    {"64:ff9b:1::1", true}, /* RFC 8215 */
    {"100::1", true},       /* RFC 6666 */
    {"2001::1", true},
    {"2001:1ff:ffff::", true},
    {"2001:200::1", false},
    {"2001:db8::1", true},
    {"2001:db9::1", false},
    {"2002:7f00:1::", true}, /* 6to4 of 127.0.0.1, RFC 3056 */
    {"2002:808:808::1", false},
    {"2606:4700::1111", false},
    {"2a00:1450:4001::1a", false},
    {"3fff::1", true}, /* RFC 9637 */
    {"3fff:1000::1", false},
    {"4000::1", true}, /* not given out, RFC 4291 2.4 */
    {"5f00::1", true},
    {"8000::1", true},
    {"e000::1", true},
    {"fc00::1", true},
    {"fdff::1", true},
    {"fe80::1", true},
    {"febf::1", true},
    {"fec0::1", true},
    {"ff02::1", true},
    {"1000::1", true},
};

static void knows_special_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        struct ip ip;
        assert_true(ip_parse(slice_of(specials[i].ip), &ip));
        if (ip_is_special(&ip) != specials[i].is_special) {
            fail_msg("%s", specials[i].ip);
        }
    }
    assert_true(ip_is_special(&(struct ip){.family = IP_NONE}));
}

static void equality_is_of_family_and_bytes(void **state)
{
    (void)state;
    struct ip four;
    struct ip mapped;
    assert_true(ip_parse(SLICE("192.0.2.1"), &four));
    assert_true(ip_parse(SLICE("::ffff:192.0.2.1"), &mapped));
    assert_true(ip_equal(&four, &four));
    assert_false(ip_equal(&four, &mapped));
}

static void reads_ports(void **state)
{
    (void)state;
    static const struct {
        const char *text, *ip; /* NULL: refused */
        uint16_t port;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", 53},
        {"192.0.2.1:1", "192.0.2.1", 1},
        {"192.0.2.1:65535", "192.0.2.1", 65535},
        {"2001:db8::1", "2001:db8::1", 53},
        {"2001:db8::1:80", "2001:db8::1:80", 53},
        {"[2001:db8::1]", "2001:db8::1", 53},
        {"[2001:db8::1]:80", "2001:db8::1", 80},
        {"[192.0.2.1]:80", "192.0.2.1", 80},
        {"192.0.2.1:0", NULL, 0},
        {"192.0.2.1:65536", NULL, 0},
        {"192.0.2.1:", NULL, 0},
        {"192.0.2.1:8x", NULL, 0},
        {"[2001:db8::1", NULL, 0},
        {"[]:53", NULL, 0},
        {"ns.example:53", NULL, 0},
        {":53", NULL, 0},
        {"", NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip ip = {0};
        uint16_t port = 53;
        if (ip_port_parse(slice_of(rows[i].text), &ip, &port) != (rows[i].ip != NULL)) {
            fail_msg("%s", rows[i].text);
        }
        if (rows[i].ip != NULL) {
            char text[IP_TEXT_BYTES];
            assert_string_equal(ip_format(&ip, text), rows[i].ip);
            assert_int_equal(port, rows[i].port);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_one_form),
        cmocka_unit_test(refuses_other_text),
        cmocka_unit_test(no_address_is_written_as_none),
        cmocka_unit_test(nets_contain_by_prefix),
        cmocka_unit_test(refuses_other_nets),
        cmocka_unit_test(knows_special_addresses),
        cmocka_unit_test(reads_ports),
        cmocka_unit_test(equality_is_of_family_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
