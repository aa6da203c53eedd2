/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/blocklist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "load.h"

enum { FILE_BYTES = 65536 };

#define HEAD  "source \"a page\"\ndate 2026-11\n"
#define ENTRY "blocklist a\nlabel \"A\"\nzone a.example\npage \"https://a.example/\"\nasks ipv4\n"

static enum err compile(const char *text, struct blocklist_book **out, struct fault *out_fault)
{
    struct blocklist_source source = {SLICE("x.conf"), slice_of(text)};
    return blocklist_book_compile(&source, 1, out, out_fault);
}

static void reads_every_field(void **state)
{
    (void)state;
    struct blocklist_book *book;
    struct fault fault;
    const char *text =
        HEAD ENTRY "blocklist b-1 # a comment\n label \"B One\"\n zone b.example\n"
                   " page \"https://b.example/?x\"\n asks ipv4 ipv6 domain\n weight heavy\n"
                   " test test.b.example\n listed 127.0.0.2 127.0.0.3 \"spam\"\n"
                   " refused 127.255.255.254 \"no \\\"open\\\" resolvers\"\n"
                   " harmless 127.0.0.1 \"white\"\n";
    if (compile(text, &book, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    assert_int_equal(blocklist_count(book), 2);
    const struct blocklist *a = blocklist_at(book, 0);
    const struct blocklist *b = blocklist_at(book, 1);
    assert_string_equal(a->name.at, "a");
    assert_string_equal(a->where.at, "x.conf:3");
    assert_true(slice_equal(a->test, SLICE("test")));
    assert_false(a->is_heavy);
    assert_int_equal(a->subjects, BLOCKLIST_IPV4);
    assert_string_equal(b->label.at, "B One");
    assert_string_equal(b->zone.at, "b.example");
    assert_string_equal(b->page.at, "https://b.example/?x");
    assert_string_equal(b->test.at, "test.b.example");
    assert_true(b->is_heavy);
    assert_int_equal(b->subjects, BLOCKLIST_IPV4 | BLOCKLIST_IPV6 | BLOCKLIST_DOMAIN);
    blocklist_book_free(book);
    blocklist_book_free(NULL);
}

static void answers_have_their_meaning(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum blocklist_meaning meaning;
        const char *text;
    } cases[] = {
        {"127.0.0.2", BLOCKLIST_LISTED, "spam"},
        {"127.0.0.3", BLOCKLIST_LISTED, "spam"},
        {"127.0.0.9", BLOCKLIST_LISTED, ""}, /* nobody told us of it */
        {"127.0.1.2", BLOCKLIST_LISTED, ""},
        {"127.0.0.1", BLOCKLIST_HARMLESS, "white"},
        {"127.255.255.254", BLOCKLIST_REFUSED, "no open resolvers"},
        {"127.255.255.252", BLOCKLIST_REFUSED, ""}, /* told or not */
        {"127.255.254.1", BLOCKLIST_LISTED, ""},
        {"192.0.2.1", BLOCKLIST_BROKEN, ""},
        {"::1", BLOCKLIST_BROKEN, ""},
        {"::ffff:127.0.0.2", BLOCKLIST_BROKEN, ""},
    };
    struct blocklist_book *book;
    const char *text =
        HEAD ENTRY "listed 127.0.0.2 127.0.0.3 \"spam\"\nharmless 127.0.0.1 \"white\"\n"
                   "refused 127.255.255.254 \"no open resolvers\"\n";
    assert_int_equal(compile(text, &book, NULL), ERR_NONE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip ip;
        assert_true(ip_parse(slice_of(cases[i].answer), &ip));
        struct blocklist_word word = blocklist_read(blocklist_at(book, 0), &ip);
        if (word.meaning != cases[i].meaning || !slice_equal(word.text, slice_of(cases[i].text))) {
            fail_msg("%s: %d '%.*s'", cases[i].answer, word.meaning, SLICE_ARG(word.text));
        }
    }
    blocklist_book_free(book);
}

static void faults_name_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"label \"x\"\n", "x.conf:1: label stands before any entry"},
        {HEAD "nonsense\n", "x.conf:3: unknown key \"nonsense\""},
        {HEAD "blocklist\n", "x.conf:3: blocklist takes one value"},
        {HEAD "blocklist A\n", "x.conf:3: \"A\" is no name in lower case"},
        {HEAD "blocklist a\n", "x.conf:3: block list a lacks a label"},
        {HEAD ENTRY ENTRY, "x.conf:8: a stands already at x.conf:3"},
        {HEAD ENTRY "blocklist b\nzone a.example\n", "x.conf:9: the zone a.example is that of a"},
        {"date 2026-11\n" ENTRY, "x.conf:2: block list a lacks a source"},
        {"source s\n" ENTRY, "x.conf:2: block list a lacks a date"},
        {HEAD ENTRY "date tomorrow\n", "x.conf:8: date must be"},
        {HEAD ENTRY "zone .a.example\n", "x.conf:8: \".a.example\" is no name"},
        {HEAD ENTRY "test a..\n", "x.conf:8: \"a..\" is no name"},
        {HEAD ENTRY "zone a_b.Example\n", "x.conf:8: \"a_b.Example\" is no name"},
        {HEAD ENTRY "asks ipv5\n", "x.conf:8: \"ipv5\" is none of ipv4 ipv6 domain"},
        {HEAD ENTRY "weight\n", "x.conf:8: weight is heavy or light"},
        {HEAD ENTRY "weight medium\n", "x.conf:8: weight is heavy or light"},
        {HEAD ENTRY "listed 127.0.0.2\n", "x.conf:8: listed takes addresses"},
        {HEAD ENTRY "listed \"spam\"\n", "x.conf:8: listed takes addresses"},
        {HEAD ENTRY "refused 192.0.2.1 \"x\"\n",
         "x.conf:8: \"192.0.2.1\" is no address of 127.0.0.0/8"},
        {HEAD ENTRY "refused ::1 \"x\"\n", "x.conf:8: \"::1\" is no address of 127.0.0.0/8"},
        {HEAD ENTRY "listed 127.0.0.2 \"x\"\nharmless 127.0.0.2 \"y\"\n",
         "x.conf:9: 127.0.0.2 has a meaning already"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct blocklist_book *book = NULL;
        struct fault fault = {.text = ""};
        assert_int_equal(compile(cases[i].text, &book, &fault), ERR_SYNTAX);
        assert_null(book);
        if (strncmp(fault.text, cases[i].says, strlen(cases[i].says)) != 0) {
            fail_msg("is: %s\nwanted: %s", fault.text, cases[i].says);
        }
    }
}

