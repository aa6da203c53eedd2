/* Controls and witnesses: when one is asked for, what its answer means, who waits for whom.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers.h"
#include "base/slice.h"
#include "play.h"
#include "stand.h"
#include "verify/control.h"

enum { DAY_MS = 86400 * 1000, MINUTE_MS = 60 * 1000 };

static void remember(struct verify_domain *domain, enum control_state state, const char *answer,
                     uint64_t age_ms)
{
    struct evidence e = answer_of(answer);
    domain->controls[0] = (struct verify_control_memory){
        .state = (uint8_t)state,
        .code = e.code,
        .at_ms = PLAY_START_MS - age_ms,
        .text_hash = claim_text_hash(e.text, SLICE_NONE),
        .reason = (uint8_t)e.class.reason,
    };
}

static void refused_lately(struct verify_domain *domain)
{
    remember(domain, CONTROL_REFUSED, "no", 6 * (uint64_t)DAY_MS);
}

static void refused_long_ago(struct verify_domain *domain)
{
    remember(domain, CONTROL_REFUSED, "no", 7 * (uint64_t)DAY_MS);
}

static void accepted_lately(struct verify_domain *domain)
{
    remember(domain, CONTROL_ACCEPTED, "yes", 6 * (uint64_t)DAY_MS);
}

static void accepted_long_ago(struct verify_domain *domain)
{
    remember(domain, CONTROL_ACCEPTED, "yes", 7 * (uint64_t)DAY_MS);
}

static void refused_vaguely(struct verify_domain *domain)
{
    remember(domain, CONTROL_REFUSED, "vague", 9 * MINUTE_MS);
}

static void refused_vaguely_before(struct verify_domain *domain)
{
    remember(domain, CONTROL_REFUSED, "vague", 10 * MINUTE_MS);
}

static void untestable_lately(struct verify_domain *domain)
{
    remember(domain, CONTROL_UNTESTABLE, "blocked", 14 * MINUTE_MS);
}

static void untestable_before(struct verify_domain *domain)
{
    remember(domain, CONTROL_UNTESTABLE, "blocked", 15 * MINUTE_MS);
}

static void another_case_asks(struct verify_domain *domain)
{
    domain->controls[0].state = CONTROL_RUNNING;
}

static void vague_and_somebody_lives(struct verify_domain *domain)
{
    refused_vaguely(domain);
    domain->live_seen = 1;
}

static void is_catch_all(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->is_catch_all, TRI_YES);
    assert_int_equal(play_domain(stand)->live_seen, 0);
}

static void is_selective(const struct stand *stand)
{
    struct verify_summary summary = play_summary(stand);
    assert_int_equal(play_verdict(stand)->is_catch_all, TRI_NO);
    assert_true(summary.control_tested);
    assert_int_equal(summary.control, CONTROL_REFUSED);
    assert_int_equal(summary.control_code, 550);
    assert_int_equal(summary.control_count, 1);
    assert_int_equal(play_domain(stand)->live_seen, 1);
    assert_true(play_has_reason(stand, "control_refused"));
}

static void was_not_asked_again(const struct stand *stand)
{
    assert_false(play_summary(stand).control_tested);
}

/* Whatever others have learned: it says itself that not every name is taken, and rests on no control. */
static void is_no_catch_all_by_itself(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->is_catch_all, TRI_NO);
    assert_int_equal(play_summary(stand).control, CONTROL_UNTESTED);
    assert_int_equal(play_summary(stand).control_code, 0);
}

static void says_nothing_of_others(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->is_catch_all, TRI_UNKNOWN);
    assert_int_equal(play_summary(stand).control, CONTROL_UNTESTED);
}

static void catch_all_is_open(const struct stand *stand)
{
    assert_int_equal(play_verdict(stand)->is_catch_all, TRI_UNKNOWN);
    assert_int_equal(play_domain(stand)->live_seen, 0);
}

static void backup_only(const struct stand *stand)
{
    assert_int_equal(play_domain(stand)->controls[0].state, CONTROL_UNTESTED);
    assert_int_equal(play_domain(stand)->backup_controls[0].state, CONTROL_ACCEPTED);
    assert_true(play_has_reason(stand, "backup_exchanger"));
}

