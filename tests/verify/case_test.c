/* The life of a case: DNS first, then questions until there is enough; it comes to an end whatever is
 * answered, and keeps the principles. See tests/verify/play.h for the language of the scripts.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers.h"
#include "base/random.h"
#include "play.h"
#include "stand.h"

enum { RANDOM_CASES = 20000, RANDOM_NEIGHBOURS = 3 };

static void policy_skips(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->skip, SKIP_PROVIDER_POLICY);
    assert_true(play_has_reason(stand, "provider_skipped"));
}

static void smtp_was_not_wanted(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->skip, SKIP_NONE);
    assert_true(play_has_reason(stand, "no_smtp"));
}

static void budget_is_told(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->skip, SKIP_BUDGET);
    assert_true(play_has_reason(stand, "stopped"));
    assert_int_equal(play_verdict(stand)->retry_after_s, 3600);
}

static void servers_words_are_kept(const struct stand *stand)
{
    assert_true(play_has_reason(stand, "accepted"));
}

static void block_is_not_the_verdict(const struct stand *stand)
{
    assert_true(play_has_reason(stand, "blocked"));
    assert_int_equal(play_verdict(stand)->block_kind, BLOCK_NONE);
}

static const struct play plays[] = {
    /* DNS decides alone. */
    {"no such domain", .script = "=domain_not_found", .dns = ROUTE_NOT_FOUND},
    {"null MX", .script = "=null_mx", .dns = ROUTE_NULL_MX},
    {"no host", .script = "=no_mail_host", .dns = ROUTE_NO_HOST},
    {"not routable", .script = "=mx_unroutable", .dns = ROUTE_UNROUTABLE},
    {"DNS fails", .script = "=dns_error", .dns = ROUTE_DNS_ERROR},
    {"no exchanger has a usable address", .script = "=connect_failed", .mx = "10? 20?"},

    /* Nothing is asked. */
    {"provider to be skipped", .script = "=skipped", .traits = PROVIDER_SKIP,
     .check = policy_skips},
    {"DNS only", .script = "=skipped", .config = {.no_smtp = true}, .check = smtp_was_not_wanted},
    {"DNS only, and that is enough", .script = "=null_mx", .dns = ROUTE_NULL_MX,
     .config = {.no_smtp = true}},
    {"over before DNS answered", .script = "expire:budget =skipped", .check = budget_is_told},
    {"over before the first answer", .script = "real0 slow real1 slow =smtp_timeout",
     .mx = "10 20"},

    /* Stopped on the way: what is known counts. */
    {"over while greylisted", .script = "real0 grey wait:300 expire:budget =greylisted"},
    {"cancelled while greylisted", .script = "real0 grey wait:300 expire:cancelled =skipped"},
    {"over before the control", .script = "real0 yes expire:budget =accepted_unconfirmed"},
    {"cancelled before the control", .script = "real0 yes expire:cancelled =skipped"},
    {"cancelled after all was known", .script = "real0 no expire:cancelled =mailbox_not_found"},

    /* The exchangers in their order. */
    {"those without an address are passed over", .script = "real1 no =mailbox_not_found",
     .mx = "10? 20 30"},
    {"each is asked once in a round",
     .script = "real0 slow real1 garble real2 unreached real3 drop real3+ no =mailbox_not_found",
     .mx = "10 10 20 30"},
    {"evidence is bounded",
     .script = "real0 slow real1 slow real2 slow real3 slow real4 slow real5 slow =smtp_timeout",
     .mx = "1 2 3 4 5 6 7 8"},

    /* The user's policy comes last. */
    {"disposable", .script = "real0 yes control0 no =disposable",
     .config = {.risky_if = VERIFY_RISKY_DISPOSABLE}, .hints = {.is_disposable = true},
     .check = servers_words_are_kept},
    {"disposable, not minded", .script = "real0 yes control0 no =accepted",
     .hints = {.is_disposable = true}},
    {"disposable, and dead", .script = "real0 no =mailbox_not_found",
     .config = {.risky_if = VERIFY_RISKY_DISPOSABLE}, .hints = {.is_disposable = true}},
    {"disposable, and blocked", .script = "real0 blocked =disposable",
     .config = {.risky_if = VERIFY_RISKY_DISPOSABLE}, .hints = {.is_disposable = true},
     .check = block_is_not_the_verdict},
    {"disposable, and cancelled", .script = "real0 yes expire:cancelled =skipped",
     .config = {.risky_if = VERIFY_RISKY_DISPOSABLE}, .hints = {.is_disposable = true}},
    {"role", .script = "real0 yes control0 no =role", .config = {.risky_if = VERIFY_RISKY_ROLE},
     .hints = {.is_role = true}, .check = servers_words_are_kept},
    {"role, not minded", .script = "real0 yes control0 no =accepted", .hints = {.is_role = true}},
    {"role at a catch-all", .script = "real0 yes control0 yes =catch_all",
     .config = {.risky_if = VERIFY_RISKY_ROLE}, .hints = {.is_role = true}},
    {"free", .script = "real0 yes control0 no =suppressed",
     .config = {.risky_if = VERIFY_RISKY_FREE}, .hints = {.is_free = true}},
};

static const char *at_random(void *context, const struct verify_probe *probe)
{
    static char word[64];
    struct random *random = context;
    (void)probe;
    (void)snprintf(word, sizeof word, "%s%s%s", answers[random_below(random, answer_count)].name,
                   random_below(random, 6) == 0 ? "%" : "",
                   random_below(random, 4) == 0 ? "!3" : "");
    return word;
}

