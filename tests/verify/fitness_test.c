/* What facts mean, where no world is needed for it; the whole way is in tests/engine/doctor_test.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/fitness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "fail_alloc.h"

enum { MANY = FITNESS_EGRESSES_MAX };

/* A machine whose one address is known and has this reverse name, which leads back. */
static void set_fit(struct fitness_facts *facts, struct fitness_egress *egress, const char *ip,
                    const char *reverse)
{
    *facts = (struct fitness_facts){.egress_count = 1, .egresses = egress};
    facts->machine =
        (struct fitness_machine){.resolver = DNS_ANSWER_RECORDS, .invented = DNS_ANSWER_NOT_FOUND};
    *egress = (struct fitness_egress){.helo = SLICE("[192.0.2.1]"), .helo_count = 0};
    struct fitness_address *address = &egress->addresses[FITNESS_V4];
    *address = (struct fitness_address){.is_used = true,
                                        .origin = FITNESS_ORIGIN_OWN,
                                        .reverse = DNS_ANSWER_RECORDS,
                                        .reverse_count = 1};
    assert_true(ip_parse(slice_of(ip), &address->public));
    (void)snprintf(address->reverses[0].name, DNS_NAME_BYTES, "%s", reverse);
    address->reverses[0].is_confirmed = true;
}

static enum fitness_level level_of(const struct fitness_report *report, enum fitness_check check)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->findings[i].check == check) {
            return report->findings[i].level;
        }
    }
    fail_msg("no finding of %s", fitness_check_name(check));
    return FITNESS_OK;
}

static void names_made_of_the_address_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *name;
        enum fitness_level level;
    } cases[] = {
        {"192.0.2.1", "mail.example.com", FITNESS_OK},
        {"192.0.2.1", "192-0-2-1.dyn.example.com", FITNESS_ADVICE},
        {"192.0.2.1", "1.2.0.192.isp.example", FITNESS_ADVICE},
        {"192.0.2.1", "host1-2-0-192.example", FITNESS_ADVICE},
        {"192.0.2.1", "mx1.example2.com", FITNESS_OK},           /* not all of it */
        {"192.0.2.1", "mx10-20-192-1.example2.com", FITNESS_OK}, /* 0 stands in other numbers */
        {"192.0.2.1", "1920021.example", FITNESS_OK},
        {"9.9.9.9", "mx9.example", FITNESS_OK},
        {"9.9.9.9", "009-009-009-009.example", FITNESS_ADVICE},
        {"2001:db8::1", "2001-db8--1.example", FITNESS_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct fitness_egress egress;
        struct fitness_facts facts;
        struct fitness_report report;
        set_fit(&facts, &egress, cases[i].ip, cases[i].name);
        assert_int_equal(fitness_judge(&facts, &report), ERR_NONE);
        if (level_of(&report, FITNESS_REVERSE_NAME) != cases[i].level) {
            fail_msg("%s %s", cases[i].ip, cases[i].name);
        }
        fitness_report_done(&report);
    }
}

