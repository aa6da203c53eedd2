/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static struct zone *small_zone(void)
{
    static const struct {
        const char *name;
        enum dns_type type;
        const char *value;
    } records[] = {
        {"A.Example.", DNS_MX, "10 MX.a.example."},
        {"a.example", DNS_MX, "20 mx2.a.example"},
        {"mx.a.example", DNS_A, "192.0.2.1"},
        {"mx.a.example", DNS_AAAA, "2001:db8::1"},
        {"alias.example", DNS_CNAME, "a.example"},
        {"far.example", DNS_CNAME, "alias.example"},
        {"dead.example", DNS_CNAME, "nowhere.x"},
        {"loop.example", DNS_CNAME, "loop2.example"},
        {"loop2.example", DNS_CNAME, "loop.example"},
        {"null.example", DNS_MX, "0 ."},
        {"ns.example", DNS_NS, "a.example"},
        {"*.wild.example", DNS_A, "192.0.2.9"},
        {"own.wild.example", DNS_A, "192.0.2.10"},
        {"1.2.0.192.in-addr.arpa", DNS_PTR, "MX.a.example."},
    };
    struct zone *zone;
    assert_int_equal(zone_new(&zone), ERR_NONE);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        assert_int_equal(zone_add(zone, records[i].name, records[i].type, records[i].value, 300),
                         ERR_NONE);
    }
    return zone;
}

static void answers_as_a_resolver_does(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum dns_type type;
        uint8_t rcode;
        size_t answers;
        const char *last; /* target of the last record */
    } cases[] = {
        {"a.example", DNS_MX, DNS_NOERROR, 2, "mx2.a.example"},
        {"A.EXAMPLE.", DNS_MX, DNS_NOERROR, 2, "mx2.a.example"},
        {"mx.a.example", DNS_A, DNS_NOERROR, 1, ""},
        {"mx.a.example", DNS_AAAA, DNS_NOERROR, 1, ""},
        {"mx.a.example", DNS_MX, DNS_NOERROR, 0, ""},
        {"none.example", DNS_MX, DNS_NXDOMAIN, 0, ""},
        {"alias.example", DNS_MX, DNS_NOERROR, 3, "mx2.a.example"},
        {"far.example", DNS_MX, DNS_NOERROR, 4, "mx2.a.example"},
        {"far.example", DNS_CNAME, DNS_NOERROR, 1, "alias.example"},
        {"dead.example", DNS_MX, DNS_NXDOMAIN, 1, "nowhere.x"},
        {"null.example", DNS_MX, DNS_NOERROR, 1, ""},
        {"ns.example", DNS_NS, DNS_NOERROR, 1, "a.example"},
        {"1.2.0.192.in-addr.arpa", DNS_PTR, DNS_NOERROR, 1, "mx.a.example"},
        {"x.wild.example", DNS_A, DNS_NOERROR, 1, ""},
        {"y.x.wild.example", DNS_A, DNS_NOERROR, 1, ""},
        {"own.wild.example", DNS_MX, DNS_NOERROR, 0, ""},
        {"wild.example", DNS_A, DNS_NXDOMAIN, 0, ""},
        {"", DNS_MX, DNS_NXDOMAIN, 0, ""},
    };
    struct zone *zone = small_zone();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dns_message answer;
        assert_int_equal(
            zone_ask(zone, slice_of(cases[i].name), (uint16_t)cases[i].type, 77, &answer),
            ZONE_WELL);
        size_t count = answer.answer_count;
        const char *last = count == 0 ? "" : answer.answers[count - 1].target;
        if (answer.rcode != cases[i].rcode || count != cases[i].answers ||
            strcmp(last, cases[i].last) != 0) {
            fail_msg("%s: rcode %d, %zu answers, '%s'", cases[i].name, answer.rcode, count, last);
        }
        assert_int_equal(answer.id, 77);
        assert_true(answer.is_response);
        assert_int_equal(answer.question_type, cases[i].type);
        bool is_negative = count == 0 || answer.rcode != DNS_NOERROR;
        assert_int_equal(answer.has_negative_ttl, is_negative);
    }
    struct dns_message answer;
    assert_int_equal(zone_ask(zone, SLICE("loop.example"), DNS_MX, 1, &answer), ZONE_WELL);
    assert_true(answer.answer_count > 2);
    zone_free(zone);
    zone_free(NULL);
}

static void refuses_what_is_no_record(void **state)
{
    (void)state;
    static const struct {
        enum dns_type type;
        const char *value;
    } cases[] = {
        {DNS_A, "2001:db8::1"}, {DNS_A, "192.0.2"},   {DNS_AAAA, "192.0.2.1"}, {DNS_MX, "mx"},
        {DNS_MX, "10mx"},       {DNS_MX, "65536 mx"}, {DNS_SOA, "x"},
    };
    struct zone *zone = small_zone();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(zone_add(zone, "x.example", cases[i].type, cases[i].value, 1), ERR_SYNTAX);
    }
    char endless[400];
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(zone_add(zone, endless, DNS_A, "192.0.2.1", 1), ERR_SYNTAX);
    assert_int_equal(zone_fail(zone, endless, ZONE_SERVFAIL), ERR_SYNTAX);
    struct dns_message answer;
    assert_int_equal(zone_ask(zone, slice_of(endless), DNS_A, 1, &answer), ZONE_WELL);
    assert_int_equal(answer.rcode, DNS_FORMERR);
    zone_free(zone);
}

