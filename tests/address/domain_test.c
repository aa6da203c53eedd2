/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address_case.h"

/* RFC 1035 2.3.4, RFC 5321 4.1.2 Domain, 2.3.5: fully qualified */
static void host_names(void **state)
{
    (void)state;
    static const struct good_case good[] = {
        {"two labels", "a@b.de", "a@b.de"},
        {"many labels", "a@a.b.c.d.e.f.example.co.uk", "a@a.b.c.d.e.f.example.co.uk"},
        {"digits first, RFC 1123 2.1", "a@3m.com", "a@3m.com"},
        {"only digits", "a@163.com", "a@163.com"},
        {"hyphens inside", "a@x--y-z.com", "a@x--y-z.com"},
        {"lower case", "a@EXAMPLE.Com", "a@example.com"},
        {"letters and digits last", "a@b.c1", "a@b.c1"},
    };
    static const struct bad_case bad[] = {
        {"one label", SLICE_LITERAL("a@localhost"), 3},
        {"empty label first", SLICE_LITERAL("a@.b.de"), 3},
        {"empty label", SLICE_LITERAL("a@b..de"), 5},
        {"underscore", SLICE_LITERAL("a@b_c.de"), 4},
        {"hyphen first", SLICE_LITERAL("a@b.-c.de"), 5},
        {"hyphen last", SLICE_LITERAL("a@b.c-.de"), 5},
        {"hyphen alone", SLICE_LITERAL("a@b.-.de"), 5},
        {"a space", SLICE_LITERAL("a@b c.de"), 4},
        {"a slash", SLICE_LITERAL("a@b.de/x"), 7},
        {"a port", SLICE_LITERAL("a@b.de:25"), 7},
        {"a percent", SLICE_LITERAL("a@b%20c.de"), 4},
        {"a quote", SLICE_LITERAL("a@\"b\".de"), 3},
        {"a comment", SLICE_LITERAL("a@b(c).de"), 4},
        {"a number last", SLICE_LITERAL("a@b.123"), 5}, /* RFC 3696 2 */
        {"an address without brackets", SLICE_LITERAL("a@192.0.2.1"), 11},
        {"a control", SLICE_LITERAL("a@b\x01.de"), 4},
        {"a tab", SLICE_LITERAL("a@b\t.de"), 4},
    };
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
}

