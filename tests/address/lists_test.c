/* SPDX-License-Identifier: Apache-2.0 */
#include "address/lists.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../base/fail_alloc.h"
#include "address_case.h"
#include "load_lists.h"

static int open_lists(void **state)
{
    *state = load_shipped_lists();
    return 0;
}

static int close_lists(void **state)
{
    close_shipped_lists(*state);
    return 0;
}

static struct address_flags flags_of(const struct address_lists *lists, const char *text,
                                     const char *mx_host)
{
    struct hel_address a = parsed(text);
    const struct slice host = slice_of(mx_host);
    struct domain_flags domain;
    struct address_flags flags;
    domain_flags(lists, hel_address_domain(&a), &host, mx_host == NULL ? 0 : 1, &domain);
    address_flags(lists, &a, &domain, &flags);
    return flags;
}

struct flag_case {
    const char *text;
    bool is_set;
};

#define CHECK_FLAG(flag)                                                    \
    for (size_t i = 0; i < COUNT(rows); i++) {                              \
        if (flags_of(*state, rows[i].text, NULL).flag != rows[i].is_set) {  \
            fail_msg("%s: %s is %d", rows[i].text, #flag, !rows[i].is_set); \
        }                                                                   \
    }

static void roles(void **state)
{
    static const struct flag_case rows[] = {
        {"info@example.com", true}, /* scenario 106 */
        {"Info@example.com", true},       {"INFO@gmail.com", true},
        {"info+tag@example.com", true},   {"postmaster@example.com", true}, /* RFC 5321 4.5.1 */
        {"abuse@example.com", true},                                        /* RFC 2142 4 */
        {"hostmaster@example.com", true}, {"webmaster@example.com", true},
        {"noc@example.com", true},        {"security@example.com", true},
        {"support@example.com", true},    {"sales@example.com", true},
        {"admin@example.com", true},      {"jane@example.com", false},
        {"jane.info@example.com", false}, {"informatics.jane@example.com", false},
        {"jane+info@example.com", false}, {"\xc3\xbc@example.com", false},
    };
    CHECK_FLAG(is_role)
}

static void free_providers(void **state)
{
    static const struct flag_case rows[] = {
        {"a@gmail.com", true},   {"a@GMAIL.com", true},    {"a@yahoo.co.uk", true},
        {"a@outlook.com", true}, {"a@gmx.de", true},       {"a@web.de", true},
        {"a@mail.ru", true},     {"a@qq.com", true},       {"a@proton.me", true},
        {"a@laposte.net", true}, {"a@example.org", false}, {"a@microsoft.com", false},
        {"a@mit.edu", false},    {"a@x.gmail.com", false}, {"a@[192.0.2.1]", false},
    };
    CHECK_FLAG(domain.is_free)
}

static void tags_and_names(void **state)
{
    {
        static const struct flag_case rows[] = {
            {"a+b@example.com", true}, {"a@example.com", false}, {"\"a+b\"@example.com", false}};
        CHECK_FLAG(is_plus_tagged)
    }
    {
        static const struct flag_case rows[] = {
            {"a@xn--bcher-kva.example", true},
            {"a@b\xc3\xbc"
             "cher.example",
             true},
            {"\xc3\xbc@example.com", false},
            {"a@example.com", false},
        };
        CHECK_FLAG(is_idn)
    }
    {
        static const struct flag_case rows[] = {
            {"noreply@example.com", true},      {"no-reply@example.com", true},
            {"No.Reply@example.com", true},     {"no_reply@example.com", true},
            {"donotreply@example.com", true},   {"do-not-reply@example.com", true},
            {"noreply+x@example.com", true},    {"reply@example.com", false},
            {"noreplyjane@example.com", false},
        };
        CHECK_FLAG(is_noreply)
    }
}

static void governments(void **state)
{
    static const struct flag_case rows[] = {
        {"a@nasa.gov", true},           {"a@mail.nih.gov", true},      {"a@army.mil", true},
        {"a@hmrc.gov.uk", true},        {"a@ato.gov.au", true},        {"a@x.health.gov.au", true},
        {"a@sat.gob.mx", true},         {"a@interieur.gouv.fr", true}, {"a@mod.mil.pl", true},
        {"a@dia.govt.nz", true},        {"a@gov.com", false},          {"a@gov.example.com", false},
        {"a@a.gov.example.com", false}, {"a@mil.de", false},           {"a@govt.com", false},
        {"a@mygov.uk", false},          {"a@gov-x.uk", false},         {"a@x.gov.com", false},
    };
    CHECK_FLAG(domain.is_gov)
}

static void universities(void **state)
{
    static const struct flag_case rows[] = {
        {"a@mit.edu", true},    {"a@cs.stanford.edu", true},  {"a@unimelb.edu.au", true},
        {"a@ox.ac.uk", true},   {"a@cs.ox.ac.uk", true},      {"a@u-tokyo.ac.jp", true},
        {"a@nus.edu.sg", true}, {"a@example.ac", false}, /* open to all */
        {"a@edu.com", false},   {"a@edu.example.com", false}, {"a@ac.com", false},
        {"a@x.ac.com", false},  {"a@myedu.org", false},
    };
    CHECK_FLAG(domain.is_edu)
}

/* A hint for the score: long strings of consonants or of changing kinds, but no name of any language. */
static void gibberish(void **state)
{
    static const struct flag_case rows[] = {
        {"xkcdqwrtpl@example.com", true},     {"a1b2c3d4e5@example.com", true},
        {"qwrtzpsdfg@example.com", true},     {"jane.doe@example.com", false},
        {"schwarzschild@example.com", false}, {"brzeczyszczykiewicz@example.com", false},
        {"jane1985@example.com", false},      {"1234567890@example.com", false},
        {"j2ee@example.com", false},          {"krzysztof@example.com", false},
        {"hrvoje@example.com", false},        {"angstschrei@example.com", false},
        {"vladimir@example.com", false},      {"nguyenthanh@example.com", false},
    };
    CHECK_FLAG(is_gibberish)
}

static void disposables(void **state)
{
    static const struct {
        const char *name, *text, *mx_host, *entry;
    } rows[] = {
        {"scenario 107: the domain", "a@mailinator.com", NULL, "mailinator.com"},
        {"scenario 107: a sub-domain", "a@x.y.mailinator.com", NULL, "mailinator.com"},
        {"scenario 107: the MX host", "a@example.org", "mail.mailinator.com", "mailinator.com"},
        {"the domain in upper case", "a@Mailinator.COM", NULL, "mailinator.com"},
        {"another", "a@guerrillamail.com", NULL, "guerrillamail.com"},
        {"a part of a label is none", "a@zz-mailinator.com", NULL, ""},
        {"behind is none", "a@mailinator.com.example.org", NULL, ""},
        {"an honest MX host", "a@example.org", "mx.example.org", ""},
        {"a provider's MX host", "a@example.org", "aspmx.l.google.com", ""},
        {"a provider's MX host", "a@example.org", "example-org.mail.protection.outlook.com", ""},
        {"no host", "a@example.org", NULL, ""},
        {"a literal", "a@[192.0.2.1]", NULL, ""},
        {"a provider", "a@gmail.com", "gmail-smtp-in.l.google.com", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address_flags flags = flags_of(*state, rows[i].text, rows[i].mx_host);
        if (!slice_equal(flags.domain.disposable_entry, slice_of(rows[i].entry)) ||
            flags.domain.is_disposable != (rows[i].entry[0] != '\0')) {
            fail_msg("%s: %.*s", rows[i].name, SLICE_ARG(flags.domain.disposable_entry));
        }
    }
}

/* No provider that people live at is disposable. */
static void popular_is_not_disposable(void **state)
{
    static const char *const domains[] = {
        "gmail.com",      "yahoo.com",  "outlook.com", "hotmail.com",  "icloud.com", "aol.com",
        "gmx.de",         "gmx.net",    "web.de",      "mail.ru",      "yandex.ru",  "qq.com",
        "163.com",        "naver.com",  "orange.fr",   "laposte.net",  "libero.it",  "wp.pl",
        "seznam.cz",      "uol.com.br", "proton.me",   "fastmail.com", "zoho.com",   "comcast.net",
        "t-online.de",    "posteo.de",  "mailbox.org", "tuta.com",     "hey.com",    "free.fr",
        "rediffmail.com", "ymail.com",  "mail.com",    "live.com",     "msn.com",    "me.com",
    };
    for (size_t i = 0; i < COUNT(domains); i++) {
        char text[CASE_TEXT_BYTES];
        struct address_flags flags = flags_of(*state, write_address("a", domains[i], text), NULL);
        if (flags.domain.is_disposable || !flags.domain.is_free) {
            fail_msg("%s: disposable %d, free %d", domains[i], flags.domain.is_disposable,
                     flags.domain.is_free);
        }
    }
}

static void files_are_read_by_line(void **state)
{
    (void)state;
    struct address_lists *lists = NULL;
    assert_int_equal(load_list("data/lists/disposable.txt",
                               "# a comment\n\n  b.example  \r\na.example\n#c.example\nd.example",
                               &lists, NULL),
                     ERR_NONE);
    assert_true(flags_of(lists, "x@a.example", NULL).domain.is_disposable);
    assert_true(flags_of(lists, "x@b.example", NULL).domain.is_disposable);
    assert_false(flags_of(lists, "x@c.example", NULL).domain.is_disposable);
    assert_true(flags_of(lists, "x@d.example", NULL).domain.is_disposable);
    address_lists_free(lists);
    assert_int_equal(address_lists_load(NULL, 0, &lists, NULL), ERR_NONE);
    struct address_flags flags = flags_of(lists, "info@mailinator.com", "mx.mailinator.com");
    assert_false(flags.domain.is_disposable || flags.is_role || flags.domain.is_free);
    address_lists_free(lists);
    address_lists_free(NULL);
}

static void faults_name_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *fault;
    } rows[] = {
        {"free.txt", "a.example\nB.example\n", "free.txt:2: "},
        {"free.txt", "# x\n\na b\n", "free.txt:3: "},
        {"roles.txt", "a\tb", "roles.txt:1: "},
        {"roles.txt", "a\x01", "roles.txt:1: "},
        {"other.txt", "", "other.txt: no list of this name"},
        {"", "", ": no list of this name"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address_lists *lists = NULL;
        struct fault fault = {.err = ERR_NONE};
        assert_int_equal(load_list(rows[i].name, rows[i].text, &lists, &fault), ERR_SYNTAX);
        assert_null(lists);
        assert_int_equal(fault.err, ERR_SYNTAX);
        if (strncmp(fault.text, rows[i].fault, strlen(rows[i].fault)) != 0) {
            fail_msg("%s", fault.text);
        }
        assert_int_equal(load_list(rows[i].name, rows[i].text, &lists, NULL), ERR_SYNTAX);
    }
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    char text[600 * 4 + 1] = "";
    for (size_t i = 0; i < 600; i++) {
        const char entry[5] = {(char)('a' + i % 26), (char)('a' + i / 26), '.', '\n', '\0'};
        memcpy(text + 4 * i, entry, 5);
    }
    for (size_t n = 1;; n++) {
        struct address_lists *lists = NULL;
        struct fault fault = {.err = ERR_NONE};
        fail_alloc_at(n);
        enum err e = load_list("free.txt", text, &lists, &fault);
        bool happened = fail_alloc_happened();
        fail_alloc_at(0);
        if (e == ERR_NONE) {
            address_lists_free(lists);
            assert_true(n > 2);
            return;
        }
        assert_true(happened);
        assert_int_equal(e, ERR_NOMEM);
        assert_int_equal(fault.err, ERR_NOMEM);
        assert_null(lists);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles),
        cmocka_unit_test(free_providers),
        cmocka_unit_test(tags_and_names),
        cmocka_unit_test(governments),
        cmocka_unit_test(universities),
        cmocka_unit_test(gibberish),
        cmocka_unit_test(disposables),
        cmocka_unit_test(popular_is_not_disposable),
        cmocka_unit_test(files_are_read_by_line),
        cmocka_unit_test(faults_name_file_and_line),
        cmocka_unit_test(each_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, open_lists, close_lists);
}
