/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "load.h"

#define HEAD        "source \"a page\"\ndate 2026-11\n"
#define ENTRY(name) "provider " name "\nlabel \"L\"\nclass isp\n"
#define FALLBACK    ENTRY("default")

static void recognises_by_longest_suffix(void **state)
{
    (void)state;
    struct provider_book *book = NULL;
    struct fault fault;
    const char *text = HEAD FALLBACK ENTRY("wide") "mx example.net\n" ENTRY(
        "narrow") "mx mail.example.net\n" ENTRY("glob") "mx in.*.cloud.example\n";
    assert_int_equal(compile_book(text, &book, &fault), ERR_NONE);
    static const struct {
        const char *host, *provider;
    } cases[] = {
        {"example.net", "wide"},
        {"mx1.example.net", "wide"},
        {"mail.example.net", "narrow"},
        {"MX.Mail.Example.NET.", "narrow"},
        {"myexample.net", "default"},
        {"net", "default"},
        {"", "default"},
        {".", "default"},
        {"in.eu-west-1.cloud.example", "glob"},
        {"a.in.eu.cloud.example", "glob"},
        {"in.a.b.cloud.example", "default"},
        {"in.cloud.example", "default"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct provider *p = provider_by_host(book, slice_of(cases[i].host));
        assert_non_null(p);
        assert_string_equal(p->name.at, cases[i].provider);
    }
    provider_book_free(book);
}

static void reads_every_field(void **state)
{
    (void)state;
    struct provider_book *book = NULL;
    struct fault fault;
    const char *text = FALLBACK
        "source \"s\"\ndate 2026-11-21\n"
        "provider a  # a comment\n"
        "  label \"A \\\"B\\\"\"\n  class gateway\n  domain a.example A2.example\n"
        "  banner \"Nemesis\"\n  banner \"Nemesis Two\"\n"
        "  traits accepts_all one_rcpt tarpits\n"
        "  connections 2\n  rcpts 3\n  invalids_per_session 4\n"
        "  invalids_per_hour 5\n  gap_ms 6\n  transactions 7\n"
        "  rcpts_per_transaction 8\n  rcpt_gap_ms 0\n  cooldown_s 9\n  pipelined_rcpts 50\n"
        "  timeout rcpt 90\n  timeout connect 1\n  source \"x\"\n  date 2026-11\n"
        "provider b\nlabel b\nclass isp\nsource s\ndate 2026-11\n"
        "banner \"Nemes\"\n";
    assert_int_equal(compile_book(text, &book, &fault), ERR_NONE);
    const struct provider *p = provider_by_name(book, SLICE("a"));
    assert_non_null(p);
    assert_string_equal(p->label.at, "A \"B\"");
    assert_int_equal(p->class, PROVIDER_GATEWAY);
    assert_int_equal(p->traits, PROVIDER_ACCEPTS_ALL | PROVIDER_ONE_RCPT | PROVIDER_TARPITS);
    assert_int_equal(p->limits[PROVIDER_CONNECTIONS], 2);
    assert_int_equal(p->limits[PROVIDER_RCPTS_PER_CONNECTION], 3);
    assert_int_equal(p->limits[PROVIDER_INVALIDS_PER_SESSION], 4);
    assert_int_equal(p->limits[PROVIDER_INVALIDS_PER_HOUR], 5);
    assert_int_equal(p->limits[PROVIDER_CONNECTION_GAP_MS], 6);
    assert_int_equal(p->limits[PROVIDER_TRANSACTIONS_PER_CONNECTION], 7);
    assert_int_equal(p->limits[PROVIDER_RCPTS_PER_TRANSACTION], 8);
    assert_int_equal(p->limits[PROVIDER_PIPELINED_RCPTS], PROVIDER_PIPELINED_RCPTS_MAX);
    assert_int_equal(p->limits[PROVIDER_RCPT_GAP_MS], 0);
    assert_int_equal(p->limits[PROVIDER_COOLDOWN_S], 9);
    assert_int_equal(p->timeout_ms[HEL_SMTP_RCPT], 90000);
    assert_int_equal(p->timeout_ms[HEL_SMTP_CONNECT], 1000);
    assert_string_equal(p->source.at, "x");
    assert_string_equal(p->date.at, "2026-11");
    assert_string_equal(p->where.at, "test:6");
    assert_ptr_equal(provider_by_domain(book, SLICE("A.Example")), p);
    assert_ptr_equal(provider_by_domain(book, SLICE("a2.example.")), p);
    assert_null(provider_by_domain(book, SLICE("x.a.example")));
    assert_ptr_equal(provider_by_banner(book, SLICE("mx nemesis two ready")), p);
    assert_null(provider_by_banner(book, SLICE("mx Postfix")));
    assert_null(provider_by_name(book, SLICE("nobody")));
    provider_book_free(book);
}

static void names_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"label x\n", "test:1: label stands before any entry"},
        {HEAD "provider\n", "test:3: provider takes one value"},
        {HEAD FALLBACK "color red\n", "test:6: unknown key \"color\""},
        {HEAD FALLBACK "traits fast\n", "test:6: unknown trait \"fast\""},
        {HEAD FALLBACK "class shop\n", "test:6: unknown class \"shop\"; known: webmail"},
        {HEAD FALLBACK "rcpts 0\n", "test:6: rcpts takes a number"},
        {HEAD FALLBACK "rcpts ten\n", "test:6: rcpts takes a number"},
        {HEAD FALLBACK "rcpts 1 2\n", "test:6: rcpts takes a number"},
        {HEAD FALLBACK "rcpts 999999999\n", "test:6: rcpts takes a number"},
        {HEAD FALLBACK "mx .a.example\n", "test:6: \".a.example\" is no host name"},
        {HEAD FALLBACK "mx a/b\n", "test:6: \"a/b\" is no host name"},
        {HEAD FALLBACK "mx\n", "test:6: at least one name"},
        {HEAD FALLBACK "domain *.example\n", "test:6: \"*.example\" is no host name"},
        {HEAD FALLBACK "banner \"abc\"\n", "test:6: a banner fragment needs"},
        {HEAD FALLBACK "banner \"open\n", "test:6: no closing \""},
        {HEAD FALLBACK "mx a.example A.example\n",
         "test:6: mx \"a.example\" belongs to default (test:6); remove one"},
        {HEAD FALLBACK "mx a.*.b\nmx a.*.b\n", "test:7: mx \"a.*.b\" belongs to default"},
        {HEAD FALLBACK "banner \"abcd\"\nbanner \"ABCD\"\n", "test:7: banner \"ABCD\" belongs"},
        {HEAD FALLBACK FALLBACK, "test:6: provider \"default\" belongs to default (test:3)"},
        {HEAD "provider default\nclass isp\n", "test:3: provider default lacks a label"},
        {HEAD "provider default\nlabel x\n", "test:3: provider default lacks a class"},
        {"provider default\nlabel x\nclass isp\ndate 2026-11\n",
         "test:1: provider default lacks a source"},
        {"provider default\nlabel x\nclass isp\nsource x\n",
         "test:1: provider default lacks a date"},
        {"date soon\n", "test:1: date must be"},
        {"date 2026-1\n", "test:1: date must be"},
        {"source\n", "test:1: source takes one value"},
        {HEAD ENTRY("other"), "no provider is named \"default\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct provider_book *book = NULL;
        struct fault fault = {.err = ERR_NONE};
        assert_int_equal(compile_book(cases[i].text, &book, &fault), ERR_SYNTAX);
        assert_null(book);
        if (strncmp(fault.text, cases[i].fault, strlen(cases[i].fault)) != 0) {
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, fault.text, cases[i].fault);
        }
    }
}