/* RFC 1035 3.3: a long text is several strings, which are one text again. */
static void long_texts_are_cut_into_strings(void **state)
{
    (void)state;
    static const struct {
        size_t len, strings;
    } cases[] = {{0, 1}, {1, 1}, {255, 1}, {256, 2}, {510, 2}, {511, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zone *zone = small_zone();
        struct dns_message answer;
        struct slice string;
        char text[600] = "";
        memset(text, 'x', cases[i].len);
        assert_int_equal(zone_add(zone, "text.example", DNS_TXT, text, 1), ERR_NONE);
        assert_int_equal(zone_ask(zone, SLICE("text.example"), DNS_TXT, 1, &answer), ZONE_WELL);
        assert_int_equal(answer.answer_count, 1);
        size_t len = 0, strings = 0;
        for (struct slice rest = answer.answers[0].text; dns_text_next(&rest, &string); strings++) {
            len += string.len;
        }
        assert_int_equal(len, cases[i].len);
        assert_int_equal(strings, cases[i].strings);
        zone_free(zone);
    }
    static char endless[70000];
    struct zone *zone = small_zone();
    memset(endless, 'x', sizeof endless - 1);
    assert_int_equal(zone_add(zone, "text.example", DNS_TXT, endless, 1), ERR_SYNTAX);
    zone_free(zone);
}

static void one_name_has_so_many_records_and_no_more(void **state)
{
    (void)state;
    struct zone *zone = small_zone();
    for (int i = 0; i < DNS_RECORDS_MAX; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "192.0.2.%d", i);
        assert_int_equal(zone_add(zone, "many.example", DNS_A, value, 1), ERR_NONE);
    }
    assert_int_equal(zone_add(zone, "many.example", DNS_A, "192.0.2.99", 1), ERR_LIMIT);
    struct dns_message answer;
    assert_int_equal(zone_ask(zone, SLICE("many.example"), DNS_A, 1, &answer), ZONE_WELL);
    assert_int_equal(answer.answer_count, DNS_RECORDS_MAX);
    assert_false(answer.is_truncated);
    zone_free(zone);
}

static void names_fail_and_are_well_again(void **state)
{
    (void)state;
    static const struct {
        enum zone_failure failure;
        uint8_t rcode;
    } cases[] = {
        {ZONE_SERVFAIL, DNS_SERVFAIL}, {ZONE_NXDOMAIN, DNS_NXDOMAIN},
        {ZONE_REFUSED, DNS_REFUSED},   {ZONE_TIMEOUT, 0},
        {ZONE_NONE_REACHED, 0},        {ZONE_BROKEN, 0},
    };
    static const char *const names[] = {"a.example", "x.wild.example", "none.example"};
    struct zone *zone = small_zone();
    struct dns_message before, answer;
    for (size_t n = 0; n < 3; n++) {
        struct slice name = slice_of(names[n]);
        (void)zone_ask(zone, name, DNS_A, 1, &before);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            assert_int_equal(zone_fail(zone, names[n], cases[i].failure), ERR_NONE);
            assert_int_equal(zone_ask(zone, name, DNS_A, 1, &answer), cases[i].failure);
            assert_true(cases[i].rcode == 0 || answer.rcode == cases[i].rcode);
            assert_int_equal(zone_fail(zone, names[n], ZONE_WELL), ERR_NONE);
            assert_int_equal(zone_ask(zone, name, DNS_A, 1, &answer), ZONE_WELL);
            assert_int_equal(answer.rcode, before.rcode);
            assert_int_equal(answer.answer_count, before.answer_count);
        }
    }
    assert_int_equal(zone_fail(zone, "*", ZONE_TIMEOUT), ERR_NONE);
    assert_int_equal(zone_fail(zone, "a.example", ZONE_SERVFAIL), ERR_NONE);
    assert_int_equal(zone_ask(zone, SLICE("none.example"), DNS_A, 1, &answer), ZONE_TIMEOUT);
    assert_int_equal(zone_ask(zone, SLICE("alias.example"), DNS_MX, 1, &answer), ZONE_TIMEOUT);
    assert_int_equal(zone_ask(zone, SLICE("a.example"), DNS_MX, 1, &answer), ZONE_SERVFAIL);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_a_resolver_does),
        cmocka_unit_test(refuses_what_is_no_record),
        cmocka_unit_test(long_texts_are_cut_into_strings),
        cmocka_unit_test(one_name_has_so_many_records_and_no_more),
        cmocka_unit_test(names_fail_and_are_well_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
