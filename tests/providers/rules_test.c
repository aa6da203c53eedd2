/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "load.h"

#define BOOK                                                         \
    "source s\ndate 2026-11\nprovider default\nlabel x\nclass isp\n" \
    "provider acme\nlabel x\nclass isp\nprovider other\nlabel x\nclass isp\n"
#define HEAD    "section \"t\"\nlayer us\nsource s\ndate 2026-11\n" /* four lines */
#define THEIRS  "section \"t\"\nprovider acme\nsource s\ndate 2026-11\n"
#define EXAMPLE "example \"550 x\"\n"

static struct provider_book *book_of_two(void)
{
    struct provider_book *book = NULL;
    struct fault fault;
    assert_int_equal(compile_book(BOOK, &book, &fault), ERR_NONE);
    return book;
}

static void names_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"text \"abc\"\n", "test:1: text belongs to a rule"},
        {HEAD "rule unknown\nlayer us\n", "test:6: layer belongs to a section"},
        {HEAD "rule\n", "test:5: \"rule\" takes one reason"},
        {HEAD "rule nonsense\n", "test:5: \"rule\" takes one reason"},
        {HEAD "rule unknown\nfoo bar\n", "test:6: unknown key \"foo\""},
        {HEAD "rule unknown\nstage lunch\n", "test:6: unknown stage \"lunch\""},
        {HEAD "rule unknown\nstage\n", "test:6: stage needs at least one"},
        {HEAD "rule unknown\nscope nobody\n", "test:6: scope is one of"},
        {HEAD "rule unknown\nblock mood\n", "test:6: block is one of"},
        {HEAD "rule unknown\ncode 600\n", "test:6: \"600\" is no code"},
        {HEAD "rule unknown\ncode 5x0\n", "test:6: \"5x0\" is no code"},
        {HEAD "rule unknown\ncode 1xx\n", "test:6: \"1xx\" is no code"},
        {HEAD "rule unknown\ncode\n", "test:6: code needs"},
        {HEAD "rule unknown\nenhanced 5.1\n", "test:6: \"5.1\" is no enhanced code"},
        {HEAD "rule unknown\nenhanced 3.1.1\n", "test:6: \"3.1.1\" is no enhanced code"},
        {HEAD "rule unknown\nenhanced 5.1.1.1\n", "test:6: \"5.1.1.1\" is no enhanced code"},
        {HEAD "rule unknown\nprovider acm\n", "test:6: unknown provider \"acm\""},
        {HEAD "rule unknown\nprovider\n", "test:6: provider needs"},
        {HEAD "rule unknown\ntext \"ab\"\n", "test:6: \"ab\": a text is"},
        {HEAD "rule unknown\ntext abc\n", "test:6: \"abc\": a text is"},
        {HEAD "rule unknown\ntext\n", "test:6: text needs at least one"},
        {HEAD "rule unknown\ntext /a(/\n", "test:6: pattern /a(/: missing closing parenthesis"},
        {HEAD "rule unknown\ntext /a*/\n", "test:6: pattern /a*/ fits the empty text"},
        {HEAD "rule unknown\ntext /abc\n", "test:6: no closing /"},
        {HEAD "rule unknown\nwith \"abc\"\n", "test:6: with adds to text"},
        {HEAD "rule unknown\nforwarded yes\n", "test:6: forwarded takes no value"},
        {HEAD "rule unknown\nretry soon\n", "test:6: retry takes seconds"},
        {HEAD "rule unknown\nretry 100000\n", "test:6: retry takes seconds"},
        {HEAD "rule unknown\ndate now\n", "test:6: date must be"},
        {"section \"t\"\nlayer top\n", "test:2: layer is one of"},
        {HEAD "rule unknown\n" EXAMPLE, "test:5: the rule lacks a condition"},
        {HEAD "rule unknown\ntext \"abc\"\n", "test:5: the rule lacks an example"},
        {"section \"t\"\nlayer us\ndate 2026-11\nrule unknown\ntext \"abc\"\n" EXAMPLE,
         "test:4: the rule lacks a source"},
        {"section \"t\"\nlayer us\nsource s\nrule unknown\ntext \"abc\"\n" EXAMPLE,
         "test:4: the rule lacks a date"},
        {"section \"t\"\nsource s\ndate 2026-11\nrule unknown\ntext \"abc\"\n" EXAMPLE,
         "test:4: the rule lacks a place"},
        {HEAD "rule mailbox_full\nstage mail\ntext \"abc\"\n" EXAMPLE,
         "test:5: before RCPT nothing is said about a mailbox"},
        {HEAD "rule unknown\ntext \"abc\" \"abcd\"\n" EXAMPLE,
         "test:5: \"abcd\" is covered by \"abc\""},
        {HEAD "rule unknown\ntext \"abc\" \"ABC\"\n" EXAMPLE, "test:5: \"abc\" is covered"},
        {HEAD "rule unknown\ntext /ab+c/ \"xabbc\"\n" EXAMPLE,
         "test:5: \"xabbc\" is covered by \"ab+c\""},
    };
    struct provider_book *book = book_of_two();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules *rules = NULL;
        struct fault fault = {.err = ERR_NONE};
        assert_int_equal(compile_rules(cases[i].text, book, &rules, &fault), ERR_SYNTAX);
        assert_null(rules);
        if (strncmp(fault.text, cases[i].fault, strlen(cases[i].fault)) != 0) {
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, fault.text, cases[i].fault);
        }
    }
    provider_book_free(book);
}