static void shipped_data_knows_the_large_ones(void **state)
{
    (void)state;
    struct provider_book *book = load_providers();
    static const struct {
        const char *host, *provider;
        unsigned traits; /* that must be there */
    } cases[] = {
        {"gmail-smtp-in.l.google.com", "google", 0},
        {"aspmx.l.google.com.", "google", 0},
        {"outlook-com.olc.protection.outlook.com", "outlook",
         PROVIDER_FORBIDS_PROBING | PROVIDER_ONE_RCPT},
        {"contoso-com.mail.protection.outlook.com", "microsoft365", 0},
        {"contoso.o-v1.mx.microsoft", "microsoft365", 0},
        {"mta5.am0.yahoodns.net", "yahoo", PROVIDER_ACCEPTS_ALL},
        {"mx1.mail.yahoo.co.jp", "yahoo-japan", 0},
        {"mxs.mail.ru", "mailru", PROVIDER_ACCEPTS_ALL},
        {"mx01.mail.icloud.com", "icloud", 0},
        {"mx00.gmx.net", "gmx", 0},
        {"mx.yandex.net", "yandex", 0},
        {"mx3.qq.com", "qq", 0},
        {"mxbiz1.qq.com", "exmail", 0},
        {"163mx01.mxmail.netease.com", "netease", 0},
        {"mxa-00123.gslb.pphosted.com", "proofpoint", 0},
        {"eu-smtp-inbound-1.mimecast.com", "mimecast", 0},
        {"d1.ess.barracudanetworks.com", "barracuda", 0},
        {"mx1.hc1-1.iphmx.com", "ironport", 0},
        {"inbound-smtp.eu-west-1.amazonaws.com", "amazon-ses", 0},
        {"route1.mx.cloudflare.net", "cloudflare", 0},
        {"mx1.seznam.cz", "seznam", 0},
        {"mail.example.org", "default", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct provider *p = provider_by_host(book, slice_of(cases[i].host));
        assert_string_equal(p->name.at, cases[i].provider);
        assert_int_equal(p->traits & cases[i].traits, cases[i].traits);
    }
    const struct provider *ironport = provider_by_name(book, SLICE("ironport"));
    assert_true(ironport->limits[PROVIDER_INVALIDS_PER_HOUR] < 25); /* its harvest limit */
    assert_int_equal(provider_by_name(book, SLICE("outlook"))->limits[PROVIDER_CONNECTIONS], 1);
    assert_string_equal(provider_by_domain(book, SLICE("gmail.com"))->name.at, "google");
    provider_book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognises_by_longest_suffix),
        cmocka_unit_test(reads_every_field),
        cmocka_unit_test(names_file_and_line),
        cmocka_unit_test(shipped_data_knows_the_large_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
