/* What comes out of a zone: order of exchangers, fallbacks, failures kept apart, and how long it lives.
 * Each row is run with its answers coming first to last and last to first.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "zone.h"

enum { SEEDS = 600 };

struct row {
    const char *name;
    const char *domain;
    const char *zone;
    const char *route;
};

static const struct dns_lookup_options both = {.can_ipv4 = true, .can_ipv6 = true, .seed = 7};

static void check_row(const struct row *row, const struct dns_lookup_options *options)
{
    for (enum zone_order order = ZONE_FIRST; order < ZONE_ORDERS; order++) {
        char text[ZONE_TEXT_BYTES];
        struct route *route = zone_look_up(row->zone, row->domain, options, order);
        zone_print(route, text);
        route_free(route);
        if (strcmp(text, row->route) != 0) {
            fail_msg("%s (order %u):\n  is     %s\n  wanted %s", row->name, order, text,
                     row->route);
        }
    }
}

#define CHECK_ROWS(rows, options)                               \
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) { \
        check_row(&rows[i], options);                           \
    }

/* The negative life of everything below "b" is 500 seconds. */
#define NEG "b SOA 500\n"
#define A_B "a.b A 400 9.9.9.9\na.b AAAA 400 2620:fe::9\n"

static const struct row finding_rows[] = {
    /* RFC 5321 5.1 */
    {"one exchanger", "x.b", NEG "x.b MX 300 10 a.b\n" A_B,
     "ok 300 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    {"the lower preference comes first", "x.b",
     NEG "x.b MX 300 20 a.b\nx.b MX 300 10 c.b\nx.b MX 300 30 d.b\nd.b A 300 9.9.9.3\n"
         "d.b AAAA 300 2620:fe::3\nc.b A 300 9.9.9.2\nc.b AAAA 300 2620:fe::2\n" A_B,
     "ok 300 | 10 c.b ok 9.9.9.2 2620:fe::2 | 20 a.b ok 9.9.9.9 2620:fe::9 | 30 d.b ok 9.9.9.3 "
     "2620:fe::3"},
    {"no MX: the address of the domain", "a.b", NEG A_B,
     "ok implicit 400 | 0 a.b ok 9.9.9.9 2620:fe::9"},
    {"no MX: an IPv4 address will do", "a.b", NEG "a.b A 900 9.9.9.9\n",
     "ok implicit 500 | 0 a.b ok 9.9.9.9"},
    {"no MX: an IPv6 address will do", "a.b", NEG "a.b AAAA 900 2620:fe::9\n",
     "ok implicit 500 | 0 a.b ok 2620:fe::9"},
    {"MX hosts without address are not replaced by the domain itself", "a.b",
     NEG "a.b MX 300 1 c.b\n" A_B, "no_host 300 | 1 c.b not_found"},
    {"one dead exchanger of two", "x.b", NEG "x.b MX 300 1 c.b\nx.b MX 300 2 a.b\n" A_B,
     "ok 300 | 1 c.b not_found | 2 a.b ok 9.9.9.9 2620:fe::9"},
    {"an exchanger with a name but no address", "x.b", NEG "x.b MX 600 1 c.b\nc.b TXT 3\n",
     "no_host 500 | 1 c.b no_address"},
    {"an exchanger listed twice counts with its better preference", "x.b",
     NEG "x.b MX 300 20 a.b\nx.b MX 300 15 c.b\nx.b MX 300 10 a.b\n" A_B,
     "ok 300 | 10 a.b ok 9.9.9.9 2620:fe::9 | 15 c.b not_found"},
    {"an address listed twice counts once", "a.b", NEG A_B "a.b A 400 9.9.9.9\n",
     "ok implicit 400 | 0 a.b ok 9.9.9.9 2620:fe::9"},
    {"upper case and a last dot change nothing", "X.B.", NEG "x.b MX 300 10 a.b\n" A_B,
     "ok 300 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    /* RFC 7505 3 */
    {"null MX", "x.b", "x.b MX 300 0 .\nx.b A 300 9.9.9.9\n", "null_mx 300"},
    {"null MX with another preference", "x.b", "x.b MX 300 10 .\n", "null_mx 300"},
    {"null MX beside a real one", "x.b", NEG "x.b MX 300 0 .\nx.b MX 300 10 a.b\n" A_B,
     "ok 300 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    {"null MX through an alias", "x.b", "x.b CNAME 100 y.b\ny.b MX 300 0 .\n", "null_mx 100"},
    /* RFC 8020 */
    {"the domain does not exist", "x.b", NEG, "not_found 500"},
    {"the domain does not exist, no SOA", "x.b", "", "not_found 900"},
    {"the domain exists, but has nothing", "x.b", NEG "x.b TXT 3\n",
     "no_host implicit 500 | 0 x.b no_address"},
    {"no MX, and then the domain is gone", "x.b",
     NEG "x.b TXT 3\nx.b A nxdomain\nx.b AAAA nxdomain\n",
     "no_host implicit 500 | 0 x.b not_found"},
};

static void routes_are_found(void **state)
{
    (void)state;
    CHECK_ROWS(finding_rows, &both)
}

#define CHAIN_8                                                                     \
    "x.b CNAME 300 c1.b\nc1.b CNAME 300 c2.b\nc2.b CNAME 300 c3.b\nc3.b CNAME 300 " \
    "c4.b\nc4.b CNAME 300 c5.b\nc5.b CNAME 300 c6.b\nc6.b CNAME 300 c7.b\nc7.b CNAME 300 c8.b\n"

/* RFC 1034 3.6.2, RFC 5321 5.1: an alias is followed, and its end taken as if it had been asked for. */
static const struct row alias_rows[] = {
    {"the domain is an alias", "x.b", NEG "x.b CNAME 200 y.b\ny.b MX 300 10 a.b\n" A_B,
     "ok 200 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    {"the exchanger is an alias", "x.b",
     NEG "x.b MX 300 10 m.b\nm.b CNAME 250 n.b\nn.b CNAME 240 a.b\n" A_B,
     "ok 240 | 10 m.b ok 9.9.9.9 2620:fe::9"},
    {"the alias has no MX: the address of its end", "x.b", NEG "x.b CNAME 200 a.b\n" A_B,
     "ok implicit 200 | 0 x.b ok 9.9.9.9 2620:fe::9"},
    {"an alias to nowhere", "x.b", NEG "x.b CNAME 200 y.b\n", "not_found 200"},
    {"the answer ends with the alias: its end is asked for", "x.b",
     NEG "x.b CNAME 200 y.b alone\ny.b CNAME 190 z.b alone\nz.b MX 300 10 a.b\n" A_B,
     "ok 190 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    {"eight links", "x.b", NEG CHAIN_8 "c8.b MX 300 10 a.b\n" A_B,
     "ok 300 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    {"nine links", "x.b", NEG CHAIN_8 "c8.b CNAME 300 c9.b\nc9.b MX 300 10 a.b\n" A_B,
     "dns_error/servfail 60"},
    {"an alias of itself", "x.b", "x.b CNAME 300 x.b\n", "dns_error/servfail 60"},
    {"two aliases of each other", "x.b", "x.b CNAME 300 y.b\ny.b CNAME 300 x.b\n",
     "dns_error/servfail 60"},
    {"a circle, one link an answer", "x.b", "x.b CNAME 300 y.b alone\ny.b CNAME 300 x.b alone\n",
     "dns_error/servfail 60"},
    {"an exchanger that goes in a circle", "x.b",
     NEG "x.b MX 300 10 m.b\nm.b CNAME 300 n.b\nn.b CNAME 300 m.b\n",
     "dns_error/servfail 60 | 10 m.b dns_error"},
};

static void aliases_are_followed(void **state)
{
    (void)state;
    CHECK_ROWS(alias_rows, &both)
}

/* Trouble says nothing about the domain, and each kind of it is told apart. */
static const struct row trouble_rows[] = {
    {"MX: SERVFAIL", "x.b", "x.b MX servfail\n", "dns_error/servfail 60"},
    {"MX: REFUSED", "x.b", "x.b MX refused\n", "dns_error/refused 60"},
    {"MX: NOTIMP", "x.b", "x.b MX notimp\n", "dns_error/servfail 60"},
    {"MX: no answer in time", "x.b", "x.b MX timeout\n", "dns_error/timeout 60"},
    {"MX: no resolver", "x.b", "x.b MX unreachable\n", "dns_error/refused 60"},
    {"MX: the resolver library failed", "x.b", "x.b MX failed\n", "dns_error/broken 60"},
    {"MX: no message", "x.b", "x.b MX garbage\n", "dns_error/broken 60"},
    /* RFC 2181 9 */
    {"MX: cut", "x.b", NEG "x.b MX cut\nx.b MX 300 10 a.b\n" A_B, "dns_error/broken 60"},
    {"MX: a question for an answer", "x.b", "x.b MX query\nx.b MX 300 0 .\n",
     "dns_error/broken 60"},
    {"MX: the answer to something else", "x.b", "x.b MX other\nx.b MX 300 0 .\n",
     "dns_error/broken 60"},
    {"no MX, addresses time out", "x.b", NEG "x.b A timeout\nx.b AAAA timeout\n",
     "dns_error/timeout implicit 60 | 0 x.b dns_error"},
    {"one family fails, the other has no data", "x.b", NEG "x.b A servfail\n",
     "dns_error/servfail implicit 60 | 0 x.b dns_error"},
    {"one family fails, the other serves", "x.b", NEG "x.b A 300 9.9.9.9\nx.b AAAA servfail\n",
     "ok implicit 300 | 0 x.b ok 9.9.9.9"},
    {"one exchanger fails, one does not exist", "x.b",
     NEG "x.b MX 300 1 c.b\nx.b MX 300 2 d.b\nd.b A refused\nd.b AAAA refused\n",
     "dns_error/refused 60 | 1 c.b not_found | 2 d.b dns_error"},
    {"the failure of the best exchanger is told", "x.b",
     NEG "x.b MX 300 1 c.b\nx.b MX 300 2 d.b\nc.b A timeout\nd.b A servfail\nd.b AAAA servfail\n",
     "dns_error/timeout 60 | 1 c.b dns_error | 2 d.b dns_error"},
    {"one exchanger fails, one serves: looked at again soon", "x.b",
     NEG "x.b MX 300 1 c.b\nx.b MX 300 2 a.b\nc.b A timeout\nc.b AAAA timeout\n" A_B,
     "ok 60 | 1 c.b dns_error | 2 a.b ok 9.9.9.9 2620:fe::9"},
    {"an error beside a private address leaves it open", "x.b",
     NEG "x.b MX 300 1 c.b\nc.b A 300 10.0.0.1\nc.b AAAA timeout\n",
     "dns_error/timeout 60 | 1 c.b dns_error"},
};

static void failures_are_kept_apart(void **state)
{
    (void)state;
    CHECK_ROWS(trouble_rows, &both)
}

static const struct row life_rows[] = {
    {"the least of all", "x.b",
     NEG "x.b MX 400 10 a.b\na.b A 300 9.9.9.9\na.b AAAA 200 2620:fe::9\n",
     "ok 200 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    {"the least of a set", "x.b", NEG "x.b MX 400 10 a.b\nx.b MX 150 10 a.b\n" A_B,
     "ok 150 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    {"zero is a minute", "a.b", NEG "a.b A 0 9.9.9.9\na.b AAAA 0 2620:fe::9\n",
     "ok implicit 60 | 0 a.b ok 9.9.9.9 2620:fe::9"},
    {"a week is a day", "x.b",
     "x.b MX 604800 10 a.b\na.b A 604800 9.9.9.9\na.b AAAA 604800 2620:fe::9\n",
     "ok 86400 | 10 a.b ok 9.9.9.9 2620:fe::9"},
    /* RFC 2308 5 */
    {"a missing address lives as long as the SOA says", "a.b", "b SOA 77\na.b A 900 9.9.9.9\n",
     "ok implicit 77 | 0 a.b ok 9.9.9.9"},
    {"no longer than three hours", "x.b", "b SOA 604800\n", "not_found 10800"},
    {"a negative zero is a minute", "x.b", "b SOA 1\n", "not_found 60"},
};

static void lives_are_the_least_of_the_chain(void **state)
{
    (void)state;
    CHECK_ROWS(life_rows, &both)
}

/* RFC 5321 4.1.3: asked of nobody. */
static const struct row literal_rows[] = {
    {"IPv4", "[9.9.9.9]", "", "ok 86400 | 0 [9.9.9.9] ok 9.9.9.9"},
    {"IPv6", "[IPv6:2620:fe::9]", "", "ok 86400 | 0 [ipv6:2620:fe::9] ok 2620:fe::9"},
    {"IPv6 without its tag", "[2620:fe::9]", "", "unroutable 86400 | 0 [2620:fe::9] unroutable"},
    {"IPv4 with the tag of IPv6", "[IPv6:9.9.9.9]", "",
     "unroutable 86400 | 0 [ipv6:9.9.9.9] unroutable"},
    {"private", "[10.1.2.3]", "", "unroutable 86400 | 0 [10.1.2.3] unroutable"},
    {"no address", "[x-tag:y]", "", "unroutable 86400 | 0 [x-tag:y] unroutable"},
    {"an address as exchanger (RFC 1035 3.3.9)", "x.b", "x.b MX 300 10 9.9.9.9\n",
     "unroutable 300 | 10 9.9.9.9 unroutable"},
    {"an address as exchanger beside a real one", "x.b",
     NEG "x.b MX 300 10 9.9.9.9\nx.b MX 300 20 a.b\n" A_B,
     "ok 300 | 10 9.9.9.9 unroutable | 20 a.b ok 9.9.9.9 2620:fe::9"},
};

static void literals_need_no_questions(void **state)
{
    (void)state;
    CHECK_ROWS(literal_rows, &both)
}

static const struct row ipv4_rows[] = {
    {"IPv4 alone: the rest is not used", "a.b", NEG A_B, "ok implicit 400 | 0 a.b ok 9.9.9.9"},
    {"IPv4 alone: a host of the other kind", "a.b", NEG "a.b AAAA 400 2620:fe::9\n",
     "ok implicit 400 | 0 a.b no_family"},
    {"IPv4 alone: its address is not known now", "a.b",
     NEG "a.b A timeout\na.b AAAA 400 2620:fe::9\n",
     "dns_error/timeout implicit 60 | 0 a.b dns_error"},
    {"IPv4 alone: trouble with IPv6 is none", "a.b", NEG "a.b A 400 9.9.9.9\na.b AAAA timeout\n",
     "ok implicit 400 | 0 a.b ok 9.9.9.9"},
    {"IPv4 alone: a literal of the other kind", "[IPv6:2620:fe::9]", "",
     "ok 86400 | 0 [ipv6:2620:fe::9] no_family"},
};

static void families_that_we_lack_are_left_out(void **state)
{
    (void)state;
    const struct dns_lookup_options four = {.can_ipv4 = true};
    CHECK_ROWS(ipv4_rows, &four)
}

/* RFC 5321 5.1: equal preferences are tried in random order; each comes first about as often. */
static void equal_preferences_are_shuffled(void **state)
{
    (void)state;
    static const char zone[] = "x.b MX 300 10 a.b\nx.b MX 300 10 b.b\nx.b MX 300 10 c.b\n"
                               "x.b MX 300 5 f.b\nx.b MX 300 20 l.b\n";
    unsigned first[3] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct dns_lookup_options options = both;
        options.seed = seed;
        struct route *route = zone_look_up(zone, "x.b", &options, ZONE_FIRST);
        struct route *again = zone_look_up(zone, "x.b", &options, ZONE_FIRST);
        assert_int_equal(route->exchanger_count, 5);
        assert_string_equal(route->exchangers[0].host, "f.b");
        assert_string_equal(route->exchangers[4].host, "l.b");
        assert_string_equal(route->exchangers[1].host, again->exchangers[1].host);
        first[route->exchangers[1].host[0] - 'a']++;
        route_free(route);
        route_free(again);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_in_range(first[i], SEEDS / 3 - SEEDS / 10, SEEDS / 3 + SEEDS / 10);
    }
}

/* Forty exchangers, the best ones last: the sixteen best are kept, in order. */
static void the_worst_exchangers_are_cut(void **state)
{
    (void)state;
    char zone[ZONE_TEXT_BYTES];
    size_t len = 0;
    for (int i = 40; i > 0; i--) {
        len += (size_t)snprintf(zone + len, sizeof zone - len, "x.b MX 300 %d h%d.b\n", i, i);
    }
    struct route *route = zone_look_up(zone, "x.b", &both, ZONE_FIRST);
    assert_int_equal(route->exchanger_count, ROUTE_EXCHANGERS_MAX);
    for (size_t i = 0; i < ROUTE_EXCHANGERS_MAX; i++) {
        assert_int_equal(route->exchangers[i].preference, i + 1);
    }
    route_free(route);
}

static void addresses_are_bounded(void **state)
{
    (void)state;
    char zone[ZONE_TEXT_BYTES];
    size_t len = 0;
    for (int i = 1; i <= 6; i++) {
        len += (size_t)snprintf(zone + len, sizeof zone - len,
                                "x.b A 300 9.9.9.%d\nx.b AAAA 300 2620:fe::%d\n", i, i);
    }
    const struct row row = {"six and six", "x.b", zone,
                            "ok implicit 300 | 0 x.b ok 9.9.9.1 9.9.9.2 9.9.9.3 9.9.9.4 9.9.9.5 "
                            "9.9.9.6 2620:fe::1 2620:fe::2"};
    size_t prefix = len;
    (void)snprintf(zone + prefix, sizeof zone - prefix, "b SOA 300\n");
    check_row(&row, &both);
}

struct name_row {
    const char *name;
    struct slice domain;
};

static const struct name_row refused_rows[] = {
    {"empty", SLICE_LITERAL("")},
    {"a dot", SLICE_LITERAL(".")},
    {"a NUL", SLICE_LITERAL("a\0b")},
    {"an open bracket", SLICE_LITERAL("[9.9.9.9")},
    {"brackets around nothing", SLICE_LITERAL("[]")},
    {"text after the bracket", SLICE_LITERAL("[9.9.9.9]x")},
};

static void names_that_are_none_are_refused(void **state)
{
    (void)state;
    struct dns_lookup *lookup = NULL;
    for (size_t i = 0; i < sizeof refused_rows / sizeof refused_rows[0]; i++) {
        if (dns_lookup_new(refused_rows[i].domain, &both, &lookup) != ERR_SYNTAX) {
            fail_msg("%s is taken", refused_rows[i].name);
        }
    }
    char name[DNS_NAME_BYTES + 1];
    memset(name, 'a', sizeof name);
    assert_int_equal(dns_lookup_new(slice_make(name, DNS_NAME_BYTES), &both, &lookup), ERR_SYNTAX);
    assert_null(lookup);
    dns_lookup_free(NULL);
}

/* A late answer to a question that has one already changes nothing. */
static void second_answers_are_not_heard(void **state)
{
    (void)state;
    struct dns_lookup *lookup;
    struct dns_question question;
    struct route *route;
    assert_int_equal(dns_lookup_new(SLICE("x.b"), &both, &lookup), ERR_NONE);
    assert_true(dns_lookup_next(lookup, &question));
    assert_false(dns_lookup_next(lookup, &question));
    dns_lookup_answered(lookup, 0, DNS_TRANSPORT_TIMEOUT, SLICE_NONE);
    dns_lookup_answered(lookup, 0, DNS_TRANSPORT_REFUSED, SLICE_NONE);
    assert_int_equal(dns_lookup_take(lookup, &route), ERR_NONE);
    assert_int_equal(route->failure, DNS_FAILURE_TIMEOUT);
    route_free(route);
    dns_lookup_free(lookup);
}

/* Memory that others used before makes no difference. */
static void memory_is_handed_on(void **state)
{
    (void)state;
    struct pool pool;
    struct dns_lookup_options options = both;
    pool_init(&pool, dns_lookup_bytes(), 1);
    void *piece = pool_take(&pool);
    assert_non_null(piece);
    memset(piece, 0xa5, dns_lookup_bytes());
    pool_give(&pool, piece);
    options.spare = &pool;
    for (int i = 0; i < 2; i++) {
        struct dns_lookup *lookup;
        struct dns_question question;
        struct route *route;
        assert_int_equal(dns_lookup_new(SLICE("[192.0.32.1]"), &options, &lookup), ERR_NONE);
        assert_false(dns_lookup_next(lookup, &question));
        assert_int_equal(dns_lookup_take(lookup, &route), ERR_NONE);
        assert_int_equal(route->status, ROUTE_OK);
        assert_int_equal(route->exchanger_count, 1);
        assert_int_equal(route->exchangers[0].address_count, 1);
        route_free(route);
        dns_lookup_free(lookup);
        assert_int_equal(pool.count, POOL_IS_WATCHED ? 0 : 1);
    }
    pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(aliases_are_followed),
        cmocka_unit_test(failures_are_kept_apart),
        cmocka_unit_test(lives_are_the_least_of_the_chain),
        cmocka_unit_test(literals_need_no_questions),
        cmocka_unit_test(families_that_we_lack_are_left_out),
        cmocka_unit_test(equal_preferences_are_shuffled),
        cmocka_unit_test(the_worst_exchangers_are_cut),
        cmocka_unit_test(addresses_are_bounded),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(second_answers_are_not_heard),
        cmocka_unit_test(memory_is_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