static void finds_rules_that_never_decide(void **state)
{
    (void)state;
    static const struct {
        const char *earlier, *later; /* both are rules of the same layer */
        bool is_dead;
    } cases[] = {
        {"text \"quota\"\n", "text \"quota\"\n", true},
        {"text \"quota\"\n", "text \"over quota\"\n", true},
        {"text \"over quota\"\n", "text \"quota\"\n", false},
        {"text \"quota\"\n", "text \"xquota\"\n", false}, /* not at a word's start */
        {"text \"full\" \"quota\"\n", "text \"mailbox full\" \"over quota\"\n", true},
        {"text \"full\" \"quota\"\n", "text \"mailbox full\" \"empty\"\n", false},
        {"code 5xx\n", "code 550 554\n", true},
        {"code 550\n", "code 55x\n", false},
        {"code 5xx\n", "code 550\ntext \"abc\"\n", true},
        {"enhanced x.2.2\n", "enhanced 4.2.2 5.2.2\n", true},
        {"enhanced 5.2.2\n", "enhanced x.2.2\n", false},
        {"enhanced none\n", "text \"abc\"\nenhanced none\n", true},
        {"enhanced none\n", "enhanced 5.1.1\n", false},
        {"text \"abc\"\nstage mail rcpt\n", "text \"abc\"\nstage rcpt\n", true},
        {"text \"abc\"\nstage rcpt\n", "text \"abc\"\nstage mail rcpt\n", false},
        {"text \"abc\"\nwith \"def\"\n", "text \"abc\"\n", false},
        {"text \"abc\"\n", "text \"xyz\"\nwith \"abc\"\n", true},
        {"text \"abc\"\nwith \"def\"\n", "text \"def\"\nwith \"abc\"\n", true},
        {"text \"abc\"\nwithout \"def\"\n", "text \"abc\"\n", false},
        {"text \"abc\"\nwithout \"def\"\n", "text \"abc\"\nwithout \"def\"\n", true},
        {"text \"abc\"\nwithout \"def\"\n", "text \"abc\"\nwithout \"ghi\"\n", false},
        {"text /ab.c/\n", "text \"xabdc\"\n", true},
        {"text /^ab.c/\n", "text \"xabdc\"\n", false},
        {"text /ab.c/\n", "text /ab.c/\n", true},
        {"text /ab.c/\n", "text /ab..c/\n", false},
        {"text \"abc\"\n", "provider acme\ntext \"abc\"\n", false}, /* a provider's comes first */
        {"provider acme other\ntext \"abc\"\n", "provider acme\ntext \"abc\"\n", true},
        {"provider acme\ntext \"abc\"\n", "provider acme other\ntext \"abc\"\n", false},
    };
    struct provider_book *book = book_of_two();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        (void)snprintf(text, sizeof text,
                       HEAD "rule unknown\n%s" EXAMPLE "rule unknown\n%s" EXAMPLE, cases[i].earlier,
                       cases[i].later);
        struct rules *rules = NULL;
        struct fault fault = {.err = ERR_NONE};
        enum err e = compile_rules(text, book, &rules, &fault);
        if ((e == ERR_SYNTAX) != cases[i].is_dead) {
            fail_msg("case %zu: %s then %s: %s", i, cases[i].earlier, cases[i].later, fault.text);
        }
        assert_true(e == ERR_NONE || strstr(fault.text, "can never decide, test:5") != NULL);
        rules_free(rules);
    }
    provider_book_free(book);
}

