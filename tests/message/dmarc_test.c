/* DMARC records with each fault, the search for them, and the judgement of messages: the examples of RFC 7489 B and rows
 * of our own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dmarc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../sim/zone_lines.h"
#include "base/slice.h"

enum { WIRE_BYTES = 1 << 18, TEXT_BYTES = 2048 };

/* ---- records ---- */

/* "no: " where it does not hold; policy, sp, np; alignment of dkim and spf; pct; fo; count of rua and ruf. */
static void print(const struct dmarc_record *record, bool holds, char out[TEXT_BYTES])
{
    size_t len = (size_t)snprintf(
        out, TEXT_BYTES, "%s%s/%s/%s %c%c %u fo%u %zu+%zu",
        holds ? "" : "no: ", dmarc_policy_name(record->policy),
        dmarc_policy_name(record->subdomain_policy), dmarc_policy_name(record->non_existent_policy),
        record->dkim_alignment == DMARC_STRICT ? 's' : 'r',
        record->spf_alignment == DMARC_STRICT ? 's' : 'r', record->percent, record->failure_options,
        record->aggregate_count, record->failure_count);
    for (size_t i = 0; i < record->finding_count; i++) {
        len += (size_t)snprintf(out + len, TEXT_BYTES - len, " [%d %.*s]",
                                (int)record->findings[i].kind, SLICE_ARG(record->findings[i].text));
    }
}

static const struct {
    const char *text, *says;
    int kind; /* of the finding, -1: there is none */
    const char *of;
} records[] = {
    /* RFC 7489 B.2 */
    {"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com", "none// rr 100 fo1 1+0", -1, ""},
    {"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com;\t "
     "ruf=mailto:auth-reports@example.com",
     "none// rr 100 fo1 1+1", -1, ""},
    {"v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com,"
     "mailto:tld-test@thirdparty.example.net!10m; pct=25",
     "quarantine// rr 25 fo1 2+0", DMARC_FINDING_DROPPED_TAG, "pct"},
    {"v=DMARC1;p=reject", "reject// rr 100 fo1 0+0", -1, ""},
    {"v = DMARC1 ; p = reject ; ", "reject// rr 100 fo1 0+0", -1, ""},
    {"v=DMARC1; p=REJECT; adkim=S; aspf=s; sp=None; np=quarantine",
     "reject/none/quarantine ss 100 fo1 0+0", -1, ""},
    {"v=DMARC1; p=none; fo=1:d:s", "none// rr 100 fo14 0+0", -1, ""},
    {"v=DMARC1; p=none; psd=n; t=y", "none// rr 100 fo1 0+0", -1, ""},
    {"v=DMARC1; p=none; rua=mailto:a@example.com!50m", "none// rr 100 fo1 1+0", -1, ""},
    /* faults */
    {"v=DMARC2; p=none", "no: none// rr 100 fo1 0+0", -1, ""},
    {"v=dmarc1; p=none", "no: none// rr 100 fo1 0+0", -1, ""},
    {"p=none; v=DMARC1", "no: none// rr 100 fo1 0+0", DMARC_FINDING_POLICY_PLACE, "none"},
    {"v=DMARC1", "no: // rr 100 fo1 0+0", DMARC_FINDING_NO_POLICY, ""},
    {"v=DMARC1; rua=mailto:a@example.com", "none// rr 100 fo1 1+0", DMARC_FINDING_NO_POLICY, ""},
    {"v=DMARC1; p=block", "no: // rr 100 fo1 0+0", DMARC_FINDING_POLICY, "block"},
    {"v=DMARC1; p=block; rua=mailto:a@example.com", "none// rr 100 fo1 1+0", DMARC_FINDING_POLICY,
     "block"},
    {"v=DMARC1; p=reject; sp=x", "no: reject// rr 100 fo1 0+0", DMARC_FINDING_SUBDOMAIN_POLICY,
     "x"},
    {"v=DMARC1; p=reject; sp=x; rua=mailto:a@example.com", "none// rr 100 fo1 1+0",
     DMARC_FINDING_SUBDOMAIN_POLICY, "x"},
    {"v=DMARC1; p=reject; np=x", "reject// rr 100 fo1 0+0", DMARC_FINDING_NON_EXISTENT_POLICY, "x"},
    {"v=DMARC1; sp=none; p=reject", "reject/none/ rr 100 fo1 0+0", DMARC_FINDING_POLICY_PLACE,
     "reject"},
    {"v=DMARC1; p=reject; none", "reject// rr 100 fo1 0+0", DMARC_FINDING_SYNTAX, "none"},
    {"v=DMARC1; p=reject; p=none", "reject// rr 100 fo1 0+0", DMARC_FINDING_DOUBLE_TAG, "p=none"},
    {"v=DMARC1; p=reject; foo=bar", "reject// rr 100 fo1 0+0", DMARC_FINDING_UNKNOWN_TAG, "foo"},
    {"v=DMARC1; p=reject; adkim=strict", "reject// rr 100 fo1 0+0", DMARC_FINDING_ALIGNMENT,
     "strict"},
    {"v=DMARC1; p=reject; pct=101", "reject// rr 100 fo1 0+0", DMARC_FINDING_PERCENT, "101"},
    {"v=DMARC1; p=reject; pct=", "reject// rr 100 fo1 0+0", DMARC_FINDING_PERCENT, ""},
    {"v=DMARC1; p=reject; fo=2", "reject// rr 100 fo1 0+0", DMARC_FINDING_OPTIONS, "2"},
    {"v=DMARC1; p=reject; rf=iodef", "reject// rr 100 fo1 0+0", DMARC_FINDING_FORMAT, "iodef"},
    {"v=DMARC1; p=reject; ri=1h", "reject// rr 100 fo1 0+0", DMARC_FINDING_INTERVAL, "1h"},
    {"v=DMARC1; p=reject; psd=x", "reject// rr 100 fo1 0+0", DMARC_FINDING_PSD, "x"},
    {"v=DMARC1; p=reject; t=1", "reject// rr 100 fo1 0+0", DMARC_FINDING_TESTING, "1"},
    {"v=DMARC1; p=reject; rua=a@example.com", "reject// rr 100 fo1 0+0", DMARC_FINDING_URI,
     "a@example.com"},
    {"v=DMARC1; p=reject; rua=mailto:example.com", "reject// rr 100 fo1 0+0", DMARC_FINDING_URI,
     "mailto:example.com"},
    {"v=DMARC1; p=reject; rua=https://example.com/x", "reject// rr 100 fo1 1+0",
     DMARC_FINDING_URI_SCHEME, "https://example.com/x"},
    {"v=DMARC1; p=reject; rua=mailto:a@example.com!x", "reject// rr 100 fo1 1+0",
     DMARC_FINDING_URI_SIZE, "mailto:a@example.com!x"},
};