/* The DNS may be silent about one question and not about the next: that is nothing to mend. */
static void silence_is_no_fault(void **state)
{
    (void)state;
    static const struct {
        enum dns_answer_kind forward, second, helo;
        enum fitness_level reverse_name, ehlo_name;
    } cases[] = {
        {DNS_ANSWER_NOT_FOUND, DNS_ANSWER_RECORDS, DNS_ANSWER_RECORDS, FITNESS_MEND, FITNESS_MEND},
        {DNS_ANSWER_ERROR, DNS_ANSWER_RECORDS, DNS_ANSWER_ERROR, FITNESS_UNKNOWN, FITNESS_UNKNOWN},
        {DNS_ANSWER_NOT_FOUND, DNS_ANSWER_OPEN, DNS_ANSWER_OPEN, FITNESS_UNKNOWN, FITNESS_UNKNOWN},
        {DNS_ANSWER_NO_DATA, DNS_ANSWER_NO_DATA, DNS_ANSWER_NO_DATA, FITNESS_MEND, FITNESS_MEND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct fitness_egress egress;
        struct fitness_facts facts;
        struct fitness_report report;
        set_fit(&facts, &egress, "192.0.2.1", "mail.example.com");
        struct fitness_address *address = &egress.addresses[FITNESS_V4];
        (void)snprintf(address->reverses[1].name, DNS_NAME_BYTES, "mx.example.com");
        address->reverse_count = 2;
        address->reverses[0].is_confirmed = false;
        address->reverses[0].forward = cases[i].forward;
        address->reverses[1].forward = cases[i].second;
        /* Its AAAA leads elsewhere, of its A this is known. */
        egress.helo = SLICE("mail.example.com");
        egress.helo_kind[FITNESS_V4] = cases[i].helo;
        egress.helo_kind[FITNESS_V6] = DNS_ANSWER_RECORDS;
        egress.helo_count = 1;
        assert_true(ip_parse(SLICE("2001:db8::1"), &egress.helo_ips[0]));
        assert_int_equal(fitness_judge(&facts, &report), ERR_NONE);
        assert_int_equal(level_of(&report, FITNESS_REVERSE_NAME), cases[i].reverse_name);
        assert_int_equal(level_of(&report, FITNESS_EHLO_NAME), cases[i].ehlo_name);
        fitness_report_done(&report);
    }
}

/* A clock is wrong only where it stands before what cannot be. */
static void clocks_are_judged(void **state)
{
    (void)state;
    static const struct {
        int64_t wall_ms, earliest_ms;
        enum fitness_clock clock;
        enum fitness_level level;
    } cases[] = {
        {1000, 0, FITNESS_CLOCK_UNKNOWN, FITNESS_OK},
        {1000, 1000, FITNESS_CLOCK_KEPT, FITNESS_OK},
        {1000, 1000, FITNESS_CLOCK_ALONE, FITNESS_ADVICE},
        {999, 1000, FITNESS_CLOCK_KEPT, FITNESS_MEND},
        {-1, 1000, FITNESS_CLOCK_ALONE, FITNESS_MEND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fitness_facts facts = {.machine = {.wall_ms = cases[i].wall_ms,
                                                  .earliest_ms = cases[i].earliest_ms,
                                                  .clock = cases[i].clock}};
        struct fitness_report report;
        assert_int_equal(fitness_judge(&facts, &report), ERR_NONE);
        assert_int_equal(level_of(&report, FITNESS_CLOCK), cases[i].level);
        fitness_report_done(&report);
    }
}

static void the_worst_finding_counts(void **state)
{
    (void)state;
    struct fitness_finding findings[] = {{.level = FITNESS_OK}, {.level = FITNESS_OK}};
    struct fitness_report report = {findings, 2, 2};
    static const enum fitness_level levels[] = {FITNESS_OK, FITNESS_ADVICE, FITNESS_UNKNOWN,
                                                FITNESS_MEND};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        findings[1].level = levels[i];
        assert_int_equal(fitness_level_of(&report), levels[i]);
        assert_string_not_equal(fitness_level_name(levels[i]), "");
    }
    findings[0].level = FITNESS_MEND;
    findings[1].level = FITNESS_OK;
    assert_int_equal(fitness_level_of(&report), FITNESS_MEND);
    report.count = 0;
    assert_int_equal(fitness_level_of(&report), FITNESS_OK);
}

static void checks_have_names_of_their_own(void **state)
{
    (void)state;
    for (int a = FITNESS_RESOLVER; a <= FITNESS_BOUNCE; a++) {
        for (int b = FITNESS_RESOLVER; b < a; b++) {
            assert_string_not_equal(fitness_check_name((enum fitness_check)a),
                                    fitness_check_name((enum fitness_check)b));
        }
    }
}

/* Every allocation fails once; a report is whole or none. */
static void memory_may_run_out(void **state)
{
    (void)state;
    static struct fitness_egress egresses[MANY];
    struct fitness_facts facts = {.egress_count = MANY, .egresses = egresses};
    size_t failures = 0;
    for (bool is_whole = false; !is_whole;) {
        struct fitness_report report = {0};
        fail_alloc_at(failures + 1);
        enum err e = fitness_judge(&facts, &report);
        is_whole = !fail_alloc_happened();
        assert_int_equal(e, is_whole ? ERR_NONE : ERR_NOMEM);
        assert_true(is_whole || report.findings == NULL);
        fitness_report_done(&report);
        assert_int_equal(fail_alloc_end(), 0);
        failures += !is_whole;
    }
    assert_true(failures >= 3);
}

/* Facts that are all bad at once, in all egresses, on all lists: still bounded. */
static void reports_are_bounded(void **state)
{
    (void)state;
    static char text[65536] = "source s\ndate 2026-11\n";
    static struct fitness_egress egresses[MANY];
    struct blocklist_book *book;
    struct fitness_report report = {0};
    for (int i = 0; i < BLOCKLISTS_MAX; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len,
                       "blocklist l%d\nlabel L\nzone z%d.example\npage p\nasks ipv4\n", i, i);
    }
    struct blocklist_source source = {SLICE("x"), slice_of(text)};
    assert_int_equal(blocklist_book_compile(&source, 1, &book, NULL), ERR_NONE);
    struct fitness_facts facts = {.lists = book, .egress_count = MANY, .egresses = egresses};
    const struct fitness_listing listed = {DNS_ANSWER_RECORDS, {BLOCKLIST_LISTED, SLICE("spam")}};
    const struct fitness_listing clean = {DNS_ANSWER_NOT_FOUND, {BLOCKLIST_CLEAN, SLICE_NONE}};
    for (size_t l = 0; l < BLOCKLISTS_MAX; l++) {
        facts.tests[l][FITNESS_ADDRESS_V4] = (struct fitness_list_test){listed, clean};
        for (size_t i = 0; i < MANY; i++) {
            egresses[i].addresses[FITNESS_V4].is_used = true;
            egresses[i].addresses[FITNESS_V4].listings[l] = listed;
            assert_true(ip_parse(SLICE("192.0.2.1"), &egresses[i].addresses[FITNESS_V4].public));
        }
    }
    assert_int_equal(fitness_judge(&facts, &report), ERR_LIMIT);
    assert_null(report.findings);
    facts.egress_count = 32;
    assert_int_equal(fitness_judge(&facts, &report), ERR_NONE);
    assert_true(report.count > 32 * BLOCKLISTS_MAX);
    fitness_report_done(&report);
    fitness_report_done(&report);
    blocklist_book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_made_of_the_address_are_told),
        cmocka_unit_test(silence_is_no_fault),
        cmocka_unit_test(clocks_are_judged),
        cmocka_unit_test(the_worst_finding_counts),
        cmocka_unit_test(checks_have_names_of_their_own),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(reports_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