static struct classification ask(const struct rules *rules, enum hel_smtp_stage stage,
                                 const char *provider, const char *text)
{
    char scratch[1000];
    struct hel_reply reply;
    assert_int_equal(hel_reply_parse(slice_of(text), scratch, sizeof scratch, &reply), ERR_NONE);
    const struct classify_question question = {
        .stage = stage, .provider = slice_of(provider), .reply = &reply};
    return rules_classify(rules, &question);
}

static void decides_in_order(void **state)
{
    (void)state;
    struct provider_book *book = book_of_two();
    struct rules *rules = NULL;
    struct fault fault = {.err = ERR_NONE};
    const char *text = "section \"late\"\nlayer no_user\nsource s\ndate 2026-11\n"
                       "rule mailbox_unknown\ntext \"user\"\nexample \"550 user\"\n" /* 5 */
        HEAD                                                                         /* 8-11 */
                       "rule policy_blocked\ntext \"list\"\nblock ip_list\n"         /* 12 */
                       "example \"550 list\"\n"                                      /* 15 */
                       "rule greylisted\ncode 4xx\ntext /wait \\d+/\nretry 77\n"     /* 16 */
                       "example \"450 wait 5\"\n"                                    /* 20 */
        THEIRS                                                                       /* 21-24 */
                       "rule mailbox_disabled\ntext \"list user\"\nexample \"550 list user\"\n";
    if (compile_rules(text, book, &rules, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    static const struct {
        enum hel_smtp_stage stage;
        const char *provider, *reply;
        enum reply_scope scope;
        enum reply_reason reason;
        const char *rule;
    } cases[] = {
        {HEL_SMTP_RCPT, "", "550 user", SCOPE_MAILBOX, REASON_MAILBOX_UNKNOWN, "test:5"},
        {HEL_SMTP_RCPT, "", "550 list user", SCOPE_US, REASON_POLICY_BLOCKED, "test:12"},
        {HEL_SMTP_RCPT, "acme", "550 list user", SCOPE_MAILBOX, REASON_MAILBOX_DISABLED, "test:25"},
        {HEL_SMTP_RCPT, "other", "550 list user", SCOPE_US, REASON_POLICY_BLOCKED, "test:12"},
        {HEL_SMTP_RCPT, "stranger", "550 list user", SCOPE_US, REASON_POLICY_BLOCKED, "test:12"},
        {HEL_SMTP_RCPT, "", "450 wait 5", SCOPE_US, REASON_GREYLISTED, "test:16"},
        {HEL_SMTP_RCPT, "", "550 wait 5", SCOPE_UNKNOWN, REASON_UNKNOWN, "code:550"},
        {HEL_SMTP_MAIL, "", "550 user", SCOPE_US, REASON_POLICY_BLOCKED, "code:550"},
        {HEL_SMTP_RCPT, "", "250 user", SCOPE_MAILBOX, REASON_ACCEPTED, "code:250"},
        {HEL_SMTP_RCPT, "", "550 5.1.1 nix", SCOPE_MAILBOX, REASON_MAILBOX_UNKNOWN,
         "enhanced:x.1.1"},
        {HEL_SMTP_RCPT, "", "550 nix (#5.1.1)", SCOPE_MAILBOX, REASON_MAILBOX_UNKNOWN,
         "enhanced:x.1.1"},
        {HEL_SMTP_MAIL, "", "550 5.1.1 nix", SCOPE_US, REASON_POLICY_BLOCKED, "code:550"},
        {HEL_SMTP_RCPT, "", "550 <user@list.example> nix", SCOPE_UNKNOWN, REASON_UNKNOWN,
         "code:550"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct classification c = ask(rules, cases[i].stage, cases[i].provider, cases[i].reply);
        if (c.scope != cases[i].scope || c.reason != cases[i].reason ||
            strcmp(c.rule, cases[i].rule) != 0) {
            fail_msg("%s: %s %s by %s", cases[i].reply, reply_scope_name(c.scope),
                     reply_reason_name(c.reason), c.rule);
        }
    }
    assert_int_equal(ask(rules, HEL_SMTP_RCPT, "", "450 wait 5").retry_after_s, 77);
    assert_int_equal(ask(rules, HEL_SMTP_RCPT, "", "450 wait 5 min").retry_after_s, 300);
    assert_int_equal(rules_count(rules), 4);
    assert_int_equal(rules_example_count(rules), 4);
    assert_int_equal(strlen(rules_version(rules)), 12);
    rules_free(rules);
    provider_book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_file_and_line),
        cmocka_unit_test(finds_rules_that_never_decide),
        cmocka_unit_test(decides_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
