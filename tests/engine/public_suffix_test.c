/* The test file of the Public Suffix List (data/README.md), all of it, and what DMARC makes of its answers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/public_suffix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reader.h"
#include "base/slice.h"

enum { FILE_BYTES = 65536, CASES_MIN = 70 };

static const char *cases_path;

static int open_list(void **state)
{
    struct fault fault;
    struct public_suffix *list;
    if (public_suffix_open(NULL, &list, &fault) != ERR_NONE) {
        print_error("%s\n", fault.text);
        return -1;
    }
    *state = list;
    return 0;
}

static int close_list(void **state)
{
    public_suffix_close(*state);
    return 0;
}

/* "'name'" or "null", and what parts it from the next. */
static struct slice read_word(struct reader *r)
{
    struct slice word = SLICE_NONE;
    if (reader_literal(r, SLICE("null"))) {
        word = (struct slice){NULL, 0};
    } else {
        assert_true(reader_literal(r, SLICE("'")) && reader_until(r, '\'', &word));
    }
    (void)reader_literal(r, SLICE(", "));
    return word;
}

static unsigned check_line(const struct public_suffix *list, struct slice line)
{
    struct reader r = reader_over(line);
    char found[DNS_NAME_BYTES] = "";
    assert_true(reader_literal(&r, SLICE("checkPublicSuffix(")));
    struct slice domain = read_word(&r);
    struct slice wanted = read_word(&r);
    bool is_found = public_suffix_registrable(list, domain, found);
    bool is_right = wanted.at == NULL ? !is_found : slice_equal(slice_of(found), wanted);
    if (!is_right) {
        print_error("%.*s: '%s'\n", SLICE_ARG(line), found);
    }
    return is_right ? 0 : 1;
}

static void every_case_of_the_test_file_holds(void **state)
{
    static char text[FILE_BYTES];
    FILE *file = fopen(cases_path, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    struct reader r = reader_over(slice_make(text, len));
    struct slice line;
    unsigned cases = 0;
    unsigned wrong = 0;
    while (reader_line(&r, &line)) {
        if (slice_starts(line, SLICE("checkPublicSuffix("))) {
            wrong += check_line(*state, line);
            cases++;
        }
    }
    assert_true(cases >= CASES_MIN);
    assert_int_equal(wrong, 0);
}

/* RFC 7489 3.2 */
static void organizational_domains_are_found(void **state)
{
    static const struct {
        const char *domain, *organizational; /* NULL: it is no name */
    } rows[] = {
        {"a.mail.example.com", "example.com"},
        {"Mail.Example.co.UK.", "example.co.uk"},
        {"example.com", "example.com"},
        {"co.uk", "co.uk"},
        {"com", "com"},
        {"a.unlisted-tld-1", "a.unlisted-tld-1"},
        {"b.a.unlisted-tld-1", "a.unlisted-tld-1"},
        {"www.xn--85x722f.com.cn", "xn--85x722f.com.cn"},
        {"", NULL},
        {".", NULL},
        {".example.com", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[DNS_NAME_BYTES];
        bool is_name = public_suffix_organizational(*state, slice_of(rows[i].domain), out);
        assert_int_equal(is_name, rows[i].organizational != NULL);
        if (is_name) {
            assert_string_equal(out, rows[i].organizational);
        }
    }
    char endless[400];
    char out[DNS_NAME_BYTES];
    memset(endless, 'x', sizeof endless);
    assert_false(public_suffix_organizational(*state, slice_make(endless, sizeof endless), out));
}

static void a_list_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct public_suffix *list;
    struct fault fault;
    assert_int_equal(public_suffix_open("/nonexistent/list.dat", &list, &fault), ERR_SYSTEM);
    assert_non_null(strstr(fault.text, "/nonexistent/list.dat"));
    public_suffix_close(NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_case_of_the_test_file_holds, open_list, close_list),
        cmocka_unit_test_setup_teardown(organizational_domains_are_found, open_list, close_list),
        cmocka_unit_test(a_list_that_is_not_there_is_named),
    };
    if (argc != 2) {
        return EXIT_FAILURE;
    }
    cases_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