static void only_so_many_lists(void **state)
{
    (void)state;
    static char text[FILE_BYTES] = HEAD;
    struct blocklist_book *book = NULL;
    struct fault fault;
    for (int i = 0; i <= BLOCKLISTS_MAX; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len,
                       "blocklist l%d\nlabel L\nzone z%d.example\npage p\nasks ipv4\n", i, i);
        enum err e = compile(text, &book, &fault);
        assert_int_equal(e, i < BLOCKLISTS_MAX ? ERR_NONE : ERR_LIMIT);
        if (e == ERR_NONE) {
            blocklist_book_free(book);
        }
    }
}

/* The files that we ship: each list complete; the errors of the large ones are no listings. */
static void our_lists_are_good(void **state)
{
    (void)state;
    static const char *const files[] = {"address.conf", "domain.conf"};
    char *texts[2];
    struct blocklist_source sources[2];
    struct blocklist_book *book;
    struct fault fault;
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/blocklists/%s", DATA_DIR, files[i]);
        texts[i] = load_file(path);
        sources[i] = (struct blocklist_source){slice_of(files[i]), slice_of(texts[i])};
    }
    if (blocklist_book_compile(sources, 2, &book, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    unsigned heavy = 0;
    for (size_t i = 0; i < blocklist_count(book); i++) {
        struct ip ip;
        heavy += blocklist_at(book, i)->is_heavy;
        assert_true(ip_parse(SLICE("127.255.255.254"), &ip));
        assert_int_equal(blocklist_read(blocklist_at(book, i), &ip).meaning, BLOCKLIST_REFUSED);
        assert_true(slice_starts(blocklist_at(book, i)->page, SLICE("https://")));
    }
    assert_true(heavy >= 4);
    blocklist_book_free(book);
    free(texts[0]);
    free(texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_field),         cmocka_unit_test(answers_have_their_meaning),
        cmocka_unit_test(faults_name_file_and_line), cmocka_unit_test(only_so_many_lists),
        cmocka_unit_test(our_lists_are_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
