/* providers/provider_read: a user's file over ours, value by value; every fault in one reading, each with
 * its line and what was probably meant.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../base/fail_alloc.h"
#include "base/slice.h"
#include "load.h"

#define HEAD "source \"a page\"\ndate 2026-11\n"
#define OURS                                                                         \
    HEAD "provider default\nlabel \"Own server\"\nclass selfhosted\nconnections 4\n" \
         "provider google\nlabel \"Google\"\nclass webmail\nalias gmail\n"           \
         "mx google.com in.*.cloud.example\ndomain gmail.com\nbanner \"gsmtp\"\n"    \
         "traits needs_tls selective\nconnections 2\nrcpts 13\ntimeout rcpt 40\n"    \
         "provider other\nlabel \"Other\"\nclass isp\nmx other.example\nconnections 3\n"

static struct provider_book *compile(const char *over)
{
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    if (compile_books(OURS, over, NULL, &book, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return book;
}

static void test_one_value_changes(void **state)
{
    (void)state;
    struct provider_book *book = compile("provider google\nrcpts 50\n");
    const struct provider *p = provider_by_name(book, SLICE("google"));
    assert_int_equal(p->limits[PROVIDER_RCPTS_PER_CONNECTION], 50);
    assert_int_equal(p->limits[PROVIDER_CONNECTIONS], 2);
    assert_int_equal(p->timeout_ms[HEL_SMTP_RCPT], 40000);
    assert_int_equal(p->traits, PROVIDER_NEEDS_TLS | PROVIDER_SELECTIVE);
    assert_string_equal(p->label.at, "Google");
    assert_string_equal(p->where.at, "test:7");
    assert_ptr_equal(provider_by_host(book, SLICE("aspmx.l.google.com")), p);
    struct provider_counts counts;
    provider_book_count(book, &counts);
    assert_int_equal(counts.providers, 3);
    assert_int_equal(counts.changed, 1);
    assert_int_equal(counts.added, 0);
    assert_int_equal(counts.values, 1);
    assert_int_equal(counts.names, 0);
    provider_book_free(book);
}

static void test_all_kinds_of_values_change(void **state)
{
    (void)state;
    struct provider_book *book = compile(
        "provider gmail  # an alias of ours\n label \"Mail of G\"\n class business\n source mine\n"
        "date 2026-12-01\n connections 9\n gap_ms 0\n rcpt_gap_ms 70\n cooldown_s 80\n"
        "timeout rcpt 10\n timeout banner 20\n traits skip -selective\n alias gee\n");
    const struct provider *p = provider_by_name(book, SLICE("GEE"));
    assert_ptr_equal(p, provider_by_name(book, SLICE("google")));
    assert_string_equal(p->label.at, "Mail of G");
    assert_int_equal(p->class, PROVIDER_BUSINESS);
    assert_string_equal(p->source.at, "mine");
    assert_string_equal(p->date.at, "2026-12-01");
    assert_int_equal(p->limits[PROVIDER_CONNECTIONS], 9);
    assert_int_equal(p->limits[PROVIDER_CONNECTION_GAP_MS], 0);
    assert_int_equal(p->limits[PROVIDER_RCPT_GAP_MS], 70);
    assert_int_equal(p->limits[PROVIDER_COOLDOWN_S], 80);
    assert_int_equal(p->timeout_ms[HEL_SMTP_RCPT], 10000);
    assert_int_equal(p->timeout_ms[HEL_SMTP_BANNER], 20000);
    assert_int_equal(p->traits, PROVIDER_NEEDS_TLS | PROVIDER_SKIP);
    provider_book_free(book);
}

static void test_new_providers(void **state)
{
    (void)state;
    struct provider_book *book =
        compile("provider acme\nclass business\nmx mx.acme.example\ndomain acme.example\n");
    const struct provider *p = provider_by_host(book, SLICE("a.mx.acme.example"));
    assert_string_equal(p->name.at, "acme");
    assert_string_equal(p->label.at, "acme");
    assert_ptr_equal(provider_by_domain(book, SLICE("acme.example")), p);
    assert_ptr_equal(provider_at(book, 3), p);
    assert_null(provider_at(book, 4));
    struct provider_counts counts;
    provider_book_count(book, &counts);
    assert_int_equal(counts.added, 1);
    assert_int_equal(counts.names, 2);
    provider_book_free(book);
}

/* Names go to the user's entry; what is not named stays. */
static void test_names_move(void **state)
{
    (void)state;
    struct provider_book *book =
        compile("provider other\nmx google.com in.*.cloud.example\ndomain gmail.com\n"
                "banner \"GSMTP\"\nalias gmail\n");
    const struct provider *other = provider_by_name(book, SLICE("other"));
    assert_ptr_equal(provider_by_host(book, SLICE("aspmx.l.google.com")), other);
    assert_ptr_equal(provider_by_host(book, SLICE("in.x.cloud.example")), other);
    assert_ptr_equal(provider_by_domain(book, SLICE("gmail.com")), other);
    assert_ptr_equal(provider_by_banner(book, SLICE("mx ESMTP gsmtp")), other);
    assert_ptr_equal(provider_by_name(book, SLICE("gmail")), other);
    assert_ptr_not_equal(provider_by_name(book, SLICE("google")), other);
    provider_book_free(book);
}