static const struct play plays[] = {
    {"refused", .script = "real0 yes control0 no =accepted", .check = is_selective},
    {"accepted", .script = "real0 yes control0 yes =catch_all", .check = is_catch_all},
    {"forwarded", .script = "real0 forward control0 no =accepted_forward"},
    {"a no needs none", .script = "real0 no =mailbox_not_found", .check = was_not_asked_again},
    {"a no says so itself", .script = "real0 no =mailbox_not_found",
     .check = is_no_catch_all_by_itself},
    {"a no says so itself, whatever others saw", .script = "real0 no =mailbox_not_found",
     .remember = accepted_lately, .check = is_no_catch_all_by_itself},
    {"full is full, whatever others saw", .script = "real0 full =mailbox_full",
     .remember = accepted_lately, .check = says_nothing_of_others},
    {"252 is no yes, even beside a no",
     .script = "real0 perhaps control0 no =accepted_unconfirmed"},
    {"252 for everybody", .script = "real0 perhaps control0 perhaps =catch_all"},
    {"a mixed yes is asked twice", .script = "real0 yes% real0+ yes control0 no =accepted"},
    {"a mixed yes stays doubtful",
     .script = "real0 yes% real0+ yes% control0 no =accepted_unconfirmed"},

    /* Memory. */
    {"refused lately", .script = "real0 yes =accepted", .remember = refused_lately,
     .check = was_not_asked_again},
    {"refused long ago", .script = "real0 yes control0 yes =catch_all",
     .remember = refused_long_ago},
    {"accepted lately", .script = "real0 yes =catch_all", .remember = accepted_lately},
    {"accepted long ago", .script = "real0 yes control0 no =accepted",
     .remember = accepted_long_ago},
    {"refused vaguely a moment ago", .script = "real0 yes =accepted", .remember = refused_vaguely},
    {"refused vaguely some time ago", .script = "real0 yes control0 vague =accepted",
     .remember = refused_vaguely_before},
    {"untestable lately", .script = "real0 yes =accepted_unconfirmed",
     .remember = untestable_lately, .check = catch_all_is_open},
    {"untestable some time ago", .script = "real0 yes control0 no =accepted",
     .remember = untestable_before},
    {"another shape has its own", .script = "real0 yes control0 no =accepted",
     .address = "jane.miller@d.test", .remember = accepted_lately},
    {"another case asks, and is refused", .script = "real0 yes await settled:refused =accepted",
     .remember = another_case_asks},
    {"another case asks, and is accepted", .script = "real0 yes await settled:accepted =catch_all",
     .remember = another_case_asks},
    {"awaiting has an end", .script = "real0 yes await await expire:budget =accepted_unconfirmed",
     .remember = another_case_asks},

    /* Trouble with the control. */
    {"greylisted", .script = "real0 yes control0 grey wait:300 control0+ no =accepted"},
    {"greylisted, and no time", .script = "real0 yes control0 grey =accepted_unconfirmed",
     .no_retry = true, .check = catch_all_is_open},
    {"greylisted for ever",
     .script = "real0 yes control0 grey wait:300 control0+ grey wait:600 control0+ grey wait:1200 "
               "control0+ grey =accepted_unconfirmed"},
    {"rated in a used session", .script = "real0 yes control0 rated!1 control0+ no =accepted"},
    {"rated", .script = "real0 yes control0 rated wait:60 control0+ yes =catch_all"},
    {"lost lines",
     .script = "real0 yes control0 drop control0+ drop control0+ drop =accepted_unconfirmed"},
    {"a lost line", .script = "real0 yes control0 slow control0+ no =accepted"},
    {"blocked", .script = "real0 yes control0 blocked =accepted_unconfirmed",
     .check = catch_all_is_open},
    {"skipped", .script = "real0 yes control0 skip =accepted_unconfirmed"},
    {"somebody's name by chance", .script = "real0 yes control0 full control0+ no =accepted"},
    {"everybody's mailbox is full",
     .script = "real0 yes control0 full control0+ full control0+ full =accepted_unconfirmed"},
    {"accepted after refusals", .script = "real0 yes control0 yes!2 control0+ no =accepted"},
    {"refused for a while", .script = "real0 yes control0 soft-no =accepted"},

    /* Traits and settings. */
    {"a provider that takes all", .script = "real0 yes =accepts_all_provider",
     .traits = PROVIDER_ACCEPTS_ALL, .check = was_not_asked_again},
    {"its no is a no", .script = "real0 no =mailbox_not_found", .traits = PROVIDER_ACCEPTS_ALL},
    {"a provider whose yes is selective", .script = "real0 yes =accepted",
     .traits = PROVIDER_SELECTIVE, .check = was_not_asked_again},
    {"controls mean nothing there", .script = "real0 yes =accepted_unconfirmed",
     .traits = PROVIDER_CONTROL_MEANINGLESS},
    {"nor beside a vague no", .script = "real0 vague =blanket_reject",
     .traits = PROVIDER_CONTROL_MEANINGLESS},
    {"no controls, please", .script = "real0 yes =accepted_unconfirmed",
     .config = {.no_control = true}},
    {"no controls, and a vague no", .script = "real0 vague =blanket_reject",
     .config = {.no_control = true}},

    /* A backup knows less, and is asked by itself. */
    {"a backup's yes", .script = "real0 slow real1 yes control1 no =accepted", .mx = "10 20"},
    {"a backup takes all", .script = "real0 slow real1 yes control1 yes =accepts_all_provider",
     .mx = "10 20", .check = backup_only},
    {"the better one was not found in DNS",
     .script = "real1 yes control1 yes =accepts_all_provider", .mx = "10? 20"},
    {"the better one is not routable", .script = "real1 yes control1 yes =catch_all",
     .mx = "10! 20"},

    /* A vague refusal beside a control. */
    {"the control is taken", .script = "real0 vague control0 yes =mailbox_not_found"},
    {"alike, and postmaster too", .script = "real0 vague control0 vague postmaster0 vague "
                                            "=blanket_reject"},
    {"alike, but not postmaster", .script = "real0 vague control0 vague postmaster0 yes "
                                            "=blanket_reject"},
    {"alike, and somebody lives", .script = "real0 vague =mailbox_not_found",
     .remember = vague_and_somebody_lives},
    {"in other words than the control", .script = "real0 vague control0 no =blocked"},
    {"a bare code like the control's",
     .script = "real0 by-code control0 by-code postmaster0 by-code =blanket_reject"},
    {"the control is blocked, and another way out is well",
     .script = "real0 yes control0 blocked^ control0^ no =accepted"},
    {"the control is blocked through three",
     .script = "real0 yes control0 blocked^ control0^ blocked^ control0^ blocked^ "
               "=accepted_unconfirmed"},
    {"the control may not be asked", .script = "real0 yes control0 rated? =accepted_unconfirmed"},
    {"the control is blocked", .script = "real0 vague control0 blocked =blocked"},
    {"the control is not answered",
     .script = "real0 vague control0 slow control0+ slow control0+ slow =blanket_reject"},
    {"postmaster is its own witness", .script = "real0 vague control0 vague =blanket_reject",
     .address = "Postmaster@d.test"},
};

