/* What a piece of evidence claims: by row, and over every reason, scope, code, stage and kind of rule.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/claim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "answers.h"
#include "base/slice.h"

static const uint16_t codes[] = {421, 450, 451, 452, 454, 500, 503, 521,
                                 530, 550, 551, 552, 553, 554, 556, 571};
static const char *const rules[] = {"rules/generic.rules:1", "enhanced:5.1.1", "code:550", NULL};

enum { CODE_COUNT = sizeof codes / sizeof *codes, RULE_COUNT = sizeof rules / sizeof *rules };

static struct evidence reply(enum hel_smtp_stage stage, uint16_t code, enum reply_scope scope,
                             enum reply_reason reason, const char *rule)
{
    return (struct evidence){
        .kind = EVIDENCE_REPLY,
        .stage = stage,
        .code = code,
        .class = {.scope = scope, .reason = reason, .rule = rule},
    };
}

static void named_answers_claim_what_they_say(void **state)
{
    (void)state;
    for (unsigned i = 0; i < answer_count; i++) {
        if (claim_of(&answers[i].evidence) != answers[i].claim) {
            fail_msg("%s: %d", answers[i].name, (int)claim_of(&answers[i].evidence));
        }
    }
}

static const struct claim_row {
    enum reply_reason reason;
    enum reply_scope scope;
    enum claim soft, hard; /* at RCPT with 450, with 550, by the words of a rule */
} claim_rows[] = {
    {REASON_MAILBOX_UNKNOWN, SCOPE_MAILBOX, CLAIM_SOFT_GONE, CLAIM_GONE},
    {REASON_MAILBOX_UNKNOWN, SCOPE_UNKNOWN, CLAIM_TEMPORARY, CLAIM_AMBIGUOUS},
    {REASON_MAILBOX_UNKNOWN, SCOPE_US, CLAIM_BLOCKED, CLAIM_BLOCKED},
    {REASON_MAILBOX_FULL, SCOPE_MAILBOX, CLAIM_FULL, CLAIM_FULL},
    {REASON_MAILBOX_FULL, SCOPE_SERVER, CLAIM_TEMPORARY, CLAIM_BROKEN},
    {REASON_MAILBOX_DISABLED, SCOPE_MAILBOX, CLAIM_TEMPORARY, CLAIM_DISABLED},
    {REASON_MAILBOX_MOVED, SCOPE_MAILBOX, CLAIM_TEMPORARY, CLAIM_MOVED},
    {REASON_EXISTS, SCOPE_MAILBOX, CLAIM_EXISTS, CLAIM_EXISTS},
    {REASON_EXISTS, SCOPE_US, CLAIM_BLOCKED, CLAIM_BLOCKED},
    {REASON_GREYLISTED, SCOPE_US, CLAIM_GREYLISTED, CLAIM_GREYLISTED},
    {REASON_RATE_LIMITED, SCOPE_US, CLAIM_RATED, CLAIM_RATED},
    {REASON_POLICY_BLOCKED, SCOPE_US, CLAIM_BLOCKED, CLAIM_BLOCKED},
    {REASON_POLICY_BLOCKED, SCOPE_UNKNOWN, CLAIM_BLOCKED, CLAIM_AMBIGUOUS},
    {REASON_SPAM_CONTENT, SCOPE_MESSAGE, CLAIM_BLOCKED, CLAIM_BLOCKED},
    {REASON_RELAY_DENIED, SCOPE_DOMAIN, CLAIM_TEMPORARY, CLAIM_DOMAIN},
    {REASON_RELAY_DENIED, SCOPE_UNKNOWN, CLAIM_TEMPORARY, CLAIM_AMBIGUOUS},
    {REASON_DOMAIN_PROBLEM, SCOPE_DOMAIN, CLAIM_TEMPORARY, CLAIM_DOMAIN},
    {REASON_AUTH_REQUIRED, SCOPE_US, CLAIM_BLOCKED, CLAIM_BLOCKED},
    {REASON_TLS_REQUIRED, SCOPE_US, CLAIM_TLS, CLAIM_TLS},
    {REASON_TOO_BIG, SCOPE_MESSAGE, CLAIM_TEMPORARY, CLAIM_AMBIGUOUS},
    {REASON_SYSTEM_ERROR, SCOPE_SERVER, CLAIM_TEMPORARY, CLAIM_BROKEN},
    {REASON_UNKNOWN, SCOPE_UNKNOWN, CLAIM_TEMPORARY, CLAIM_AMBIGUOUS},
    {REASON_UNKNOWN, SCOPE_US, CLAIM_BLOCKED, CLAIM_BLOCKED},
};