static void test_later_files_go_over_earlier_ones(void **state)
{
    (void)state;
    static const struct provider_source sources[] = {
        {.name = SLICE_LITERAL("test"), .text = SLICE_LITERAL(OURS)},
        {SLICE_LITERAL("a"), SLICE_LITERAL("provider google\nrcpts 20\nconnections 5\n"), true},
        {SLICE_LITERAL("b"), SLICE_LITERAL("provider google\nrcpts 30\n"), true},
    };
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    assert_int_equal(provider_book_compile(sources, 3, &book, &fault), ERR_NONE);
    const struct provider *p = provider_by_name(book, SLICE("google"));
    assert_int_equal(p->limits[PROVIDER_RCPTS_PER_CONNECTION], 30);
    assert_int_equal(p->limits[PROVIDER_CONNECTIONS], 5);
    provider_book_free(book);
}

/* Faults of a user's file, each alone. */
static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *over, *fault;
    } cases[] = {
        {"provider google\nconections 3\n",
         "own:2: unknown key \"conections\"; did you mean connections?"},
        {"provider google\nrcpt 3\n", "own:2: unknown key \"rcpt\"; did you mean rcpts?"},
        {"provider google\ninvalid_per_hour 3\n",
         "own:2: unknown key \"invalid_per_hour\"; did you mean "},
        {"provider google\nxyzzy 3\n", "own:2: unknown key \"xyzzy\"; known: provider label"},
        {"provider google\nskip\n", "own:2: skip is a trait; write: traits skip"},
        {"provider google\nrcpts=3\n", "own:2: no = here"},
        {"provider google\nrcpts = 3\n", "own:2: no = here"},
        {"provider google\ntraits skipp\n", "own:2: unknown trait \"skipp\"; did you mean skip?"},
        {"provider google\ntraits -tarpit\n",
         "own:2: unknown trait \"tarpit\"; did you mean tarpits?"},
        {"provider google\ntraits\n", "own:2: at least one trait is needed"},
        {"provider google\nclass webmial\n",
         "own:2: unknown class \"webmial\"; did you mean webmail?"},
        {"provider google\nclass a b\n", "own:2: class is one of"},
        {"provider google\nrcpts 3\nrcpts 4\n",
         "own:3: rcpts stands in this entry already, in line 2"},
        {"provider google\ntimeout rcpt 3\ntimeout rcpt 4\n",
         "own:3: timeout stands in this entry already"},
        {"provider google\ntimeout data 3\n", "own:2: timeout takes a step"},
        {"provider google\ntimeout rcpt 0\n", "own:2: timeout takes a step"},
        {"provider google\ntimeout rcpt 3601\n", "own:2: timeout takes a step"},
        {"provider google\ntimeout rcpt\n", "own:2: timeout takes a step"},
        {"provider google\ngap_ms 3600001\n", "own:2: gap_ms takes a number from 0 to 3600000"},
        {"provider google\ncooldown_s 86401\n", "own:2: cooldown_s takes a number from 0 to 86400"},
        {"provider google\ntransactions 0\n", "own:2: transactions takes a number from 1 to"},
        {"provider goggle\nrcpts 3\n",
         "own:1: no provider is named goggle; did you mean google? A new one needs a class"},
        {"provider acme\nrcpts 3\n", "own:1: provider acme lacks a class"},
        {"provider google\nprovider gmail\n",
         "own:2: provider \"gmail\" belongs to google (own:1)"},
        {"provider google\nmx a.example\nprovider other\nmx a.example\n",
         "own:4: mx \"a.example\" belongs to google (own:2); remove one"},
        {"provider other\nalias google\n", "own:2: alias \"google\" belongs to google (test:7)"},
        {"connections 3\n", "own:1: connections stands before any entry"},
        {"provider google\nlabel \"open\n", "own:2: no closing \""},
        {"provider google\n\x1b[2J 3\n", "own:2: unknown key \"\\x1b[2J\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct provider_book *book = NULL;
        struct fault fault = {.err = ERR_NONE};
        assert_int_equal(compile_books(OURS, cases[i].over, NULL, &book, &fault), ERR_SYNTAX);
        assert_null(book);
        if (strncmp(fault.text, cases[i].fault, strlen(cases[i].fault)) != 0) {
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, fault.text, cases[i].fault);
        }
    }
}