static const char *always(void *context, const struct verify_probe *probe)
{
    const char *const *words = context;
    return words[probe->role];
}

/* The control has the shape of the address and its domain, whatever the address. */
static void a_control_is_shaped_like_the_address(void **state)
{
    (void)state;
    static const char *const addresses[] = {"jane@d.test", "jane.miller@d.test", "j42@d.test",
                                            "a.rather.long.name-2024@d.test", "\"j m\"@d.test"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct play play = {.name = addresses[i], .address = addresses[i]};
        struct stand *stand = stand_new(&play, NULL);
        struct verify_action action;
        stand_begin(stand);
        verify_case_next(stand->verify, stand->now_ms, &action);
        stand_route(stand);
        verify_case_next(stand->verify, stand->now_ms, &action);
        stand_answer(stand, "yes");
        verify_case_next(stand->verify, stand->now_ms, &action);
        struct slice rcpt = action.probe.rcpt;
        assert_int_equal(action.probe.role, PROBE_CONTROL);
        assert_true(slice_ends(rcpt, SLICE("@d.test")));
        struct slice control = slice_sub(rcpt, 0, slice_find_last_byte(rcpt, '@'));
        assert_int_equal(control_shape(control), control_shape(stand->local));
        assert_false(action.probe.needs_smtputf8);
        verify_case_expire(stand->verify, SKIP_BUDGET, stand->now_ms);
        stand_free(stand);
    }
}