static void records_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct dmarc_record record;
        char found[TEXT_BYTES];
        bool holds = dmarc_record_read(slice_of(records[i].text), &record);
        print(&record, holds, found);
        if (strncmp(found, records[i].says, strlen(records[i].says)) != 0) {
            fail_msg("%s: is '%s', wanted '%s'", records[i].text, found, records[i].says);
        }
        bool is_found = records[i].kind < 0 && record.finding_count == 0;
        for (size_t j = 0; j < record.finding_count; j++) {
            is_found = is_found || ((int)record.findings[j].kind == records[i].kind &&
                                    slice_equal(record.findings[j].text, slice_of(records[i].of)));
            assert_true(dmarc_finding_text(record.findings[j].kind)[0] != '\0');
        }
        if (!is_found) {
            fail_msg("%s: finding %d '%s' is not there: %s", records[i].text, records[i].kind,
                     records[i].of, found);
        }
    }
}

static void report_addresses_are_taken_apart(void **state)
{
    (void)state;
    struct dmarc_record record;
    assert_true(dmarc_record_read(
        SLICE("v=DMARC1; p=none; rua=mailto:a%2Cb@r.example!2k , mailto:c@s.example?x=y"),
        &record));
    assert_int_equal(record.aggregate_count, 2);
    assert_true(slice_equal(record.aggregate[0].address, SLICE("a%2Cb@r.example")));
    assert_true(slice_equal(record.aggregate[0].host, SLICE("r.example")));
    assert_int_equal(record.aggregate[0].bytes_max, 2048);
    assert_true(slice_equal(record.aggregate[1].address, SLICE("c@s.example")));
    assert_int_equal(record.aggregate[1].bytes_max, 0);
}

/* ---- the search ---- */

static struct buf wire_of(const struct zone *zone, struct slice name, enum dns_transport *out)
{
    static struct dns_message message;
    struct buf wire;
    buf_init(&wire, WIRE_BYTES);
    enum zone_failure failure = zone_ask(zone, name, DNS_TXT, 1, &message);
    assert_int_equal(dns_message_write(&message, &wire), ERR_NONE);
    *out = failure == ZONE_TIMEOUT ? DNS_TRANSPORT_TIMEOUT : DNS_TRANSPORT_ANSWERED;
    return wire;
}