static void reason_and_scope_make_the_claim_at_rcpt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof claim_rows / sizeof *claim_rows; i++) {
        const struct claim_row *row = &claim_rows[i];
        struct evidence soft = reply(HEL_SMTP_RCPT, 450, row->scope, row->reason, rules[0]);
        struct evidence hard = reply(HEL_SMTP_RCPT, 550, row->scope, row->reason, rules[0]);
        if (claim_of(&soft) != row->soft || claim_of(&hard) != row->hard) {
            fail_msg("%s of %s: %d with 450, %d with 550", reply_reason_name(row->reason),
                     reply_scope_name(row->scope), (int)claim_of(&soft), (int)claim_of(&hard));
        }
    }
}

typedef void (*check_fn)(const struct evidence *e, enum claim claim);

static void each_reply(check_fn check)
{
    for (int stage = HEL_SMTP_CONNECT; stage <= HEL_SMTP_RCPT; stage++) {
        for (int scope = SCOPE_MAILBOX; scope <= SCOPE_UNKNOWN; scope++) {
            for (int reason = REASON_ACCEPTED; reason < REASON_COUNT; reason++) {
                for (size_t i = 0; i < (size_t)CODE_COUNT * RULE_COUNT; i++) {
                    struct evidence e = reply((enum hel_smtp_stage)stage, codes[i / RULE_COUNT],
                                              (enum reply_scope)scope, (enum reply_reason)reason,
                                              rules[i % RULE_COUNT]);
                    check(&e, claim_of(&e));
                }
            }
        }
    }
}

static bool is_final(enum claim claim)
{
    return claim == CLAIM_GONE || claim == CLAIM_DISABLED || claim == CLAIM_MOVED ||
           claim == CLAIM_DOMAIN || claim == CLAIM_AMBIGUOUS || claim == CLAIM_BROKEN;
}

static bool is_about_mailbox(enum claim claim)
{
    return claim <= CLAIM_MOVED || claim == CLAIM_AMBIGUOUS || claim == CLAIM_SOFT_GONE;
}

static void check_refusal(const struct evidence *e, enum claim claim)
{
    bool is_sound = true;
    bool is_soft = e->code < 500;
    if (claim == CLAIM_ACCEPTED || claim == CLAIM_ACCEPTED_ODD || claim == CLAIM_COUNT) {
        is_sound = false;
    }
    if (is_soft && is_final(claim)) {
        is_sound = false; /* 4xx says nothing for good */
    }
    if (!is_soft && (claim == CLAIM_SOFT_GONE || claim == CLAIM_TEMPORARY)) {
        is_sound = false;
    }
    if (e->stage < HEL_SMTP_RCPT && is_about_mailbox(claim)) {
        is_sound = false; /* nobody was named yet */
    }
    if (e->stage > HEL_SMTP_BANNER && e->stage < HEL_SMTP_RCPT && claim == CLAIM_DOMAIN) {
        is_sound = false;
    }
    if (e->class.scope == SCOPE_US && (is_about_mailbox(claim) || claim == CLAIM_DOMAIN)) {
        is_sound = false;
    }
    bool is_statement = claim == CLAIM_GONE || claim == CLAIM_DISABLED || claim == CLAIM_MOVED ||
                        claim == CLAIM_FULL || claim == CLAIM_EXISTS || claim == CLAIM_SOFT_GONE;
    if ((is_statement && e->class.scope != SCOPE_MAILBOX) ||
        (claim == CLAIM_DOMAIN && e->class.scope != SCOPE_DOMAIN)) {
        is_sound = false;
    }
    if (!is_sound) {
        fail_msg("%u at %s, %s of %s by %s: claim %d", (unsigned)e->code,
                 hel_smtp_stage_name(e->stage), reply_reason_name(e->class.reason),
                 reply_scope_name(e->class.scope), e->class.rule != NULL ? e->class.rule : "none",
                 (int)claim);
    }
}

static void no_refusal_claims_more_than_it_says(void **state)
{
    (void)state;
    each_reply(check_refusal);
}

static void codes_alone_prove_little(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        struct hel_enhanced enhanced;
        enum reply_reason reason;
        enum reply_scope scope;
        enum claim claim;
    } cases[] = {
        {"enhanced:x.1.1", {5, 1, 1}, REASON_MAILBOX_UNKNOWN, SCOPE_MAILBOX, CLAIM_GONE},
        {"code:550", {0, 0, 0}, REASON_MAILBOX_UNKNOWN, SCOPE_MAILBOX, CLAIM_AMBIGUOUS},
        {"rules/a:1", {5, 4, 1}, REASON_MAILBOX_UNKNOWN, SCOPE_MAILBOX, CLAIM_AMBIGUOUS},
        {"enhanced:x.4", {5, 4, 1}, REASON_SYSTEM_ERROR, SCOPE_SERVER, CLAIM_AMBIGUOUS},
        {"rules/a:1", {5, 4, 1}, REASON_SYSTEM_ERROR, SCOPE_SERVER, CLAIM_BROKEN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct evidence e =
            reply(HEL_SMTP_RCPT, 550, cases[i].scope, cases[i].reason, cases[i].rule);
        e.enhanced = cases[i].enhanced;
        assert_int_equal(claim_of(&e), cases[i].claim);
    }
}