/* RFC 5321 4.1.3 */
static void literals(void **state)
{
    (void)state;
    static const struct good_case good[] = {
        {"IPv4", "a@[192.0.2.1]", "a@[192.0.2.1]"},
        {"IPv4, bounds", "a@[255.255.255.255]", "a@[255.255.255.255]"},
        {"IPv6", "a@[IPv6:2001:db8:1:2:3:4:5:6]", "a@[IPv6:2001:db8:1:2:3:4:5:6]"},
        {"IPv6, tag in another case", "a@[ipv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
        {"IPv6, one form", "a@[IPv6:2001:0DB8:0:0:0:0:0:1]", "a@[IPv6:2001:db8::1]"},
        {"IPv6, loopback", "a@[IPv6:::1]", "a@[IPv6:::1]"},
        {"IPv6 with IPv4", "a@[IPv6:::ffff:192.0.2.1]", "a@[IPv6:::ffff:192.0.2.1]"},
        {"IPv6, longest", "a@[IPv6:fedc:ba98:7654:3210:fedc:ba98:255.255.255.255]",
         "a@[IPv6:fedc:ba98:7654:3210:fedc:ba98:ffff:ffff]"},
    };
    static const struct bad_case bad[] = {
        {"empty", SLICE_LITERAL("a@[]"), 3},
        {"bracket alone", SLICE_LITERAL("a@["), 3},
        {"not closed", SLICE_LITERAL("a@[192.0.2.1"), 3},
        {"not opened", SLICE_LITERAL("a@192.0.2.1]"), 0},
        {"text behind", SLICE_LITERAL("a@[192.0.2.1]x"), 3},
        {"a label behind", SLICE_LITERAL("a@[192.0.2.1].de"), 3},
        {"twice", SLICE_LITERAL("a@[[192.0.2.1]]"), 3},
        {"a name", SLICE_LITERAL("a@[example.com]"), 3},
        {"number too large", SLICE_LITERAL("a@[192.0.2.256]"), 3},
        {"three numbers", SLICE_LITERAL("a@[192.0.2]"), 3},
        {"leading zero", SLICE_LITERAL("a@[192.0.2.01]"), 3},
        {"a space", SLICE_LITERAL("a@[ 192.0.2.1]"), 3},
        {"IPv6 without its tag", SLICE_LITERAL("a@[2001:db8::1]"), 3},
        {"IPv4 behind the tag", SLICE_LITERAL("a@[IPv6:192.0.2.1]"), 3},
        {"IPv6, two gaps", SLICE_LITERAL("a@[IPv6:1::2::3]"), 3},
        {"IPv6, scope", SLICE_LITERAL("a@[IPv6:fe80::1%eth0]"), 3},
        {"another tag", SLICE_LITERAL("a@[x400:abc]"), 3},
        {"NUL", SLICE_LITERAL("a@[192.0.2.1\0]"), 0},
        {"line end", SLICE_LITERAL("a@[192.0.2.1\r\n]"), 0},
        {"UTF-8", SLICE_LITERAL("a@[\xc3\xbc]"), 3},
        {"full-width digits", SLICE_LITERAL("a@[\xef\xbc\x91.0.0.1]"), 3},
    };
    check_good(good, COUNT(good));
    check_bad(bad, COUNT(bad));
    assert_true(parsed("a@[192.0.2.1]").is_literal);
    assert_string_equal(parsed("a@[IPv6:2001:DB8::1]").domain_text, "[IPv6:2001:db8::1]");
}

/* RFC 5890 2.3.2.1, RFC 5891 5, with the mapping of RFC 5895 (as UTS 46 has it) */
static void names_of_all_scripts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *wire, *shown;
    } rows[] = {
        {"Latin",
         "a@b\xc3\xbc"
         "cher.example",
         "a@xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example"},
        {"upper case",
         "a@B\xc3\x9c"
         "CHER.EXAMPLE",
         "a@xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example"},
        {"not composed",
         "a@bu\xcc\x88"
         "cher.example",
         "a@xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example"},
        {"A-label", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example"},
        {"A-label in upper case", "a@XN--BCHER-KVA.Example", "a@xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example"},
        {"Chinese", "a@\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd",
         "a@xn--fsqu00a.xn--fiqs8s", "\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd"},
        {"ideographic dot",
         "a@\xe4\xbe\x8b\xe5\xad\x90\xe3\x80\x82"
         "example",
         "a@xn--fsqu00a.example", "\xe4\xbe\x8b\xe5\xad\x90.example"},
        {"Cyrillic", "a@\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0.\xd1\x80\xd1\x84",
         "a@xn--80a1acny.xn--p1ai", "\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0.\xd1\x80\xd1\x84"},
        {"Hebrew", "a@\xd7\x90\xd7\x91.example", "a@xn--4dbc.example", "\xd7\x90\xd7\x91.example"},
        {"sharp s is a letter, RFC 5892 2.6", "a@fa\xc3\x9f.de", "a@xn--fa-hia.de",
         "fa\xc3\x9f.de"},
        {"final sigma", "a@\xce\xb2\xcf\x8c\xce\xbb\xce\xbf\xcf\x82.gr", "a@xn--nxasmm1c.gr",
         "\xce\xb2\xcf\x8c\xce\xbb\xce\xbf\xcf\x82.gr"},
        {"full-width letters", "a@\xef\xbd\x81\xef\xbd\x82.de", "a@ab.de", "ab.de"},
        {"among ASCII labels", "a@www.\xc3\xbc.example.com", "a@www.xn--tda.example.com",
         "www.\xc3\xbc.example.com"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct good_case as_given = {rows[i].name, rows[i].text, rows[i].wire};
        check_good(&as_given, 1);
        struct hel_address a = parsed(rows[i].text);
        assert_string_equal(a.domain_text, rows[i].shown);
        assert_int_equal(a.is_idn, strstr(rows[i].wire, "xn--") != NULL);
        assert_false(a.needs_smtputf8);
    }
}

static void bad_names(void **state)
{
    (void)state;
    static const struct bad_case bad[] = {
        {"a symbol, RFC 5892 2.7", SLICE_LITERAL("a@\xe2\x98\x83.example"), 3},
        {"an emoji", SLICE_LITERAL("a@\xf0\x9f\x92\xa9.la"), 3},
        {"an emoji as A-label", SLICE_LITERAL("a@xn--ls8h.la"), 3},
        {"no punycode", SLICE_LITERAL("a@xn--zzzzzzzz999.example"), 3},
        {"punycode of a control", SLICE_LITERAL("a@xn--a.example"), 3},
        {"an empty A-label", SLICE_LITERAL("a@xn--.example"), 3},
        {"an A-label of ASCII", SLICE_LITERAL("a@xn--abc-.example"), 3},
        {"a joiner without its context, RFC 5892 A.2",
         SLICE_LITERAL("a@a\xe2\x80\x8d"
                       "b.de"),
         3},
        {"two directions, RFC 5893 2",
         SLICE_LITERAL("a@\xd7\x90"
                       "a.de"),
         3},
        {"a mark first, RFC 5891 4.2.3.2",
         SLICE_LITERAL("a@\xcc\x81"
                       "a.de"),
         3},
        {"hyphen first, RFC 5891 4.2.3.1", SLICE_LITERAL("a@-\xc3\xbc.de"), 3},
        {"hyphen last", SLICE_LITERAL("a@\xc3\xbc-.de"), 3},
        {"hyphens in third and fourth place", SLICE_LITERAL("a@ab--\xc3\xbc.de"), 3},
        {"empty label", SLICE_LITERAL("a@\xc3\xbc..de"), 3},
        {"no dot", SLICE_LITERAL("a@\xc3\xbc"), 3},
        {"an underscore", SLICE_LITERAL("a@\xc3\xbc_a.de"), 3},
        {"a space", SLICE_LITERAL("a@\xc3\xbc a.de"), 3},
        {"a number last", SLICE_LITERAL("a@\xc3\xbc.12"), 3},
        {"an override", SLICE_LITERAL("a@\xe2\x80\xae\xc3\xbc.de"), 3},
        {"a second at", SLICE_LITERAL("a@\xc3\xbc@b.de"), 4},
        {"a full-width at behind",
         SLICE_LITERAL("a@\xc3\xbc\xef\xbc\xa0"
                       "b.de"),
         3},
        {"a full-width slash",
         SLICE_LITERAL("a@b\xef\xbc\x8f"
                       "c.de"),
         3},
        {"an A-label of 64",
         SLICE_LITERAL("a@\xc3\xbc"
                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.de"),
         3},
    };
    check_bad(bad, COUNT(bad));
}

/* The 63 octets count in the A-label, RFC 5891 4.2.4 */
static void label_length_is_of_the_a_label(void **state)
{
    (void)state;
    bool was_longest = false;
    for (size_t letters = 50; letters < 63; letters++) {
        char text[100] = "a@\xc3\xbc";
        memset(text + 4, 'a', letters);
        memcpy(text + 4 + letters, ".de", 4);
        struct hel_address a;
        struct hel_address_error error;
        enum err e = hel_address_parse(slice_of(text), HEL_ADDRESS_STRICT, &a, &error);
        if (e == ERR_NONE) {
            assert_false(was_longest);
            assert_true(hel_address_domain(&a).len <= 63 + 3);
        }
        was_longest = was_longest || e != ERR_NONE;
    }
    assert_true(was_longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_names),
        cmocka_unit_test(literals),
        cmocka_unit_test(names_of_all_scripts),
        cmocka_unit_test(bad_names),
        cmocka_unit_test(label_length_is_of_the_a_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