static const struct {
    const char *name, *zone, *domain, *organizational;
    enum dmarc_search_state state;
    enum dmarc_policy policy;
} searches[] = {
    {"its own", "_dmarc.example.com TXT v=DMARC1; p=reject; sp=none", "example.com", "example.com",
     DMARC_SEARCH_FOUND, DMARC_POLICY_REJECT},
    {"inherited", "_dmarc.example.com TXT v=DMARC1; p=reject", "a.example.com", "example.com",
     DMARC_SEARCH_FOUND, DMARC_POLICY_REJECT},
    {"inherited with sp=", "_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine",
     "a.example.com", "example.com", DMARC_SEARCH_FOUND, DMARC_POLICY_QUARANTINE},
    {"its own over the inherited",
     "_dmarc.example.com TXT v=DMARC1; p=reject\n_dmarc.a.example.com TXT v=DMARC1; p=none; "
     "sp=reject",
     "a.example.com", "example.com", DMARC_SEARCH_FOUND, DMARC_POLICY_NONE},
    {"none", "", "a.example.com", "example.com", DMARC_SEARCH_NONE, DMARC_POLICY_UNSET},
    {"other texts", "_dmarc.example.com TXT hello\n_dmarc.example.com TXT v=DMARC1; p=none",
     "example.com", "example.com", DMARC_SEARCH_FOUND, DMARC_POLICY_NONE},
    {"two", "_dmarc.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT v=DMARC1; p=none",
     "example.com", "example.com", DMARC_SEARCH_SEVERAL, DMARC_POLICY_UNSET},
    {"broken", "_dmarc.example.com TXT v=DMARC1; p=block", "example.com", "example.com",
     DMARC_SEARCH_BROKEN, DMARC_POLICY_UNSET},
    {"silence", "_dmarc.example.com FAIL timeout", "a.example.com", "example.com",
     DMARC_SEARCH_FAILED, DMARC_POLICY_UNSET},
    {"an alias", "_dmarc.example.com CNAME d.example.net\nd.example.net TXT v=DMARC1; p=quarantine",
     "example.com", "example.com", DMARC_SEARCH_FOUND, DMARC_POLICY_QUARANTINE},
};

static void records_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
        static struct dmarc_search search;
        struct zone *zone;
        struct slice name;
        uint16_t type;
        assert_int_equal(zone_new(&zone), ERR_NONE);
        zone_add_lines(zone, searches[i].zone, NULL);
        assert_int_equal(dmarc_search_init(&search, slice_of(searches[i].domain),
                                           slice_of(searches[i].organizational)),
                         ERR_NONE);
        while (dmarc_search_next(&search, &name, &type)) {
            enum dns_transport transport;
            struct buf wire = wire_of(zone, name, &transport);
            dmarc_search_answered(&search, transport, buf_view(&wire));
            buf_done(&wire);
        }
        if (search.state != searches[i].state) {
            fail_msg("%s: state %d", searches[i].name, (int)search.state);
        }
        if (search.state == DMARC_SEARCH_FOUND) {
            assert_int_equal(dmarc_policy_for(&search), searches[i].policy);
        }
        zone_free(zone);
    }
}

static void names_that_are_too_long_are_refused(void **state)
{
    (void)state;
    static struct dmarc_search search;
    char endless[250];
    char name[DNS_NAME_BYTES];
    memset(endless, 'x', sizeof endless);
    struct slice domain = slice_make(endless, sizeof endless);
    assert_int_equal(dmarc_search_init(&search, domain, SLICE("x")), ERR_SYNTAX);
    assert_int_equal(dmarc_search_init(&search, SLICE("x"), SLICE("")), ERR_SYNTAX);
    assert_false(dmarc_report_name(domain, SLICE("example.com"), name));
}

/* ---- messages: RFC 7489 3.1, B.1 ---- */

