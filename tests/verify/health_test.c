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

/* One finding's name, or "" where there is none; only one is expected. */
static const char *found_in(struct health_facts *facts)
{
    static struct health_report report;
    arena_init(&facts->arena, HEALTH_MEMORY_BYTES_MAX);
    assert_int_equal(health_judge(facts, &report), ERR_NONE);
    arena_done(&facts->arena);
    assert_true(report.count <= 1);
    return report.count == 0 ? "" : report.findings[0].check->name;
}

/* RFC 6376 3.6.1, RFC 8463 4 */
static void keys_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        enum health_key_from from;
        const char *finding;
    } cases[] = {
        {"v=DKIM1; p=", HEALTH_KEY_GIVEN, "dkim_revoked"},
        {"v=DKIM1; p=", HEALTH_KEY_COMMON, ""},
        {"k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", HEALTH_KEY_COMMON, ""},
        {"k=ed25519; t=y; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", HEALTH_KEY_COMMON,
         "dkim_testing"},
        {"k=ed25519; p=AAAA", HEALTH_KEY_COMMON, "dkim_broken"},
        {"k=other; p=AAAA", HEALTH_KEY_COMMON, "dkim_broken"},
        {"v=DKIM1", HEALTH_KEY_COMMON, "dkim_broken"},
        {"v=DKIM2; p=", HEALTH_KEY_GIVEN, "dkim_broken"},
        {"v=spf1 -all", HEALTH_KEY_COMMON, "dkim_none_found"}, /* of a wildcard */
        {"v=spf1 -all", HEALTH_KEY_MAIL, "dkim_broken"},
        {"junk", HEALTH_KEY_COMMON, "dkim_broken"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct health_key key = {
            .selector = "s", .from = cases[i].from, .kind = DNS_ANSWER_RECORDS};
        struct health_facts facts = {
            .domain = "d.example", .soa = DNS_ANSWER_RECORDS, .keys = &key, .key_count = 1};
        key.fault = dkim_key_read(slice_of(cases[i].record), &key.key, NULL);
        assert_string_equal(found_in(&facts), cases[i].finding);
    }
}

/* RFC 7489 6.3, 6.6.3 */
static void policies_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *record;
        const char *finding;
    } cases[] = {
        {"d.example", "v=DMARC1; p=reject; rua=mailto:a@d.example", ""},
        {"d.example", "v=DMARC1; p=none; rua=mailto:a@d.example", "dmarc_none"},
        {"d.example", "v=DMARC1; p=reject; sp=none; rua=mailto:a@d.example",
         "dmarc_subdomains_weaker"},
        {"sub.d.example", "v=DMARC1; p=reject; sp=none; rua=mailto:a@d.example", "dmarc_none"},
        {"sub.d.example", "v=DMARC1; p=none; sp=reject; rua=mailto:a@d.example", ""},
        {"d.example", "v=DMARC1; p=reject; pct=5; rua=mailto:a@d.example", "dmarc_partial"},
        {"d.example", "v=DMARC1; p=reject", "dmarc_no_reports"},
        {"d.example", "v=DMARC1; p=never; rua=mailto:a@d.example", "dmarc_syntax"},
        {"d.example", "v=DMARC1; p=never", "dmarc_syntax"},
        {"d.example", "v=DMARC1; p=reject; p=none; rua=mailto:a@d.example", "dmarc_syntax"},
        {"d.example", "v=DMARC1; x=y; p=reject; ri=3600; rua=mailto:a@d.example", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct health_facts facts = {.soa = DNS_ANSWER_RECORDS, .has_dmarc = true};
        struct slice domain = slice_of(cases[i].domain);
        memcpy(facts.domain, domain.at, domain.len);
        assert_int_equal(dmarc_search_init(&facts.dmarc, domain, SLICE("d.example")), ERR_NONE);
        facts.dmarc.is_organizational = true;
        bool holds = dmarc_record_read(slice_of(cases[i].record), &facts.dmarc.record);
        facts.dmarc.state = holds ? DMARC_SEARCH_FOUND : DMARC_SEARCH_BROKEN;
        assert_string_equal(found_in(&facts), cases[i].finding);
    }
}

/* What no zone shows: the DNS fails for that name alone, or the time is over. */
static void what_could_not_be_asked_is_told(void **state)
{
    (void)state;
    struct health_key key = {.selector = "s",
                             .name = "s._domainkey.d.example",
                             .kind = DNS_ANSWER_ERROR,
                             .failure = DNS_FAILURE_TIMEOUT};
    struct health_facts facts = {
        .domain = "d.example", .soa = DNS_ANSWER_RECORDS, .keys = &key, .key_count = 1};
    assert_string_equal(found_in(&facts), "dkim_failing");
    facts.key_count = 0;
    facts.has_dmarc = true;
    facts.dmarc.state = DMARC_SEARCH_FAILED;
    assert_string_equal(found_in(&facts), "dmarc_failing");
    facts.has_dmarc = false;
    facts.is_partial = true;
    assert_string_equal(found_in(&facts), "not_all_answered");
}

/* RFC 8461 3.1, RFC 8460 3: names of fields that are not registered yet are no fault. */
static void fields_of_records_are_read_as_they_are_defined(void **state)
{
    (void)state;
    static const struct {
        const char *sts, *rpt, *found;
    } cases[] = {
        {"v=STSv1; id=20260101T000000Z;", NULL, ""},
        {"v=STSv1;id=1", NULL, ""},
        {"v=STSv1; x-test=1; a_b.c=2; 9to5=yes; id=1;", NULL, ""},
        {"v=STSv1; -x=1; id=1", NULL, "mta_sts_record"},
        {"v=STSv1; x y=1; id=1", NULL, "mta_sts_record"},
        {"v=STSv1; x=; id=1", NULL, "mta_sts_record"},
        {"v=STSv1;; id=1", NULL, "mta_sts_record"},
        {"v=STSv1; id=1-2", NULL, "mta_sts_record"},
        {"v=STSv1; id=123456789012345678901234567890123", NULL, "mta_sts_record"},
        {"v=STSv1; abcdefghijklmnopqrstuvwxyz1234567=1; id=1", NULL, "mta_sts_record"},
        {"v=STSv1;", NULL, "mta_sts_record"},
        {NULL, "v=TLSRPTv1; rua=https://r.example/?a=b,mailto:r@d.example; x-y.z=1", ""},
        {NULL, "v=TLSRPTv1; rua=ftp://r.example", "tls_rpt_record"},
        {NULL, "v=TLSRPTv1;", "tls_rpt_record"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct health_facts facts = {.domain = "d.example", .soa = DNS_ANSWER_RECORDS};
        struct health_text *text = cases[i].sts != NULL ? &facts.sts : &facts.tls_rpt;
        *text = (struct health_text){
            .kind = DNS_ANSWER_RECORDS,
            .count = 1,
            .text = slice_of(cases[i].sts != NULL ? cases[i].sts : cases[i].rpt)};
        print_message("%s\n", cases[i].sts != NULL ? cases[i].sts : cases[i].rpt);
        assert_string_equal(found_in(&facts), cases[i].found);
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
        cmocka_unit_test(keys_are_judged),
        cmocka_unit_test(policies_are_judged),
        cmocka_unit_test(what_could_not_be_asked_is_told),
        cmocka_unit_test(fields_of_records_are_read_as_they_are_defined),
        cmocka_unit_test(values_of_a_policy_follow_each_other),
        cmocka_unit_test(nothing_known_is_nothing_found),
        cmocka_unit_test(checks_have_names_of_their_own),
    };
    return cmocka_run_group_tests_name("verify/health", tests, NULL, NULL);
}
