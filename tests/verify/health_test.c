/* The readers of verify/health, and the judge on facts of which little is known. What each check finds is shown on real
 * zones: tests/tools/dns_zones.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* RFC 6376 3.5 */
static void selectors_are_found_in_a_header(void **state)
{
    (void)state;
    static const struct {
        const char *message, *selectors; /* parted by spaces */
    } cases[] = {
        {"DKIM-Signature: v=1; d=d.example; s=a; b=x\r\n\r\n", "a"},
        {"Subject: x\nDKIM-Signature: v=1;\n d=D.Example;\n\ts=a2026\n\nbody", "a2026"},
        {"dkim-signature: d=d.example; s=a\r\nDKIM-Signature: d=d.example; s=b\r\n"
         "DKIM-Signature: d=d.example; s=A\r\n\r\n",
         "a b"},
        {"DKIM-Signature: d=other.example; s=a\r\n\r\n", ""},
        {"DKIM-Signature: d=d.example\r\n\r\n", ""},
        {"Subject: x\r\n\r\nDKIM-Signature: d=d.example; s=a\r\n", ""},
        {"", ""},
        {"no header at all", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[4][HEALTH_SELECTOR_BYTES];
        struct slice rest = slice_of(cases[i].selectors);
        size_t count =
            health_mail_selectors(slice_of(cases[i].message), SLICE("d.example"), found, 4);
        for (size_t k = 0; k < count; k++) {
            assert_true(slice_equal(slice_cut(&rest, ' '), slice_of(found[k])));
        }
        assert_int_equal(rest.len, 0);
    }
}

static void selectors_stop_where_there_is_no_room(void **state)
{
    (void)state;
    char found[1][HEALTH_SELECTOR_BYTES];
    struct slice message =
        SLICE("DKIM-Signature: d=d.example; s=a\r\nDKIM-Signature: d=d.example; s=b\r\n\r\n");
    assert_int_equal(health_mail_selectors(message, SLICE("d.example"), found, 1), 1);
    assert_string_equal(found[0], "a");
}

/* RFC 6376 3.6.1, RFC 8463 4 */
static void keys_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        bool is_broken, is_revoked, is_testing;
        unsigned bits;
    } cases[] = {
        {"v=DKIM1; p=", false, true, false, 0},
        {"v=DKIM1; t=s:y; p=", false, true, true, 0},
        {"k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", false, false, false, 256},
        {"k=ed25519; p=11qY AYKxCrfVS/7TyWQHOg7hcvPa\tpiMlrwIaaPcHURo=", false, false, false, 256},
        {"k=ed25519; p=AAAA", true, false, false, 24},
        {"v=DKIM1", true, false, false, 0},
        {"v=DKIM2; p=", true, false, false, 0},
        {"v=DKIM1; p=!!", true, false, false, 0},
        {"v=DKIM1; k=rsa; p=AAAA", true, false, false, 0},
        {"junk", true, false, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct health_key key = {.record = {.text = slice_of(cases[i].record), .count = 1}};
        struct health_key_view view;
        health_key_read(&key, &view);
        assert_int_equal(view.is_broken, cases[i].is_broken);
        assert_int_equal(view.is_revoked, cases[i].is_revoked);
        assert_int_equal(view.is_testing, cases[i].is_testing);
        assert_int_equal(view.bits, cases[i].bits);
    }
}

/* RFC 7489 6.2, 7.1 */
static void domains_of_reports_are_those_of_others(void **state)
{
    (void)state;
    static const struct {
        const char *dmarc, *domains;
    } cases[] = {
        {"v=DMARC1; rua=mailto:a@x.example", "x.example"},
        {"rua=mailto:a@X.example!10m, mailto:b@y.example; ruf=mailto:c@x.example",
         "x.example y.example"},
        {"rua=mailto:a@d.example,mailto:b@sub.d.example,mailto:c@notd.example", "notd.example"},
        {"rua=https://x.example/,mailto:nobody,mailto:@x.example", ""},
        {"p=none", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[HEALTH_REPORTS_MAX][DNS_NAME_BYTES];
        struct slice rest = slice_of(cases[i].domains);
        size_t count = health_report_domains(slice_of(cases[i].dmarc), SLICE("d.example"), found);
        for (size_t k = 0; k < count; k++) {
            assert_true(slice_equal(slice_cut(&rest, ' '), slice_of(found[k])));
        }
        assert_int_equal(rest.len, 0);
    }
}

/* RFC 8461 3.2 */
static void values_of_a_policy_follow_each_other(void **state)
{
    (void)state;
    struct slice rest =
        SLICE("version: STSv1\r\nmx: a.example\r\n\nmx:b.example \nmxx: no\nmode enforce\nmx: c");
    struct slice value;
    static const char *const wanted[] = {"a.example", "b.example", "c"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(health_policy_value(&rest, SLICE("mx"), &value));
        assert_true(slice_equal(value, slice_of(wanted[i])));
    }
    assert_false(health_policy_value(&rest, SLICE("mx"), &value));
}

/* Of questions that were not asked nothing is said. */
static void nothing_known_is_nothing_found(void **state)
{
    (void)state;
    struct health_facts facts = {.domain = "d.example", .soa = DNS_ANSWER_RECORDS};
    struct health_report *report = calloc(1, sizeof *report);
    assert_non_null(report);
    arena_init(&facts.arena, HEALTH_MEMORY_BYTES_MAX);
    assert_int_equal(health_judge(&facts, report), ERR_NONE);
    assert_int_equal(report->count, 0);
    assert_int_equal(report->grade, 'A');
    facts.soa = DNS_ANSWER_NOT_FOUND;
    assert_int_equal(health_judge(&facts, report), ERR_NONE);
    assert_int_equal(report->count, 1);
    assert_string_equal(report->findings[0].check->name, "domain_not_found");
    assert_int_equal(report->grade, 'F');
    arena_done(&facts.arena);
    free(report);
}

static void checks_have_names_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; health_check_at(i) != NULL; i++) {
        assert_non_null(health_check_at(i)->look);
        assert_true(health_check_at(i)->why[0] != '\0');
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(health_check_at(i)->name, health_check_at(k)->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_are_found_in_a_header),
        cmocka_unit_test(selectors_stop_where_there_is_no_room),
        cmocka_unit_test(keys_are_read),
        cmocka_unit_test(domains_of_reports_are_those_of_others),
        cmocka_unit_test(values_of_a_policy_follow_each_other),
        cmocka_unit_test(nothing_known_is_nothing_found),
        cmocka_unit_test(checks_have_names_of_their_own),
    };
    return cmocka_run_group_tests_name("verify/health", tests, NULL, NULL);
}