/* A vague refusal waits for the first answers of its neighbours: one of them may be alive. */
static void a_vague_refusal_waits_for_its_neighbours(void **state)
{
    (void)state;
    static const struct play dead_play = {.name = "dead", .address = "dead@d.test"};
    static const struct play live_play = {.name = "live", .address = "live@d.test"};
    static const char *const live_words[] = {"yes", "vague", "vague"};
    struct verify_domain domain = {0};
    struct stand *dead = stand_new(&dead_play, &domain);
    struct stand *live = stand_new(&live_play, &domain);
    struct verify_action action;
    stand_begin(dead);
    stand_begin(live);
    verify_case_next(dead->verify, dead->now_ms, &action);
    stand_route(dead);
    for (unsigned i = 0; i < 2; i++) { /* itself and the control */
        verify_case_next(dead->verify, dead->now_ms, &action);
        assert_int_equal(action.kind, VERIFY_PROBE);
        stand_answer(dead, "vague");
    }
    verify_case_next(dead->verify, dead->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_AWAIT_DOMAIN);
    assert_int_equal(domain.pending, 1);
    uint16_t changes = domain.changes;
    const char *words[3];
    memcpy(words, live_words, sizeof words);
    stand_drive(live, always, words);
    assert_int_equal(play_verdict(live)->sub, SUB_ACCEPTED);
    assert_int_not_equal(domain.changes, changes);
    verify_case_tick(dead->verify, dead->now_ms);
    verify_case_next(dead->verify, dead->now_ms, &action);
    assert_int_equal(action.kind, VERIFY_DONE);
    assert_int_equal(play_verdict(dead)->sub, SUB_MAILBOX_NOT_FOUND);
    stand_free(dead);
    stand_free(live);
    assert_int_equal(domain.pending, 0);
    assert_int_equal(domain.awaiting_live, 0);
}

/* One asks for the control, the other awaits it; when the first is freed, the second asks. */
static void a_control_is_asked_once_and_given_up(void **state)
{
    (void)state;
    static const struct play play = {.name = "two"};
    struct verify_domain domain = {0};
    struct stand *stands[2];
    struct verify_action action;
    for (unsigned i = 0; i < 2; i++) {
        stands[i] = stand_new(&play, &domain);
        stand_begin(stands[i]);
        verify_case_next(stands[i]->verify, PLAY_START_MS, &action);
        stand_route(stands[i]);
        verify_case_next(stands[i]->verify, PLAY_START_MS, &action);
        stand_answer(stands[i], "yes");
        verify_case_next(stands[i]->verify, PLAY_START_MS, &action);
        assert_int_equal(action.kind, i == 0 ? VERIFY_PROBE : VERIFY_AWAIT_DOMAIN);
    }
    uint16_t changes = domain.changes;
    stand_free(stands[0]);
    assert_int_not_equal(domain.changes, changes);
    verify_case_next(stands[1]->verify, PLAY_START_MS, &action);
    assert_int_equal(action.kind, VERIFY_PROBE);
    assert_int_equal(action.probe.role, PROBE_CONTROL);
    stand_answer(stands[1], "no");
    verify_case_next(stands[1]->verify, PLAY_START_MS, &action);
    assert_int_equal(play_verdict(stands[1])->sub, SUB_ACCEPTED);
    stand_free(stands[1]);
    assert_int_equal(domain.pending, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_control_is_shaped_like_the_address),
        cmocka_unit_test(a_vague_refusal_waits_for_its_neighbours),
        cmocka_unit_test(a_control_is_asked_once_and_given_up),
    };
    int failed = play_all("case_control", plays, sizeof plays / sizeof plays[0]);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