static const struct {
    const char *name, *record;
    const char *from, *spf, *dkim; /* "DOMAIN ORGANIZATIONAL"; NULL: has not passed */
    unsigned draw;
    const char *says; /* result, SPF and DKIM alignment, disposition */
} messages[] = {
    {"SPF in alignment", "v=DMARC1; p=reject", "example.com example.com", "example.com example.com",
     NULL, 0, "pass spf  none"},
    {"SPF in alignment, parent", "v=DMARC1; p=reject", "example.com example.com",
     "child.example.com example.com", NULL, 0, "pass spf  none"},
    {"SPF not in alignment", "v=DMARC1; p=reject", "child.example.com example.com",
     "example.net example.net", NULL, 0, "fail   reject"},
    {"SPF strict", "v=DMARC1; p=reject; aspf=s", "example.com example.com",
     "child.example.com example.com", NULL, 0, "fail   reject"},
    {"DKIM in alignment", "v=DMARC1; p=reject", "example.com example.com", NULL,
     "Example.COM example.com", 0, "pass  dkim none"},
    {"DKIM in alignment, parent", "v=DMARC1; p=reject", "child.example.com example.com", NULL,
     "example.com example.com", 0, "pass  dkim none"},
    {"DKIM strict", "v=DMARC1; p=reject; adkim=s", "child.example.com example.com", NULL,
     "example.com example.com", 0, "fail   reject"},
    {"DKIM not in alignment", "v=DMARC1; p=quarantine", "example.com example.com", NULL,
     "sample.net sample.net", 0, "fail   quarantine"},
    {"both", "v=DMARC1; p=reject", "example.com example.com", "example.com example.com",
     "example.com example.com", 0, "pass spf dkim none"},
    {"neither", "v=DMARC1; p=none", "example.com example.com", NULL, NULL, 0, "fail   none"},
    {"pct takes it", "v=DMARC1; p=reject; pct=50", "example.com example.com", NULL, NULL, 49,
     "fail   reject"},
    {"pct leaves it out", "v=DMARC1; p=reject; pct=50", "example.com example.com", NULL, NULL, 50,
     "fail   quarantine"},
    {"pct leaves a milder one out", "v=DMARC1; p=quarantine; pct=0", "example.com example.com",
     NULL, NULL, 0, "fail   none"},
};

static bool identity_of(const char *words, struct dmarc_identity *out)
{
    struct slice rest = slice_of(words);
    *out = (struct dmarc_identity){SLICE_NONE, SLICE_NONE};
    if (words == NULL) {
        return false;
    }
    out->domain = slice_cut(&rest, ' ');
    out->organizational = rest;
    return true;
}

static void messages_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct dmarc_record record;
        struct dmarc_facts facts = {.draw = messages[i].draw};
        char found[TEXT_BYTES];
        assert_true(dmarc_record_read(slice_of(messages[i].record), &record));
        (void)identity_of(messages[i].from, &facts.from);
        facts.has_spf = identity_of(messages[i].spf, &facts.spf);
        (void)identity_of("other.example other.example", &facts.dkim[0]);
        facts.dkim_count = identity_of(messages[i].dkim, &facts.dkim[1]) ? 2 : 1;
        struct dmarc_outcome outcome = dmarc_judge(&record, record.policy, &facts);
        (void)snprintf(found, sizeof found, "%s %s %s %s",
                       outcome.result == DMARC_RESULT_PASS ? "pass" : "fail",
                       outcome.is_spf_aligned ? "spf" : "", outcome.is_dkim_aligned ? "dkim" : "",
                       dmarc_policy_name(outcome.disposition));
        if (strcmp(found, messages[i].says) != 0) {
            fail_msg("%s: is '%s', wanted '%s'", messages[i].name, found, messages[i].says);
        }
    }
}

/* RFC 7489 7.1 */
static void reports_elsewhere_must_be_wanted_there(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        bool is_authorised;
    } rows[] = {
        {"example.com._report._dmarc.r.example TXT v=DMARC1", true},
        {"example.com._report._dmarc.r.example TXT v=DMARC1; rua=mailto:x@r.example", true},
        {"*._report._dmarc.r.example TXT v=DMARC1;", true},
        {"example.com._report._dmarc.r.example TXT hello", false},
        {"other.example._report._dmarc.r.example TXT v=DMARC1", false},
        {"example.com._report._dmarc.r.example FAIL timeout", false},
        {"", false},
    };
    char name[DNS_NAME_BYTES];
    assert_true(dmarc_report_name(SLICE("example.com"), SLICE("r.example"), name));
    assert_string_equal(name, "example.com._report._dmarc.r.example");
    assert_false(dmarc_report_is_external(SLICE("example.com"), SLICE("Example.com")));
    assert_true(dmarc_report_is_external(SLICE("example.com"), SLICE("example.net")));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct zone *zone;
        enum dns_transport transport;
        struct dns_answer answer;
        assert_int_equal(zone_new(&zone), ERR_NONE);
        zone_add_lines(zone, rows[i].zone, NULL);
        struct buf wire = wire_of(zone, slice_of(name), &transport);
        dns_answer_read(name, DNS_TXT, transport, buf_view(&wire), &answer);
        assert_int_equal(dmarc_report_is_authorised(&answer), rows[i].is_authorised);
        buf_done(&wire);
        zone_free(zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(report_addresses_are_taken_apart),
        cmocka_unit_test(records_are_found),
        cmocka_unit_test(names_that_are_too_long_are_refused),
        cmocka_unit_test(messages_are_judged),
        cmocka_unit_test(reports_elsewhere_must_be_wanted_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