static size_t count_lines(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.at[i] == '\n' ? 1 : 0;
    }
    return count;
}

/* One reading finds them all; a line that is wrong spoils no other, an entry that cannot be is passed over. */
static void test_all_faults_are_told(void **state)
{
    (void)state;
    static const char over[] = "provider google\n"
                               "conections 3\n"
                               "rcpts 20\n"
                               "traits nosuch skip\n"
                               "label \"open\n"
                               "provider\n"
                               "mx other.example\n"
                               "rcpts none\n"
                               "provider acme\n"
                               "rcpts 3\n";
    static const char *const wanted[] = {
        "own:2: ", "own:4: ", "own:5: ", "own:6: ", "own:8: ", "own:9: "};
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    struct buf report;
    buf_init(&report, PROVIDER_REPORT_BYTES_MAX);
    assert_int_equal(compile_books(OURS, over, &report, &book, &fault), ERR_SYNTAX);
    struct slice rest = buf_view(&report);
    assert_int_equal(count_lines(rest), sizeof wanted / sizeof *wanted);
    assert_true(slice_starts(rest, slice_of(fault.text)));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct slice line = slice_cut(&rest, '\n');
        if (!slice_starts(line, slice_of(wanted[i]))) {
            fail_msg("\"%.*s\" does not begin with \"%s\"", SLICE_ARG(line), wanted[i]);
        }
    }
    buf_done(&report);
}

static void test_too_many_faults_are_counted(void **state)
{
    (void)state;
    enum { WRONG = PROVIDER_FAULTS_MAX + 50 };
    char over[WRONG * 8 + 64] = "provider google\n";
    for (size_t i = 0; i < WRONG; i++) {
        memcpy(over + strlen(over), "wrong 1\n", 9);
    }
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    struct buf report;
    buf_init(&report, PROVIDER_REPORT_BYTES_MAX);
    assert_int_equal(compile_books(OURS, over, &report, &book, &fault), ERR_SYNTAX);
    struct slice text = buf_view(&report);
    assert_int_equal(count_lines(text), PROVIDER_FAULTS_MAX + 1);
    assert_true(slice_ends(text, SLICE("and 50 more faults\n")));
    buf_done(&report);
}

/* A long path loses its beginning, not the words about the fault. */
static void test_long_file_names(void **state)
{
    (void)state;
    char name[3000];
    memset(name, 'a', sizeof name);
    memcpy(name + sizeof name - 9, "/own.conf", 9);
    const struct provider_source sources[] = {
        {.name = SLICE("test"), .text = SLICE(OURS)},
        {slice_make(name, sizeof name), SLICE("provider google\nxyzzy 1\n"), true},
    };
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    assert_int_equal(provider_book_compile(sources, 2, &book, &fault), ERR_SYNTAX);
    assert_true(slice_starts(slice_of(fault.text), SLICE("...aaa")));
    assert_non_null(strstr(fault.text, "a/own.conf:2: unknown key \"xyzzy\"; known: provider"));
}

static void test_each_allocation_fails_once(void **state)
{
    (void)state;
    static const char good[] = "provider google\nrcpts 3\nmx x.example\n";
    static const char bad[] = "provider google\nrcpts 3\nmx x.example\nprovider acme\nclass isp\n"
                              "alias a b c\nbanner \"acme mail\"\nwrong\n";
    bool goes_on = true;
    for (size_t n = 1; goes_on; n++) {
        const char *over = n % 2 == 0 ? good : bad;
        struct provider_book *book = NULL;
        struct fault fault = {.err = ERR_NONE};
        struct buf report;
        buf_init(&report, PROVIDER_REPORT_BYTES_MAX);
        fail_alloc_at((n + 1) / 2);
        enum err e = compile_books(OURS, over, &report, &book, &fault);
        goes_on = fail_alloc_happened() || n % 2 != 0;
        assert_true((e == ERR_NONE) == (book != NULL));
        assert_true(e != ERR_NOMEM || fault.err == ERR_NOMEM);
        assert_int_equal(e == ERR_NOMEM, fail_alloc_happened());
        provider_book_free(book);
        buf_done(&report);
        assert_int_equal(fail_alloc_end(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_value_changes),
        cmocka_unit_test(test_all_kinds_of_values_change),
        cmocka_unit_test(test_new_providers),
        cmocka_unit_test(test_names_move),
        cmocka_unit_test(test_later_files_go_over_earlier_ones),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_all_faults_are_told),
        cmocka_unit_test(test_too_many_faults_are_counted),
        cmocka_unit_test(test_long_file_names),
        cmocka_unit_test(test_each_allocation_fails_once),
    };
    return cmocka_run_group_tests_name("providers/provider_read", tests, NULL, NULL);
}