static void odd_codes_are_no_yes(void **state)
{
    (void)state;
    static const uint16_t odd[] = {0, 1, 199, 300, 334, 354, 399};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct evidence e =
            reply(HEL_SMTP_RCPT, odd[i], SCOPE_MAILBOX, REASON_ACCEPTED, "code:250");
        assert_int_equal(claim_of(&e), CLAIM_PROTOCOL);
    }
    for (int stage = HEL_SMTP_CONNECT; stage < HEL_SMTP_STAGE_COUNT; stage++) {
        struct evidence e =
            reply((enum hel_smtp_stage)stage, 250, SCOPE_MAILBOX, REASON_ACCEPTED, "code:250");
        enum claim expected = stage < HEL_SMTP_RCPT    ? CLAIM_PROTOCOL
                              : stage == HEL_SMTP_RCPT ? CLAIM_ACCEPTED
                                                       : CLAIM_BROKEN;
        assert_int_equal(claim_of(&e), expected);
    }
    struct evidence mixed = answer_of("yes%");
    assert_int_equal(claim_of(&mixed), CLAIM_ACCEPTED_ODD);
}

/* At connect "try again later" turns hosts away, not triplets. */
static void a_421_at_the_door_is_a_matter_of_rate(void **state)
{
    (void)state;
    struct evidence e = reply(HEL_SMTP_BANNER, 421, SCOPE_UNKNOWN, REASON_GREYLISTED, "rules/a:1");
    assert_int_equal(claim_of(&e), CLAIM_RATED);
    e.enhanced = (struct hel_enhanced){4, 3, 2};
    assert_int_equal(claim_of(&e), CLAIM_GREYLISTED);
    e.class.reason = REASON_UNKNOWN;
    assert_int_equal(claim_of(&e), CLAIM_TEMPORARY);
    e.enhanced = (struct hel_enhanced){0, 0, 0};
    assert_int_equal(claim_of(&e), CLAIM_RATED);
    e.stage = HEL_SMTP_MAIL;
    assert_int_equal(claim_of(&e), CLAIM_TEMPORARY);
}

static void sessions_are_trusted_up_to_a_point(void **state)
{
    (void)state;
    for (int class = PROVIDER_WEBMAIL; class <= PROVIDER_SELFHOSTED; class ++) {
        struct provider provider = {.class = (enum provider_class) class};
        bool is_large = class == PROVIDER_WEBMAIL || class == PROVIDER_BUSINESS;
        struct evidence e = answer_of("yes");
        e.session_refusals = (uint16_t)(claim_session_patience(&provider) - 1);
        assert_false(claim_is_distrusted(&e, &provider));
        e.session_refusals++;
        assert_true(claim_is_distrusted(&e, &provider));
        assert_int_equal(claim_session_patience(&provider), is_large ? 10 : 2);
    }
}

static void texts_are_compared_by_what_stays(void **state)
{
    (void)state;
    static const struct {
        const char *a, *a_local, *b, *b_local;
        bool is_same;
    } cases[] = {
        {"5.1.1 <jane@d.test>: Rejected", "jane", "5.1.1 <xa9@d.test>: Rejected", "xa9", true},
        {"Rejected: jane is unknown", "jane", "Rejected: bafoqu is unknown", "bafoqu", true},
        {"Rejected id 4f2a", "jane", "Rejected id 99b1", "x", true},
        {"REJECTED by policy", "jane", "rejected  By  Policy", "x", true},
        {"Rejected (\"jane\")", "jane", "Rejected ('x')", "x", true},
        {"Rejected", "jane", "No such user", "x", false},
        {"Rejected", "jane", "", "x", false},
        {"", "jane", "4.7.1 <x@d.test>", "x", true},
        {"one two", "", "two one", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t a = claim_text_hash(cases[i].a, slice_of(cases[i].a_local));
        uint32_t b = claim_text_hash(cases[i].b, slice_of(cases[i].b_local));
        if ((a == b) != cases[i].is_same) {
            fail_msg("\"%s\" and \"%s\"", cases[i].a, cases[i].b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_answers_claim_what_they_say),
        cmocka_unit_test(reason_and_scope_make_the_claim_at_rcpt),
        cmocka_unit_test(no_refusal_claims_more_than_it_says),
        cmocka_unit_test(codes_alone_prove_little),
        cmocka_unit_test(odd_codes_are_no_yes),
        cmocka_unit_test(a_421_at_the_door_is_a_matter_of_rate),
        cmocka_unit_test(sessions_are_trusted_up_to_a_point),
        cmocka_unit_test(texts_are_compared_by_what_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