static const char *random_mx(struct random *random)
{
    static const char *const sets[] = {
        "10", "10 10", "10 20", "10? 20", "10 20 30!", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"};
    return sets[random_below(random, sizeof sets / sizeof *sets)];
}

static struct play random_play(struct random *random)
{
    static const char *const addresses[] = {"jane@d.test", "jane.miller@d.test", "j42@d.test"};
    struct play play = {.name = "random", .mx = random_mx(random)};
    play.address = addresses[random_below(random, sizeof addresses / sizeof *addresses)];
    play.traits = random_below(random, 4) == 0 ? 1u << random_below(random, 8) : 0;
    play.is_large = random_below(random, 3) == 0;
    play.no_sender = random_below(random, 3) == 0;
    play.no_retry = random_below(random, 3) == 0;
    play.config.null_sender_first = random_below(random, 2) == 0;
    play.config.no_control = random_below(random, 8) == 0;
    play.config.attempts_max = (uint8_t)random_below(random, 12);
    play.config.risky_if = random_below(random, 8);
    play.hints.is_role = random_below(random, 4) == 0;
    play.hints.is_disposable = random_below(random, 4) == 0;
    play.hints.is_gibberish = random_below(random, 4) == 0;
    return play;
}

/* Neighbours share the memory of their domain, one after the other. */
static void any_answers_come_to_a_principled_end(void **state)
{
    (void)state;
    struct random random = {.state = 20260101};
    unsigned seen[SUB_COUNT] = {0};
    for (unsigned i = 0; i < RANDOM_CASES; i++) {
        struct verify_domain domain = {0};
        for (unsigned j = 0; j < RANDOM_NEIGHBOURS; j++) {
            struct play play = random_play(&random);
            struct stand *stand = stand_new(&play, &domain);
            stand_begin(stand);
            stand_drive(stand, at_random, &random);
            check_principles(stand);
            seen[play_verdict(stand)->sub]++;
            stand_free(stand);
        }
        assert_int_equal(domain.pending, 0);
        assert_int_equal(domain.awaiting_live, 0);
    }
    assert_true(seen[SUB_ACCEPTED] > 0 && seen[SUB_CATCH_ALL] > 0 && seen[SUB_BLANKET_REJECT] > 0);
    assert_true(seen[SUB_MAILBOX_NOT_FOUND] > 0 && seen[SUB_DOMAIN_NOT_HOSTED] > 0);
}

static void answers_that_nobody_asked_for_change_nothing(void **state)
{
    (void)state;
    static const struct play play = {.name = "unasked"};
    struct stand *stand = stand_new(&play, NULL);
    struct verify_action action;
    size_t count;
    stand_begin(stand);
    stand_answer(stand, "no");
    verify_case_next(stand->verify, stand->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_RESOLVE);
    stand_answer(stand, "no"); /* DNS is owed, not this */
    verify_case_next(stand->verify, stand->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_IDLE);
    stand_route(stand);
    stand_answer(stand, "no");
    (void)verify_case_evidence(stand->verify, &count);
    assert_int_equal(count, 0);
    verify_case_next(stand->verify, stand->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_PROBE);
    stand_route(stand); /* a provider recognised later; what is owed stays owed */
    verify_case_next(stand->verify, stand->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_IDLE);
    stand_answer(stand, "no");
    verify_case_next(stand->verify, stand->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_DONE);
    stand_free(stand);
}

static void a_wait_is_not_cut_short(void **state)
{
    (void)state;
    static const struct play play = {.name = "wait"};
    struct stand *stand = stand_new(&play, NULL);
    struct verify_action action;
    stand_begin(stand);
    verify_case_next(stand->verify, stand->now_ms, &action);
    stand_route(stand);
    verify_case_next(stand->verify, stand->now_ms, &action);
    stand_answer(stand, "grey");
    stand_pass(stand, PLAY_START_MS + 299999);
    verify_case_next(stand->verify, stand->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_WAIT);
    assert_int_equal(action.until_ms, PLAY_START_MS + 300000);
    stand_pass(stand, PLAY_START_MS + 300000);
    verify_case_next(stand->verify, stand->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_PROBE);
    stand_free(stand);
}

static void the_first_exchanger_is_known_without_a_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        struct stand *stand = stand_new(&plays[i], NULL);
        struct verify_action action;
        stand_begin(stand);
        verify_case_next(stand->verify, stand->now_ms, &action);
        stand_route(stand);
        verify_case_next(stand->verify, stand->now_ms, &action);
        uint8_t exchanger = UINT8_MAX;
        bool is_asked =
            verify_first_exchanger(&stand->config, stand->route, &stand->provider, &exchanger);
        if (is_asked != (action.kind == VERIFY_PROBE) ||
            (is_asked && exchanger != action.probe.exchanger)) {
            fail_msg("%s: action %d, exchanger %u", plays[i].name, (int)action.kind, exchanger);
        }
        stand_free(stand);
    }
}

static void those_who_await_a_live_mailbox_hear_when_no_case_is_to_come(void **state)
{
    (void)state;
    struct verify_domain domain = {.awaiting_live = 1};
    verify_domain_expect(&domain);
    verify_domain_expect(&domain);
    verify_domain_unexpect(&domain);
    assert_int_equal(domain.changes, 0);
    verify_domain_unexpect(&domain);
    assert_int_equal(domain.changes, 1);
    assert_int_equal(domain.pending, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_answers_come_to_a_principled_end),
        cmocka_unit_test(answers_that_nobody_asked_for_change_nothing),
        cmocka_unit_test(a_wait_is_not_cut_short),
        cmocka_unit_test(the_first_exchanger_is_known_without_a_case),
        cmocka_unit_test(those_who_await_a_live_mailbox_hear_when_no_case_is_to_come),
    };
    int failed = play_all("case", plays, sizeof plays / sizeof plays[0]);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
